"""What the annotate stage gives to the others: the rubric, tasks, ratings, verdicts."""

from typing import Literal

from pydantic import Field, model_validator

from ..study.records import Level, Record
from ..synth.records import Claim

RESERVED = ("timeline", "claim", "note", "comment", "edited")
"""Names that the grading page uses itself; no dimension may have one."""


class Condition(Record):
    """An answer after which something more is asked."""

    dimension: str
    any_of: tuple[str, ...] = Field(min_length=1)


class Dimension(Record):
    """One question that a rater answers on a declared scale."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*[a-z]$")
    title: str = ""
    """The heading on the page; the name where empty."""
    question: str
    level: Level
    """Of the scale; what agreement is measured with."""
    categories: tuple[str, ...] = Field(min_length=2)
    """All allowed values, in order where the level is ordinal; also those that nobody will use."""
    anchors: tuple[str, ...] = ()
    """A word for each category, as the rater sees it; empty: the category itself."""
    good: tuple[str, ...] = ()
    """The categories that find no fault; planted controls and simulated raters need them."""
    per_claim: bool = False
    """Asked of every claim, or once of the whole rationale."""
    when: Condition | None = None
    """Asked only after such an answer (about the same claim, where it is asked of claims)."""

    @model_validator(mode="after")
    def _scale_holds_together(self) -> "Dimension":
        if self.anchors and len(self.anchors) != len(self.categories):
            raise ValueError(f"{len(self.anchors)} anchors for {len(self.categories)} categories")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError(f"duplicate category in {self.categories}")
        if unknown := set(self.good) - set(self.categories):
            raise ValueError(f"good holds {min(unknown)!r}, which is not one of {self.categories}")
        if self.name in RESERVED:
            raise ValueError(f"the name {self.name!r} is reserved for the grading page; choose another")
        return self

    @property
    def heading(self) -> str:
        """Over the question."""
        return self.title or self.name.replace("_", " ").capitalize()

    @property
    def labels(self) -> tuple[str, ...]:
        """What the rater reads for each category."""
        return self.anchors or self.categories


class Contradiction(Record):
    """Answers that can hardly be meant together; the rater is asked, and what is sent is listed."""

    all_of: tuple[Condition, ...] = Field(min_length=2)
    """A condition on a question about sentences holds where it holds for any of them."""
    ask: str
    """What the rater is asked: `You graded it unusable, and accept it. Is that meant?`"""


class Rubric(Record):
    """What raters are asked. The form, the validation and the statistics all follow from it."""

    name: str
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    guideline: str = ""
    """How to grade, in Markdown; shown before the first task and behind a fold on every page."""
    note_when: Condition | None = None
    """A line for free text opens at a claim after such an answer."""
    edit_when: Condition | None = None
    """A box with the rationale to be corrected opens after such an answer."""
    comment: bool = True
    """A box for free text on every page."""
    contradictions: tuple[Contradiction, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> "Rubric":
        names = [d.name for d in self.dimensions]
        if len(set(names)) != len(names):
            raise ValueError(f"two dimensions are called {next(n for n in names if names.count(n) > 1)!r}")
        return self

    @model_validator(mode="after")
    def _conditions_can_come_true(self) -> "Rubric":
        seen: dict[str, Dimension] = {}
        for d in self.dimensions:
            self._check(d.name, d.when, seen, d.per_claim)
            seen[d.name] = d
        self._check("note_when", self.note_when, seen, True)
        self._check("edit_when", self.edit_when, seen, False)
        for c in self.contradictions:
            for condition in c.all_of:
                self._known("contradictions", condition, seen)
        return self

    @staticmethod
    def _check(what: str, when: Condition | None, seen: dict[str, Dimension], per_claim: bool) -> None:
        if when is None:
            return
        Rubric._known(what, when, seen)
        if seen[when.dimension].per_claim != per_claim:
            raise ValueError(f"{what} and {when.dimension!r} must both be asked of claims, or neither")

    @staticmethod
    def _known(what: str, when: Condition, seen: dict[str, Dimension]) -> None:
        if when.dimension not in seen:
            raise ValueError(f"{what} waits for {when.dimension!r}, which is not a dimension before it")
        other = seen[when.dimension]
        if unknown := set(when.any_of) - set(other.categories):
            raise ValueError(f"{what} waits for {min(unknown)!r}, which is not one of {other.categories}")

    def dimension(self, name: str) -> Dimension | None:
        """The dimension of that name, or None."""
        return next((d for d in self.dimensions if d.name == name), None)


class Task(Record):
    """One rationale in front of one rater."""

    item: str
    """Opaque: says nothing about teacher, style or label. The same for all raters of a rationale."""
    rater: str
    rationale: str
    case: str
    round: str = "main"
    order: int
    control: str | None = None
    """None, or the kind of planted control (`other_patient`, `wrong_value`); raters never see this."""


class Rating(Record):
    """One answer by one rater."""

    item: str
    rationale: str
    case: str
    rater: str
    round: str = "main"
    dimension: str
    claim: int | None = None
    """Which claim, for a dimension that is asked of every claim."""
    value: str
    """One of the dimension's categories."""
    seconds: float | None = Field(ge=0, default=None)
    """The rater spent on the whole item."""
    simulated: bool = False
    """Made by a program with stated accuracy; never mixed with people's without saying so."""


class Note(Record):
    """Free text by one rater."""

    item: str
    rationale: str
    rater: str
    round: str = "main"
    kind: Literal["note", "comment", "edited"]
    """At a claim; on the whole; or the rationale as the rater corrected it."""
    claim: int | None = None
    text: str


class Verdict(Record):
    """The consensus about one rationale; the ratings stay as they are."""

    rationale: str
    case: str
    state: Literal["accepted", "rejected", "needs_more_ratings", "needs_adjudication"]
    rule: str
    n_raters: int
    consensus: dict[str, str]
    """Median or majority per dimension of the whole rationale."""
    why: str
    adjudicator: str | None = None
    """Who decided where the raters did not."""
    edited: str | None = None
    """The rationale as corrected by a rater who accepted it only so; None: as the teacher wrote it."""
    edited_by: str | None = None
    claims: tuple[Claim, ...] = ()
    """Of `edited`, as it is to be taught; empty where nothing was edited."""


class RaterProgress(Record):
    """How far one rater is in one round."""

    round: str
    rater: str
    done: int
    total: int
    skipped: int
    faults: int
    """Items whose form does not count, by whatever is wrong with it, and that are still to be graded."""
    median_seconds: float | None
    """On one item, as the page measured it."""
    per_hour: float | None
    """Items an hour of work, pauses left out; None before the second form and for programs."""


ORDINARY = "ordinary"


class Noticed(Record):
    """In how many items of one kind one rater found fault."""

    rater: str
    control: str
    """The kind of planted control; `ordinary` for items as they are, beside which the others are to be read."""
    n: int
    noticed: int
    """Items in which a sentence or the whole was marked as bad."""


class Anchoring(Record):
    """How often people say what the judge says, when they saw it first and when they did not."""

    dimension: str
    blind: float | None
    assisted: float | None
    n_blind: int
    n_assisted: int

    @property
    def difference(self) -> float | None:
        """Assisted minus blind; what the judge's grades pull people by."""
        return None if self.blind is None or self.assisted is None else self.assisted - self.blind
