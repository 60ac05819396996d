"""The one door for grades: people's and programs' answers become ratings here, or are listed as faulty."""

from collections.abc import Iterable, Mapping
from typing import Literal

from ..study.records import Record
from .design.items import Item
from .records import Dimension, Note, Rating, Rubric, Task


class Mark(Record):
    """One ticked answer."""

    dimension: str
    claim: int | None = None
    value: str


TextKind = Literal["note", "comment", "edited"]


class Text(Record):
    """One written answer."""

    kind: TextKind
    claim: int | None = None
    text: str


class Answer(Record):
    """What one rater sent for one item."""

    item: str
    rater: str
    round: str
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...] = ()
    seconds: float | None = None
    skipped: bool = False
    simulated: bool = False


class Fault(Record):
    """Something in the answers that is not as it must be. Nothing is swallowed."""

    rater: str
    item: str
    round: str
    fault: str
    """A short name, to count by."""
    detail: str
    counted: bool
    """Whether the rating counts all the same."""


SECONDS = (5.0, 1800.0)
"""Outside of this, the time is listed: nobody read it, or somebody went to lunch."""


class Accepted(Record):
    """What came through the door."""

    ratings: tuple[Rating, ...] = ()
    notes: tuple[Note, ...] = ()
    faults: tuple[Fault, ...] = ()
    done: frozenset[tuple[str, str, str]] = frozenset()
    """(round, rater, item) that need no more work; a skipped item is done."""


def accept(
    answers: Iterable[Answer], tasks: Iterable[Task], items: Mapping[str, Item], rubric: Rubric
) -> Accepted:
    """Check every answer against the rubric and the task it belongs to.

    An answer with an unknown control or value, or with a required one missing, counts for nothing and is listed:
    half a form is not a grade.
    """
    wanted = {(t.round, t.rater, t.item): t for t in tasks}
    ratings: list[Rating] = []
    notes: list[Note] = []
    faults: list[Fault] = []
    done: set[tuple[str, str, str]] = set()
    for a in answers:
        key = (a.round, a.rater, a.item)
        task = wanted.get(key)
        wrong = _wrong(a, task, items, rubric)
        faults += [
            Fault(rater=a.rater, item=a.item, round=a.round, fault=f, detail=d, counted=f in _LISTED_ONLY)
            for f, d in wrong
        ]
        if task is None or any(f not in _LISTED_ONLY for f, _ in wrong):
            continue
        done.add(key)
        if not a.skipped:
            ratings += _ratings(a, task)
            notes += _notes(a, task, items[a.item])
    return Accepted(ratings=tuple(ratings), notes=tuple(notes), faults=tuple(faults), done=frozenset(done))


_LISTED_ONLY = ("skipped", "seconds_out_of_range", "unchanged_edit")


def _wrong(a: Answer, task: Task | None, items: Mapping[str, Item], rubric: Rubric) -> list[tuple[str, str]]:
    if task is None or a.item not in items:
        return [("not_assigned", f"{a.item} is no task of {a.rater} in round {a.round}")]
    if a.skipped:
        return [("skipped", "the rater skipped it")]
    out: list[tuple[str, str]] = []
    given: dict[tuple[str, int | None], str] = {}
    n = len(items[a.item].claims)
    for m in a.marks:
        d = rubric.dimension(m.dimension)
        if d is None:
            out.append(("unknown_control", f"{m.dimension!r} is no dimension of rubric {rubric.name!r}"))
        elif m.value not in d.categories:
            allowed = ", ".join(d.categories)
            out.append(("unknown_value", f"{m.dimension}: {m.value!r} is not one of {allowed}"))
        elif (m.claim is not None) != d.per_claim or (m.claim is not None and not 0 <= m.claim < n):
            out.append(("unknown_claim", f"{m.dimension}: claim {m.claim} of {n}"))
        elif (m.dimension, m.claim) in given:
            out.append(("answered_twice", f"{m.dimension}: {given[m.dimension, m.claim]!r} and {m.value!r}"))
        else:
            given[m.dimension, m.claim] = m.value
    for d, claim in required(rubric, given, n):
        if (d.name, claim) not in given:
            at = "" if claim is None else f" of claim {claim + 1}"
            out.append(("missing", f"{d.name}{at} has no answer"))
    if any(_unchanged(t, items[a.item]) for t in a.texts):
        out.append(("unchanged_edit", "the box for corrections holds the rationale as it was; it is no edit"))
    if a.seconds is not None and not SECONDS[0] <= a.seconds <= SECONDS[1]:
        out.append(("seconds_out_of_range", f"{a.seconds:.0f} s on one item"))
    return out


def required(
    rubric: Rubric, given: Mapping[tuple[str, int | None], str], n_claims: int
) -> list[tuple[Dimension, int | None]]:
    """The questions that these answers make obligatory: (dimension, claim)."""
    places: list[tuple[Dimension, int | None]] = [
        (d, c) for d in rubric.dimensions for c in (range(n_claims) if d.per_claim else (None,))
    ]
    return [(d, c) for d, c in places if d.when is None or given.get((d.when.dimension, c)) in d.when.any_of]


def _ratings(a: Answer, task: Task) -> list[Rating]:
    return [
        Rating(
            item=a.item,
            rationale=task.rationale,
            case=task.case,
            rater=a.rater,
            round=a.round,
            dimension=m.dimension,
            claim=m.claim,
            value=m.value,
            seconds=a.seconds,
            simulated=a.simulated,
        )
        for m in a.marks
    ]


def _unchanged(t: Text, item: Item) -> bool:
    """Whether a correction corrects nothing; spaces and line ends do not count."""
    return t.kind == "edited" and t.text.split() == item.text.split()


def _notes(a: Answer, task: Task, item: Item) -> list[Note]:
    return [
        Note(
            item=a.item,
            rationale=task.rationale,
            rater=a.rater,
            round=a.round,
            kind=t.kind,
            claim=t.claim,
            text=t.text,
        )
        for t in a.texts
        if not _unchanged(t, item)
    ]
