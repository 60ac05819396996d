"""Bootstrap and jackknife. All coefficients are drawn at once on the same units, so that any two are paired."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from ..coefficients.bound import Bound
from ..coefficients.table import Floats, Ints, RatingTable, Terms

BLOCK = 120_000
"""Weights drawn at once (about 1 MB): larger blocks leave the cache."""

CELLS = 4_000_000
"""Sums of a wide coefficient held at once (32 MB)."""

T = TypeVar("T", Floats, Terms)

MANY_ALIKE = 12
"""Times as many units as distinct ones, from which drawing distinct ones is faster than drawing units."""


@dataclass(frozen=True, eq=False)
class Draws:
    """A number and what becomes of it under resampling of units (or clusters of units)."""

    value: float
    replicates: Floats
    """(B,) bootstrap; NaN where undefined."""
    left_out: Floats
    """(rows,) without one unit of each distinct row; NaN where undefined."""
    times: Ints
    """(rows,) units with that row."""
    pairable: int
    """Independent units with two ratings or more: what the number rests on."""
    bounded: bool = True
    """Stays in [-1, 1]."""
    skewed: bool = False
    """See `Bound.skewed`."""

    @property
    def n(self) -> int:
        """Independent units."""
        return int(self.times.sum())

    def __sub__(self, other: "Draws") -> "Draws":
        """The paired difference."""
        return replace(
            self,
            value=self.value - other.value,
            replicates=self.replicates - other.replicates,
            left_out=self.left_out - other.left_out,
            pairable=min(self.pairable, other.pairable),
            bounded=False,
            skewed=False,
        )


def mean(some: Sequence[Draws]) -> Draws:
    """The mean of several numbers of the same draws."""
    return replace(
        some[0],
        value=float(np.mean([d.value for d in some])),
        replicates=np.mean([d.replicates for d in some], axis=0),
        left_out=np.mean([d.left_out for d in some], axis=0),
        pairable=min(d.pairable for d in some),
    )


def draw(bounds: Sequence[Bound], replicates: int, seed: int) -> list[Draws]:
    """Resample several coefficients of tables that have the same units.

    Args:
        bounds: their tables agree in units and clusters, row by row; a unit may be unrated in some of them.
        replicates: bootstrap draws; 0 for the jackknife only.
        seed: of the draws. Where units are drawn one by one, replicate b has those of the b-th
            `rng.integers(0, n, n)`; where many units are alike, how often each distinct one occurs is drawn
            (multinomial), which is the same in distribution.
    """
    clusters = bounds[0].table.clusters
    if clusters:
        terms = added([b.terms() for b in bounds], clusters)
        times: Ints = np.ones(terms[0].shape[0], dtype=np.int64)
    else:
        first, times = _distinct(bounds)
        terms = [
            b.terms() if len(first) == len(b.table.units) else b.terms(b.table.of_units(first))
            for b in bounds
        ]
    totals = [_weighted(times.astype(float)[None], t) for t in terms]
    boot = _bootstrap(bounds, terms, times, replicates, seed)
    with np.errstate(invalid="ignore"):
        return [
            Draws(
                float(b.of(total)[0]),
                boot[i],
                _left_out(b, t, total),
                times,
                b.table.pairable,
                skewed=b.skewed,
            )
            for i, (b, t, total) in enumerate(zip(bounds, terms, totals, strict=True))
        ]


def _weighted(weights: Floats, terms: Terms) -> Floats:
    """(B, p) sums of the rows, weighted."""
    return np.asarray((terms.T @ weights.T).T if isinstance(terms, csr_array) else weights @ terms)


def _left_out(b: Bound, terms: Terms, total: Floats) -> Floats:
    """(rows,) the coefficient without each row, some rows at a time."""
    rows, columns = terms.shape
    step = max(1, CELLS // columns)
    parts = []
    for start in range(0, rows, step):
        some = terms[start : start + step]
        parts.append(b.of(total - (some.toarray() if isinstance(some, csr_array) else some)))
    return np.concatenate(parts)


def _bootstrap(
    bounds: Sequence[Bound], terms: list[Terms], times: Ints, replicates: int, seed: int
) -> Floats:
    """(coefficients, replicates) values under resampling, block by block so that memory stays small."""
    if not replicates:
        return np.empty((len(bounds), 0))
    rng = np.random.default_rng(seed)
    n, rows = int(times.sum()), len(times)
    dense = [i for i, t in enumerate(terms) if not isinstance(t, csr_array)]
    joined = np.hstack([terms[i] for i in dense]) if dense else np.empty((rows, 0))
    ends = np.cumsum([terms[i].shape[1] for i in dense])[:-1]
    widest = max((t.shape[1] for t in terms), default=1)
    out = np.empty((len(bounds), replicates))
    step = max(1, min(BLOCK // rows, CELLS // widest))
    with threadpool_limits(1):  # more threads lose more in waiting than they win at this size
        for start in range(0, replicates, step):
            size = min(step, replicates - start)
            drawn = _indexed(rng, size, n) if rows == n else rng.multinomial(n, times / n, size=size)
            weights = drawn.astype(float)
            sums = dict(zip(dense, np.split(weights @ joined, ends, axis=1), strict=True)) if dense else {}
            for i, b in enumerate(bounds):
                out[i, start : start + size] = b.of(sums[i] if i in sums else _weighted(weights, terms[i]))
    return out


def _indexed(rng: np.random.Generator, size: int, n: int) -> Ints:
    """(size, n) how often each unit was drawn."""
    drawn = rng.integers(0, n, (size, n))
    drawn += (np.arange(size) * n)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)


def added(terms: Sequence[T], clusters: Sequence[Hashable]) -> list[T]:
    """The rows of each cluster added up."""
    number = {c: i for i, c in enumerate(dict.fromkeys(clusters))}
    of = np.array([number[c] for c in clusters])
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.arange(len(number)))
    member = csr_array((np.ones(len(of)), (of, np.arange(len(of)))), shape=(len(number), len(of)))
    return [
        member @ t if isinstance(t, csr_array) else np.add.reduceat(t[order], starts, axis=0) for t in terms
    ]


def _distinct(bounds: Sequence[Bound]) -> tuple[Ints, Ints]:
    """Rows of units that stand for all, and how many units each stands for; all of them where few are alike."""
    n = len(bounds[0].table.units)
    everyone = np.arange(n), np.ones(n, dtype=np.int64)
    if n < MANY_ALIKE * 100:
        return everyone
    tables = list({id(b.table): b.table for b in bounds}.values())
    codes = _codes_of_all(tables)
    if all(b.coefficient.symmetric for b in bounds) and len(tables) == 1:
        codes = np.sort(codes, axis=1)
    base = int(codes.max()) + 2
    if base ** codes.shape[1] < 2**62:
        keys = (codes + 1) @ base ** np.arange(codes.shape[1], dtype=np.int64)
        _, first, times = np.unique(keys, return_index=True, return_counts=True)
    else:
        _, first, times = np.unique(codes, axis=0, return_index=True, return_counts=True)
    return (first, times) if n > MANY_ALIKE * len(first) else everyone


def _codes_of_all(tables: Sequence[RatingTable]) -> NDArray[np.int32]:
    """Codes by which units that are alike in every table are alike: often those of one table hold all the others'."""
    widest = max(tables, key=lambda t: int((t.codes >= 0).sum()))
    for t in tables:
        same = t.codes.shape == widest.codes.shape and all(
            (a < 0).all() or np.array_equal(a, b) for a, b in zip(t.codes.T, widest.codes.T, strict=True)
        )
        if not same:
            return np.hstack([t.codes for t in tables])
    return widest.codes
