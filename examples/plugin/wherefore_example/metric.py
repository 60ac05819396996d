"""A metric: the largest sum of sensitivity and specificity, less one, over all thresholds (Youden 1950)."""

import numpy as np

from wherefore.analysis.measures.arrays import Floats, Labels
from wherefore.analysis.measures.metrics import Measure


def youden(y: Labels, risk: Floats, w: Floats) -> Floats:
    """Youden's J.

    Args:
        y: (n,) outcomes.
        risk: (n,) risks.
        w: (b, n) weights, a row a bootstrap draw.
    Returns:
        (b,) NaN where a draw holds one class only.

    >>> youden(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]), np.ones((1, 4)))
    array([0.5])
    """
    order = np.argsort(-risk, kind="stable")
    last = np.append(np.diff(risk[order]) != 0, True)  # equal risks are flagged together
    ill = np.where(y[order] == 1, w[:, order], 0.0)
    well = w[:, order] - ill
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = np.cumsum(ill, 1) / ill.sum(1, keepdims=True)
        flagged_well = np.cumsum(well, 1) / well.sum(1, keepdims=True)
    return np.asarray((sensitivity - flagged_well)[:, last].max(1))


YOUDEN = Measure(
    label="Youden's J",
    compute=youden,
    better="higher",
    says="sensitivity and specificity at the best threshold, less one; chosen on these very people, so optimistic",
)
