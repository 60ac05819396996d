"""Grades from a server: only what changed is read, what was deleted there stays here, and everything is checked."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from ...study.errors import DataError
from ...study.files import rows
from ...study.records import Record, write_jsonl
from ..people import RaterRegister, keep_authors
from ..plan import GradingPlan
from . import ledger as ledger_
from .client import Server
from .exported import SubmittedForm, forms_of
from .ledger import RaterProject
from .push import check

FOLDER = "pulled"


class Pulled(Record):
    """What one pull found in one project."""

    round: str
    rater: str
    changed: int
    """Tasks that were read."""
    graded: int
    """Forms that are here now."""


def pull(plan: GradingPlan, server: Server, folder: Path, *, full: bool = False) -> list[Pulled]:
    """Read what is new on the server into `folder/pulled`, one file a rater and round.

    Args:
        plan: what was to be graded.
        server: where.
        folder: `runs/<study>/annotate`.
        full: read everything again.
    Raises:
        DataError: nothing was pushed from here.
        ServiceError: a project is gone, or its page was changed. Nothing was read or written.
    """
    ledger = ledger_.read(folder)
    if not ledger.places:
        raise DataError(f"{folder}: nothing was pushed from here. Run `wherefore annotate push` first.")
    projects = server.several([place.project for place in ledger.places])
    for place in ledger.places:
        check(ledger, plan, place, projects[place.project])
    people = RaterRegister.read(folder, plan.settings.people)
    out: list[Pulled] = []
    emails: dict[int, str] = {}
    for place in ledger.places:
        looked_at, pulled = _bring(server, folder, place, emails, full)
        ledger = ledger.with_place(looked_at)
        out.append(pulled)
    if emails:
        people.meet(ledger.run, emails)
    people.save(folder)
    ledger_.save(folder, ledger)
    return out


def _bring(
    server: Server, folder: Path, place: RaterProject, emails: dict[int, str], full: bool
) -> tuple[RaterProject, Pulled]:
    """Read what is new in one project, and what is known of it then."""
    now = server.clock()
    fresh = full or place.pulled is None or now < place.pulled  # or the server's clock was put back
    batch = _read_from(server, place, emails, fresh)
    path = path_of(folder, place.round, place.rater)
    n, graded = server.count(place.project), server.count(place.project, graded=True)
    if not batch.fresh and graded > _known(place, path, batch):
        batch = _read_from(server, place, emails, True)
    if batch.tasks or batch.fresh or n < place.tasks:
        old = read(path)
        fewer = batch.fresh or n < place.tasks
        there = server.tasks(place.project) if fewer and _unread(place, old, batch) else None
        write_jsonl(path, in_order(_merged(place, old, batch, there)))
    pulled = Pulled(round=place.round, rater=place.rater, changed=len(batch.tasks), graded=_lines(path))
    return place.model_copy(update={"pulled": now, "tasks": n, "graded": graded}), pulled


@dataclass(frozen=True)
class _Batch:
    """What the server answered for one project."""

    tasks: frozenset[int]
    """Those that were read."""
    forms: tuple[SubmittedForm, ...]
    fresh: bool
    """All that have a form were read, and not only those that changed."""


def _read_from(server: Server, place: RaterProject, emails: dict[int, str], fresh: bool) -> _Batch:
    """`emails` is filled when there is a first form to read."""
    tasks: set[int] = set()
    forms: list[SubmittedForm] = []
    for task in server.graded(place.project, None if fresh else place.pulled):
        if not emails:
            emails.update(server.accounts())
        tasks.add(task["id"])
        forms += forms_of(task, place.origin, emails)
    return _Batch(frozenset(tasks), tuple(forms), fresh)


def _known(place: RaterProject, path: Path, batch: _Batch) -> int:
    """Graded tasks that are here. The server has more where its clock was put back: new forms have older times."""
    if not batch.tasks:
        return place.graded
    old = {f.task for f in read(path) if f.origin == place.origin and not f.gone}
    # A task that was read may have no form: it was pushed or given back a moment ago.
    return len(old - batch.tasks | {f.task for f in batch.forms})


def _unread(place: RaterProject, old: Iterable[SubmittedForm], batch: _Batch) -> list[SubmittedForm]:
    return [f for f in old if f.origin == place.origin and f.task not in batch.tasks]


def _merged(
    place: RaterProject, old: Collection[SubmittedForm], batch: _Batch, there: Collection[int] | None
) -> list[SubmittedForm]:
    """What is known of this project now, and what other projects of the same rater and round left here.

    A form of a task that is gone was valid when it was read, and is kept. A task that is there and was not read has
    not changed; but where all that have a form were read, its form was given back or withdrawn.
    """
    ours = [f for f in old if f.origin == place.origin]
    merged = [f for f in old if f.origin != place.origin] + [keep_authors(ours, f) for f in batch.forms]
    for f in _unread(place, old, batch):
        if there is not None and f.task not in there:
            merged.append(f.model_copy(update={"gone": True}))
        elif not batch.fresh:
            merged.append(f)
    return merged


def _lines(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as f:
        return sum(1 for _ in f)


def in_order(forms: Iterable[SubmittedForm]) -> list[SubmittedForm]:
    """As they stand in a file: by project, task and annotation."""
    return sorted(forms, key=lambda f: (f.origin, f.task or 0, f.annotation or 0))


def path_of(folder: Path, round: str, rater: str) -> Path:
    """Where the forms of one rater and round are."""
    return folder / FOLDER / f"{round}-{rater}.jsonl"


def read(path: Path) -> list[SubmittedForm]:
    """Forms that were read earlier; none where there is no file."""
    return rows(path, SubmittedForm)


def of_run(folder: Path) -> dict[tuple[str, str], list[SubmittedForm]]:
    """Every form of a run, by round and rater: also of raters who left, and of versions that no longer count."""
    out: dict[tuple[str, str], list[SubmittedForm]] = {}
    for path in sorted((folder / FOLDER).glob("*.jsonl")):
        round, _, rater = path.stem.partition("-")
        out[round, rater] = read(path)
    return out
