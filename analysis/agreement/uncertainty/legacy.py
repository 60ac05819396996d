"""The interval that older papers printed. It is here to check them; it is no interval to report.

KALPHA (Hayes & Krippendorff 2007) and Krippendorff's bootstrap of 2006-2013 draw pairs of values as if they were
independent and hold the expected disagreement fixed. Measured coverage of its nominal 95 %: 66 to 97 %, 84 % on
the mean for ordinal ratings.
"""

import numpy as np

from ....study.errors import DataError
from ..coefficients.bound import bind
from ..coefficients.table import Floats, RatingTable
from ..coefficients.weights import distance


def kalpha_interval(
    ratings: RatingTable, confidence: float = 0.95, replicates: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile limits of KALPHA's bootstrap of pairs.

    Args:
        ratings: the table; clusters are ignored, as the method does.
        confidence: e.g. 0.95.
        replicates: draws of as many pairs as were observed.
        seed: of the draws.
    Raises:
        DataError: alpha is undefined.
    """
    bound = bind(ratings, "krippendorff_alpha")
    if why := bound.why_undefined():
        raise DataError(f"krippendorff_alpha: {why}.")
    c = ratings.counts[ratings.seen >= 2]
    m = c.sum(1)
    coincidences = (c.T / (m - 1)) @ c - np.diag((c / (m - 1)[:, None]).sum(0))
    n = coincidences.sum(1)
    d = _metric(ratings, n)
    expected = float(n @ d @ n) / (n.sum() * (n.sum() - 1))
    pairs = int((m * (m - 1) / 2).sum())
    drawn = np.random.default_rng(seed).multinomial(pairs, coincidences.ravel() / n.sum(), size=replicates)
    alphas = 1 - drawn @ d.ravel() / (pairs * expected)
    low, high = np.quantile(alphas, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _metric(ratings: RatingTable, n: Floats) -> Floats:
    """(K, K) squared distance; the ordinal one from the counts of pairable values."""
    if ratings.scale.level != "ordinal":
        return distance(ratings.scale)
    below = np.cumsum(n) - n / 2
    return np.asarray((below[:, None] - below) ** 2)
