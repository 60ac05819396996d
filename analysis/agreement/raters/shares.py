"""A share with its interval: Wilson's, with a design effect where the trials come in clusters."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..distributions import norm


class ShareInterval(NamedTuple):
    """So many of so many."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def share(
    hits: NDArray[np.bool_], clusters: Sequence[Hashable] = (), confidence: float = 0.95
) -> ShareInterval:
    """The share of hits (Wilson 1927), its n divided by the design effect of the clusters (Rao & Scott 1992).

    Args:
        hits: one a trial.
        clusters: one a trial, where trials belong together; empty: they are independent.
        confidence: of the interval.

    >>> value, low, high, n = share(np.array([True] * 8 + [False] * 2))
    >>> value, round(low, 4), round(high, 4), n
    (0.8, 0.4902, 0.9433, 10)
    """
    n = len(hits)
    if n == 0:
        return ShareInterval(None, None, None, 0)
    p = float(np.mean(hits))
    effective = n / design_effect(hits, clusters)
    z = float(norm.ppf((1 + confidence) / 2))
    centre = (p + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = z / (1 + z**2 / effective) * (p * (1 - p) / effective + z**2 / (4 * effective**2)) ** 0.5
    return ShareInterval(p, max(centre - half, 0.0), min(centre + half, 1.0), n)


def design_effect(hits: NDArray[np.bool_], clusters: Sequence[Hashable]) -> float:
    """Variance of the share between clusters over that of independent trials; 1 at least."""
    n, p = len(hits), float(np.mean(hits))
    if not clusters or p in (0.0, 1.0):
        return 1.0
    number = {c: i for i, c in enumerate(dict.fromkeys(clusters))}
    of = np.array([number[c] for c in clusters])
    residuals = np.bincount(of, weights=hits - p)
    k = len(number)
    if k < 2:
        return float(n)
    return max(1.0, float(k / (k - 1) * (residuals**2).sum() / (n * p * (1 - p))))
