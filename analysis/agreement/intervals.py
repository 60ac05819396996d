"""Limits of an interval from replicates or from leaving one out."""

import numpy as np
from scipy.stats import norm, t

from .table import Floats, Ints

Limits = tuple[float, float]


def percentile(replicates: Floats, confidence: float) -> Limits:
    """The middle `confidence` of the replicates."""
    low, high = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def bca(value: float, replicates: Floats, left_out: Floats, times: Ints, confidence: float) -> Limits | None:
    """Bias-corrected and accelerated limits (Efron 1987, J Am Stat Assoc 82:171).

    Args:
        value: the coefficient of the whole sample.
        replicates: (B,), all defined.
        left_out: (rows,) the coefficient without one unit of each row.
        times: (rows,) units with that row.
        confidence: e.g. 0.95.
    Returns:
        None where all replicates lie on one side of the value, or none of them differ.
    """
    below = (np.sum(replicates < value) + np.sum(replicates == value) / 2) / len(replicates)
    if below in (0.0, 1.0) or np.ptp(replicates) == 0:
        return None
    z0, a = norm.ppf(below), acceleration(left_out, times)
    z = z0 + norm.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(replicates, norm.cdf(z0 + z / (1 - a * z)))
    return float(low), float(high)


def acceleration(left_out: Floats, times: Ints) -> float:
    """Skewness of the influence of a unit, over 6."""
    d = np.average(left_out, weights=times) - left_out
    spread = float((times * d**2).sum())
    return float((times * d**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0


def jackknife_variance(left_out: Floats, times: Ints) -> float:
    """(n - 1) / n times the sum of squared deviations of the leave-one-out values (Tukey)."""
    n = times.sum()
    return float((n - 1) / n * (times * (left_out - np.average(left_out, weights=times)) ** 2).sum())


def jackknife_fisher(value: float, left_out: Floats, times: Ints, confidence: float) -> Limits | None:
    """Jackknife standard error carried to Fisher's z scale, Student's t with n - 1 degrees of freedom.

    Returns:
        None where the value is 1 or -1, which z cannot hold, or nothing varies.
    """
    se = jackknife_variance(left_out, times) ** 0.5
    return fisher(value, se, float(times.sum() - 1), confidence)


def fisher(value: float, se: float, df: float, confidence: float) -> Limits | None:
    """Limits that are symmetric on the scale of atanh and stay inside (-1, 1)."""
    if abs(value) >= 1 or se == 0:
        return None
    half = t.ppf((1 + confidence) / 2, df) * se / (1 - value**2)
    return float(np.tanh(np.arctanh(value) - half)), float(np.tanh(np.arctanh(value) + half))
