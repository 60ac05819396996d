"""Exact block designs put together from orbits of a cyclic group.

Most designs in the tables turn into themselves when the points are turned in one or more circles (Bose 1939, Ann
Eugenics 9:353). Then only whole orbits of blocks need to be chosen, and only one pair of each orbit of pairs needs to
be counted (Kramer and Mesner 1976, Discrete Math 15:263), which leaves little to search.
"""

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

Block = tuple[int, ...]
Counts = NDArray[np.int64]

NODES = 2000
"""Sets of orbits that are looked at, for one group."""
MOST = 120_000
"""Blocks beyond which orbits are not made: 5 of 25 points are 53,130."""


def exact(v: int, k: int, b: int) -> list[Block] | None:
    """`b` blocks of `k` out of `v` points in which all pairs meet equally often; None where none is found.

    >>> exact(7, 3, 7)
    [(0, 1, 3), (1, 2, 4), (2, 3, 5), (3, 4, 6), (0, 4, 5), (1, 5, 6), (0, 2, 6)]
    """
    times, left = divmod(b * k * (k - 1), v * (v - 1))
    if left or comb(v, k) > MOST:
        return None
    if 2 * k > v:  # who is left out
        rest = exact(v, v - k, b)
        return rest and [tuple(x for x in range(v) if x not in block) for block in rest]
    for length in (n for n in range(v, 2, -1) if v % n < 3):
        blocks, pairs = _orbits(v, k, length), _orbits(v, 2, length)
        orbit = {p: n for n, members in enumerate(pairs) for p in members}
        raised = np.zeros((len(blocks), len(pairs)), dtype=np.int64)
        for n, members in enumerate(blocks):
            for p in combinations(members[0], 2):
                raised[n, orbit[p]] += len(members)
        raised //= np.array([len(p) for p in pairs])
        chosen = _Choice(raised, times).found()
        if chosen is not None:
            return [block for n in chosen for block in blocks[n]]
    return None


def _orbits(v: int, k: int, length: int) -> list[list[Block]]:
    """All sets of `k` of `v` points, in orbits: points turn in circles of `length`, the rest stand still."""
    turning = v - v % length
    to = [x + 1 - length * ((x + 1) % length == 0) if x < turning else x for x in range(v)]
    seen: set[Block] = set()
    out = []
    for block in combinations(range(v), k):
        members = []
        while block not in seen:
            seen.add(block)
            members.append(block)
            block = tuple(sorted(to[x] for x in block))
        if members:
            out.append(members)
    return out


class _Choice:
    """Which rows add up to `times` in every column; a row may be taken more than once."""

    def __init__(self, rows: Counts, times: int) -> None:
        self.rows, self.times, self.nodes = rows, times, 0

    def found(self) -> list[int] | None:
        """Numbers of the rows; None where there are none, or the search is given up."""
        return self._from(np.zeros(self.rows.shape[1], dtype=np.int64), np.arange(len(self.rows)), [])

    def _from(self, sums: Counts, open_: Counts, chosen: list[int]) -> list[int] | None:
        self.nodes += 1
        if (sums == self.times).all():
            return chosen
        if self.nodes > NODES:
            return None
        open_ = open_[(self.rows[open_] + sums <= self.times).all(1)]
        for row in self._at_the_tightest(sums, open_):
            if (out := self._from(sums + self.rows[row], open_, [*chosen, int(row)])) is not None:
                return out
            open_ = open_[open_ != row]
        return None

    def _at_the_tightest(self, sums: Counts, open_: Counts) -> Iterator[int]:
        """The rows that raise the column which the fewest can raise."""
        lacking = np.flatnonzero(sums < self.times)
        raises = self.rows[np.ix_(open_, lacking)] > 0
        yield from open_[raises[:, raises.sum(0).argmin()]]
