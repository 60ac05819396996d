"""Tasks onto a server: one project a rater, round and version of the page; each item once however often it is pushed.

Nothing on the server is deleted unless that is asked for (`prune`). The one exception cleans up after a push that was
cut off: a task that it left there twice is taken away where nobody has touched it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...study.errors import ServiceError
from ...study.progress import Progress
from ...study.records import Record, digest, write_text
from ..plan import GradingPlan
from ..records import Task
from ..verdicts.disagreement import Disagreement
from . import ledger as ledger_
from . import page
from .client import Project, Server
from .ledger import ProjectLedger, RaterProject
from .settle import created, imported

BATCH = 1000
PAGES = "pages"
"""Folder of the labeling interfaces that were handed out, by their hash."""


@dataclass(frozen=True)
class Context:
    """What is shown beside some items, by item: nothing in a blind round."""

    disagreements: Mapping[str, Disagreement] = field(default_factory=dict)
    """In adjudication, what the raters said."""
    filled_in: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Answers that stand on the page already, as Label Studio's predictions: in the assisted round the judge's, in
    adjudication those that all raters gave."""


BLIND = Context()


class Pushed(Record):
    """What one push did to one project."""

    round: str
    rater: str
    project: int
    created: bool
    added: int
    kept: int
    """On the server already, or graded already."""
    removed: int = 0
    left: int = 0
    """Tasks that are not wanted and that nobody has touched: `prune` takes them away."""
    superseded: int = 0
    """Graded tasks of items that are no longer this rater's; they stay on the server."""


@dataclass(frozen=True)
class _Job:
    """A push under way."""

    plan: GradingPlan
    server: Server
    folder: Path
    context: Context
    done: Collection[str]
    prune: bool
    bar: Progress

    def save(self, ledger: ProjectLedger) -> ProjectLedger:
        ledger_.save(self.folder, ledger)
        return ledger


def mark(run: str, plan: GradingPlan, round: str, rater: str) -> str:
    """The project's description, by which it is found again and by which a wrong one is noticed."""
    return f"wherefore run={run} study={plan.study} round={round} rater={rater} version={plan.version}"


def title(plan: GradingPlan, round: str, rater: str, edition: int = 1) -> str:
    """The project's name, as the rater sees it."""
    name = f"{round} {rater}" + (f" ({edition})" if edition > 1 else "")
    return f"{plan.study[: 49 - len(name)]} {name}"


def config(plan: GradingPlan) -> str:
    """The labeling config of every project of this plan."""
    return page.config(plan.rubric, show_label=plan.settings.show_label, sentences=plan.sentences)


def push(
    plan: GradingPlan,
    server: Server,
    folder: Path,
    round: str,
    context: Context = BLIND,
    *,
    done: Collection[tuple[str, str, str]] = (),
    prune: bool = False,
) -> list[Pushed]:
    """Bring every rater's project of `round` to what the plan says.

    Killed at any instant and called again, it ends with one task an item: what is on the server is looked up by item
    key first, and a request that may still be under way there is waited for.

    Args:
        plan: what is to be graded and by whom.
        server: where.
        folder: `runs/<study>/annotate`.
        round: whose tasks.
        context: what raters see beside the item.
        done: (round, rater, item) that are graded; they are not handed out again if they are gone from the server.
        prune: take away tasks that are not wanted and that nobody has touched.
    """
    ledger = ledger_.read(folder)
    on_server = {p.description: p for p in reversed(server.projects(f"wherefore run={ledger.run} "))}
    ledger = _same_server(ledger, server, on_server, folder)
    tasks = plan.of_round(round)
    out = []
    with Progress("push", len(tasks)) as bar:
        for rater in sorted({t.rater for t in tasks}):
            tasks_of_rater = [t for t in tasks if t.rater == rater]
            graded = {i for r, who, i in done if (r, who) == (round, rater)}
            job = _Job(plan, server, folder, context, graded, prune, bar)
            ledger, place, created = _place(job, ledger, on_server, round, rater)
            pushed = _fill(job, ledger, place, tasks_of_rater)
            ledger = ledger_.read(folder)
            out.append(pushed.model_copy(update={"created": created}))
    return out


def _same_server(
    ledger: ProjectLedger, server: Server, on_server: Mapping[str, Project], folder: Path
) -> ProjectLedger:
    """The ledger with this server's address: another port is the same server, another server is refused."""
    if ledger.places and ledger.url and ledger.url != server.url:
        origins = {p.origin for p in on_server.values()}
        if not any(p.origin in origins for p in ledger.places):
            raise ServiceError(
                f"{folder / ledger_.FILE}: the tasks are on {ledger.url}, and {server.url} has none of their "
                "projects. Correct annotate.server.url, or move the file away to push everything to the new server."
            )
    return ledger.model_copy(update={"url": server.url})


def _place(
    job: _Job, ledger: ProjectLedger, on_server: Mapping[str, Project], round: str, rater: str
) -> tuple[ProjectLedger, RaterProject, bool]:
    """The project of one rater, made where there is none; whether it was."""
    plan, server = job.plan, job.server
    name = mark(ledger.run, plan, round, rater)
    known = ledger.at(round, rater, {plan.version})
    if known is not None and (project := server.find(known.project)) is not None:
        check(ledger, plan, known, project)
        if plan.sentences > known.sentences:
            raise ServiceError(
                f"project {project.id} has room for {known.sentences} sentences, and a rationale has "
                f"{plan.sentences}. Hand out a new round with `wherefore annotate push --new-round`."
            )
        return ledger, known, False
    xml = config(plan)
    project = on_server.get(name) or (created(server, name) if ledger.creating == name else None)
    is_new = project is None
    if project is None:
        job.save(ledger.model_copy(update={"creating": name}))
        edition = 1 + sum((p.round, p.rater) == (round, rater) for p in ledger.places)
        project = server.create(
            title(plan, round, rater, edition),
            name,
            xml,
            page.instruction(plan.rubric),
            filled_in=bool(job.context.filled_in),
        )
    write_text(job.folder / PAGES / f"{digest(xml)}.xml", xml)
    place = RaterProject(
        round=round,
        rater=rater,
        version=plan.version,
        project=project.id,
        origin=project.origin,
        config=digest(xml),
        sentences=plan.sentences,
    )
    ledger = ledger.with_place(place).model_copy(update={"creating": ""})
    return job.save(ledger), place, is_new


def check(ledger: ProjectLedger, plan: GradingPlan, place: RaterProject, project: Project) -> None:
    """Refuse a project that is not ours or whose page was changed.

    Raises:
        ServiceError: with what to do; nothing was read or written.
    """
    ours = f"wherefore run={ledger.run} "
    about = f" round={place.round} rater={place.rater} "
    if (
        not project.description.startswith(ours)
        or about not in project.description
        or project.origin != place.origin
    ):
        raise ServiceError(
            f"project {project.id} is {project.title!r} and not {title(plan, place.round, place.rater)!r} of this "
            "run. Is annotate.server.url the server that the tasks were pushed to? `wherefore annotate push "
            "--restore` puts back a description that was changed by hand."
        )
    if digest(project.config) != place.config:
        raise ServiceError(
            f"project {project.id} ({project.title!r}): its labeling interface was changed on the server after the "
            "push. Put it back with `wherefore annotate push --restore`; nothing was read or written."
        )


def _fill(job: _Job, ledger: ProjectLedger, place: RaterProject, tasks_of_rater: Sequence[Task]) -> Pushed:
    """Import what is missing; take away what a push that was cut off left twice, and what `prune` asks for."""
    server = job.server
    cut_off = place.importing
    held = imported(server, place.project) if cut_off else server.held(place.project)
    wanted = {t.item for t in tasks_of_rater}
    missing = [t for t in tasks_of_rater if t.item not in held and t.item not in job.done]
    job.bar.step(len(tasks_of_rater) - len(missing))
    number = sum(map(len, held.values()))
    if missing:
        job.save(ledger.with_place(place.model_copy(update={"importing": True})))
        for n in server.add(place.project, _data(job, missing, len(tasks_of_rater)), BATCH):
            job.bar.step(n)
        number += len(missing)
        if cut_off or server.count(place.project) != number:  # another push was here, or a part arrived twice
            held = server.held(place.project)
            number = sum(map(len, held.values()))
    removed = left = superseded = 0
    for item, tasks in held.items():
        twice = sorted(tasks, key=lambda t: (not t.graded, t.id))[1:]
        for task in twice if item in wanted else tasks:
            if task.graded:
                superseded += item not in wanted
            elif (job.prune or (cut_off and item in wanted)) and server.remove_untouched(task.id):
                removed += 1
            else:
                left += 1
    job.save(ledger.with_place(place.model_copy(update={"importing": False, "tasks": number - removed})))
    return Pushed(
        round=place.round,
        rater=place.rater,
        project=place.project,
        created=False,
        added=len(missing),
        kept=len(tasks_of_rater) - len(missing),
        removed=removed,
        left=left,
        superseded=superseded,
    )


def _data(job: _Job, missing: Sequence[Task], of: int) -> list[dict[str, Any]]:
    order = {
        t.item: n for n, t in enumerate(sorted(missing, key=lambda t: t.order), start=of - len(missing) + 1)
    }
    return [task_data(job.plan, t, job.context, f"{order[t.item]} of {of}") for t in missing]


def task_data(plan: GradingPlan, t: Task, context: Context, place: str = "") -> dict[str, Any]:
    """One task as Label Studio imports it."""
    content = page.data(
        plan.items[t.item],
        plan.cases[t.case],
        plan.kinds.get(t.case, {}),
        question=plan.settings.question,
        show_label=plan.settings.show_label,
        version=plan.version,
        place=place,
        sentences=plan.sentences,
        disagreement=context.disagreements.get(t.item),
    )
    answers = context.filled_in.get(t.item)
    return {"data": content, "predictions": answers} if answers else {"data": content}


def restore(plan: GradingPlan, server: Server, folder: Path) -> list[str]:
    """Put back every page and description that was changed on the server, as they were handed out; their titles."""
    out = []
    ledger = ledger_.read(folder)
    projects = server.several([p.project for p in ledger.places])
    for place in ledger.places:
        project = projects[place.project]
        if project.origin != place.origin:
            continue
        name = mark(ledger.run, replace(plan, version=place.version), place.round, place.rater)
        stored = folder / PAGES / f"{place.config}.xml"
        xml = stored.read_text(encoding="utf-8") if stored.exists() else config(plan)
        if project.description != name or project.config != xml:
            server.change(project.id, description=name, config=xml)
            ledger = ledger.with_place(place.model_copy(update={"config": digest(xml)}))
            ledger_.save(folder, ledger)
            out.append(project.title)
    return out


def reword(plan: GradingPlan, server: Server, folder: Path, before: Collection[str]) -> list[str]:
    """Put the page of this plan on the projects of earlier versions, whose forms stay valid; their titles."""
    out = []
    ledger = ledger_.read(folder)
    xml = config(plan)
    write_text(folder / PAGES / f"{digest(xml)}.xml", xml)
    for place in ledger.places:
        if place.version not in before or place.version == plan.version:
            continue
        server.change(place.project, description=mark(ledger.run, plan, place.round, place.rater), config=xml)
        changed = place.model_copy(update={"version": plan.version, "config": digest(xml)})
        ledger = ledger.with_place(changed)
        ledger_.save(folder, ledger)
        out.append(server.project(place.project).title)
    return out
