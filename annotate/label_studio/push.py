"""Tasks onto a server: one project a rater and round, each item once however often it is pushed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...study.errors import ServiceError
from ...study.progress import Progress
from ...study.records import Record, digest, read_record, write_text
from ..plan import Plan
from ..records import Task
from . import page
from .client import Project, Server

FILE = "project.json"
BATCH = 1000


@dataclass(frozen=True)
class Beside:
    """What is shown beside some items, by item: nothing in a blind round."""

    earlier: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """In adjudication, one line for each earlier rater."""
    seen: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """In the assisted round, the judge's grades as Label Studio shows them in advance."""


BLIND = Beside()


class Place(Record):
    """One rater's project of one round."""

    round: str
    rater: str
    project: int
    config: str
    """Hash of the labeling config that it was made with."""
    importing: bool = False
    """An import was begun and not seen to end."""
    pulled: str | None = None
    """Server time up to which everything is here; None: nothing yet."""


class Ledger(Record):
    """Where the tasks are. Kept beside them, rewritten whole."""

    url: str = ""
    places: tuple[Place, ...] = ()

    def at(self, round: str, rater: str) -> Place | None:
        """The project of one rater in one round."""
        return next((p for p in self.places if (p.round, p.rater) == (round, rater)), None)

    def with_place(self, place: Place) -> "Ledger":
        """The ledger with this project put in or replaced."""
        rest = [p for p in self.places if (p.round, p.rater) != (place.round, place.rater)]
        return self.model_copy(update={"places": (*rest, place)})


class Pushed(Record):
    """What one push did to one project."""

    round: str
    rater: str
    project: int
    created: bool
    added: int
    removed: int
    kept: int
    """On the server already."""
    superseded: int
    """Graded items that are no longer wanted; they stay on the server."""


def ledger(folder: Path) -> Ledger:
    """What is known of the server side of a run folder."""
    path = folder / FILE
    return read_record(path, Ledger, "Restore it from a copy.") if path.exists() else Ledger()


def save(folder: Path, led: Ledger) -> None:
    """Write the ledger."""
    write_text(folder / FILE, led.model_dump_json(indent=1) + "\n")


def title(plan: Plan, round: str, rater: str) -> str:
    """The project's name, as the rater sees it."""
    return f"{plan.study} {round} {rater}"[:50]


def mark(plan: Plan, round: str, rater: str) -> str:
    """The project's description, by which it is found again and by which a wrong one is noticed."""
    return (
        f"wherefore study={plan.study} round={round} rater={rater} seed={plan.seed} rubric={plan.rubric.name}"
    )


def config(plan: Plan, tasks: Sequence[Task]) -> str:
    """The labeling config for these tasks."""
    most = max((len(plan.items[t.item].claims) for t in tasks), default=0)
    return page.config(plan.rubric, show_label=plan.settings.show_label, most_claims=most)


def push(
    plan: Plan,
    server: Server,
    folder: Path,
    round: str,
    beside: Beside = BLIND,
) -> list[Pushed]:
    """Bring every rater's project of `round` to what the plan says.

    Killed at any instant and called again, it ends with one task an item: what is on the server is looked up by item
    key first, and an import that may still be under way is waited for.

    Args:
        plan: what is to be graded and by whom.
        server: where.
        folder: `runs/<study>/annotate`.
        round: whose tasks.
        beside: what raters see beside the item.
    """
    led = ledger(folder)
    if led.places and led.url and led.url != server.url:
        raise ServiceError(
            f"{folder / FILE}: the tasks are on {led.url}, not on {server.url}. Correct annotate.server.url, or move "
            "the file away to push everything to the new server."
        )
    led = led.model_copy(update={"url": server.url})
    found = {p.description: p for p in reversed(server.projects(f"{plan.study} "))}
    tasks = plan.of_round(round)
    out = []
    with Progress("push", len(tasks)) as bar:
        for rater in sorted({t.rater for t in tasks}):
            mine = [t for t in tasks if t.rater == rater]
            xml = config(plan, mine)
            there = found.get(mark(plan, round, rater))
            made = there or server.create(
                title(plan, round, rater),
                mark(plan, round, rater),
                xml,
                page.instruction(plan.rubric),
                assisted=bool(beside.seen),
            )
            place = led.at(round, rater) or Place(
                round=round, rater=rater, project=made.id, config=digest(xml)
            )
            place = place.model_copy(update={"project": made.id})
            check(plan, place, made)
            done = _fill(plan, server, folder, led, place, mine, beside, bar)
            led = ledger(folder)
            out.append(done.model_copy(update={"created": there is None}))
    return out


def check(plan: Plan, place: Place, project: Project) -> None:
    """Refuse a project that is not ours or whose form was changed.

    Raises:
        ServiceError: with what to do; nothing was read or written.
    """
    if project.description != mark(plan, place.round, place.rater):
        raise ServiceError(
            f"project {project.id} is {project.title!r} and not {title(plan, place.round, place.rater)!r} of this "
            "study. Is annotate.server.url the server that the tasks were pushed to?"
        )
    if digest(project.config) != place.config:
        raise ServiceError(
            f"project {project.id} ({project.title!r}): its labeling interface was changed on the server after the "
            "push. Put it back with `wherefore annotate push --restore`; nothing was read or written."
        )


def _fill(
    plan: Plan, server: Server, folder: Path, led: Ledger, place: Place, mine: Sequence[Task],
    beside: Beside, bar: Progress,
) -> Pushed:  # fmt: skip
    """Import what is missing, take away what nobody has graded and nobody wants."""
    held = _settled(server, place) if place.importing else server.held(place.project)
    wanted = {t.item for t in mine}
    missing = [t for t in mine if t.item not in held]
    bar.step(len(mine) - len(missing))
    added = 0
    if missing:
        save(folder, led.with_place(place.model_copy(update={"importing": True})))
        for n in server.add(place.project, (task_data(plan, t, beside) for t in missing), BATCH):
            added += n
            bar.step(n)
    removed = superseded = 0
    if place.importing or any(len(ts) > 1 or item not in wanted for item, ts in held.items()):
        for item, ts in (server.held(place.project) if missing else held).items():
            spare = ts if item not in wanted else sorted(ts, key=lambda t: (-t[1], t[0]))[1:]
            for task, annotations in spare:
                if annotations:
                    superseded += item not in wanted
                else:
                    server.remove(task)
                    removed += 1
    save(folder, led.with_place(place.model_copy(update={"importing": False})))
    return Pushed(
        round=place.round, rater=place.rater, project=place.project, created=False, added=added, removed=removed,
        kept=len(mine) - len(missing), superseded=superseded,
    )  # fmt: skip


def _settled(server: Server, place: Place) -> dict[str, list[tuple[int, int]]]:
    """What the project holds once an import that was cut off has ended on the server's side."""
    held = server.held(place.project)
    for _ in range(60):
        time.sleep(1)
        again = server.held(place.project)
        if again == held:
            break
        held = again
    return held


def task_data(plan: Plan, t: Task, beside: Beside) -> dict[str, Any]:
    """One task as Label Studio imports it."""
    s = plan.settings
    content = page.data(
        plan.items[t.item],
        plan.cases[t.case],
        plan.kinds.get(t.case, {}),
        question=s.question,
        show_label=s.show_label,
        earlier=beside.earlier.get(t.item, ()),
    )
    seen = beside.seen.get(t.item)
    return {"data": content, "predictions": seen} if seen else {"data": content}


def restore(plan: Plan, server: Server, folder: Path) -> list[str]:
    """Put back every labeling interface that was changed on the server; the titles of those that were."""
    out = []
    for place in ledger(folder).places:
        project = server.project(place.project)
        xml = config(plan, [t for t in plan.of_round(place.round) if t.rater == place.rater])
        if project.description == mark(plan, place.round, place.rater) and project.config != xml:
            server.configure(project.id, xml)
            out.append(project.title)
    return out
