"""What a line says was found: the first and the last finding, and the one between them that marks the course."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..events import Shard

Ints = NDArray[np.int64]
DEPARTS = 0.1
"""A value between the first and the last is stated when it lies off the straight course by more than this share of
the greatest value of the line: 130, 142, 138 is told by its ends, 130, 182, 138 is not."""


class Readings(NamedTuple):
    """Events whose finding is stated, by line and time; a line has none to three."""

    line: Ints
    """(readings,) ascending."""
    row: Ints
    """(readings,) in the shard."""


def readings(shard: Shard, line: Ints, rows: Ints, values: int) -> Readings:
    """Which findings the lines state.

    Args:
        shard: the events.
        line: (events,) number of the line.
        rows: (events,) in the shard, lines together and in order of time within each.
        values: 3: the first, the last, and the one that departs most from a straight course between them; 2: the
            first and the last.
    """
    has_finding = np.zeros(len(rows), dtype=bool)
    if shard.value is not None:
        has_finding |= ~np.isnan(shard.value[rows])
    if shard.text is not None:
        has_finding |= shard.text[rows] != None  # noqa: E711
    line, rows = line[has_finding], rows[has_finding]
    if not len(rows):
        return Readings(line, rows)
    starts = np.flatnonzero(np.append(True, np.diff(line) != 0))
    sizes = np.diff(np.append(starts, len(line)))
    keep = np.zeros(len(rows), dtype=bool)
    keep[starts] = True
    keep[starts + sizes - 1] = True
    if values > 2 and (sizes > 2).any():
        keep |= _between(shard, rows, starts, sizes)
    order = np.argsort(line[keep], kind="stable")
    return Readings(line[keep][order], rows[keep][order])


def _between(shard: Shard, rows: Ints, starts: Ints, sizes: Ints) -> NDArray[np.bool_]:
    """(events,) at most one of each group: the value farthest from the line through its ends, or another word."""
    value = np.full(len(rows), np.nan) if shard.value is None else shard.value[rows]
    word = _words(shard, rows, value)
    group = np.repeat(np.arange(len(starts)), sizes)
    ends = starts + sizes - 1
    departs = np.abs(value - _straight(shard.day[rows], value, starts, ends, group))
    greatest = np.maximum.reduceat(np.nan_to_num(np.abs(value)), starts)
    departs = np.where(departs > DEPARTS * greatest[group], departs, 0.0)
    # a word that is neither the first nor the last is news whatever its distance; the latest one is stated
    other = (word != word[starts][group]) & (word != word[ends][group])
    at = np.arange(len(rows))
    departs = np.where(other, np.inf, departs)
    most = np.maximum.reduceat(departs, starts)
    best = (departs == most[group]) & (departs > 0)
    last = np.maximum.reduceat(np.where(best, at, -1), starts)
    out = np.zeros(len(rows), dtype=bool)
    out[last[last >= 0]] = True
    return out


def _straight(
    day: NDArray[np.int32], value: NDArray[np.float64], starts: Ints, ends: Ints, group: Ints
) -> NDArray[np.float64]:
    """(events,) the value on the straight course through the ends of its group; NaN where an end is words."""
    span = np.maximum(day[ends] - day[starts], 1).astype(float)
    share = (day - day[starts][group]) / span[group]
    course: NDArray[np.float64] = value[starts][group] + share * (value[ends] - value[starts])[group]
    return course


def _words(shard: Shard, rows: Ints, value: NDArray[np.float64]) -> Ints:
    """(events,) a number for each word found; -1 for all numbers."""
    if shard.text is None:
        return np.full(len(rows), -1, dtype=np.int64)
    words = np.where(np.isnan(value), shard.text[rows], np.array(None, dtype=object))
    return np.asarray(pd.factorize(words)[0], dtype=np.int64)
