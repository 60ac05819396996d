"""What is to be computed from a set of ratings."""

from typing import Literal, NamedTuple

from pydantic import Field

from ...study.errors import DataError
from ...study.records import Record
from .coefficients.table import Scale
from .coefficients.weights import Weights
from .uncertainty.estimate import Raters
from .uncertainty.intervals import Method

Model = Literal["mixed", "glmm"]
"""`mixed`: intraclass correlations with missing ratings; `glmm`: yes-no ratings in clusters."""


class WeightMatrix(NamedTuple):
    """Weights between categories, as a file gives them."""

    name: str
    """Of the file."""
    labels: tuple[str, ...]
    """Of rows and columns; empty where the file names none: the order of the categories."""
    rows: tuple[tuple[float, ...], ...]

    def on(self, scale: Scale) -> list[list[float]]:
        """The matrix in the order of the scale.

        Raises:
            DataError: other categories than the scale has.
        """
        if not self.labels:
            if len(self.rows) != len(scale.labels):
                raise DataError(
                    f"weights: {self.name} has {len(self.rows)} rows, and the scale {len(scale.labels)} categories: "
                    f"{', '.join(scale.labels[:12])}."
                )
            return [list(row) for row in self.rows]
        if missing := [label for label in scale.labels if label not in self.labels]:
            raise DataError(
                f"weights: {self.name} has no row for {missing[0]!r}; it names {', '.join(self.labels[:12])}."
            )
        unused = [label for label in self.labels if label not in scale.labels]
        if unused and scale.declared:
            raise DataError(
                f"weights: {self.name} names {unused[0]!r}, which is not a category of the scale."
            )
        at = [self.labels.index(label) for label in scale.labels]
        return [[self.rows[i][j] for j in at] for i in at]


class AgreementSettings(Record):
    """What `wherefore agree` is asked for, beyond what the file is."""

    statistics: tuple[str, ...] = ()
    """Coefficients beside those that suit the scale."""
    weights: str | WeightMatrix | None = None
    """Of `statistics`: a name, or a matrix."""
    interval: Method = "auto"
    """How intervals are made."""
    raters: Raters = "fixed"
    """The intervals are about these raters, or about raters like these."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of the intervals."""
    replicates: int | None = Field(default=None, ge=200)
    """Bootstrap draws; 10,000, and more where items are few."""
    seed: int = Field(default=0, ge=0)
    """Of the draws."""
    compare: tuple[str, ...] = ()
    """`dimensions`, `groups`."""
    judge: str | None = None
    """A rater who is compared with the others, and left out of everything else."""
    reference: str | None = None
    """A rater whose ratings are the reference standard, and who is left out of everything else."""
    benchmark: str | None = None
    """Scale of words for the coefficients, such as `landis_koch`."""
    models: tuple[Model, ...] = ()
    """Statistical models to fit."""
    instruments: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Scales of several items: name -> dimensions."""
    margin: float | None = Field(default=None, gt=0)
    """How much worse still counts as no worse."""
    half_width: float | None = Field(default=None, gt=0)
    """Plan for an interval this wide to each side, these ratings being the pilot."""
    minutes: float | None = Field(default=None, gt=0)
    """That a rater takes for an item."""
    items: int = Field(default=10, ge=0)
    """How many of the most disputed."""

    def weights_for(self, scale: Scale) -> Weights:
        """The weights on a scale.

        Raises:
            DataError: a matrix of other categories.
        """
        return self.weights.on(scale) if isinstance(self.weights, WeightMatrix) else self.weights
