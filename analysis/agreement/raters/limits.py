"""Limits of agreement of two raters on a scale of numbers (Bland & Altman 1986, 1999)."""

import numpy as np

from ..coefficients.bound import bind
from ..coefficients.table import Floats, Ints, RatingTable
from ..distributions import norm, t
from ..uncertainty.intervals import jackknife_se
from ..uncertainty.resample import added
from .records import LimitsRow

LEAST = 5
"""Independent units below which there are no limits."""


def limits_rows(ratings: RatingTable, confidence: float = 0.95) -> list[LimitsRow]:
    """Bias, limits of agreement and concordance of every two raters on the items that both rated.

    Args:
        ratings: the table, on an interval or ratio scale.
        confidence: of the intervals; also the share of differences that the limits are to hold.
    """
    if ratings.scale.level not in ("interval", "ratio"):
        return []
    pairs = [(g, h) for g in range(len(ratings.raters)) for h in range(g + 1, len(ratings.raters))]
    return [row for g, h in pairs if (row := _pair(ratings, g, h, confidence)) is not None]


def _pair(ratings: RatingTable, g: int, h: int, confidence: float) -> LimitsRow | None:
    both = np.flatnonzero((ratings.codes[:, [g, h]] >= 0).all(1))
    if not len(both):
        return None
    own = ratings.of_units(both).columns(np.array([g, h]))
    x = own.scale.values[own.codes]
    difference = x[:, 0] - x[:, 1]
    n = own.independent[0]
    row = LimitsRow(a=str(own.raters[0]), b=str(own.raters[1]), n=len(both))
    if n < LEAST:
        return row.model_copy(update={"why_missing": f"{n} independent items, {LEAST} are needed"})
    z = float(norm.ppf((1 + confidence) / 2))
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    se_bias, se_limit = _errors(own, difference, z)
    q = float(t.ppf((1 + confidence) / 2, n - 1))
    mean = x.mean(1)
    bound = bind(own, "concordance")
    return row.model_copy(
        update={
            "bias": bias,
            "bias_low": bias - q * se_bias,
            "bias_high": bias + q * se_bias,
            "sd": sd,
            "lower": bias - z * sd,
            "lower_low": bias - z * sd - q * se_limit,
            "lower_high": bias - z * sd + q * se_limit,
            "upper": bias + z * sd,
            "upper_low": bias + z * sd - q * se_limit,
            "upper_high": bias + z * sd + q * se_limit,
            "slope": _slope(mean, difference),
            "concordance": bound.value(),
            "why_missing": bound.why_undefined(),
        }
    )


def _errors(own: RatingTable, difference: Floats, z: float) -> tuple[float, float]:
    """Standard errors of the bias and of a limit; by the jackknife over clusters where items come in some."""
    n = len(difference)
    if not own.clusters:
        variance = float(difference.var(ddof=1))
        return (variance / n) ** 0.5, (variance * (1 / n + z**2 / (2 * (n - 1)))) ** 0.5
    terms = np.column_stack([np.ones(n), difference, difference**2])
    (by_cluster,) = added([terms], own.clusters)
    count, s, q = (by_cluster.sum(0) - by_cluster).T
    mean = s / count
    sd = np.sqrt(np.maximum(q / count - mean**2, 0) * count / np.maximum(count - 1, 1))
    ones: Ints = np.ones(len(by_cluster), dtype=np.int64)
    return jackknife_se(mean, ones), jackknife_se(mean + z * sd, ones)


def _slope(mean: Floats, difference: Floats) -> float | None:
    """Change of the difference with the size of what is measured: far from 0, one pair of limits does not fit all."""
    spread = float(((mean - mean.mean()) ** 2).sum())
    return float(((mean - mean.mean()) * difference).sum() / spread) if spread > 0 else None
