"""A form as a rater filled it in, whoever the rater is, and what was found wrong with it."""

from typing import Literal

from ..study.records import Record
from .records import Note, Rating


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


class GradedForm(Record):
    """What one rater sent for one item."""

    item: str
    rater: str
    round: str
    marks: tuple[Mark, ...]
    texts: tuple[Text, ...] = ()
    seconds: float | None = None
    skipped: bool = False
    simulated: bool = False


class FormFault(Record):
    """Something in the forms that is not as it must be. Nothing is swallowed."""

    rater: str
    item: str
    round: str
    fault: str
    """A short name, to count by."""
    detail: str
    counted: bool
    """Whether the form counts all the same."""
    at: str = ""
    """The question that it is about, with the number of the sentence behind it; empty: the form."""


class Accepted(Record):
    """What came through the door."""

    ratings: tuple[Rating, ...] = ()
    notes: tuple[Note, ...] = ()
    faults: tuple[FormFault, ...] = ()
    done: frozenset[tuple[str, str, str]] = frozenset()
    """(round, rater, item) that need no more work; a skipped item is done."""
