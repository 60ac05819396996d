"""The one door for grades: people's and programs' forms become ratings here, or are listed as faulty."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ..cohort.line import evidence_ids
from .design.items import Item
from .graded import Accepted, FormFault, GradedForm, Text
from .records import Condition, Dimension, Note, Rating, Rubric, Task

SECONDS = (5.0, 1800.0)
"""Outside of this, the time is listed: nobody read it, or somebody went to lunch."""

LISTED_ONLY = frozenset(
    (
        "skipped",
        "seconds_out_of_range",
        "unchanged_edit",
        "not_asked",
        "contradiction",
        "odd_form",
        "task_deleted",
    )
)
"""Faults with which a form counts all the same."""


Given = Mapping[tuple[str, int | None], str]
"""Answers by dimension and claim."""
Lines = Callable[[Item], Collection[str]]
"""Ids of the evidence that stands beside an item."""


def accept(
    forms: Iterable[GradedForm], tasks: Iterable[Task], items: Mapping[str, Item], rubric: Rubric,
    lines: Lines | None = None,
) -> Accepted:  # fmt: skip
    """Check every form against the rubric and the task it belongs to.

    A form with an unknown control or value, or with a required answer missing, counts for nothing and is listed:
    half a form is not a grade.
    """
    wanted = {(t.round, t.rater, t.item): t for t in tasks}
    ratings: list[Rating] = []
    notes: list[Note] = []
    faults: list[FormFault] = []
    done: set[tuple[str, str, str]] = set()
    for form in forms:
        key = (form.round, form.rater, form.item)
        task = wanted.get(key)
        checked = _checked(form, task, items.get(form.item), rubric, lines)
        faults += [
            FormFault(
                rater=form.rater,
                item=form.item,
                round=form.round,
                fault=f,
                detail=d,
                counted=f in LISTED_ONLY,
            )
            for f, d in checked.faults
        ]
        if task is None or any(f not in LISTED_ONLY for f, _ in checked.faults):
            continue
        done.add(key)
        notes += [_note(form, task, t) for t in checked.texts]
        if not form.skipped:
            ratings += [_rating(form, task, *place, value) for place, value in checked.given.items()]
    return Accepted(ratings=tuple(ratings), notes=tuple(notes), faults=tuple(faults), done=frozenset(done))


class _Checked(NamedTuple):
    """A form after the check: what counts of it, and what is wrong with it."""

    given: Given
    texts: tuple[Text, ...]
    faults: list[tuple[str, str]]


def _checked(
    form: GradedForm, task: Task | None, item: Item | None, rubric: Rubric, lines: Lines | None
) -> _Checked:
    if task is None or item is None:
        return _Checked(
            {},
            (),
            [
                (
                    "not_assigned",
                    f"{form.item or 'no item'} is not a task of {form.rater} in the {form.round} round",
                )
            ],
        )
    if form.skipped:
        why = "; ".join(t.text for t in form.texts if t.kind == "comment")
        texts = tuple(t for t in form.texts if t.kind == "comment")
        return _Checked(
            {}, texts, [("skipped", f"the rater skipped it{': ' + why if why else ', and gave no reason'}")]
        )
    faults: list[tuple[str, str]] = []
    given = _given(form, rubric, len(item.claims), faults)
    asked = required(rubric, given, len(item.claims))
    for d, claim in asked:
        if (d.name, claim) not in given:
            faults.append(("missing", f"{_place(d.name, claim)} has no answer"))
    counted = {(d.name, claim): given[d.name, claim] for d, claim in asked if (d.name, claim) in given}
    for (name, claim), value in given.items():
        if (name, claim) not in counted:
            faults.append(
                ("not_asked", f"{_place(name, claim)}: {value!r} answers a question that was not asked")
            )
    texts = tuple(_texts(form, item, counted, rubric, faults))
    if form.round == "adjudication" and lines is not None:
        faults += _strange_lines(texts, lines(item))
    faults += [("contradiction", c) for c in contradictions(rubric, counted)]
    if form.seconds is not None and not SECONDS[0] <= form.seconds <= SECONDS[1]:
        faults.append(("seconds_out_of_range", f"{form.seconds:.0f} s on one item"))
    return _Checked(counted, texts, faults)


def _given(
    form: GradedForm, rubric: Rubric, n: int, faults: list[tuple[str, str]]
) -> dict[tuple[str, int | None], str]:
    """The answers that fit the rubric; the others go into `faults`."""
    given: dict[tuple[str, int | None], str] = {}
    for m in form.marks:
        d = rubric.dimension(m.dimension)
        if d is None:
            faults.append(
                ("unknown_control", f"{m.dimension!r} is not a dimension of rubric {rubric.name!r}")
            )
        elif m.value not in d.categories:
            allowed = ", ".join(d.categories)
            faults.append(("unknown_value", f"{m.dimension}: {m.value!r} is not one of {allowed}"))
        elif (m.claim is not None) != d.per_claim or (m.claim is not None and not 0 <= m.claim < n):
            at = "the whole" if m.claim is None else f"sentence {m.claim + 1}"
            faults.append(("unknown_claim", f"{m.dimension} of {at}; there are {n} sentences"))
        elif (m.dimension, m.claim) in given:
            faults.append(
                ("answered_twice", f"{m.dimension}: {given[m.dimension, m.claim]!r} and {m.value!r}")
            )
        else:
            given[m.dimension, m.claim] = m.value
    return given


def required(rubric: Rubric, given: Given, n_claims: int) -> list[tuple[Dimension, int | None]]:
    """The questions that these answers make obligatory: (dimension, claim)."""
    places: list[tuple[Dimension, int | None]] = [
        (d, c) for d in rubric.dimensions for c in (range(n_claims) if d.per_claim else (None,))
    ]
    return [(d, c) for d, c in places if d.when is None or given.get((d.when.dimension, c)) in d.when.any_of]


def contradictions(rubric: Rubric, given: Given) -> list[str]:
    """What the rubric says of answers that can hardly be meant together."""
    return [c.ask for c in rubric.contradictions if all(_holds(condition, given) for condition in c.all_of)]


def _holds(condition: Condition, given: Given) -> bool:
    """Of the whole, or of any sentence."""
    return any(
        name == condition.dimension and value in condition.any_of for (name, _), value in given.items()
    )


def _texts(
    form: GradedForm, item: Item, given: Given, rubric: Rubric, faults: list[tuple[str, str]]
) -> Iterator[Text]:
    for t in form.texts:
        if t.kind != "edited":
            yield t
        elif rubric.edit_when is None or not _holds(rubric.edit_when, given):
            faults.append(("not_asked", "a correction, although the answers ask for none; it is left out"))
        elif t.text.split() == item.text.split():
            faults.append(
                ("unchanged_edit", "the box for corrections holds the rationale as it was; it is not an edit")
            )
        else:
            yield t


def _strange_lines(texts: Iterable[Text], known: Collection[str]) -> list[tuple[str, str]]:
    """An adjudicator's word is final, so a correction that cites what is not there comes back to the adjudicator."""
    cited = [e for t in texts if t.kind == "edited" for e in evidence_ids(t.text)]
    return [
        ("cites_unknown", f"the correction cites {e}, which is not a line of the timeline")
        for e in dict.fromkeys(cited) if e not in known
    ]  # fmt: skip


def _place(name: str, claim: int | None) -> str:
    return name if claim is None else f"{name} of sentence {claim + 1}"


def _rating(form: GradedForm, task: Task, dimension: str, claim: int | None, value: str) -> Rating:
    return Rating(
        item=form.item,
        rationale=task.rationale,
        case=task.case,
        rater=form.rater,
        round=form.round,
        dimension=dimension,
        claim=claim,
        value=value,
        seconds=form.seconds,
        simulated=form.simulated,
    )


def _note(form: GradedForm, task: Task, t: Text) -> Note:
    return Note(
        item=form.item, rationale=task.rationale, rater=form.rater, round=form.round, kind=t.kind, claim=t.claim,
        text=t.text,
    )  # fmt: skip
