"""Grades from a server, or from files that came from one: only what changed is read, and everything is checked."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...study.errors import DataError
from ...study.files import rows
from ...study.records import Record, write_jsonl
from ..answers import Accepted, Answer, Fault, accept
from ..plan import Plan
from . import forms
from .client import Server
from .push import check, ledger, save

FOLDER = "pulled"


class Sent(Record):
    """One submitted form as the server holds it."""

    item: str
    task: int
    annotation: int
    by: str
    """E-mail address of the account that made it."""
    changed_by: str
    """Of the account that touched it last."""
    at: str
    """When it was touched last, ISO."""
    seconds: float | None
    skipped: bool
    result: tuple[dict[str, Any], ...]


class Pulled(Record):
    """What one pull found in one project."""

    round: str
    rater: str
    changed: int
    """Tasks that were read."""
    graded: int
    """Forms that are here now."""


def pull(plan: Plan, server: Server, folder: Path, *, full: bool = False) -> list[Pulled]:
    """Read what is new on the server into `folder/pulled`, one file a rater and round.

    Args:
        plan: what was to be graded.
        server: where.
        folder: `runs/<study>/annotate`.
        full: read everything again.
    """
    led = ledger(folder)
    if not led.places:
        raise DataError(f"{folder}: nothing was pushed from here. Run `wherefore annotate push` first.")
    projects = server.several([place.project for place in led.places])
    for place in led.places:
        check(plan, place, projects[place.project])
    emails: dict[int, str] = {}
    out = []
    for place in led.places:
        now = server.clock()
        path = _path(folder, place.round, place.rater)
        fresh = full or place.pulled is None
        touched: set[int] = set()
        found: list[Sent] = []
        for task in server.graded(place.project, None if fresh else place.pulled):
            emails = emails or server.accounts()
            touched.add(task["id"])
            found += sent_forms(task, emails)
        if touched or fresh:
            kept = [] if fresh else [s for s in read(path) if s.task not in touched]
            write_jsonl(path, _sorted([*kept, *found]))
        led = led.with_place(place.model_copy(update={"pulled": now}))
        save(folder, led)
        out.append(Pulled(round=place.round, rater=place.rater, changed=len(touched), graded=_lines(path)))
    return out


def _lines(path: Path) -> int:
    with path.open("rb") as f:
        return sum(1 for _ in f)


def _sorted(sent: Iterable[Sent]) -> list[Sent]:
    return sorted(sent, key=lambda s: (s.task, s.annotation))


def _path(folder: Path, round: str, rater: str) -> Path:
    return folder / FOLDER / f"{round}-{rater}.jsonl"


def read(path: Path) -> list[Sent]:
    """Forms pulled earlier; none where there is no file."""
    return rows(path, Sent)


def sent_forms(task: Mapping[str, Any], emails: Mapping[int, str]) -> Iterator[Sent]:
    """The forms of one task as exported."""

    def who(account: Any) -> str:
        if isinstance(account, dict):
            return str(account.get("email") or f"account {account.get('id')}")
        return emails.get(account, f"account {account}")

    for a in task.get("annotations") or []:
        yield Sent(
            item=str(task["data"].get("item", "")),
            task=task["id"],
            annotation=a.get("id") or 0,
            by=who(a.get("completed_by")),
            changed_by=who(a.get("updated_by") or a.get("completed_by")),
            at=str(a.get("updated_at") or a.get("created_at") or ""),
            seconds=a.get("lead_time"),
            skipped=bool(a.get("was_cancelled")),
            result=tuple(a.get("result") or ()),
        )


def collect(plan: Plan, folder: Path) -> Accepted:
    """Everything pulled so far, through the door: ratings, notes, and a list of all that is not as it must be."""
    rounds = sorted({t.round for t in plan.tasks})
    raters = sorted({t.rater for t in plan.tasks})
    accounts = {p.name: p.account for p in plan.settings.people}
    answers: list[Answer] = []
    faults: list[Fault] = []
    for round in rounds:
        for rater in raters:
            sent = read(_path(folder, round, rater))
            chosen, wrong = latest(sent, round, rater, accounts.get(rater, rater))
            faults += wrong
            answers += [answer(s, round, rater, plan) for s in chosen]
    got = accept(answers, plan.tasks, plan.items, plan.rubric)
    return got.model_copy(update={"faults": (*faults, *got.faults)})


def latest(sent: Iterable[Sent], round: str, rater: str, account: str) -> tuple[list[Sent], list[Fault]]:
    """The rater's own last form of every item; all others are listed."""
    by: dict[str, list[Sent]] = {}
    faults = []

    def fault(s: Sent, name: str, detail: str, counted: bool) -> Fault:
        return Fault(rater=rater, item=s.item, round=round, fault=name, detail=detail, counted=counted)

    for s in sent:
        if s.by != account:
            faults.append(fault(s, "foreign_annotation", f"by {s.by}, not by {account}", False))
        elif s.changed_by != account:
            faults.append(fault(s, "foreign_edit", f"changed by {s.changed_by} at {s.at}", False))
        else:
            by.setdefault(s.item, []).append(s)
    chosen = []
    for own in by.values():
        last = max(own, key=lambda s: (s.at, s.annotation))
        chosen.append(last)
        for s in own:
            if s is not last:
                detail = f"annotation {s.annotation}; {last.annotation} is newer and counts"
                faults.append(fault(s, "duplicate_annotation", detail, False))
    return chosen, faults


def answer(s: Sent, round: str, rater: str, plan: Plan) -> Answer:
    """A form as an answer; what is wrong with it is found by `answers.accept`."""
    n = len(plan.items[s.item].claims) if s.item in plan.items else 1
    marks, texts = forms.read(s.result, plan.rubric, n)
    return Answer(
        item=s.item, rater=rater, round=round, marks=marks, texts=texts, seconds=s.seconds, skipped=s.skipped
    )
