"""DeLong's test of two ROC-AUCs on the same cases: a cross-check of the bootstrap, in closed form."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm, rankdata

from .metrics import Labels
from .scores import Floats


class Paired(NamedTuple):
    """Difference of two ROC-AUCs, its standard error and the two-sided p."""

    difference: float
    se: float
    p: float


def delong(y: Labels, a: Floats, b: Floats) -> Paired | None:
    """Compare two risks of the same unweighted cases (DeLong 1988, by the midranks of Sun and Xu 2014).

    Returns:
        None with fewer than two cases or two controls: there is no variance to estimate.

    >>> y = np.array([1, 1, 0, 0])
    >>> delong(y, np.array([0.9, 0.3, 0.5, 0.1]), np.array([0.9, 0.8, 0.5, 0.1])).difference    # 3/4 - 1
    -0.25
    """
    cases, controls = y == 1, y == 0
    m, n = int(cases.sum()), int(controls.sum())
    if m < 2 or n < 2:
        return None
    v10, v01 = np.empty((2, m)), np.empty((2, n))
    for i, risk in enumerate((a, b)):
        ranks = rankdata(risk)
        v10[i] = (ranks[cases] - rankdata(risk[cases])) / n
        v01[i] = 1 - (ranks[controls] - rankdata(risk[controls])) / m
    s = np.cov(v10) / m + np.cov(v01) / n
    auc = v10.mean(axis=1)
    difference, se = float(auc[0] - auc[1]), float(np.sqrt(max(s[0, 0] + s[1, 1] - 2 * s[0, 1], 0.0)))
    if se == 0:
        return Paired(0.0, 0.0, 1.0) if difference == 0 else None  # no variance to judge a difference by
    return Paired(difference, se, float(2 * norm.sf(abs(difference) / se)))
