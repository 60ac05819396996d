"""Blocks of k out of v raters that meet evenly: who grades together, before it is known which item.

Each step only where the one before falls short: whole sets of all combinations, which are even by themselves; tabu
search for the rest; the same search from an exact design of about that size, which is put together from orbits.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb, gcd, lcm

import numpy as np
from numpy.typing import NDArray

from .orbits import exact

Block = tuple[int, ...]
"""The raters of one item, by position."""
Grid = NDArray[np.float64]
"""Raters by items; 1 where the rater grades the item."""

STEPS = 1500
"""Of one search."""
CHUNK = 200
"""Blocks that are searched at a time; the next ones make up for what these leave uneven."""


def balanced(v: int, k: int, b: int, seed: int) -> list[Block]:
    """`b` blocks of `k` out of `v` raters: loads within one of each other, and pairs too where that can be found.

    >>> pair_counts(balanced(7, 3, 7, 0), 7), pair_counts(balanced(10, 4, 15, 0), 10)
    ((1, 1), (2, 2))
    """
    rounds, rest = divmod(b, comb(v, k))
    out = list(combinations(range(v), k)) * rounds if rounds else []
    if not rest:
        return out
    rng = np.random.default_rng(seed)
    design = _searched(v, k, rest, rng)
    if _excess(design) and possible(v, k, rest):
        design = min(
            [design, *(_searched(v, k, rest, rng, near) for near in _nearby(v, k, rest))], key=_excess
        )
    return out + [tuple(int(r) for r in np.flatnonzero(column)) for column in design.T]


def pair_counts(blocks: Sequence[Block], v: int) -> tuple[int, int]:
    """The fewest and the most items that any pair of raters shares."""
    shared = Counter(p for block in blocks for p in combinations(sorted(block), 2))
    counts = [shared[p] for p in combinations(range(v), 2)]
    return min(counts, default=0), max(counts, default=0)


def loads(blocks: Sequence[Block], v: int) -> tuple[int, int]:
    """The fewest and the most items that any rater has."""
    items = Counter(r for block in blocks for r in block)
    return min(items[r] for r in range(v)), max(items[r] for r in range(v))


def possible(v: int, k: int, b: int) -> bool:
    """Whether counting leaves room for loads and pairs that are each within one of each other.

    The pairs with one item more would be the edges of a graph in which a rater's load says how many end at her;
    Erdős and Gallai (1960, Mat Lapok 11:264) say which such numbers no graph has.

    >>> possible(10, 4, 15), possible(6, 4, 20)
    (True, False)
    """
    load, longer = divmod(b * k, v)
    low = load * (k - 1) - b * k * (k - 1) // (v * (v - 1)) * (v - 1)
    ends = [low + k - 1] * longer + [low] * (v - longer)
    room = (n * (n - 1) + sum(min(d, n) for d in ends[n:]) for n in range(1, v + 1))
    return ends[-1] >= 0 and sum(ends) % 2 == 0 and all(sum(ends[:n]) <= r for n, r in enumerate(room, 1))


def _searched(v: int, k: int, b: int, rng: np.random.Generator, start: Sequence[Block] = ()) -> Grid:
    """`b` blocks by search: from `start`, cut or filled up at random, or from chance alone."""
    grid = np.zeros((v, b))
    for j in range(b):
        grid[list(start[j]) if j < len(start) else rng.choice(v, k, replace=False), j] = 1
    for at in range(0, b, CHUNK):
        grid[:, at : at + CHUNK] = even(grid[:, at : at + CHUNK], rng, before=grid[:, :at])
    return grid


def _nearby(v: int, k: int, b: int) -> Iterator[list[Block]]:
    """Exact designs of the two sizes next to `b` for which loads and pairs divide."""
    unit = lcm(v // gcd(v, k), v * (v - 1) // gcd(v * (v - 1), k * (k - 1)))
    for size in {-(-b // unit) * unit, b // unit * unit} - {0}:
        if (design := exact(v, k, size)) is not None:
            yield design


def even(
    grid: Grid,
    rng: np.random.Generator,
    *,
    before: Grid | None = None,
    fixed: NDArray[np.bool_] | None = None,
    strata: Grid | None = None,
    descend: bool = False,
) -> Grid:
    """Give items from one rater to another until loads and pairs are as even as can be, by tabu search.

    Args:
        grid: to start from; every item keeps its number of raters.
        rng: breaks ties.
        before: other items that count too and stay as they are.
        fixed: of `grid`, what must stay where it is.
        strata: items by strata, in which loads are to be even too.
        descend: end where no single step makes it better, so that little moves.
    """
    grid, (v, b) = grid.copy(), grid.shape
    base = np.zeros((v, v)) if before is None else before @ before.T
    groups = np.zeros((b, 1)) if strata is None else strata
    lowest = _floor(grid if before is None else np.hstack([before, grid]))
    free = np.ones((b, v), dtype=bool) if fixed is None else ~fixed.T
    size, until = grid.sum(0)[:, None, None], np.zeros((b, v))
    best, least = grid.copy(), np.inf
    for step in range(STEPS if not descend else b * v):
        meet = base + grid @ grid.T
        load, pairs = np.diag(meet), meet - np.diag(np.diag(meet))
        if (cost := _cost(meet)) < least:
            best, least = grid.copy(), cost
        if cost <= lowest and strata is None:
            break
        # Half of what the cost rises by when item j goes from rater x to rater y.
        pull = (pairs @ grid + v * load[:, None] + (grid @ groups) @ groups.T).T
        rise = pull[:, None, :] - pull[:, :, None] - pairs + size - 1 + v + (strata is not None)
        has = grid.T > 0
        may = (has & free)[:, :, None] & ~has[:, None, :] & (until <= step)[:, None, :]
        rise = np.where(may, rise, np.inf)
        smallest = rise.min()
        if smallest == np.inf or (descend and smallest >= 0):
            break
        ties = np.flatnonzero(rise == smallest)
        j, x, y = np.unravel_index(ties[rng.integers(len(ties))], rise.shape)
        grid[x, j], grid[y, j] = 0, 1
        until[j, x] = step + rng.integers(3, 8)
    return grid if descend else best


def _cost(meet: Grid) -> float:
    """Sum of squares of the pairs' counts, and of the loads with the weight of all raters."""
    load = np.diag(meet)
    return float(((meet**2).sum() - (load**2).sum()) / 2 + len(meet) * (load**2).sum())


def _floor(grid: Grid) -> float:
    """What the cost would be if loads and pairs were each within one of each other."""
    v, sizes = len(grid), grid.sum(0)
    out = 0.0
    for total, n, weight in ((sizes @ (sizes - 1) / 2, v * (v - 1) // 2, 1), (sizes.sum(), v, v)):
        low, more = divmod(int(total), max(n, 1))
        out += weight * (more * (low + 1) ** 2 + (n - more) * low**2)
    return out


def _excess(grid: Grid) -> float:
    """How far the counts are from as even as arithmetic allows; 0 where they are."""
    return _cost(grid @ grid.T) - _floor(grid)
