"""Who grades what: computed, seeded, saved.

A balanced design gives every item to k of v raters so that all raters have the same load and all pairs of raters
share the same number of items, or one more or less where the counts do not divide.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ..study.seeds import derive
from .items import Item
from .records import Task
from .settings import Design

Block = tuple[int, ...]
"""The raters of one item, by position."""
Counts = NDArray[np.float64]


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
        pairs |= redeal(items, raters, how.per_item, kept, finished)
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
    left = Counter(balanced(v, k, len(items), seed))
    rng = np.random.default_rng(seed)
    strata = sorted({i.stratum for i in items})
    out: dict[str, Block] = {}
    for stratum in strata:
        load = np.zeros(v)
        for item in (i for i in items if i.stratum == stratum):
            options = sorted(b for b in left if left[b])
            costs = [float(np.sum((load + _ones(b, v)) ** 2)) + 1e-6 * float(rng.random()) for b in options]
            block = options[int(np.argmin(costs))]
            left[block] -= 1
            load += _ones(block, v)
            out[item.id] = block
    return [out[i.id] for i in items]


def _ones(block: Block, v: int) -> Counts:
    x = np.zeros(v)
    x[list(block)] = 1
    return x


def balanced(v: int, k: int, b: int, seed: int) -> list[Block]:
    """`b` blocks of `k` out of `v` raters: whole sets of all combinations, then the best that a search finds.

    >>> pair_counts(balanced(7, 3, 7, 0), 7)          # the Fano plane: every pair meets once
    (1, 1)
    """
    every = list(combinations(range(v), k))
    rounds, rest = divmod(b, comb(v, k))
    return every * rounds + _near(every, v, rest, seed)


def pair_counts(blocks: Sequence[Block], v: int) -> tuple[int, int]:
    """The fewest and the most items that any pair of raters shares."""
    found = Counter(p for block in blocks for p in combinations(sorted(block), 2))
    counts = [found[p] for p in combinations(range(v), 2)]
    return min(counts, default=0), max(counts, default=0)


def loads(blocks: Sequence[Block], v: int) -> tuple[int, int]:
    """The fewest and the most items that any rater has."""
    found = Counter(r for block in blocks for r in block)
    return min(found[r] for r in range(v)), max(found[r] for r in range(v))


def _near(every: Sequence[Block], v: int, b: int, seed: int) -> list[Block]:
    """`b` blocks by exchange from several starts; where that leaves pairs uneven, by turning blocks in a circle."""
    if b == 0:
        return []
    rng = np.random.default_rng(seed)
    pairs = {p: n for n, p in enumerate(combinations(range(v), 2))}
    # One row a block: which pairs and which raters it raises.
    matrix = np.zeros((len(every), len(pairs) + v))
    for row, block in enumerate(every):
        matrix[row, [pairs[p] for p in combinations(block, 2)]] = 1
        matrix[row, [len(pairs) + r for r in block]] = 1
    best: NDArray[np.int64] | None = None
    lowest = np.inf
    for _ in range(STARTS):
        chosen, cost = _exchange(matrix, b, rng)
        if cost < lowest:
            best, lowest = chosen, cost
        if lowest <= _floor(matrix, b, len(pairs)):
            break
    assert best is not None
    found = [every[int(i)] for i in best]
    low, high = pair_counts(found, v)
    return found if high - low <= 1 else _turned(every, matrix, v, b) or found


def _turned(every: Sequence[Block], matrix: Counts, v: int, b: int) -> list[Block] | None:
    """An even design of whole orbits under x + 1 modulo v, or modulo v - 1 with the last rater held; None if none.

    Most designs in the tables are of this kind (Bose 1939, Ann Eugenics 9:353).
    """
    at = {block: row for row, block in enumerate(every)}
    for n in (v, v - 1):
        orbits: dict[Block, list[int]] = {}
        for block in every:
            turned = {tuple(sorted((x + t) % n if x < n else x for x in block)) for t in range(n)}
            orbits.setdefault(min(turned), sorted(at[x] for x in turned))
        rows = list(orbits.values())
        sums = np.array([matrix[o].sum(0) for o in rows])
        for m in range(1, 5):
            if comb(len(rows), m) > TRIES:
                break
            for chosen in combinations(range(len(rows)), m):
                if sum(len(rows[o]) for o in chosen) == b and np.ptp(sums[list(chosen)].sum(0)[:-v]) <= 1:
                    return [every[i] for o in chosen for i in rows[o]]
    return None


TRIES = 300_000
"""Sets of orbits that are looked at, at most, for each number of orbits."""
STARTS = 10
"""Starts of the search; it ends earlier when the counts are as even as arithmetic allows."""


def _floor(matrix: Counts, b: int, pairs: int) -> float:
    """The sum of squares if all counts were within one of each other."""
    out = 0.0
    for part in (matrix[:, :pairs], matrix[:, pairs:]):
        total, n = int(part[0].sum()) * b, part.shape[1]
        if n:
            low, more = divmod(total, n)
            out += more * (low + 1) ** 2 + (n - more) * low**2
    return out


def _exchange(matrix: Counts, b: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], float]:
    """Exchange one block at a time for one that evens the counts; now and then for one that does not."""
    n = len(matrix)
    chosen = rng.choice(n, size=b, replace=b > n)
    counts = matrix[chosen].sum(axis=0)
    best, lowest = chosen.copy(), float(counts @ counts)
    for heat in np.geomspace(3.0, 0.2, 60 * b):
        at = int(rng.integers(b))
        rest = counts - matrix[chosen[at]]
        rise = matrix @ rest
        weights = np.exp((rise.min() - rise) / heat)
        chosen[at] = rng.choice(n, p=weights / weights.sum())
        counts = rest + matrix[chosen[at]]
        cost = float(counts @ counts)
        if cost < lowest:
            best, lowest = chosen.copy(), cost
    return best, lowest


def redeal(
    items: Sequence[Item], raters: Sequence[str], k: int, old: Collection[tuple[str, str]],
    done: Collection[tuple[str, str]],
) -> set[tuple[str, str]]:  # fmt: skip
    """Deal on after the raters changed: finished work stays, and only as much of the rest moves as evens the load."""
    fixed = {(i, r) for i, r in done if r in raters}
    gone = Counter(i for i, r in done if r not in raters)
    has: dict[str, set[str]] = {r: set() for r in raters}
    for i, r in fixed | {(i, r) for i, r in old if r in raters}:
        has[r].add(i)
    for item in (i.id for i in items):
        while sum(item in has[r] for r in raters) < min(k - gone[item], len(raters)):
            has[min((r for r in raters if item not in has[r]), key=lambda r: (len(has[r]), r))].add(item)
    while (move := _move(has, fixed)) is not None:
        item, giver, taker = move
        has[giver].remove(item)
        has[taker].add(item)
    return {(i, r) for r, mine in has.items() for i in mine}


def _move(has: dict[str, set[str]], fixed: Collection[tuple[str, str]]) -> tuple[str, str, str] | None:
    """The next open item from the busiest rater who has one to the least busy; None where that evens nothing."""
    taker = min(has, key=lambda r: (len(has[r]), r))
    for giver in sorted(has, key=lambda r: (-len(has[r]), r)):
        if len(has[giver]) - len(has[taker]) <= 1:
            return None
        if movable := [i for i in has[giver] - has[taker] if (i, giver) not in fixed]:
            met = {r: len(has[r] & has[taker]) for r in has if r not in (giver, taker)}
            return (
                min(movable, key=lambda i: (sum(n for r, n in met.items() if i in has[r]), i)),
                giver,
                taker,
            )
    return None
