"""What is said of raters, items and categories, row by row."""

from ....study.records import Record
from ...records import Agreement


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
    """Share of ratings that equal it, with Wilson's interval; None for measurements."""
    correct_low: float | None
    correct_high: float | None
    kappa: float | None = None
    """Cohen's of the rater and the reference; None for all raters together and for measurements."""
    kappa_low: float | None = None
    kappa_high: float | None = None
    weights: str = ""
    """Of kappa: the level's own where the categories were declared, else none."""
    concordance: float | None = None
    """Lin's coefficient (1989), for measurements."""
    bias: float | None = None
    """Mean of rating minus reference, steps or numbers; None on a nominal scale."""
    categories: tuple[AccuracyRow, ...] = ()
    why_missing: str | None = None
    """Why there is no kappa, or no limit of it."""


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
    specific_uebersax: float | None = None
    """The same with every pair of ratings counting the same (Uebersax 1982); differs where items have unequal numbers
    of ratings."""
    kappa: float | None = None
    """Fleiss' kappa of the category against all others."""
