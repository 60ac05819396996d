"""From forms as they were sent to forms that count: whose they are, which is the last, which was given back."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .decisions import Decisions
from .graded import FormFault, GradedForm
from .label_studio import forms as forms_
from .label_studio import ledger, pull
from .label_studio.exported import SubmittedForm
from .people import RaterRegister, server_of
from .settings import Person


@dataclass(frozen=True)
class Collected:
    """Every rater's last form of each item, and what is wrong with the others."""

    forms: tuple[GradedForm, ...]
    faults: tuple[FormFault, ...]


@dataclass(frozen=True)
class _Standing:
    """What decides whether a form counts."""

    people: RaterRegister
    decisions: Decisions
    versions: Collection[str]
    run: str


def collect(folder: Path, people: Iterable[Person], version: str) -> Collected:
    """All forms of a run folder's `annotate/`.

    Args:
        folder: `runs/<study>/annotate`.
        people: as the study file has them now.
        version: of rubric and page; forms by another one are listed, and do not count.
    """
    decisions = Decisions.read(folder)
    standing = _Standing(
        RaterRegister.read(folder, people), decisions, decisions.same_as(version), ledger.read(folder).run
    )
    chosen: list[GradedForm] = []
    faults: list[FormFault] = []
    for (round, rater), sent in pull.of_run(folder).items():
        last, wrong = latest(sent, round, rater, standing)
        chosen += [graded(f, round, rater) for f in last]
        faults += wrong
    return Collected(tuple(chosen), tuple(faults))


def latest(
    sent: Iterable[SubmittedForm], round: str, rater: str, run: _Standing
) -> tuple[list[SubmittedForm], list[FormFault]]:
    """The rater's own last form of every item; all others are listed."""
    faults: list[FormFault] = []
    by: dict[str, list[SubmittedForm]] = {}
    for f in sent:
        for name, detail, counted in _wrong(f, round, rater, run):
            faults.append(_fault(f, round, rater, name, detail, counted))
            if not counted:
                break
        else:
            by.setdefault(f.item, []).append(f)
    chosen = []
    for own in by.values():
        last = max(own, key=lambda f: (f.at, f.annotation or 0))
        chosen.append(last)
        for f in own:
            if f is not last:
                detail = f"annotation {f.annotation}; {last.annotation} is newer and counts"
                faults.append(_fault(f, round, rater, "duplicate_annotation", detail, False))
    return chosen, faults


def _wrong(f: SubmittedForm, round: str, rater: str, run: _Standing) -> Iterator[tuple[str, str, bool]]:
    """What is wrong with a form: a name, the detail, and whether it counts all the same."""
    if f.unreadable:
        yield "unreadable", "; ".join(f.odd), False
        return
    if not f.item:
        yield "not_assigned", "; ".join(f.odd) or f"task {f.task} does not say which item it shows", False
        return
    if f.version and f.version not in run.versions:
        yield (
            "earlier_rubric",
            f"graded by version {f.version} of rubric and page, which is no longer in use",
            False,
        )
        return
    if run.decisions.reopened(round, rater, f):
        yield "reopened", "returned to the rater and not submitted again yet", False
        return
    server = server_of(f, rater, run.run)
    by_rater = run.people.owns(rater, f.by, server)
    if not by_rater or (f.changed_by.known and not run.people.owns(rater, f.changed_by, server)):
        accepted = run.decisions.accepted(round, rater, f)
        if not by_rater:
            detail = f"by {f.by}, not by {run.people.name(rater)}"
            yield "foreign_annotation", detail + (", and accepted" if accepted else ""), accepted
        else:
            detail = f"changed by {f.changed_by} at {f.at}"
            yield "foreign_edit", detail + (", and accepted" if accepted else ""), accepted
    if f.odd:
        yield "odd_form", "; ".join(f.odd), True
    if f.gone:
        yield "task_deleted", f"task {f.task} is no longer on the server; the form is kept", True


def _fault(f: SubmittedForm, round: str, rater: str, name: str, detail: str, counted: bool) -> FormFault:
    return FormFault(rater=rater, item=f.item, round=round, fault=name, detail=detail, counted=counted)


def graded(f: SubmittedForm, round: str, rater: str) -> GradedForm:
    """A form as marks and texts; what is wrong with these is found by `answers.accept`."""
    marks, texts = forms_.read(f.result)
    return GradedForm(
        item=f.item, rater=rater, round=round, marks=marks, texts=texts, seconds=f.seconds, skipped=f.skipped
    )
