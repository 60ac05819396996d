"""Who grades what: computed, seeded, saved.

A balanced design gives every item to k of v raters so that all raters have the same load and all pairs of raters
share the same number of items, or one more or less where the counts do not divide.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...study.seeds import derive
from ..records import Task
from ..settings import AssignmentDesign
from .blocks import Block, Grid, balanced, even
from .items import Item


@dataclass(frozen=True)
class Apart:
    """In which order a rater sees items: random, and items about one person as far apart as they can be.

    A person with m items has them at (u + j) / m for j = 0..m-1, with u drawn in [0, 1) for the rater and the person;
    the rater sees all items in the order of these places. Items that are added move those of their person only.
    """

    person: Mapping[str, str]
    """Whose timeline each item shows."""
    seed: int

    def ordered(self, items: Sequence[Item], rater: str) -> list[Item]:
        """The items in the order of one rater."""
        of: dict[str, list[Item]] = defaultdict(list)
        for item in sorted(items, key=lambda i: derive(self.seed, "annotate", "order", rater, i.id)):
            of[self.person[item.id]].append(item)
        places = {
            item.id: (self._start(rater, person) + j) / len(some)
            for person, some in of.items()
            for j, item in enumerate(some)
        }
        return sorted(items, key=lambda i: (places[i.id], i.id))

    def _start(self, rater: str, person: str) -> float:
        return derive(self.seed, "annotate", "order", rater, "person", person) / 2**63


def deal(
    round: str,
    items: Sequence[Item],
    raters: Sequence[str],
    design: AssignmentDesign,
    apart: Apart,
    old: Sequence[Task] = (),
    done: Collection[tuple[str, str, str]] = (),
    for_all: Sequence[Item] = (),
) -> list[Task]:
    """The tasks of one round.

    Args:
        round: its name.
        items: shown as they are.
        raters: names.
        design: complete, or k raters an item.
        apart: in which order.
        old: tasks of an earlier call; what is finished of them stays with its rater.
        done: (round, rater, item) that are finished, also by raters who left.
        for_all: planted controls, which everybody sees.
    """
    if not items:
        return []
    known = {i.id: i for i in [*items, *for_all]}
    finished = {(i, r) for rd, r, i in done if rd == round and i in known}
    pairs = {(i.id, r) for i in for_all for r in raters} | finished
    if design.kind == "complete":
        pairs |= {(i.id, r) for i in items for r in raters}
    else:
        seed = derive(apart.seed, "annotate", "design", round)
        kept = {(t.item, t.rater) for t in old if t.round == round and t.rater in raters}
        pairs |= _balanced(items, raters, design.per_item, kept, finished, seed)
    out: list[Task] = []
    for rater in sorted({r for _, r in pairs}):
        own_items = apart.ordered([known[i] for i in known if (i, rater) in pairs], rater)
        out += [_task(item, rater, round, n) for n, item in enumerate(own_items)]
    return out


def _task(item: Item, rater: str, round: str, order: int) -> Task:
    return Task(
        item=item.id,
        rater=rater,
        rationale=item.rationale,
        case=item.case,
        round=round,
        order=order,
        control=item.control,
    )


def _balanced(
    items: Sequence[Item],
    raters: Sequence[str],
    k: int,
    kept: Collection[tuple[str, str]],
    finished: Collection[tuple[str, str]],
    seed: int,
) -> set[tuple[str, str]]:
    """Which of the raters see which of the items: as before where that still serves, dealt on where it does not."""
    shown = {i.id for i in items}
    kept = {(i, r) for i, r in kept if i in shown}
    if not kept:
        blocks = spread(items, len(raters), k, seed)
        return {(i.id, raters[r]) for i, b in zip(items, blocks, strict=True) for r in b}
    gone = Counter(i for i, r in finished if r not in raters)
    now = Counter(i for i, _ in kept | {(i, r) for i, r in finished if r in raters and i in shown})
    enough = all(now[i] >= min(k - gone[i], len(raters)) for i in shown)
    if enough and {r for _, r in kept} == set(raters):
        return kept
    return redeal(items, raters, k, kept, finished, derive(seed, "redeal"))


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
    items: Sequence[Item],
    raters: Sequence[str],
    k: int,
    old: Collection[tuple[str, str]],
    done: Collection[tuple[str, str]],
    seed: int,
) -> set[tuple[str, str]]:
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
