"""Asking, whole or in shards: one shard is one slice of the plan and one ledger of its own.

`wherefore synth study.toml --shard 3/8` on eight machines that share the run folder is all that a cluster needs;
the same command without `--shard` then derives the rationales from the eight ledgers. With `[synth.job] ray = 8` the
shards run as Ray actors and share what the endpoint bears.
"""

import asyncio
import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import click

from ..study import layout
from ..study.config import Study
from ..study.errors import BusyError, PendingError
from ..study.progress import Progress
from ..study.runs import complete
from .asking.job import Job
from .histories import count, histories, tables
from .judging import revisions
from .ledger.ledger import Ledger, set_aside
from .plan import RequestPlan, StudyTeacher, resolve
from .settings import Asking, Settings
from .teaching import History, Request

WHOLE = (1, 1)


def total(plan: RequestPlan, cohort: Path, shard: tuple[int, int] = WHOLE) -> int:
    """About how many rationales a shard asks for."""
    return -(-count(cohort, plan.settings.splits) * plan.size // shard[1])


def ask(
    plan: RequestPlan,
    ledger: Ledger,
    cohort: Path,
    expected: int,
    shard: tuple[int, int] = WHOLE,
    share: Any = None,
) -> None:
    """Ask everything of a shard that the ledger does not hold yet.

    Args:
        plan: what is asked.
        ledger: open for this shard's writer.
        cohort: folder of the cohort stage.
        expected: how many questions there are, for the progress.
        shard: (i, n), i from 1: every n-th case from the i-th on.
        share: handed out by `study.scale.Share`, where several shards ask the same endpoint.
    Raises:
        PendingError: stopped before the end.
    """

    def send(questions: Callable[[History], Iterator[Request]], name: str) -> None:
        part = islice(histories(cohort, plan.settings.splits), shard[0] - 1, None, shard[1])
        requests = (request for history in part for request in questions(history))
        ask_all(plan.teacher, plan.settings, ledger, requests, expected, name, share, shard[1])

    send(plan.about, "synth")
    if plan.dial.late:
        send(partial(revisions, plan, ledger=ledger), "synth, outcome told")


def ask_all(
    teacher: StudyTeacher,
    settings: Asking,
    ledger: Ledger,
    requests: Iterator[Request],
    expected: int,
    name: str = "synth",
    share: Any = None,
    shards: int = 1,
) -> None:
    """Ask every request that the ledger does not hold yet.

    Args:
        teacher: who is asked.
        settings: how.
        ledger: open for writing.
        requests: made when they are needed.
        expected: how many there are, for the progress.
        name: before every message.
        share: as in `ask`.
        shards: so many share the budget, in equal parts.
    Raises:
        PendingError: stopped before the end.
        ServiceError: no request can succeed.
    """

    shut: list[str] = []

    async def main(bar: Progress) -> str | None:
        async with teacher.module.doors(teacher.options) as doors:
            job = Job(doors, ledger, settings, bar, share, shards)
            try:
                await job.run(requests)
            finally:
                shut.extend(gate.shut for gate in job.gates if gate.shut)
            return job.stopped

    with Progress(name, expected) as bar:
        if hasattr(teacher.module, "collect"):
            stopped = teacher.module.collect(teacher.options, requests, ledger, settings, bar)
        else:
            with asyncio.Runner(loop_factory=_loop()) as runner:
                stopped = runner.run(main(bar))
    for why in shut:
        click.echo(f"{name}: {why} The other endpoints did the work.")
    if stopped:
        raise PendingError(
            f"{name}: {stopped}; {len(ledger)} answers are stored. Run the command again to continue from there."
        )


def run_shard(study: Study, home: Path, shard: tuple[int, int], share: Any = None) -> int:
    """Ask one shard; return how many answers its own ledger and those beside it hold.

    Raises:
        StaleError: a finished corpus of other settings is in the way.
        BusyError: the whole stage is being run, or the same shard.
    """
    plan = RequestPlan(study, resolve(study), home / "cohort")
    folder = home / "synth"
    if complete(folder, plan.identity(), tables(home)):
        return int(json.loads((folder / layout.SYNTH_SUMMARY.name).read_text())["calls"].get("ok", 0))
    expected = total(plan, home / "cohort", shard) // plan.size * plan.requests
    writer = f"{shard[0]}-of-{shard[1]}"
    with (
        _beside(folder),
        Ledger(folder / "ledger", writer, expected, set_aside(home)) as ledger,
    ):
        for one in (*plan.others().values(), plan):
            ask(one, ledger, home / "cohort", total(one, home / "cohort", shard), shard, share)
        return len(ledger)


def over_ray(plan: RequestPlan, home: Path) -> None:
    """All shards as Ray actors, with one limit for all of them."""
    from ..study.scale import run_shards

    n = plan.settings.job.ray or 1
    alone = plan.study.model_copy(update={"synth": {**plan.study.synth, "job": _without_ray(plan.settings)}})
    work = (alone.model_dump_json(), str(plan.study.folder), str(home.resolve()))
    run_shards("wherefore.synth.shards", "ray_shard", n, plan.settings.job.in_flight, work)


def _without_ray(settings: Settings) -> dict[str, Any]:
    return settings.job.model_dump(exclude={"ray"})


def ray_shard(shard: tuple[int, int], share: Any, study: str, folder: str, home: str) -> int:
    """One shard in a process of Ray's."""
    loaded = Study.model_validate_json(study).model_copy(update={"folder": Path(folder)})
    return run_shard(loaded, Path(home), shard, share)


@contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Other shards may work in the folder at the same time; the whole stage may not.

    Raises:
        BusyError: it does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as e:
            raise BusyError(f"{folder}: another process is running the whole stage. Wait for it.") from e
        yield


def _loop() -> Any:
    """uvloop where it is installed; the standard loop elsewhere."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
