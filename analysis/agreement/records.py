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
    pabak: float | None = None
    """Two categories: twice the share of equal ratings less 1 (Byrt, Bishop & Carlin 1993)."""
    prevalence_index: float | None = None
    """Two categories: how far the pairs of equal ratings are on one side, 0 to 1."""
    bias_index: float | None = None
    """Two categories: how far the pairs of unequal ratings are on one side, 0 to 1."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts, category of `a` by category of `b`; empty where there are more than 20 categories."""
    why_missing: str | None = None


class RaterTest(Record):
    """A test of how raters use the scale."""

    test: str
    """`mcnemar`, `stuart_maxwell`, `bowker`, `kendall_w`."""
    of: str
    """What is alike under the null hypothesis: `margins`, `symmetry`; `rankings` for Kendall's W."""
    raters: tuple[str, ...]
    value: float | None
    """Chi squared, or Kendall's W; None for an exact test."""
    statistic: float | None = None
    """Chi squared of Kendall's W."""
    df: int | None = None
    p: float | None
    p_adjusted: float | None = None
    """Holm, over the pairs of raters under the same test."""
    n: int
    """Items that the raters all rated."""
    method: str = ""
    why_missing: str | None = None


class AccuracyRow(Record):
    """How well one category is recognised, against all others."""

    category: str
    n_true: int
    """Ratings of items that are of the category by the reference."""
    n_said: int
    """Ratings that say so."""
    sensitivity: float | None
    sensitivity_low: float | None
    sensitivity_high: float | None
    specificity: float | None
    specificity_low: float | None
    specificity_high: float | None
    positive_predictive: float | None
    negative_predictive: float | None


class ReferenceRow(Record):
    """One rater, or all together, against a reference standard."""

    rater: str
    n: int
    """Ratings of items that have a reference value."""
    correct: float | None
    """Share of ratings that equal it, with Wilson's interval."""
    correct_low: float | None
    correct_high: float | None
    kappa: float | None
    """Cohen's, with the level's own weights."""
    bias: float | None
    """Mean of rating minus reference, steps or numbers; None on a nominal scale."""
    categories: tuple[AccuracyRow, ...]


class ShareRow(Record):
    """A share of the items that all raters rated."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int


class RepeatRow(Record):
    """One rater's repeated readings of the same items."""

    rater: str
    n: int
    """Items read more than once."""
    readings: int
    agreement: tuple[Agreement, ...] = ()
    why_missing: str | None = None


class LimitsRow(Record):
    """Limits of agreement of two raters, `a` minus `b`, in the numbers of the scale."""

    a: str
    b: str
    n: int
    bias: float | None = None
    """Mean difference."""
    bias_low: float | None = None
    bias_high: float | None = None
    sd: float | None = None
    """Of the differences."""
    lower: float | None = None
    """Bias minus 1.96 SD, at a confidence of 95 %."""
    lower_low: float | None = None
    lower_high: float | None = None
    upper: float | None = None
    upper_low: float | None = None
    upper_high: float | None = None
    slope: float | None = None
    """Change of the difference for a unit of the mean of the two: far from 0, the limits do not fit all sizes."""
    concordance: float | None = None
    """Lin's coefficient (1989)."""
    why_missing: str | None = None


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
