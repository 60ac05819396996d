"""Limits of an interval, and what its method is called; or why there is none."""

from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import norm, t

from .resample import Draws
from .table import Floats, Ints

Method = Literal["auto", "bca", "percentile", "jackknife"]

LEAST = 5
"""Independent units with two ratings below which there is no interval."""

FEW = 30
"""Independent units with two ratings below which `auto` takes the jackknife instead of the bootstrap."""


class Interval(NamedTuple):
    """Limits with the words for a methods section, or no limits with the reason."""

    low: float | None
    high: float | None
    text: str


def interval(
    d: Draws, method: Method = "auto", confidence: float = 0.95, seed: int | None = None
) -> Interval:
    """Limits of a number that was resampled.

    `auto` is `bca`; it is `jackknife` under 30 independent units, where more than 1 % of the replicates are
    undefined, or where BCa has no answer.

    Args:
        d: value, replicates and leave-one-out values.
        method: how the limits are made.
        confidence: e.g. 0.95.
        seed: of the draws, for the text.
    """
    if d.pairable < LEAST:
        return Interval(None, None, f"{d.pairable} independent units with two ratings, {LEAST} are needed")
    kept = d.replicates[~np.isnan(d.replicates)]
    lost = len(d.replicates) - len(kept)
    if method == "jackknife" or (method == "auto" and (d.pairable < FEW or lost > 0.01 * len(d.replicates))):
        return jackknife(d, confidence)
    if lost > 0.2 * len(d.replicates):
        return Interval(None, None, f"{lost:,} of {len(d.replicates):,} bootstrap replicates are undefined")
    limits = _percentile(kept, confidence) if method == "percentile" else _bca(d, kept, confidence)
    if limits is None:
        return jackknife(d, confidence)
    name = "percentile" if method == "percentile" else "BCa"
    dropped = f" ({lost:,} undefined and dropped)" if lost else ""
    seeded = "" if seed is None else f", seed {seed}"
    return Interval(*limits, f"{confidence:.0%} {name} bootstrap, {len(kept):,} replicates{dropped}{seeded}")


def jackknife(d: Draws, confidence: float) -> Interval:
    """Jackknife standard error, Student's t; on Fisher's z scale where the number stays in [-1, 1]."""
    if np.isnan(d.left_out).any():
        return Interval(None, None, "without one of the units it is undefined: no interval by resampling")
    se, df = jackknife_se(d.left_out, d.times), d.pairable - 1
    if se == 0 or (d.bounded and abs(d.value) >= 1):
        return Interval(None, None, "no disagreement to resample: no interval by resampling")
    scale = " on Fisher's z scale" if d.bounded else ""
    return Interval(
        *symmetric(d.value, se, df, confidence, d.bounded),
        f"{confidence:.0%} jackknife{scale}, t with {df} df",
    )


def symmetric(value: float, se: float, df: float, confidence: float, fisher: bool) -> tuple[float, float]:
    """value -/+ t se; with `fisher` on the scale of atanh (delta method), which keeps the limits inside (-1, 1)."""
    q = float(t.ppf((1 + confidence) / 2, df))
    if not fisher:
        return value - q * se, value + q * se
    z, half = np.arctanh(value), q * se / (1 - value**2)
    return float(np.tanh(z - half)), float(np.tanh(z + half))


def jackknife_se(left_out: Floats, times: Ints) -> float:
    """sqrt((n - 1) / n * sum of squared deviations of the leave-one-out values) (Tukey 1958)."""
    n = times.sum()
    deviations = left_out - np.average(left_out, weights=times)
    return float(np.sqrt((n - 1) / n * (times * deviations**2).sum()))


def p_value(d: Draws, null: float = 0.0) -> float | None:
    """Two-sided p of the number being `null`: the level at which the limit of `interval` touches it.

    None where there is no interval. Not below 2 / (replicates + 1).
    """
    kept = d.replicates[~np.isnan(d.replicates)]
    corrections = _corrections(d, kept) if len(kept) and d.pairable >= FEW else None
    if corrections is None or len(kept) < 0.99 * len(d.replicates):
        if np.isnan(d.left_out).any() or (se := jackknife_se(d.left_out, d.times)) == 0:
            return None
        return float(2 * t.sf(abs(d.value - null) / se, d.pairable - 1))
    z0, a = corrections
    below = (np.sum(kept < null) + np.sum(kept == null) / 2 + 0.5) / (len(kept) + 1)
    u = norm.ppf(below) - z0
    one_sided = norm.cdf(u / (1 + a * u) - z0)
    return float(min(1.0, max(2 * min(one_sided, 1 - one_sided), 2 / (len(kept) + 1))))


def _percentile(kept: Floats, confidence: float) -> tuple[float, float] | None:
    if np.ptp(kept) == 0:
        return None
    low, high = np.quantile(kept, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _bca(d: Draws, kept: Floats, confidence: float) -> tuple[float, float] | None:
    """Bias-corrected and accelerated limits (Efron 1987, J Am Stat Assoc 82:171)."""
    corrections = _corrections(d, kept)
    if corrections is None:
        return None
    z0, a = corrections
    z = z0 + norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(kept, norm.cdf(z0 + z / (1 - a * z)))
    return float(low), float(high)


def _corrections(d: Draws, kept: Floats) -> tuple[float, float] | None:
    """Bias z0 and acceleration a; None where all replicates lie on one side or leaving one out is undefined."""
    below = (np.sum(kept < d.value) + np.sum(kept == d.value) / 2) / len(kept)
    if below in (0.0, 1.0) or np.ptp(kept) == 0 or np.isnan(d.left_out).any():
        return None
    deviations = np.average(d.left_out, weights=d.times) - d.left_out
    spread = float((d.times * deviations**2).sum())
    a = float((d.times * deviations**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0
    return float(norm.ppf(below)), a
