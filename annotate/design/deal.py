"""Who grades what: computed, seeded, saved.

A balanced design gives every item to k of v raters so that all raters have the same load and all pairs of raters
share the same number of items, or one more or less where the counts do not divide.
"""

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ...study.seeds import derive
from ..records import Task
from ..settings import Design
from .blocks import Block, Grid, balanced, even
from .items import Item


def deal(
    items: Sequence[Item], raters: Sequence[str], how: Design, seed: int, old: Sequence[Task] = (),
    done: Collection[tuple[str, str, str]] = (), for_all: Sequence[Item] = (),
) -> list[Task]:  # fmt: skip
    """The tasks of one round.

    Args:
        items: of the round, shown as they are.
        raters: names.
        how: complete, or k raters an item.
        seed: of the study.
        old: tasks of an earlier call; what is finished of them stays with its rater.
        done: (round, rater, item) that are finished.
        for_all: planted controls, which everybody sees.
    """
    if not items:
        return []
    round = items[0].round
    known = {i.id: i for i in [*items, *for_all]}
    kept = {(t.item, t.rater) for t in old if t.round == round and t.item in known}
    finished = {(i, r) for rd, r, i in done if rd == round and i in known}
    pairs = {(i.id, r) for i in for_all for r in raters} | {(i, r) for i, r in finished if r not in raters}
    if how.kind == "complete":
        pairs |= {(i.id, r) for i in items for r in raters}
    elif {r for _, r in kept} == set(raters) and {i for i, _ in kept} == set(known):
        pairs |= kept
    elif kept:
        pairs |= redeal(
            items, raters, how.per_item, kept, finished, derive(seed, "annotate", "redeal", round)
        )
    else:
        blocks = spread(items, len(raters), how.per_item, derive(seed, "annotate", "design", round))
        pairs |= {(i.id, raters[r]) for i, b in zip(items, blocks, strict=True) for r in b}
    out: list[Task] = []
    for rater in sorted({r for _, r in pairs}):
        out += _ordered([known[i] for i in known if (i, rater) in pairs], rater, seed)
    return out


def everything(items: Sequence[Item], raters: Sequence[str], seed: int) -> list[Task]:
    """Every item for every rater."""
    return [t for rater in raters for t in _ordered(items, rater, seed)]


def _ordered(items: Sequence[Item], rater: str, seed: int) -> list[Task]:
    """One rater's tasks in an order of her own; an item's place depends on nothing but itself and the rater."""
    ranked = sorted(items, key=lambda i: derive(seed, "annotate", "order", rater, i.id))
    return [
        Task(
            item=i.id,
            rater=rater,
            rationale=i.rationale,
            case=i.case,
            round=i.round,
            order=n,
            control=i.control,
        )
        for n, i in enumerate(ranked)
    ]


def spread(items: Sequence[Item], v: int, k: int, seed: int) -> list[Block]:
    """A block for each item, so that raters are even inside every stratum too."""
    strata = _strata(items)
    place = (strata.cumsum(0) * strata).sum(1) / (
        strata @ strata.sum(0)
    )  # of the item in its stratum, in (0, 1]
    grid = np.zeros((v, len(items)))
    # Blocks in order, dealt to the strata in turn: neighbours have raters in common, so this is nearly even.
    for item, block in zip(
        np.argsort(place, kind="stable"), sorted(balanced(v, k, len(items), seed)), strict=True
    ):
        grid[list(block), item] = 1
    some = np.random.default_rng(seed).permutation(len(items))[:SWAPPED]
    while (swap := _swap(grid, strata, some)) is not None:
        grid[:, swap] = grid[:, swap[::-1]]
    return [tuple(int(r) for r in np.flatnonzero(column)) for column in grid.T]


SWAPPED = 1000
"""Items, at most, between which blocks change places."""


def _strata(items: Sequence[Item]) -> Grid:
    """Items by strata, 1 where the item is of the stratum."""
    names = sorted({i.stratum for i in items})
    return np.array([[float(i.stratum == name) for name in names] for i in items])


def _swap(grid: Grid, strata: Grid, some: NDArray[np.int64]) -> list[int] | None:
    """The two items whose blocks change places to even the loads inside strata most; None where nothing does."""
    blocks, home = grid[:, some], strata[some]
    meets = blocks.T @ (grid @ strata) @ home.T  # a block with the loads in another item's stratum
    stays = np.diag(meets)
    differ = 2 * (np.diag(blocks.T @ blocks)[:, None] - blocks.T @ blocks)
    rise = (meets + meets.T - stays[:, None] - stays + differ) * (1 - home @ home.T)
    i, j = np.unravel_index(rise.argmin(), rise.shape)
    return [int(some[i]), int(some[j])] if rise[i, j] < 0 else None


def redeal(
    items: Sequence[Item], raters: Sequence[str], k: int, old: Collection[tuple[str, str]],
    done: Collection[tuple[str, str]], seed: int,
) -> set[tuple[str, str]]:  # fmt: skip
    """Deal on after the raters changed: finished work stays, and little more of the rest moves than must."""
    at = {r: n for n, r in enumerate(raters)}
    row = {item.id: j for j, item in enumerate(items)}
    gone = Counter(i for i, r in done if r not in at)
    grid: Grid = np.zeros((len(raters), len(items)))
    fixed = np.zeros(grid.shape, dtype=bool)
    for pairs, marked in ((old, grid), (done, grid), (done, fixed)):
        for i, r in pairs:
            if i in row and r in at:
                marked[at[r], row[i]] = 1
    for j, item in enumerate(items):
        for _ in range(min(k - gone[item.id], len(raters)) - int(grid[:, j].sum())):
            grid[int((grid.sum(1) + len(items) * grid[:, j]).argmin()), j] = 1
    grid = even(grid, np.random.default_rng(seed), fixed=fixed, strata=_strata(items), descend=True)
    return {(items[j].id, raters[r]) for r, j in zip(*np.nonzero(grid), strict=True)}
