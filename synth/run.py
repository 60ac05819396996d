"""The synth stage: ask the teacher about every case, then derive rationales and their grounding from the ledger."""

import asyncio
from pathlib import Path
from typing import Any

import click

from ..study.config import Study
from ..study.errors import PendingError
from ..study.progress import Progress
from ..study.runs import MANIFEST, run_once
from . import permission
from .plan import identity, requests, teacher
from .settings import Settings
from .styles import style


def resolve(study: Study) -> Settings:
    """The section `[synth]`, every name in it looked up.

    Raises:
        StudyError: a wrong key, value or name, or a teacher elsewhere without leave.
    """
    settings = study.section("synth", Settings)
    module, options = teacher(settings)
    permission.check(study, module.urls(options))
    for name in settings.styles:
        style(name)
    return settings


def run(study: Study, home: Path) -> bool:
    """Make the rationales in `home/synth`. What is stored in the ledger is not asked again.

    Raises:
        ServiceError: the teacher cannot be asked at all.
        PendingError: stopped before the end (budget, deadline, Ctrl-C); the same call goes on.
    """
    from .derive import derive_all

    settings = resolve(study)
    cohort = home / "cohort"

    def work(folder: Path) -> None:
        ask(study, settings, cohort, folder)
        derive_all(study, settings, cohort, folder)

    inputs = [cohort / name for name in ("cases.parquet", "evidence.parquet")]
    done = run_once(home / "synth", identity(study, settings), inputs, work, keep=("ledger",))
    click.echo(f"synth: {_told(home / 'synth')}" + ("" if done else " (already there)"))
    return done


def ask(study: Study, settings: Settings, cohort: Path, folder: Path) -> None:
    """Ask everything that the ledger does not hold yet.

    Raises:
        PendingError: stopped before the end.
    """
    from .histories import count, histories
    from .job import Job
    from .ledger import Ledger

    module, options = teacher(settings)
    total = count(cohort, settings.splits) * len(settings.styles) * settings.samples

    async def main(ledger: Ledger, bar: Progress) -> Job:
        async with module.doors(options) as doors:
            job = Job(doors, ledger, settings, bar)
            await job.run(requests(study, settings, histories(cohort, settings.splits)))
            return job

    with Ledger(folder / "ledger") as ledger, Progress("synth", total) as bar:
        with asyncio.Runner(loop_factory=_loop()) as runner:
            job = runner.run(main(ledger, bar))
        if job.stopped:
            raise PendingError(
                f"synth: {job.stopped}; {len(ledger)} answers are stored. Run the command again to go on from there."
            )


def _loop() -> Any:
    """uvloop where it is installed; the standard loop elsewhere."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _told(folder: Path) -> str:
    import json

    if not (folder / MANIFEST).exists():
        return str(folder)
    found = json.loads((folder / "summary.json").read_text())
    return f"{found['rationales']} rationales, {found['refusals']} refused, in {folder}"
