"""Intraclass correlations of complete tables from mean squares, with limits from the F distribution.

Shrout & Fleiss (1979) Psychol Bull 86:420 in the notation of McGraw & Wong (1996) Psychol Methods 1:30: A for
absolute agreement, C for consistency, 1 for a single rater, k for the mean of the raters. The latter three are the
former stepped up by Spearman and Brown's formula, and so are their limits, as in psych and pingouin. R's irr takes
other degrees of freedom for ICC(A,k); `limits_irr` gives its limits.
Shrout and Fleiss' six subjects and four judges, used in every example below, are their table 2.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..distributions import f
from .ratio import divide
from .table import Floats, Scale

Value = Callable[[Floats, Scale, Floats], Floats]
"""(sums (B, p) of `terms.squares`, scale, no weights) -> (B,), NaN where undefined."""

Limits = Callable[[Floats, float], tuple[float, float]]
"""(sums (1, p), confidence) -> (low, high); NaN where the F distribution gives none."""


class Squares(NamedTuple):
    """Mean squares of the two-way layout, each (B,), with n units and k raters."""

    units: Floats
    within: Floats
    raters: Floats
    rest: Floats
    n: Floats
    k: int

    def ratio(self, a: Floats, b: Floats) -> Floats:
        """a / b, NaN where the variance b is 0 or below, as raters who contradict each other can make it."""
        out = np.full(len(a), np.nan)
        least = 1e-12 * (np.abs(self.units) + np.abs(self.within) + np.abs(self.raters))
        np.divide(a, b, out=out, where=b > least)
        return out


def squares(sums: Floats) -> Squares:
    """Mean squares from sums over units of `terms.squares`."""
    between, whole, n, x = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    k = x.shape[1]
    grand = x.sum(1) ** 2 / (n * k)
    units, raters, whole = between - grand, (x**2).sum(1) / n - grand, whole - grand
    within = whole - units
    df = np.where(n > 1, n - 1, np.nan)  # one unit has no variance between units
    return Squares(
        units / df, within / (n * (k - 1)), raters / (k - 1), (within - raters) / (df * (k - 1)), n, k
    )


def one_way(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """ICC(1): raters differ from unit to unit.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> [round(coefficient(judged, name, "interval"), 2) for name in ("icc1", "icc1k")]
    [0.17, 0.44]
    """
    s = squares(sums)
    return s.ratio(s.units - s.within, s.units + (s.k - 1) * s.within)


def absolute(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """ICC(A,1): two-way, absolute agreement: severity counts as disagreement.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> [round(coefficient(judged, name, "interval"), 2) for name in ("icc_a1", "icc_ak")]
    [0.29, 0.62]
    """
    s = squares(sums)
    return s.ratio(s.units - s.rest, s.units + (s.k - 1) * s.rest + s.k * (s.raters - s.rest) / s.n)


def consistency(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """ICC(C,1): two-way, severity does not count. ICC(C,k) is Cronbach's alpha.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> [round(coefficient(judged, name, "interval"), 2) for name in ("icc_c1", "icc_ck")]
    [0.71, 0.91]
    """
    s = squares(sums)
    return s.ratio(s.units - s.rest, s.units + (s.k - 1) * s.rest)


def of_mean(single: Value) -> Value:
    """The correlation of the mean of the raters, from that of a single one."""

    def value(sums: Floats, scale: Scale, w: Floats) -> Floats:
        r, k = single(sums, scale, w), squares(sums).k
        return divide(k * r, np.maximum(1 + (k - 1) * r, 0))

    return value


def limits_one_way(sums: Floats, confidence: float) -> tuple[float, float]:
    """McGraw & Wong 1996, table 7."""
    s = squares(sums)
    return _of_ratio(s.units / s.within, s.n - 1, s.n * (s.k - 1), s.k, confidence)


def limits_consistency(sums: Floats, confidence: float) -> tuple[float, float]:
    """McGraw & Wong 1996, table 7."""
    s = squares(sums)
    return _of_ratio(s.units / s.rest, s.n - 1, (s.n - 1) * (s.k - 1), s.k, confidence)


def limits_absolute(sums: Floats, confidence: float) -> tuple[float, float]:
    """McGraw & Wong 1996, table 7, with Satterthwaite's degrees of freedom."""
    s = squares(sums)
    n, k = s.n, s.k
    r = (s.units - s.rest) / (s.units + (k - 1) * s.rest + k * (s.raters - s.rest) / n)
    below, above = _satterthwaite(s, k * r / (1 - r), confidence)
    spread = k * s.raters + (k * n - k - n) * s.rest
    low = n * (s.units - below * s.rest) / (below * spread + n * s.units)
    high = n * (above * s.units - s.rest) / (spread + n * above * s.units)
    return float(low[0]), float(high[0])


def limits_irr(sums: Floats, confidence: float) -> tuple[float, float]:
    """ICC(A,k) as in R's irr 0.84.1: ICC(A,k) stands in the degrees of freedom where table 7 has ICC(A,1)."""
    s = squares(sums)
    r = (s.units - s.rest) / (s.units + (s.raters - s.rest) / s.n)
    below, above = _satterthwaite(s, s.k * r / (1 - r), confidence)
    low = s.n * (s.units - below * s.rest) / (below * (s.raters - s.rest) + s.n * s.units)
    high = s.n * (above * s.units - s.rest) / (s.raters - s.rest + s.n * above * s.units)
    return float(low[0]), float(high[0])


def _satterthwaite(s: Squares, odds: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Quantiles of F below and above, of n - 1 and the degrees of freedom of raters' and rest's squares mixed."""
    n, k = s.n, s.k
    a, b = odds / n, 1 + odds * (n - 1) / n
    mixed = (a * s.raters + b * s.rest) ** 2
    v = mixed / ((a * s.raters) ** 2 / (k - 1) + (b * s.rest) ** 2 / ((n - 1) * (k - 1)))
    q = (1 + confidence) / 2
    return f.ppf(q, n - 1, v), f.ppf(q, v, n - 1)


def limits_of_mean(single: Limits) -> Limits:
    """The limits of a single rater stepped up; NaN at or below -1/(k - 1), where there is nothing to step up."""

    def limits(sums: Floats, confidence: float) -> tuple[float, float]:
        k = squares(sums).k
        both = np.array(single(sums, confidence))
        rest = 1 + (k - 1) * both
        low, high = np.where(rest > 0, k * both / np.where(rest > 0, rest, 1), np.nan)
        return float(low), float(high)

    return limits


def _of_ratio(ratio: Floats, df1: Floats, df2: Floats, k: int, confidence: float) -> tuple[float, float]:
    """Limits of a single rater's correlation from those of a ratio of mean squares."""
    q = (1 + confidence) / 2
    low, high = float(ratio[0] / f.ppf(q, df1, df2)[0]), float(ratio[0] * f.ppf(q, df2, df1)[0])
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


FORMS: dict[str, tuple[Value, Limits, str]] = {
    "icc1": (one_way, limits_one_way, "ICC(1), one-way, single rater"),
    "icc1k": (of_mean(one_way), limits_of_mean(limits_one_way), "ICC(k), one-way, mean of the raters"),
    "icc_a1": (absolute, limits_absolute, "ICC(A,1), absolute agreement, single rater"),
    "icc_ak": (
        of_mean(absolute),
        limits_of_mean(limits_absolute),
        "ICC(A,k), absolute agreement, mean of the raters",
    ),
    "icc_c1": (consistency, limits_consistency, "ICC(C,1), consistency, single rater"),
    "icc_ck": (
        of_mean(consistency),
        limits_of_mean(limits_consistency),
        "ICC(C,k), consistency, mean of the raters",
    ),
}
