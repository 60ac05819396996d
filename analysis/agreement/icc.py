"""Intraclass correlations of complete tables from mean squares, with limits from the F distribution.

Shrout & Fleiss (1979) Psychol Bull 86:420 in the notation of McGraw & Wong (1996) Psychol Methods 1:30: A for
absolute agreement, C for consistency, 1 for a single rater, k for the mean of the raters.
Shrout and Fleiss' six subjects and four judges, used in every example below, are their table 2.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import f

from .table import Floats, Scale

Limits = Callable[[Floats, float], tuple[float, float]]
"""(sums (1, p) of `terms.squares`, confidence) -> (low, high)."""


class Squares(NamedTuple):
    """Mean squares of the two-way layout, each (B,), with n units and k raters."""

    units: Floats
    within: Floats
    raters: Floats
    rest: Floats
    n: Floats
    k: int


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


def icc1(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """One-way, a single rater: raters differ from unit to unit.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> round(coefficient(judged, "icc1", "interval"), 2)
    0.17
    """
    s = squares(sums)
    return _divide(s.units - s.within, s.units + (s.k - 1) * s.within)


def icc1k(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """One-way, the mean of k raters.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> round(coefficient(judged, "icc1k", "interval"), 2)
    0.44
    """
    s = squares(sums)
    return _divide(s.units - s.within, s.units)


def icc_a1(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Two-way, absolute agreement of a single rater: severity counts as disagreement.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> round(coefficient(judged, "icc_a1", "interval"), 2)
    0.29
    """
    s = squares(sums)
    return _divide(s.units - s.rest, s.units + (s.k - 1) * s.rest + s.k * (s.raters - s.rest) / s.n)


def icc_ak(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Two-way, absolute agreement of the mean of k raters.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> round(coefficient(judged, "icc_ak", "interval"), 2)
    0.62
    """
    s = squares(sums)
    return _divide(s.units - s.rest, s.units + (s.raters - s.rest) / s.n)


def icc_c1(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Two-way, consistency of a single rater: severity does not count.

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> round(coefficient(judged, "icc_c1", "interval"), 2)
    0.71
    """
    s = squares(sums)
    return _divide(s.units - s.rest, s.units + (s.k - 1) * s.rest)


def icc_ck(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Two-way, consistency of the mean of k raters (Cronbach's alpha).

    >>> from wherefore.analysis.agreement import coefficient
    >>> judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> round(coefficient(judged, "icc_ck", "interval"), 2)
    0.91
    """
    s = squares(sums)
    return _divide(s.units - s.rest, s.units)


def limits1(sums: Floats, confidence: float) -> tuple[float, float]:
    """Of ICC(1): McGraw & Wong 1996, table 7."""
    s = _one(sums)
    return _single(_ratio_limits(s.units / s.within, s.n - 1, s.n * (s.k - 1), confidence), s.k)


def limits1k(sums: Floats, confidence: float) -> tuple[float, float]:
    """Of ICC(k): McGraw & Wong 1996, table 7."""
    s = _one(sums)
    low, high = _ratio_limits(s.units / s.within, s.n - 1, s.n * (s.k - 1), confidence)
    return 1 - 1 / low, 1 - 1 / high


def limits_c1(sums: Floats, confidence: float) -> tuple[float, float]:
    """Of ICC(C,1): McGraw & Wong 1996, table 7."""
    s = _one(sums)
    return _single(_ratio_limits(s.units / s.rest, s.n - 1, (s.n - 1) * (s.k - 1), confidence), s.k)


def limits_ck(sums: Floats, confidence: float) -> tuple[float, float]:
    """Of ICC(C,k): McGraw & Wong 1996, table 7."""
    s = _one(sums)
    low, high = _ratio_limits(s.units / s.rest, s.n - 1, (s.n - 1) * (s.k - 1), confidence)
    return 1 - 1 / low, 1 - 1 / high


def limits_a1(sums: Floats, confidence: float) -> tuple[float, float]:
    """Of ICC(A,1): McGraw & Wong 1996, table 7, with Satterthwaite's degrees of freedom."""
    s = _one(sums)
    n, k = s.n, s.k
    r = (s.units - s.rest) / (s.units + (k - 1) * s.rest + k * (s.raters - s.rest) / n)
    a, b = k * r / (n * (1 - r)), 1 + k * r * (n - 1) / (n * (1 - r))
    v = (a * s.raters + b * s.rest) ** 2 / (
        (a * s.raters) ** 2 / (k - 1) + (b * s.rest) ** 2 / ((n - 1) * (k - 1))
    )
    q = (1 + confidence) / 2
    below, above = f.ppf(q, n - 1, v), f.ppf(q, v, n - 1)
    spread = k * s.raters + (k * n - k - n) * s.rest
    low = n * (s.units - below * s.rest) / (below * spread + n * s.units)
    high = n * (above * s.units - s.rest) / (spread + n * above * s.units)
    return float(low), float(high)


def limits_ak(sums: Floats, confidence: float) -> tuple[float, float]:
    """Of ICC(A,k): those of ICC(A,1) stepped up by Spearman and Brown's formula."""
    k = sums.shape[1] - 3
    low, high = limits_a1(sums, confidence)
    return low * k / (1 + low * (k - 1)), high * k / (1 + high * (k - 1))


class _Numbers(NamedTuple):
    units: float
    within: float
    raters: float
    rest: float
    n: float
    k: int


def _one(sums: Floats) -> _Numbers:
    s = squares(sums)
    return _Numbers(
        float(s.units[0]), float(s.within[0]), float(s.raters[0]), float(s.rest[0]), float(s.n[0]), s.k
    )


def _ratio_limits(ratio: float, df1: float, df2: float, confidence: float) -> tuple[float, float]:
    q = (1 + confidence) / 2
    return ratio / float(f.ppf(q, df1, df2)), ratio * float(f.ppf(q, df2, df1))


def _single(limits: tuple[float, float], k: int) -> tuple[float, float]:
    low, high = limits
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _divide(a: Floats, b: Floats) -> Floats:
    """a / b, NaN where the variance b is 0 or below, as raters who contradict each other can make it."""
    out = np.full(len(a), np.nan)
    np.divide(a, b, out=out, where=b > 1e-12)
    return out
