"""Odds ratios of two by two tables."""

import numpy as np

from .limits import Z


def odds_ratio(a: int, n1: int, b: int, n0: int) -> tuple[float, float, float]:
    """Odds ratio of `a` of `n1` against `b` of `n0` and Woolf's 95 % limits, 0.5 added to each count.

    >>> [round(x, 3) for x in odds_ratio(10, 20, 5, 20)]    # (10.5 x 15.5) / (10.5 x 5.5); log se 0.661
    [2.818, 0.772, 10.293]
    """
    cells = np.array([a, n1 - a, b, n0 - b]) + 0.5
    log = float(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))
    half = Z * float(np.sqrt((1 / cells).sum()))
    return float(np.exp(log)), float(np.exp(log - half)), float(np.exp(log + half))
