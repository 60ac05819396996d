"""The one door for grades: people's and programs' forms become ratings here, or are listed as faulty."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

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
    forms: Iterable[GradedForm],
    tasks: Iterable[Task],
    items: Mapping[str, Item],
    rubric: Rubric,
    lines: Lines | None = None,
) -> Accepted:
    """Check every form against the rubric and the task it belongs to.

    A form with an unknown control or value, or with a required answer missing, counts for nothing and is listed:
    half a form is not a grade.

    Args:
        forms: as they were sent.
        tasks: what was handed out.
        items: what is shown, by id.
        rubric: what is asked.
        lines: which evidence stands beside an item; where given, an adjudicator's correction may cite nothing else.
    """
    wanted = {(t.round, t.rater, t.item): t for t in tasks}
    ratings: list[Rating] = []
    notes: list[Note] = []
    faults: list[FormFault] = []
    done: set[tuple[str, str, str]] = set()
    for form in forms:
        key = (form.round, form.rater, form.item)
        task, item = wanted.get(key), items.get(form.item)
        check = FormCheck(
            form, item if task else None, rubric, lines if form.round == "adjudication" else None
        )
        faults += check.faults
        if task is None or not check.counts:
            continue
        done.add(key)
        notes += [_note(form, task, t) for t in check.texts]
        ratings += [_rating(form, task, *place, value) for place, value in check.given.items()]
    return Accepted(ratings=tuple(ratings), notes=tuple(notes), faults=tuple(faults), done=frozenset(done))


class FormCheck:
    """One form: what counts of it, and what is wrong with it.

    Args:
        form: as it was sent.
        item: what was shown; None where it was not this rater's.
        rubric: what is asked.
        lines: ids of evidence that a correction may cite; None: any.
    """

    def __init__(self, form: GradedForm, item: Item | None, rubric: Rubric, lines: Lines | None) -> None:
        self.form, self.rubric = form, rubric
        self.given: dict[tuple[str, int | None], str] = {}
        self.texts: tuple[Text, ...] = ()
        self.faults: list[FormFault] = []
        if item is None:
            self._fault("not_assigned", f"not a task of {form.rater} in the {form.round} round")
        elif form.skipped:
            self.texts = tuple(t for t in form.texts if t.kind == "comment")
            why = "; ".join(t.text for t in self.texts)
            self._fault(
                "skipped",
                f"the rater skipped it: {why}" if why else "the rater skipped it and gave no reason",
            )
        else:
            self._check(item, lines)

    @property
    def counts(self) -> bool:
        """Whether the form counts, whatever else is listed."""
        return all(f.counted for f in self.faults)

    def _fault(self, fault: str, detail: str, at: str = "") -> None:
        f = self.form
        counted = fault in LISTED_ONLY
        self.faults.append(
            FormFault(
                rater=f.rater, item=f.item, round=f.round, fault=fault, detail=detail, counted=counted, at=at
            )
        )

    def _check(self, item: Item, lines: Lines | None) -> None:
        n = len(item.claims)
        answers = self._fitting(n)
        questions = required(self.rubric, answers, n)
        for d, claim in questions:
            if (d.name, claim) in answers:
                self.given[d.name, claim] = answers[d.name, claim]
            else:
                self._fault("missing", f"{_words(d.name, claim)} has no answer", control(d.name, claim))
        for (name, claim), value in answers.items():
            if (name, claim) not in self.given:
                self._fault(
                    "not_asked", f"{_words(name, claim)}: {value!r} answers a question that was not asked"
                )
        self.texts = tuple(self._texts(item))
        if lines is not None:
            self._citations(lines(item))
        for contradiction in contradictions(self.rubric, self.given):
            self._fault("contradiction", contradiction)
        seconds = self.form.seconds
        if seconds is not None and not SECONDS[0] <= seconds <= SECONDS[1]:
            self._fault("seconds_out_of_range", f"{seconds:.0f} s on one item")

    def _fitting(self, n: int) -> dict[tuple[str, int | None], str]:
        """The answers that fit the rubric."""
        out: dict[tuple[str, int | None], str] = {}
        for m in self.form.marks:
            d = self.rubric.dimension(m.dimension)
            at = control(m.dimension, m.claim)
            if d is None:
                self._fault(
                    "unknown_control", f"{m.dimension!r} is not a dimension of rubric {self.rubric.name!r}"
                )
            elif m.value not in d.categories:
                allowed = ", ".join(d.categories)
                self._fault("unknown_value", f"{m.dimension}: {m.value!r} is not one of {allowed}", at)
            elif (m.claim is not None) != d.per_claim or (m.claim is not None and not 0 <= m.claim < n):
                about = "the whole" if m.claim is None else f"sentence {m.claim + 1}"
                self._fault("unknown_claim", f"{m.dimension} of {about}; there are {n} sentences")
            elif (m.dimension, m.claim) in out:
                both = f"{out[m.dimension, m.claim]!r} and {m.value!r}"
                self._fault("answered_twice", f"{m.dimension}: {both}", at)
            else:
                out[m.dimension, m.claim] = m.value
        return out

    def _texts(self, item: Item) -> Iterator[Text]:
        when = self.rubric.edit_when
        for t in self.form.texts:
            if t.kind != "edited":
                yield t
            elif when is None or not _holds(when, self.given):
                self._fault("not_asked", "a correction that the answers do not ask for; it is ignored")
            elif t.text.split() == item.text.split():
                self._fault(
                    "unchanged_edit",
                    "the correction repeats the rationale unchanged; it does not count as an edit",
                )
            else:
                yield t

    def _citations(self, known: Collection[str]) -> None:
        """An adjudicator's word is final, so a correction that cites what is not there comes back."""
        cited = [e for t in self.texts if t.kind == "edited" for e in evidence_ids(t.text)]
        for e in dict.fromkeys(cited):
            if e not in known:
                self._fault(
                    "cites_unknown",
                    f"the correction cites {e}, which is not a line of the timeline",
                    "edited",
                )


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


def control(name: str, claim: int | None) -> str:
    """The name of a question on a page: `support_3` about the third sentence, `accuracy` about the whole."""
    return name if claim is None else f"{name}_{claim + 1}"


def _words(name: str, claim: int | None) -> str:
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
        item=form.item,
        rationale=task.rationale,
        rater=form.rater,
        round=form.round,
        kind=t.kind,
        claim=t.claim,
        text=t.text,
    )
