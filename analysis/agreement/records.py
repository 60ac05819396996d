"""Results of comparison, planning, models and scales of several items, row by row; and the summary that holds all."""

from pydantic import Field

from ...study.records import Level, Record
from ..records import Agreement
from .raters.records import (
    CategoryRow,
    ItemRow,
    LimitsRow,
    PairRow,
    RaterRow,
    RaterTest,
    ReferenceRow,
    RepeatRow,
    ShareRow,
)
from .reading.source import FileReading
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


class BenchmarkRow(Record):
    """A word for a coefficient that takes its uncertainty into account."""

    statistic: str
    weights: str = ""
    scale: str
    """Whose words."""
    value: float | None
    word: str | None = None
    """The highest that the coefficient reaches with 95 % probability."""
    probability: float | None = None
    """Of lying in its range or above."""
    own_word: str | None = None
    """Of the range that the value itself is in: what is often printed, and too much."""
    above: dict[str, float] = Field(default_factory=dict)
    """Probability of each word or better."""
    why_missing: str | None = None


class RaterLevel(Record):
    """How readily a rater says yes, in the hierarchical model."""

    rater: str
    log_odds: float
    """For an item of average kind."""
    difference: float
    """From the first rater."""
    standard_error: float | None
    """Of the difference."""


class HierarchicalModel(Record):
    """A logistic model of yes-no ratings with random items and clusters, and a level for each rater."""

    category: str
    """That is modelled."""
    item_sd: float
    """Of the items (within their cluster), in log odds."""
    cluster_sd: float | None
    latent_icc: float
    """Share of the latent variance that items and clusters make: agreement of two raters on the latent scale."""
    cluster_icc: float | None
    """Share that the clusters make."""
    median_odds_ratio: float
    """Median over two items of the ratio of their odds (Larsen & Merlo 2005)."""
    kappa: float | None
    """That two of these raters have under the model, mean over the pairs."""
    raters: tuple[RaterLevel, ...]
    n_ratings: int


class InstrumentItem(Record):
    """One dimension of a scale of several."""

    dimension: str
    mean: float
    sd: float
    rest_correlation: float | None
    """With the sum of the others."""
    alpha_without: float | None


class InstrumentSummary(Record):
    """A scale of several dimensions; a form is one rater's answers on one item."""

    name: str
    n_forms: int
    n_incomplete: int
    """Forms left out because a dimension is not answered."""
    n_independent: int
    """Items, or clusters: what is resampled."""
    alpha: float | None
    """Cronbach's."""
    low: float | None
    high: float | None
    method: str
    why_missing: str | None
    items: tuple[InstrumentItem, ...]


class PrecisionPlan(Record):
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
    """RoleColumns for and not given."""
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
    tests: tuple[RaterTest, ...] = ()
    """Whether raters use the categories alike, two by two; and Kendall's W."""
    limits: tuple[LimitsRow, ...] = ()
    """Limits of agreement, two raters by two; interval and ratio scales."""
    reference: tuple[ReferenceRow, ...] = ()
    """Each rater against the reference standard, where there is one."""
    shares: tuple[ShareRow, ...] = ()
    """Items on which all raters agree, with each other and with the reference."""
    repeats: tuple[RepeatRow, ...] = ()
    """Each rater against himself or herself, where items were read more than once."""
    benchmarks: tuple[BenchmarkRow, ...] = ()
    """A word for each coefficient, where a scale of words was asked for."""
    mixed: tuple[Agreement, ...] = ()
    """Intraclass correlations of the mixed model, where it was asked for."""
    hierarchical: HierarchicalModel | None = None
    """The logistic model of yes-no ratings, where it was asked for."""
    plan: PrecisionPlan | None = None
    notes: tuple[str, ...] = ()


class Summary(Record):
    """What `wherefore agree` found."""

    source: str
    reading: FileReading
    """How the file was understood."""
    simulated: bool
    dimensions: tuple[DimensionSummary, ...]
    differences: tuple[Difference, ...]
    instruments: tuple[InstrumentSummary, ...] = ()
    raters: Raters
    judge: str | None = None
    """Left out of every coefficient, and compared with the raters."""
    reference: str | None = None
    """The reference standard: a rater, or the column or forms of the file that hold it."""
    confidence: float
    seed: int
    skipped: dict[str, str] = Field(default_factory=dict)
    """Dimensions that could not be measured, and why."""
    methods: str = ""
