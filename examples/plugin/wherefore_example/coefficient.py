"""A coefficient: the share of items on which every rater chose the same category."""

import numpy as np

from wherefore.analysis.agreement.coefficients.formulas import Coefficient
from wherefore.analysis.agreement.coefficients.ratio import divide
from wherefore.analysis.agreement.coefficients.table import Floats, RatingTable, Scale


def _terms(table: RatingTable, weights: Floats) -> Floats:
    """(units, 2) whether all ratings of a unit agree, and whether it has two or more; sums of rows are enough."""
    n = table.counts
    rated = n.sum(1) >= 2
    return np.stack([rated & (n.max(1) == n.sum(1)), rated], 1).astype(np.float64)


def _value(sums: Floats, scale: Scale, weights: Floats) -> Floats:
    """(B,) of (B, 2) sums: one matrix product gives every bootstrap draw."""
    return divide(sums[:, 0], sums[:, 1])


UNANIMITY = Coefficient(_terms, _value, "share of items rated alike by all", weights="none", corrected=False)
