"""Events become numbered lines: one for each code (and unit) of a case.

Lines are numbered in the order of their first event over the whole history before the prediction time. So a number
stays when the budget changes, and when the prediction time moves later the numbers that were there stay too. All
cases of a shard are worked at once, in columns.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..codes import plain
from ..events import STATIC, Shard
from .course import Readings, readings

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Lines of all cases of a shard, by case and number."""

    case: Ints
    """(lines,) which case, ascending."""
    number: Ints
    """(lines,) from 1 within the case."""
    first: Ints
    last: Ints
    """(lines,) rows of the shard's events: the first and the last that stand in the line."""
    count: Ints
    """(lines,) how many events stand in the line."""
    unit: NDArray[np.object_]
    """(lines,) of what was found; None where there is none."""
    readings: Readings
    """What the lines say was found."""


def rows_before(shard: Shard, person: Ints, day: Ints) -> tuple[Ints, Ints]:
    """All events of each case's person that lie before its day.

    Args:
        shard: the events.
        person: (cases,) row in the people.
        day: (cases,) days since birth; nothing at or after it is given back.
    Returns:
        (events,) case and (events,) row in the shard, in the order of the shard within a case.
    """
    low, starts = -np.int64(STATIC), shard.bounds[person]
    begin = int(starts.min(initial=len(shard.day)))
    some = slice(begin, int(shard.bounds[person + 1].max(initial=begin)))
    keys = shard.person[some].astype(np.int64) << 32 | (shard.day[some].astype(np.int64) + low)
    wanted = person.astype(np.int64) << 32 | (np.maximum(day, STATIC) + low)
    stops = begin + np.searchsorted(keys, wanted, side="left")
    sizes = np.maximum(stops - starts, 0)
    case = np.repeat(np.arange(len(person)), sizes)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return case, np.repeat(starts, sizes) + within


def collapsed(shard: Shard, case: Ints, rows: Ints, values: int) -> Lines:
    """Events of the same code (and unit) of a case become one line; what holds always stands apart.

    Args:
        shard: the events.
        case: (events,) ascending.
        rows: (events,) in the shard, in order of time within a case.
        values: how many findings a line may state.
    """
    what = _same(shard.codes)[shard.code[rows]]
    unit = _units(shard, case, rows, what)
    if shard.unit is not None:
        number, units = pd.factorize(unit, use_na_sentinel=False)
        what = what * len(units) + number
    what = _always_apart(shard, rows, what)
    key = case * (int(what.max(initial=0)) + 1) + what
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(key[order]) != 0)) if len(order) else order
    sizes = np.diff(np.append(starts, len(order)))
    first, last = order[starts], order[starts + sizes - 1] if len(order) else order
    by_first = np.argsort(first)
    number_of = np.empty(len(starts), dtype=np.int64)
    number_of[by_first] = np.arange(len(starts))
    line = np.repeat(number_of, sizes)
    findings = readings(shard, line, rows[order], values)
    first, last, sizes = first[by_first], last[by_first], sizes[by_first]
    of = case[first]
    begin = np.searchsorted(of, of)
    return Lines(of, np.arange(len(of)) - begin + 1, rows[first], rows[last], sizes, unit[first], findings)


def _units(shard: Shard, case: Ints, rows: Ints, what: Ints) -> NDArray[np.object_]:
    """(events,) the unit; where nothing was found and none is said, that of the code's first event that has one."""
    if shard.unit is None:
        return np.full(len(rows), None, dtype=object)
    unit: NDArray[np.object_] = shard.unit[rows]
    bare = pd.isna(unit)
    if shard.value is not None:
        bare &= np.isnan(shard.value[rows])
    if shard.text is not None:
        bare &= pd.isna(shard.text[rows])
    if not bare.any() or bare.all():
        return unit
    frame = pd.DataFrame({"case": case, "what": what, "unit": pd.Series(unit, dtype=object)})
    of_code = frame.groupby(["case", "what"], sort=False)["unit"].transform("first")
    found = of_code.to_numpy(object)
    return np.where(bare & ~pd.isna(found), found, unit)


def _always_apart(shard: Shard, rows: Ints, what: Ints) -> Ints:
    """(events,) `what`, with another number for what holds always: one for each finding, for none came first."""
    always = np.flatnonzero(shard.day[rows] == STATIC)
    if not len(always):
        return what
    findings = [
        pd.factorize(column[rows[always]], use_na_sentinel=False)[0]
        for column in (shard.value, shard.text)
        if column is not None
    ]
    apart = pd.factorize(pd.MultiIndex.from_arrays([what[always], *findings]))[0]
    out = what.copy()
    out[always] = int(what.max()) + 1 + apart
    return out


def _same(codes: pd.DataFrame) -> Ints:
    """(codes,) a number that codes of one system share when they differ only in dots, case or name."""
    keys = [f"{s}|{plain(str(c))}" for s, c in zip(codes["system"], codes["code"], strict=True)]
    return pd.factorize(np.array(keys, dtype=object))[0].astype(np.int64)
