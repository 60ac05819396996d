"""Bootstrap and jackknife of sums over units. Draws once, serves every coefficient: what is compared is paired."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from .table import Floats, Ints

BLOCK = 120_000
"""Weights drawn at once (about 1 MB): larger blocks leave the cache."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What is resampled: a row of terms for each independent unit, with how many units have that very row."""

    terms: Floats
    """(rows, p)."""
    times: Ints
    """(rows,) units with this row."""

    @property
    def n(self) -> int:
        """Independent units: items, or clusters of items."""
        return int(self.times.sum())

    @property
    def total(self) -> Floats:
        """(1, p) sums over all units."""
        return np.asarray(self.times.astype(float) @ self.terms)[None]

    def left_out(self) -> Floats:
        """(rows, p) sums with one unit of each row left out: the jackknife."""
        return np.asarray(self.total - self.terms)


def sample(terms: Floats, clusters: Sequence[Hashable] = ()) -> Sample:
    """One row a unit, or one a cluster: its units' rows added up."""
    if not clusters:
        return Sample(terms, np.ones(len(terms), dtype=np.int64))
    number = {c: i for i, c in enumerate(dict.fromkeys(clusters))}
    of = np.array([number[c] for c in clusters])
    summed = np.zeros((len(number), terms.shape[1]))
    np.add.at(summed, of, terms)
    return Sample(summed, np.ones(len(summed), dtype=np.int64))


def bootstrap(of: Sample, replicates: int, seed: int) -> Floats:
    """(replicates, p) sums over units drawn with replacement.

    Where the rows are distinct units, the draws are those of `rng.integers(0, n, n)` for each replicate in turn;
    where many units share a row, the number of each row is drawn (multinomial), which is the same in distribution.
    """
    rng = np.random.default_rng(seed)
    n, rows = of.n, len(of.terms)
    out = np.empty((replicates, of.terms.shape[1]))
    step = max(1, BLOCK // rows)
    with threadpool_limits(1):  # more threads lose more in waiting than they win at this size
        for start in range(0, replicates, step):
            size = min(step, replicates - start)
            drawn = _indexed(rng, size, n) if rows == n else rng.multinomial(n, of.times / n, size=size)
            out[start : start + size] = drawn.astype(float) @ of.terms
    return out


def _indexed(rng: np.random.Generator, size: int, n: int) -> Ints:
    """(size, n) how often each unit was drawn."""
    drawn = rng.integers(0, n, (size, n))
    drawn += (np.arange(size) * n)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
