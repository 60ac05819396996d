"""Near-duplicate histories: the same person under two ids must not be in two parts of the split.

A history is the set of its (code, age at the first event). Sets are compared by 16 min-hashes in four bands; pairs
that share a band are measured exactly (Jaccard). Of a pair in two parts, the one that trains goes.
"""

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
LEAST = 8
"""Dated lines below which a likeness says nothing: short histories of common codes are alike by chance."""
HASHES, BANDS = 16, 4
MANY = 200
"""Histories in one band beyond which only neighbours are compared."""
COLUMNS = ("case", "kind", "code", "age")
"""Of `Evidence`, that a history is compared by."""
_ORDER = {"train": 0, "tuning": 1, "held_out": 2}


class HistoryMarks:
    """Marks of histories, 32 bytes each, taken while the cases go by."""

    def __init__(self) -> None:
        self._cases: list[pd.DataFrame] = []
        self._bands: list[Hashes] = []
        self._who: list[Ints] = []
        self._n = 0

    def add(self, cases: pd.DataFrame, evidence: pd.DataFrame) -> None:
        """Some cases and all their lines.

        Args:
            cases: columns id, subject, split.
            evidence: the columns `COLUMNS`.
        """
        case, mark = _marks(evidence)
        number = pd.Categorical(case, categories=cases["id"]).codes.astype(np.int64)
        starts = np.flatnonzero(np.append(True, np.diff(number) != 0)) if len(number) else number
        long = np.diff(np.append(starts, len(number))) >= LEAST
        if long.any():
            self._bands.append(_bands(_min_hashes(mark, starts)[long]))
            self._who.append(number[starts[long]] + self._n)
        self._cases.append(cases[["id", "subject", "split"]])
        self._n += len(cases)

    def twins(self, limit: float | None, lines_of: Callable[[set[str]], pd.DataFrame]) -> set[str]:
        """Ids of cases whose history stands, nearly the same, in a later part of the split.

        Args:
            limit: Jaccard index from which two histories are the same; None: nothing is compared.
            lines_of: the evidence of some cases, at least the columns `COLUMNS`.
        """
        if limit is None or not self._bands:
            return set()
        split, ids = self._column("split"), self._column("id")
        pairs = list(self._pairs(split, self._column("subject")))
        sets = _sets(lines_of({ids[n] for pair in pairs for n in pair})) if pairs else {}
        return {
            ids[min(pair, key=lambda n: _ORDER[split[n]])]
            for pair in pairs
            if _jaccard(*(sets[ids[n]] for n in pair)) >= limit
        }

    def _column(self, name: str) -> list[str]:
        return [str(cell) for cases in self._cases for cell in cases[name]]

    def _pairs(self, split: list[str], subject: list[str]) -> Iterator[tuple[int, int]]:
        """Cases of different persons in different parts of the split that share a band."""
        bands, who = np.concatenate(self._bands), np.concatenate(self._who)
        seen = set[tuple[int, int]]()
        for a, b in _candidates(bands, who):
            if split[a] != split[b] and subject[a] != subject[b] and (a, b) not in seen:
                seen.add((a, b))
                yield a, b


def _marks(evidence: pd.DataFrame) -> tuple[NDArray[np.object_], Hashes]:
    """(marks,) case and hash of each dated line: its code and the age at the first event."""
    dated = evidence[evidence["age"].notna() & (evidence["kind"] != "demographic")]
    at, codes = pd.factorize(dated["code"].to_numpy(object))
    tenths = np.round(dated["age"].to_numpy(float) * 10).astype(np.int64).astype(np.uint64)
    mark = (
        pd.util.hash_array(np.asarray(codes, dtype=object))[at] if len(at) else np.zeros(0, dtype=np.uint64)
    )
    return dated["case"].to_numpy(object), (mark + tenths) * np.uint64(0x9E3779B97F4A7C15)


def _sets(evidence: pd.DataFrame) -> dict[str, frozenset[int]]:
    case, mark = _marks(evidence)
    return {str(c): frozenset(m) for c, m in pd.Series(mark).groupby(case)}


def _jaccard(a: frozenset[int], b: frozenset[int]) -> float:
    return len(a & b) / len(a | b)


def _min_hashes(mark: Hashes, starts: Ints) -> Hashes:
    """(histories, HASHES): the least of each multiply-shift hash over a history."""
    odd = np.random.default_rng(0).integers(1, 2**63, HASHES, dtype=np.uint64) | np.uint64(1)
    return np.column_stack([np.minimum.reduceat((mark * m) >> np.uint64(16), starts) for m in odd])


def _bands(small: Hashes) -> Hashes:
    """(histories, BANDS): a number for the hashes of each band."""
    out: Hashes = np.zeros((len(small), BANDS), dtype=np.uint64)
    for column in range(HASHES // BANDS):
        out = out * np.uint64(0x9E3779B97F4A7C15) + small[:, column :: HASHES // BANDS]
    return out


def _candidates(bands: Hashes, who: Ints) -> Iterator[tuple[int, int]]:
    for keys in bands.T:
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(np.diff(keys[order]) != 0) + 1
        sizes = np.diff(np.concatenate([[0], edges, [len(order)]]))
        for start, size in zip(np.append(0, edges)[sizes > 1], sizes[sizes > 1], strict=True):
            group = order[start : start + size]
            near = combinations(group, 2) if size <= MANY else pairwise(group)
            yield from ((int(min(who[a], who[b])), int(max(who[a], who[b]))) for a, b in near)
