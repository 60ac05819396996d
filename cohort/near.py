"""Near-duplicate histories: the same person under two ids must not be in two parts of the split.

A history is the set of its (code, age at the first event). Sets are compared by 16 min-hashes in four bands; pairs
that share a band are measured exactly (Jaccard). Of a pair in two parts, the one that trains goes.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEAST = 8
"""Dated lines below which a likeness says nothing: short histories of common codes are alike by chance."""
HASHES, BANDS = 16, 4
MANY = 200
"""Histories in one band beyond which only neighbours are compared."""
_ORDER = {"train": 0, "tuning": 1, "held_out": 2}


def without_twins(
    cases: pd.DataFrame, evidence: pd.DataFrame, limit: float | None
) -> tuple[pd.DataFrame, pd.DataFrame, set[str]]:
    """Cases and evidence without those whose history stands, nearly the same, in a later part of the split.

    Args:
        cases: rows of `Case`.
        evidence: rows of `Evidence` of all of them.
        limit: Jaccard index from which two histories are the same; None: nothing is compared.
    Returns:
        Cases, evidence, and the subjects that were left out.
    """
    if limit is None or cases["split"].nunique() < 2:
        return cases, evidence, set()
    split = dict(zip(cases["id"], cases["split"], strict=True))
    out = {
        min(a, b, key=lambda c: _ORDER[split[c]])
        for a, b, likeness in pairs(cases, evidence)
        if likeness >= limit
    }
    if not out:
        return cases, evidence, set()
    gone = cases["id"].isin(out)
    kept, lines = (
        cases[~gone].reset_index(drop=True),
        evidence[~evidence["case"].isin(out)].reset_index(drop=True),
    )
    return kept, lines, set(cases.loc[gone, "subject"])


def pairs(cases: pd.DataFrame, evidence: pd.DataFrame) -> Iterator[tuple[str, str, float]]:
    """Cases of different persons in different parts that share a band, with their Jaccard index."""
    dated = evidence[evidence["age"].notna() & (evidence["kind"] != "demographic")]
    mark = pd.util.hash_array((dated["code"] + "@" + dated["age"].astype(str)).to_numpy(object))
    number = pd.Categorical(dated["case"], categories=cases["id"]).codes
    starts = np.flatnonzero(np.append(True, np.diff(number) != 0)) if len(number) else np.zeros(0, dtype=int)
    stops = np.append(starts[1:], len(number))
    long = stops - starts >= LEAST
    if not long.any():
        return
    small = _min_hashes(mark, starts)[long]
    who = number[starts[long]]
    sets = {
        int(n): frozenset(mark[a:b].tolist()) for n, a, b in zip(who, starts[long], stops[long], strict=True)
    }
    ids, split, subject = (cases[c].to_numpy(object) for c in ("id", "split", "subject"))
    seen: set[tuple[int, int]] = set()
    for a, b in _candidates(small, who):
        if split[a] != split[b] and subject[a] != subject[b] and (a, b) not in seen:
            seen.add((a, b))
            yield ids[a], ids[b], len(sets[a] & sets[b]) / len(sets[a] | sets[b])


def _min_hashes(mark: NDArray[np.uint64], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """(histories, HASHES): the least of each multiply-shift hash over a history."""
    odd = np.random.default_rng(0).integers(1, 2**63, HASHES, dtype=np.uint64) | np.uint64(1)
    return np.column_stack([np.minimum.reduceat((mark * m) >> np.uint64(16), starts) for m in odd])


def _candidates(small: NDArray[np.uint64], who: NDArray[np.int16]) -> Iterator[tuple[int, int]]:
    width = HASHES // BANDS
    for band in range(BANDS):
        keys = pd.util.hash_array(
            np.array(
                [row.tobytes().hex() for row in small[:, band * width : (band + 1) * width]], dtype=object
            )
        )
        order = np.argsort(keys, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(keys[order]) != 0) + 1):
            if len(group) > 1:
                near = combinations(group, 2) if len(group) <= MANY else pairwise(group)
                yield from (tuple(sorted((int(who[a]), int(who[b])))) for a, b in near)  # type: ignore[misc]
