"""Array types and the small arithmetic that the metrics share."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]

EDGE = 1e-6
"""Risks nearer to 0 or 1 than this are moved to this distance wherever a logarithm is taken."""


def clipped(risk: Floats) -> Floats:
    """Risks kept away from 0 and 1 by `EDGE`."""
    return np.asarray(np.clip(risk, EDGE, 1 - EDGE))


def logit(risk: Floats) -> Floats:
    """Log odds of clipped risks."""
    r = clipped(risk)
    return np.asarray(np.log(r) - np.log1p(-r))


def expit(x: Floats) -> Floats:
    """Risk of log odds, without overflow.

    >>> expit(np.array([-800.0, 0.0, 800.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


def ratio(top: Floats, bottom: Floats) -> Floats:
    """Quotient; NaN over zero."""
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0))


def kish(weight: Floats) -> float:
    """Effective number of cases behind weights: square of the sum over the sum of squares (Kish 1965).

    >>> kish(np.array([1.0, 1.0, 2.0]))    # 16 / 6
    2.6666666666666665
    """
    return float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
