"""Which fits a mean over seeds may rest on: each seed must stand for the same settings, or their means differ by
design."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from ..measures.inference import FEWEST_SEEDS


class GridPlace(NamedTuple):
    """Where a fit or a pair of fits stands in the grid."""

    point: Hashable
    """All its settings but the seed."""
    seed: int


def by_seed(places: Sequence[GridPlace]) -> list[list[int]]:
    """Positions to average for each seed.

    The largest block of three seeds or more in which every point has every seed. Where there is none, all of them: by
    seed where every point has every seed, else as one group; either way the mean is about these fits.

    >>> by_seed([GridPlace("a", 0), GridPlace("a", 1), GridPlace("a", 2), GridPlace("b", 0)])    # b lacks two seeds
    [[0], [1], [2]]
    >>> by_seed([GridPlace("a", 0), GridPlace("b", 1), GridPlace("c", 2)])    # each seed has other settings
    [[0, 1, 2]]
    """
    seeds_of: dict[Hashable, set[int]] = {}
    for place in places:
        seeds_of.setdefault(place.point, set()).add(place.seed)
    every = set().union(*seeds_of.values())
    shared = set.intersection(*seeds_of.values()) if seeds_of else set()
    whole = {point for point, seeds in seeds_of.items() if seeds == every}
    blocks = [
        [i for i, p in enumerate(places) if p.point in whole and len(every) >= FEWEST_SEEDS],
        [i for i, p in enumerate(places) if p.seed in shared and len(shared) >= FEWEST_SEEDS],
    ]
    block = max(blocks, key=len)
    if not block and len(whole) < len(seeds_of):
        return [list(range(len(places)))]
    kept = block or range(len(places))
    return [[i for i in kept if places[i].seed == seed] for seed in sorted({places[i].seed for i in kept})]
