"""The bootstrap: one set of draws of persons for the whole study, and what is read off the replicates."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .metrics import Function, Labels
from .scores import Floats

Counts = NDArray[np.uint8]
BLOCK = 250
"""Replicates at a time: 250 x 1,000 doubles are 2 MB and stay in the cache; measured in benchmarks/evaluate.py."""

Z = 1.959964
"""Standard normal quantile of a 95 % interval, for those in closed form. All intervals here are 95 %."""


def draws(person: NDArray[np.int64], replicates: int, seed: int) -> Counts:
    """How often each case stands in each bootstrap sample; persons are drawn with replacement, with all their cases.

    Args:
        person: (n,) number of the person of each case, 0 to m - 1.
        replicates: b.
        seed: of the whole study's draws; the same seed gives the same draws.
    Returns:
        (b, n).
    """
    rng = np.random.default_rng(seed)
    m = int(person.max()) + 1
    out = np.empty((replicates, len(person)), np.uint8)
    for b in range(replicates):
        out[b] = np.bincount(rng.integers(0, m, m), minlength=m)[person]
    return out


def replicates(
    metric: Function, y: Labels, risk: Floats, weight: Floats, counts: Counts, where: NDArray[np.bool_]
) -> Floats:
    """(b,) the metric in every bootstrap sample, over the cases where `where` holds."""
    y, risk, weight = y[where], risk[where], weight[where]
    every = bool(where.all())
    parts = [metric(y, risk, (c if every else c[:, where]) * weight) for c in _blocks(counts)]
    return np.concatenate(parts)


def _blocks(counts: Counts) -> Iterator[Counts]:
    for start in range(0, len(counts), BLOCK):
        yield counts[start : start + BLOCK]


def interval(values: Floats) -> tuple[float, float] | None:
    """95 % percentile interval; None where fewer than nine in ten replicates have a value.

    >>> [round(x, 6) for x in interval(np.arange(201.0))]
    [5.0, 195.0]
    """
    seen = values[np.isfinite(values)]
    if len(seen) < 0.9 * len(values):
        return None
    low, high = np.quantile(seen, [0.025, 0.975])
    return float(low), float(high)


def p_value(differences: Floats) -> float | None:
    """Two-sided: the level at which the percentile interval just touches zero (Efron and Tibshirani 1993, 15.4).

    Zero counts on both sides, and one is added above and below, so that it is never 0 and identical models get 1.

    >>> round(p_value(np.array([1.0] * 98 + [-1.0])), 3)    # 2 (1 + 1) / (99 + 1)
    0.04
    >>> p_value(np.zeros(99))
    1.0
    """
    seen = differences[np.isfinite(differences)]
    if len(seen) < 0.9 * len(differences):
        return None
    tail = min(int((seen <= 0).sum()), int((seen >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(seen) + 1))
