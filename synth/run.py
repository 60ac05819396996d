"""The synth stage: ask the teacher about every case, then derive rationales and their grounding from the ledger."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study.config import Study
from ..study.errors import DataError, PendingError
from ..study.progress import Progress
from ..study.runs import manifest, run_once
from . import permission
from .plan import Plan
from .settings import Settings

if TYPE_CHECKING:
    from .ledger import Ledger


def resolve(study: Study) -> Settings:
    """The section `[synth]`, every name in it looked up.

    Raises:
        StudyError: a wrong key, value or name, or a teacher elsewhere without leave.
    """
    settings = study.section("synth", Settings)
    plan = Plan(study, settings)
    permission.check(study, plan.module.urls(plan.options))
    return settings


def describe(study: Study, home: Path) -> str:
    """What the stage would ask, in a line; the price where prices stand in the study file and the cohort is made."""
    from .histories import count

    s = resolve(study)
    each = len(s.styles) * s.samples
    if manifest(home / "cohort") is None:
        return f"{s.teacher.name} teacher, {', '.join(s.styles)}: {each} requests a case (cases not made yet)"
    total = count(home / "cohort", s.splits) * each
    return f"{s.teacher.name} teacher, {', '.join(s.styles)}: {total} requests"


def run(study: Study, home: Path) -> bool:
    """Make the rationales in `home/synth`. What is stored in the ledger is not asked again.

    Raises:
        ServiceError: the teacher cannot be asked at all.
        PendingError: stopped before the end (budget, deadline, Ctrl-C); the same call goes on.
    """
    plan = Plan(study, resolve(study))
    cohort = home / "cohort"

    def work(folder: Path) -> None:
        from .card import write_card
        from .controls import write_controls
        from .derive import derive_all
        from .histories import count
        from .ledger import Ledger

        total = count(cohort, plan.settings.splits) * plan.size
        with Ledger(folder / "ledger", expected=total, also=set_aside(home)) as ledger:
            ask(plan, ledger, cohort, total)
            derive_all(plan, ledger, cohort, folder)
        write_controls(plan.settings, cohort, folder, study.seed)
        write_card(plan, cohort, folder)

    inputs = [cohort / name for name in ("cases.parquet", "evidence.parquet")]
    lacking = next((path for path in inputs if not path.exists()), None)
    if lacking is not None:
        raise DataError(f"{lacking}: not there. Run `wherefore cohort` first.")
    done = run_once(home / "synth", plan.identity(), inputs, work, keep=("ledger",))
    found = json.loads((home / "synth" / "summary.json").read_text())
    click.echo(
        f"synth: {found['rationales']} rationales, {found['refusals']} refused; "
        f"{'made' if done else 'already there'}: {home / 'synth'}"
    )
    return done


def set_aside(home: Path) -> tuple[Path, ...]:
    """Ledgers of stage folders that were renamed to `synth-<anything>`: their answers are paid and count here too."""
    return tuple(sorted(path for path in home.glob("synth-*/ledger") if path.is_dir()))


def ask(plan: Plan, ledger: "Ledger", cohort: Path, total: int) -> None:
    """Ask everything that the ledger does not hold yet.

    Raises:
        PendingError: stopped before the end.
    """
    from .histories import histories
    from .job import Job

    settings = plan.settings
    requests = (r for h in histories(cohort, settings.splits) for r in plan.about(h))

    async def main(bar: Progress) -> Job:
        async with plan.module.doors(plan.options) as doors:
            job = Job(doors, ledger, settings, bar)
            await job.run(requests)
            return job

    with Progress("synth", total) as bar, asyncio.Runner(loop_factory=_loop()) as runner:
        job = runner.run(main(bar))
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
