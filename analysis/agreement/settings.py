"""What is to be computed from a set of ratings."""

from pydantic import Field

from ...study.records import Record
from .uncertainty.estimate import Raters


class AgreementSettings(Record):
    """What `wherefore agree` is asked for, beyond what the file is."""

    statistics: tuple[str, ...] = ()
    """Beside those that suit the scale."""
    weights: str | None = None
    """Of `statistics`."""
    raters: Raters = "fixed"
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    replicates: int | None = Field(default=None, ge=200)
    seed: int = Field(default=0, ge=0)
    compare: tuple[str, ...] = ()
    """`dimensions`, `groups`."""
    judge: str | None = None
    """A rater that is compared with the others, and left out of everything else."""
    margin: float | None = Field(default=None, gt=0)
    half_width: float | None = Field(default=None, gt=0)
    """Plan for an interval this wide to each side, these ratings being the pilot."""
    minutes: float | None = Field(default=None, gt=0)
    """That a rater takes for an item."""
    items: int = Field(default=10, ge=0)
    """How many of the most disputed."""
