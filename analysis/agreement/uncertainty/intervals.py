"""Limits of an interval, and what its method is called; or why there is none."""

from typing import Literal, NamedTuple

import numpy as np

from ..coefficients.table import Floats, Ints
from ..distributions import norm, t
from .resample import Draws

Method = Literal["auto", "bca", "expanded", "percentile", "jackknife", "goodness", "irr"]
"""`goodness`: see `goodness.py`; `irr`: limits of ICC(A,k) as R's package of that name has them."""

LEAST = 5
"""Independent units with two ratings below which there is no interval."""

SPARSE = 10
"""Below this many, `auto` takes the jackknife."""

FEW = 100
"""Below this many, `auto` takes the expanded percentiles, or for a skewed coefficient the jackknife; else BCa."""

NOTHING = 1e-12
"""Spread of a coefficient below which there is none but for rounding; coefficients are of the order of 1."""


class Interval(NamedTuple):
    """Limits with the words for a methods section; where one or both are missing, the reason."""

    low: float | None
    high: float | None
    text: str


def interval(
    d: Draws, method: Method = "auto", confidence: float = 0.95, seed: int | None = None
) -> Interval:
    """Limits of a number that was resampled.

    `auto` is the method that held its coverage at this number of units (docs/decisions/0042): `bca` from 100 on,
    `expanded` from 10 on, else `jackknife`; that one also where more than 1 % of the replicates are undefined, for
    a skewed coefficient under 100 units, and where a bootstrap has no answer.

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
    chosen = suited(d) if method == "auto" else method
    if chosen == "jackknife" or (method == "auto" and lost > 0.01 * len(d.replicates)):
        return jackknife(d, confidence)
    if lost > 0.2 * len(d.replicates):
        return Interval(None, None, f"{lost:,} of {len(d.replicates):,} bootstrap replicates are undefined")
    limits = _limits(d, kept, chosen, confidence)
    if limits is None:
        return jackknife(d, confidence)
    dropped = f" ({lost:,} undefined and dropped)" if lost else ""
    seeded = "" if seed is None else f", seed {seed}"
    return Interval(*limits, f"{confidence:.0%} {NAMES[chosen]}, {len(kept):,} replicates{dropped}{seeded}")


def suited(d: Draws) -> Method:
    """What `auto` takes for this many units."""
    if d.pairable < SPARSE or (d.skewed and d.pairable < FEW):
        return "jackknife"
    return "expanded" if d.pairable < FEW else "bca"


def jackknife(d: Draws, confidence: float) -> Interval:
    """Jackknife standard error and Student's t, on the scale where the number is most nearly normal.

    For a skewed coefficient the logarithm of what it lacks to 1; for one that stays in [-1, 1] Fisher's z.
    """
    if np.isnan(d.left_out).any():
        return Interval(None, None, "it is undefined without one of the units")
    se, df = jackknife_se(d.left_out, d.times), d.pairable - 1
    if se < NOTHING or (d.bounded and abs(d.value) > 1 - NOTHING):
        return Interval(None, None, "the value is the same in every resample")
    if d.skewed and d.left_out.max() < 1:
        logs = np.log(1 - d.left_out)
        centre = d.n * np.log(1 - d.value) - (d.n - 1) * np.average(logs, weights=d.times)  # bias taken out
        half = float(t.ppf((1 + confidence) / 2, df)) * jackknife_se(logs, d.times)
        low, high = max(1 - np.exp(centre + half), -1.0), 1 - np.exp(centre - half)
        return Interval(
            float(low), float(high), f"{confidence:.0%} jackknife of log(1 - value), t with {df} df"
        )
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
    method = suited(d) if len(kept) >= 0.99 * len(d.replicates) and len(kept) else "jackknife"
    corrections = _corrections(d, kept) if method != "jackknife" else None
    if corrections is None:
        if np.isnan(d.left_out).any() or (se := jackknife_se(d.left_out, d.times)) < NOTHING:
            return None
        return float(2 * t.sf(abs(d.value - null) / se, d.pairable - 1))
    below = (np.sum(kept < null) + np.sum(kept == null) / 2 + 0.5) / (len(kept) + 1)
    if method == "expanded":
        n = d.pairable
        one_sided = t.cdf(norm.ppf(below) * ((n - 1) / n) ** 0.5, n - 1)
    else:
        z0, a = corrections
        u = norm.ppf(below) - z0
        one_sided = norm.cdf(u / (1 + a * u) - z0)
    return float(min(1.0, max(2 * min(one_sided, 1 - one_sided), 2 / (len(kept) + 1))))


def _limits(d: Draws, kept: Floats, method: Method, confidence: float) -> tuple[float, float] | None:
    """Two quantiles of the replicates; None where they are all the same, or BCa has no answer."""
    if np.ptp(kept) < NOTHING:
        return None
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "expanded":  # Hesterberg 2015, Am Stat 69:371: what a normal sample of n would need
        n = d.pairable
        tails = norm.cdf(t.ppf(tails, n - 1) * (n / (n - 1)) ** 0.5)
    elif method == "bca":  # Efron 1987, J Am Stat Assoc 82:171
        corrections = _corrections(d, kept)
        if corrections is None:
            return None
        z0, a = corrections
        z = z0 + norm.ppf(tails)
        tails = norm.cdf(z0 + z / (1 - a * z))
    low, high = np.quantile(kept, tails)
    return float(low), float(high)


def _corrections(d: Draws, kept: Floats) -> tuple[float, float] | None:
    """Bias z0 and acceleration a; None where all replicates lie on one side or leaving one out is undefined."""
    below = (np.sum(kept < d.value) + np.sum(kept == d.value) / 2) / len(kept)
    if below in (0.0, 1.0) or np.ptp(kept) < NOTHING or np.isnan(d.left_out).any():
        return None
    deviations = np.average(d.left_out, weights=d.times) - d.left_out
    spread = float((d.times * deviations**2).sum())
    a = float((d.times * deviations**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0
    return float(norm.ppf(below)), a


NAMES: dict[Method, str] = {
    "bca": "BCa bootstrap",
    "expanded": "percentile bootstrap expanded for few units (Hesterberg 2015)",
    "percentile": "percentile bootstrap",
}
