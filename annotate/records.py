"""What the annotate stage gives to the others: the rubric, tasks, ratings, verdicts."""

from typing import Literal

from pydantic import Field, model_validator

from ..study.records import Level, Record


class Dimension(Record):
    """One question that a rater answers on a declared scale."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    question: str
    level: Level
    """Of the scale; what agreement is measured with."""
    categories: tuple[str, ...] = Field(min_length=2)
    """All allowed values, in order where the level is ordinal; also those that nobody will use."""
    anchors: tuple[str, ...] = ()
    """A word for each category, as the rater sees it; empty: the category itself."""
    per_claim: bool = False
    """Asked of every claim, or once of the whole rationale."""

    @model_validator(mode="after")
    def _an_anchor_each(self) -> "Dimension":
        if self.anchors and len(self.anchors) != len(self.categories):
            raise ValueError(f"{len(self.anchors)} anchors for {len(self.categories)} categories")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError(f"a category stands twice: {self.categories}")
        return self


class Rubric(Record):
    """What raters are asked. The form, the validation and the statistics all follow from it."""

    name: str
    dimensions: tuple[Dimension, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> "Rubric":
        names = [d.name for d in self.dimensions]
        if len(set(names)) != len(names):
            raise ValueError(f"two dimensions are called {next(n for n in names if names.count(n) > 1)!r}")
        return self


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
