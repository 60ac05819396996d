"""What comparison, diagnostics and planning make, row by row, and all of it for one set of ratings."""

from pydantic import Field

from ...study.records import Level, Record
from ..records import Agreement
from .reading.source import Reading
from .uncertainty.estimate import Raters


class Difference(Record):
    """Two coefficients on the same draws of units; `a` minus `b`."""

    a: str
    b: str
    dimension: str = ""
    statistic: str
    value_a: float | None
    value_b: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Two-sided, of no difference."""
    p_adjusted: float | None = None
    """Holm, over the comparisons asked for together."""
    margin: float | None = None
    """How much worse `a` may be and still count as no worse."""
    non_inferior: bool | None = None
    """The lower limit lies above minus the margin; None where no margin was given or there is no limit."""
    n: int
    """Independent units drawn."""
    n_both: int
    """Of them, those rated under both: the pairing rests on these."""
    why_missing: str | None = None
    method: str = ""


class RaterRow(Record):
    """One rater beside the others. Steps are positions on the scale, or its own numbers."""

    rater: str
    n: int
    """Ratings given."""
    n_shared: int
    """Of them, on units that another rater saw."""
    share: dict[str, float]
    """Of each category among the rater's ratings."""
    own: float | None
    """1 - disagreement of the pairs the rater is in / expected disagreement: alpha is its mean over ratings."""
    effect: float | None = None
    """Ratings above (+) or below (-) the raters' mean on the same units, steps; two-way least squares."""
    effect_low: float | None = None
    effect_high: float | None = None
    spread: float | None = None
    """SD of the rater's own error, steps (Grubbs 1948): inconsistency that severity does not explain."""
    without: float | None = None
    """The coefficient of the other raters."""
    change: float | None = None
    """All raters minus the others: negative where this rater lowers agreement."""
    change_low: float | None = None
    change_high: float | None = None
    drift: float | None = None
    """Change from the rater's first rating to the last, against the others on the same units, steps."""
    drift_low: float | None = None
    drift_high: float | None = None
    why_missing: str | None = None
    """Why one of the numbers is not there."""


class PairRow(Record):
    """Two raters on the units that both saw."""

    a: str
    b: str
    n: int
    agreement: float | None
    """Share of equal ratings."""
    kappa: float | None
    """Cohen's, with the level's own weights."""
    bias: float | None
    """Mean of a minus b, steps; None on a nominal scale."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts, category of `a` by category of `b`; empty where there are more than 20 categories."""
    why_missing: str | None = None


class ItemRow(Record):
    """One item, by how far its raters are apart."""

    item: str
    n: int
    disagreement: float
    """Mean distance of its pairs over the expected one: 0 all equal, 1 as far apart as by chance."""
    share: float
    """Of all disagreement: what goes if this item is settled."""
    ratings: dict[str, str]


class CategoryRow(Record):
    """How a category is used."""

    category: str
    n: int
    share: float
    """Prevalence: of all ratings."""
    least: float
    most: float
    """Lowest and highest share among the raters; their distance is the bias."""
    specific: float | None
    """Specific agreement: given that one rater chose it, how likely another one did."""


class Plan(Record):
    """How many items a wanted precision takes."""

    statistic: str
    value: float
    """Assumed, or that of the pilot."""
    half_width: float
    raters: int
    items: int
    hours: float | None
    """Of all raters together; None where the time an item takes was not given."""
    basis: str
    """The pilot, or the assumptions."""


class DimensionSummary(Record):
    """One dimension."""

    name: str
    level: Level
    categories: tuple[str, ...]
    declared: bool
    assumed: bool
    """The level was guessed from the values."""
    n_items: int
    n_raters: int
    n_ratings: int
    n_missing: int
    """Asked for and not given."""
    n_lone: int
    """Ratings of items that nobody else rated: in no pair."""
    independent: int
    unit: str
    """What is resampled, and how many of them there are."""
    agreement: tuple[Agreement, ...]
    raters: tuple[RaterRow, ...]
    pairs: tuple[PairRow, ...]
    items: tuple[ItemRow, ...]
    """The most disputed."""
    disagreement: tuple[float, ...]
    """Of the items with two ratings or more, highest first; of more than a thousand, evenly spaced ones."""
    categories_used: tuple[CategoryRow, ...]
    plan: Plan | None = None
    notes: tuple[str, ...] = ()


class Summary(Record):
    """What `wherefore agree` found."""

    source: str
    reading: Reading
    """How the file was understood."""
    simulated: bool
    dimensions: tuple[DimensionSummary, ...]
    differences: tuple[Difference, ...]
    raters: Raters
    judge: str | None = None
    """Left out of every coefficient, and compared with the raters."""
    confidence: float
    seed: int
    skipped: dict[str, str] = Field(default_factory=dict)
    """Dimensions that could not be measured, and why."""
    methods: str = ""
