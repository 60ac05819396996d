"""What the adjudicator sees of an item: why it is open, what each rater said, and what they agree about."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from ...study.records import Record, digest
from ..answers import control
from ..graded import Mark
from ..records import Note, Rating, Rubric


class DiffPart(Record):
    """A stretch of words that a correction keeps, adds or strikes."""

    kind: Literal["same", "new", "old"]
    text: str


class Remark(Record):
    """What a rater wrote."""

    sentence: int | None = None
    """From 1; None: about the whole."""
    text: str


class Opinion(Record):
    """One rater, without a name."""

    name: str
    """`Rater A`, in no telling order."""
    notes: tuple[Remark, ...] = ()
    correction: str = ""
    diff: tuple[DiffPart, ...] = ()
    """From the rationale as it is to the rater's correction."""


class QuestionRow(Record):
    """One question, and every rater's answer to it as they read it."""

    at: str
    """The name of the question on a page."""
    title: str
    answers: tuple[str, ...]
    """A dash where a rater was not asked."""
    differ: bool


class Disagreement(Record):
    """Why an item is to be decided, and by what."""

    why: str
    opinions: tuple[Opinion, ...]
    rows: tuple[QuestionRow, ...]
    agreed: tuple[Mark, ...] = ()
    """Answers that all raters gave; they need not be given again."""


def disagreement(
    why: str, ratings: Iterable[Rating], notes: Iterable[Note], rubric: Rubric, text: str
) -> Disagreement:
    """Put together what the raters of one item said.

    Args:
        why: the item is undecided, in the words of its verdict.
        ratings: of this item, of the main round.
        notes: of this item.
        rubric: what was asked.
        text: the rationale as the raters saw it.
    """
    ratings, notes = list(ratings), list(notes)
    given = {
        r.rater: {(x.dimension, x.claim): x.value for x in ratings if x.rater == r.rater} for r in ratings
    }
    written = {rater: [n for n in notes if n.rater == rater] for rater in given}
    # The order of the raters must not tell who they are, so it hangs on what they said here.
    raters = sorted(
        given, key=lambda r: digest([sorted(map(str, given[r].items())), [n.text for n in written[r]]])
    )
    opinions = tuple(_opinion(chr(65 + i), written[r], text) for i, r in enumerate(raters))
    places = _places(ratings, rubric)
    rows = tuple(
        _row(name, claim, [given[r].get((name, claim)) for r in raters], rubric) for name, claim in places
    )
    agreed = tuple(
        Mark(dimension=name, claim=claim, value=given[raters[0]][name, claim])
        for name, claim in places
        if len(raters) > 1 and len({given[r].get((name, claim)) for r in raters}) == 1
    )
    return Disagreement(why=_sentence(why), opinions=opinions, rows=rows, agreed=agreed)


def _sentence(why: str) -> str:
    return f"You decide: {why}."


def _places(ratings: Iterable[Rating], rubric: Rubric) -> list[tuple[str, int | None]]:
    """The questions that anybody answered: the whole first, then sentence by sentence."""
    order = [d.name for d in rubric.dimensions]
    questions = {(r.dimension, r.claim) for r in ratings}
    return sorted(questions, key=lambda p: (-1 if p[1] is None else p[1], order.index(p[0])))


def _row(name: str, claim: int | None, values: Sequence[str | None], rubric: Rubric) -> QuestionRow:
    d = rubric.dimension(name)
    assert d is not None  # the door let it in
    words = dict(zip(d.categories, d.labels, strict=True))
    return QuestionRow(
        at=control(name, claim),
        title=d.heading if claim is None else f"{claim + 1} {d.heading}",
        answers=tuple("–" if v is None else words[v] for v in values),
        differ=len(set(values)) > 1,
    )


def _opinion(letter: str, notes: Sequence[Note], text: str) -> Opinion:
    correction = next((n.text for n in notes if n.kind == "edited"), "")
    remarks = [n for n in notes if n.kind != "edited"]
    return Opinion(
        name=f"Rater {letter}",
        notes=tuple(Remark(sentence=None if n.claim is None else n.claim + 1, text=n.text) for n in remarks),
        correction=correction,
        diff=tuple(_diff(text.split(), correction.split())) if correction else (),
    )


def _diff(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffPart]:
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            yield DiffPart(kind="same", text=" ".join(old[a:b]))
            continue
        if b > a:
            yield DiffPart(kind="old", text=" ".join(old[a:b]))
        if d > c:
            yield DiffPart(kind="new", text=" ".join(new[c:d]))
