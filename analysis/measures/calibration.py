"""Logistic recalibration: calibration in the large and slope. Shapes: `discrimination.py`.

Both are maximum likelihood fits by iteratively reweighted least squares. A step that does not raise the likelihood is
halved until it does, so the fit ends where any other solver ends (`statsmodels.GLM` in the tests).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .arrays import Floats, Labels, expit, logit

STEPS, HALVINGS, LONGEST, TOLERANCE = 200, 40, 20.0, 1e-10
"""Of the fit: steps of log odds, none longer than `LONGEST`; it ends with one shorter than the tolerance."""


class LogisticFit(NamedTuple):
    """A logistic regression of the outcome on one variable."""

    intercept: float
    slope: float


def calibration_in_the_large(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Intercept of a logistic recalibration with slope held at 1 (Cox 1958; Van Calster 2019); 0 is best.

    >>> calibration_in_the_large(np.array([1, 0]), np.array([0.5, 0.5]), np.array([[3.0, 1.0]])).round(4).tolist()
    [1.0986]
    """
    x = logit(risk)
    return np.array([_intercept(y, x, row) for row in w])


def calibration_in_the_large_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Score of each case over the information."""
    x = logit(risk)
    p = expit(x + _intercept(y, x, w))
    return np.asarray(w * (y - p) / (w @ (p * (1 - p))))


def calibration_slope(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Slope of a logistic regression of the outcome on the log odds of the risk; below 1: risks too extreme.

    NaN where risks do not vary, and where they separate the classes: then no slope is the most likely.

    >>> r = np.array([0.2, 0.2, 0.8, 0.8])    # observed 1/4 at 0.2 and 3/4 at 0.8: ln 3 over ln 4
    >>> calibration_slope(np.array([1, 0, 1, 0]), r, np.array([[1.0, 3.0, 3.0, 1.0]])).round(4).tolist()
    [0.7925]
    """
    x = logit(risk)
    fits = [line(y, x, row) for row in w]
    return np.array([np.nan if fit is None else fit.slope for fit in fits])


def calibration_slope_influence(y: Labels, risk: Floats, w: Floats) -> Floats:
    """The slope's row of the inverse information times the score of each case (Huber 1967)."""
    x = logit(risk)
    fit = line(y, x, w)
    if fit is None:
        return np.full(len(y), np.nan)
    p = expit(fit.intercept + fit.slope * x)
    v = w * p * (1 - p)
    centre = float(v @ x / v.sum())
    return np.asarray(w * (y - p) * (x - centre) / (v @ (x - centre) ** 2))


def no_slope(y: Labels, risk: Floats, w: Floats) -> str | None:
    """Why there is no calibration slope; None where there is one."""
    x, counted = logit(risk), w > 0
    yes, no = x[counted & (y == 1)], x[counted & (y == 0)]
    if np.ptp(x[counted]) < 1e-9:
        return "the risks do not vary"
    if yes.min() >= no.max() or no.min() >= yes.max():
        return "the risks separate the classes"
    return None


def line(y: Labels, x: Floats, w: Floats) -> LogisticFit | None:
    """Weighted logistic regression of `y` on `x`; None where it has no finite solution."""
    return _line(*(np.ascontiguousarray(a, dtype=np.float64).tobytes() for a in (y, x, w)))


@lru_cache(maxsize=16)
def _line(*parts: bytes) -> LogisticFit | None:
    """The same; a value and its influence are asked for one after the other, and need the same fit."""
    y, x, w = (np.frombuffer(part) for part in parts)
    counted = w > 0
    ones, zeros = x[counted & (y == 1)], x[counted & (y == 0)]
    if not (len(ones) and len(zeros)) or np.ptp(x[counted]) < 1e-9:
        return None
    if ones.min() >= zeros.max() or zeros.min() >= ones.max():
        return None
    middle, spread = float(x[counted].mean()), float(x[counted].std())
    z = (x - middle) / spread
    share = float(w @ y / w.sum())
    ab = np.array([np.log(share / (1 - share)), 0.0])
    design = np.column_stack([np.ones(len(z)), z])
    ab = maximise(y, design, np.zeros(len(z)), w, ab)
    return LogisticFit(float(ab[0] - ab[1] * middle / spread), float(ab[1] / spread))


def _intercept(y: Labels, x: Floats, w: Floats) -> float:
    """The intercept that makes the expected number of cases the observed one; NaN with one class."""
    return _shift(*(np.ascontiguousarray(a, dtype=np.float64).tobytes() for a in (y, x, w)))


@lru_cache(maxsize=16)
def _shift(*parts: bytes) -> float:
    y, x, w = (np.frombuffer(part) for part in parts)
    ones = float(w @ y)
    if not 0 < ones < w.sum():
        return float("nan")
    return float(maximise(y, np.ones((len(x), 1)), x, w, np.zeros(1))[0])


def maximise(y: Floats | Labels, design: Floats, offset: Floats, w: Floats, start: Floats) -> Floats:
    """Newton's method with step halving on the weighted log likelihood, which is concave."""
    at, best = start, _likelihood(y, offset + design @ start, w)
    for _ in range(STEPS):
        p = expit(offset + design @ at)
        score = design.T @ (w * (y - p))
        information = design.T @ (design * (w * p * (1 - p))[:, None])
        step = np.clip(_solve(information, score), -LONGEST, LONGEST)
        for _ in range(HALVINGS):
            value = _likelihood(y, offset + design @ (at + step), w)
            if value >= best - 1e-12 * abs(best):
                break
            step = step / 2
        at, best = at + step, value
        if np.abs(step).max() < TOLERANCE:
            break
    return at


def _solve(information: Floats, score: Floats) -> Floats:
    """The Newton step; a trace of a ridge for where the information has run out of digits."""
    ridge = 1e-12 * np.trace(information) + 1e-300
    return np.asarray(np.linalg.solve(information + ridge * np.eye(len(score)), score))


def _likelihood(y: Floats | Labels, eta: Floats, w: Floats) -> float:
    return float(w @ (y * eta - np.logaddexp(0, eta)))
