"""The coefficients. Each is a function of sums over units, so one matrix product gives every resample at once.

`terms` gives a row of numbers a unit; the function makes coefficients of sums of such rows, one a row of sums. A
bootstrap replicate weights the rows, the jackknife subtracts one, a cluster adds some up: the formula stays.
Sums that leave a coefficient undefined give NaN, which `estimate` turns into None and a reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ....study.parts import Catalogue
from . import icc, terms
from .many import alpha_of_moments
from .ratio import corrected, divide
from .table import Floats, RatingTable, Scale, Terms
from .weights import metric

Value = Callable[[Floats, Scale, Floats], Floats]
"""(sums (B, p), scale, weights (K, K)) -> (B,), NaN where undefined."""


@dataclass(frozen=True)
class Coefficient:
    """One line of the table at the foot."""

    terms: Callable[[RatingTable, Floats], Terms]
    """(table, weights) -> (units, p)."""
    value: Value
    says: str
    """Its name and source as it may stand in a methods section."""
    weights: Literal["level", "identity", "within_one", "metric", "none", "category"] = "level"
    """What is taken where none are asked for: the level's own, or these; `metric`: the level's distance in
    Krippendorff's sense; `none`: it takes no weights; `category`: it is of one category, named behind a colon
    (`specific_agreement:yes`)."""
    corrected: bool = True
    """For chance: undefined where only one category is used."""
    declared: bool = False
    """The value depends on which categories were offered, not only on those used."""
    fixed_chance: bool = False
    """Chance hardly moves from sample to sample, unlike alpha's, so the value varies as its disagreement does."""
    symmetric: bool = True
    """Who gave a rating does not matter, only which ratings a unit has."""
    two: bool = False
    """Of exactly two raters."""
    complete: bool = False
    """Of numbers, with every unit rated by every rater."""
    limits: icc.Limits | None = None
    """Interval limits from the F distribution."""


def alpha(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Krippendorff's alpha: 1 - observed / expected disagreement (Krippendorff 2011).

    In the metric of the level; with weights, in 1 - weights (Gwet 2014, ch. 3), whose `ordinal` is another one.

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [[1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...         [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, 3, None, None]]
    >>> [round(coefficient(rows, "krippendorff_alpha", level), 3)  # Krippendorff 2011, example D
    ...  for level in ("nominal", "ordinal", "interval", "ratio")]
    [0.743, 0.815, 0.849, 0.797]
    """
    if scale.level == "interval" and not w.size:
        return alpha_of_moments(sums, scale, w)
    k = len(scale.categories)
    n = sums[:, -k:]
    total = n.sum(1)
    if scale.level == "ordinal" and not w.size:
        i, j = np.triu_indices(k, 1)
        below = np.cumsum(n, 1) - n / 2
        d = (below[:, i] - below[:, j]) ** 2
        inside = np.einsum("bp,bp->b", sums[:, :-k], d)
        expected = np.einsum("bp,bp,bp->b", n[:, i], n[:, j], d)
        return 1 - divide((total - 1) * inside, expected)
    d = metric(scale, w)
    expected = ((n @ d) * n).sum(1) / 2
    return 1 - divide((total - 1) * sums[:, 0], expected, 1e-12 * d.max() * total**2)


def percent(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Mean over units of the share of rater pairs that agree, or of their credit (Gwet 2014, ch. 2).

    >>> from wherefore.analysis.agreement import coefficient
    >>> coefficient([["a", "a", None], ["a", "b", "b"]], "percent_agreement", "nominal")  # (1 + 1/3) / 2
    0.6666666666666666
    >>> coefficient([[1, 2], [1, 3]], "within_one_agreement", "ordinal")  # (1 + 0) / 2
    0.5
    >>> coefficient([[1, 2], [1, 3]], "weighted_agreement", "ordinal")  # quadratic: (3/4 + 0) / 2
    0.375
    """
    return divide(sums[:, 0], sums[:, 1])


def specific(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Given that a rater chose the category, how likely another one did (Cicchetti & Feinstein 1990).

    With two raters 2a / (2a + b + c). Units with more ratings count as in Krippendorff's coincidences, each by its
    number of ratings; in `specific_agreement_uebersax` each pair counts the same, as in Uebersax 1982. Without
    missing ratings the two are one.

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [["yes", "yes"]] * 40 + [["yes", "no"]] * 9 + [["no", "yes"]] * 6 + [["no", "no"]] * 45
    >>> round(coefficient(rows, "specific_agreement:yes", "nominal"), 4)  # 80 / 95
    0.8421
    """
    return divide(sums[:, 0], sums[:, 1])


def category_kappa(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Fleiss' kappa of one category against all others (Fleiss 1971, eq. 17; missing ratings as Gwet 2014).

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [["a", "a"], ["a", "b"], ["c", "c"], ["b", "b"]]  # a or not: pa 3/4; shares 3/8, 5/8: pe 34/64
    >>> coefficient(rows, "category_kappa:a", "nominal")
    0.4666666666666667
    """
    p = _shares(sums)
    return corrected(divide(sums[:, 0], sums[:, 1]), (p**2).sum(1))


def concordance(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Concordance correlation of two raters (Lin 1989), and the overall one of several (Barnhart et al. 2002).

    Variances are divided by n, as there. Severity counts as disagreement.

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [[1, 2], [2, 3], [3, 4]]  # covariance 2/3, variances 2/3, means one apart: 4/3 / (4/3 + 1)
    >>> round(coefficient(rows, "concordance", "interval"), 4)
    0.5714
    """
    n, r = sums[:, :1], int((sums.shape[1] - 0.75) ** 0.5)
    mean = sums[:, 1 : 1 + r] / n
    covariance = (
        sums[:, 1 + r :].reshape(len(sums), r, r) / n[:, :, None] - mean[:, :, None] * mean[:, None, :]
    )
    own = np.einsum("brr->b", covariance)
    apart = r * (mean**2).sum(1) - mean.sum(1) ** 2
    below = (r - 1) * own + apart
    return divide(
        covariance.sum((1, 2)) - own,
        below,
        1e-12 * np.einsum("brr->b", sums[:, 1 + r :].reshape(-1, r, r) / n[:, :, None]),
    )


def fleiss(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Fleiss' kappa, and Scott's pi of two raters: chance from the pooled shares of the categories.

    Fleiss 1971; Scott 1955; missing ratings as Gwet 2014.

    >>> from wherefore.analysis.agreement import coefficient
    >>> counts = [(2, 0), (2, 0), (1, 1), (0, 2)]  # pa 3/4; shares 5/8 and 3/8: pe 34/64
    >>> coefficient([[0] * a + [1] * b for a, b in counts], "fleiss_kappa", "nominal")  # (3/4 - 34/64) / (30/64)
    0.4666666666666667
    >>> rows = [[1, 1], [1, 1], [1, 2], [2, 2]]  # Scott's pi: pa 3/4, shares 5/8 and 3/8
    >>> coefficient(rows, "scott_pi", "nominal")
    0.4666666666666667
    """
    p = _shares(sums)
    return corrected(percent(sums, scale, w), ((p @ w) * p).sum(1))


def brennan_prediger(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Chance is the same for every category on offer (Brennan & Prediger 1981; Randolph's free-marginal kappa).

    >>> from wherefore.analysis.agreement import coefficient
    >>> coefficient([[1, 1], [1, 2]], "brennan_prediger", "nominal", categories=[1, 2, 3, 4])  # (1/2 - 1/4) / (3/4)
    0.3333333333333333
    """
    return corrected(percent(sums, scale, w), np.full(len(sums), w.mean()))


def gwet(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Gwet's AC1 (identity weights) and AC2: chance only where a category is hard to tell (Gwet 2008, 2014).

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [[1, 1]] * 118 + [[1, 2]] * 5 + [[2, 1]] * 2  # Gwet 2008: kappa is -0.02 here
    >>> round(coefficient(rows, "gwet_ac", "nominal"), 4)
    0.9408
    """
    p, k = _shares(sums), len(scale.categories)
    return corrected(percent(sums, scale, w), w.sum() * (p * (1 - p)).sum(1) / max(k * (k - 1), 1))


def conger(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Conger's kappa: Cohen's for several raters, each with shares of their own (Conger 1980; Gwet 2014).

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [[1, 1], [1, 1], [1, 2], [2, 2]]  # pa 3/4; pe 3/4 * 1/2 + 1/4 * 1/2: Cohen's kappa
    >>> coefficient(rows, "conger_kappa", "nominal")
    0.5
    """
    k = len(scale.categories)
    given = sums[:, 2:].reshape(len(sums), -1, k)
    n = given.sum(2, keepdims=True)
    p = given / np.where(n > 0, n, np.nan)
    rated = ~np.isnan(p[:, :, 0])
    p, r = np.nan_to_num(p), rated.sum(1)
    total = p.sum(1)
    own = np.einsum("brk,kl,brl->b", p, w, p)
    return corrected(percent(sums, scale, w), divide(((total @ w) * total).sum(1) - own, r * (r - 1.0)))


def light(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Light's kappa: the mean of Cohen's over the pairs of raters that share units (Light 1971).

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [[1, 1, 1], [1, 1, 1], [1, 2, 1], [2, 2, 2]]  # pairs: 1/2, 1, 1/2
    >>> round(coefficient(rows, "light_kappa", "nominal"), 4)
    0.6667
    """
    k = len(scale.categories)
    both = sums.reshape(len(sums), -1, k, k)
    n = both.sum((2, 3))
    kappa = np.stack([_cohen(both[:, i], w) for i in range(both.shape[1])], axis=1)
    return divide(np.where(n > 0, kappa, 0.0).sum(1), (n > 0).sum(1).astype(float))


def cohen(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Cohen's kappa of two raters, weighted or not, over the units both saw (Cohen 1960, 1968).

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [["+", "+"]] * 20 + [["+", "-"]] * 5 + [["-", "+"]] * 10 + [["-", "-"]] * 15
    >>> round(coefficient(rows, "cohen_kappa", "nominal"), 4)  # (35/50 - 1/2) / (1/2)
    0.4
    """
    k = len(scale.categories)
    return _cohen(sums.reshape(len(sums), k, k), w)


def _cohen(both: Floats, w: Floats) -> Floats:
    n = both.sum((1, 2))
    p = both / np.where(n > 0, n, 1)[:, None, None]
    observed = np.einsum("bkl,kl->b", p, w)
    return corrected(observed, np.einsum("bk,kl,bl->b", p.sum(2), w, p.sum(1)))


def _shares(sums: Floats) -> Floats:
    """(B, K) mean over units of each category's share."""
    return np.asarray(sums[:, 2:-1] / np.maximum(sums[:, -1:], 1))


def _icc(value: Value, limits: icc.Limits, says: str) -> Coefficient:
    return Coefficient(
        terms.squares,
        value,
        f"{says} (McGraw & Wong 1996)",
        weights="none",
        corrected=False,
        symmetric=False,
        complete=True,
        limits=limits,
    )


_COEFFICIENTS: dict[str, Coefficient] = {
    "krippendorff_alpha": Coefficient(
        terms.disagreement, alpha, "Krippendorff's alpha (Krippendorff 2011)", weights="metric"
    ),
    "percent_agreement": Coefficient(
        terms.pairs,
        percent,
        "percent agreement (mean over items of the share of agreeing pairs)",
        "identity",
        corrected=False,
        fixed_chance=True,
    ),
    "within_one_agreement": Coefficient(
        terms.pairs, percent, "agreement within one step of the scale", "within_one", False
    ),
    "weighted_agreement": Coefficient(
        terms.pairs, percent, "weighted agreement", corrected=False, declared=True, fixed_chance=True
    ),
    "specific_agreement": Coefficient(
        terms.category, specific, "specific agreement (Cicchetti & Feinstein 1990)", "category", False
    ),
    "specific_agreement_uebersax": Coefficient(
        terms.pairs_of_category, specific, "specific agreement (Uebersax 1982)", "category", False
    ),
    "category_kappa": Coefficient(
        terms.one_against_rest, category_kappa, "kappa of one category (Fleiss 1971)", "category"
    ),
    "concordance": Coefficient(
        terms.products,
        concordance,
        "concordance correlation (Lin 1989; Barnhart et al. 2002)",
        weights="none",
        corrected=False,
        symmetric=False,
        complete=True,
    ),
    "cohen_kappa": Coefficient(
        terms.joint, cohen, "Cohen's kappa (Cohen 1960, 1968)", symmetric=False, two=True
    ),
    "conger_kappa": Coefficient(terms.by_rater, conger, "Conger's kappa (Conger 1980)", symmetric=False),
    "light_kappa": Coefficient(terms.joint, light, "Light's kappa (Light 1971)", symmetric=False),
    "fleiss_kappa": Coefficient(terms.shares, fleiss, "Fleiss' kappa (Fleiss 1971)"),
    "scott_pi": Coefficient(terms.two_raters, fleiss, "Scott's pi (Scott 1955)", two=True),
    "brennan_prediger": Coefficient(
        terms.shares,
        brennan_prediger,
        "Brennan and Prediger's coefficient (1981)",
        declared=True,
        fixed_chance=True,
    ),
    "gwet_ac": Coefficient(
        terms.shares, gwet, "Gwet's AC (Gwet 2008, 2014)", declared=True, fixed_chance=True
    ),
    **{name: _icc(*form) for name, form in icc.FORMS.items()},
}

COEFFICIENTS = Catalogue("wherefore.coefficients", "coefficient", Coefficient, _COEFFICIENTS)
"""By name; other packages add to it by entry points."""
