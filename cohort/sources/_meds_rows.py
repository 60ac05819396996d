"""Rows of a MEDS file as arrays: whose they are, when, and what they say of the person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ...study.errors import DataError
from ..events import UNDATED
from ..reading import columns
from ..reading.bad_rows import BadRows

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class MedsRows:
    """The rows of a file, each person's together."""

    ids: list[Any]
    starts: Ints
    """(people,) the first row of each, in the file."""
    order: Ints | None
    """(rows,) their place in the file; None: as they stand there."""
    person: NDArray[np.int32]
    time: Ints
    """(rows,) days since 1970, or `NEVER`."""
    code: NDArray[np.int32]
    codes: pd.DataFrame
    units: NDArray[np.object_]
    """(codes,)"""
    birth: Ints
    death: Ints
    """(people,) days since 1970, or `NEVER`."""
    dead: NDArray[np.bool_]
    marks: NDArray[np.bool_]
    """(codes,) whether it is a birth, a death, or no code."""


@dataclass(frozen=True)
class Events:
    """Columns of a shard."""

    person: NDArray[np.int32]
    day: NDArray[np.int32]
    code: NDArray[np.int32]
    row: Ints


def by_person(column: pa.ChunkedArray, file: str) -> tuple[Ints | None, Ints, list[Any]]:
    """How to reorder rows so that a person's stand together (None: they do), where each begins, and the ids."""
    if column.null_count:
        raise DataError(f"{file}: {column.null_count} rows have no subject.")
    ids = column.to_numpy() if pa.types.is_integer(column.type) else columns.texts(column)
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    if len(pd.unique(ids[starts])) == len(starts):
        return None, starts, ids[starts].tolist()
    number, distinct = pd.factorize(ids)
    order = np.argsort(number, kind="stable")
    return order, np.searchsorted(number[order], np.arange(len(distinct))), list(distinct)


def marked(codes: pd.DataFrame, given: tuple[str, ...]) -> NDArray[np.bool_]:
    """(codes,) which of them are one of these, or begin with one."""
    raw = [f"{s}//{c}" if s else str(c) for s, c in zip(codes["system"], codes["code"], strict=True)]
    whole = frozenset(_plain(given))
    begins = tuple(f"{g}//" for g in whole)
    return np.array([r in whole or r.startswith(begins) for r in raw], dtype=bool)


def _plain(given: tuple[str, ...]) -> list[str]:
    """Codes as they stand in the table, where the system is in front."""
    from ..codes import parse

    parsed = [parse(g) for g in given]
    return [f"{p.system}//{p.code}" if p.system else p.code for p in parsed]


def first_time(rows: Ints, person: NDArray[np.int32], time: Ints, n: int) -> Ints:
    """(n,) the earliest time of each person's rows, or `NEVER`."""
    out = np.full(n, NEVER)
    rows = rows[time[rows] != NEVER]
    rows = rows[np.argsort(-time[rows], kind="stable")]
    out[person[rows]] = time[rows]
    return out


def differing(rows: Ints, person: NDArray[np.int32], time: Ints) -> int:
    """How many people have these rows on more than one day."""
    rows = rows[time[rows] != NEVER]
    days = pd.DataFrame({"person": person[rows], "day": time[rows]}).drop_duplicates()
    return int((days["person"].value_counts() > 1).sum())


def span(events: Events, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(people,) days of the first and the last dated event; NaN where there is none."""
    bounds = np.searchsorted(events.person, np.arange(n + 1, dtype=np.int32))
    undated = np.bincount(events.person[events.day <= UNDATED], minlength=n)
    first, last = bounds[:-1] + undated, bounds[1:] - 1
    some = first <= last
    if not len(events.day):
        return np.full(n, np.nan), np.full(n, np.nan)
    return (
        np.where(some, events.day[np.minimum(first, len(events.day) - 1)], np.nan),
        np.where(some, events.day[last], np.nan),
    )


def sexes(codes: pd.DataFrame, events: Events, n: int, bad: BadRows) -> NDArray[np.object_]:
    """(n,) `male`, `female`, or None where neither or both stand there."""
    out = np.full(n, None, dtype=object)
    holders = {}
    for sex in ("male", "female"):
        of_sex = ((codes["system"] == "SEX") & (codes["code"] == sex)).to_numpy(bool)
        holders[sex] = np.isin(np.arange(n), events.person[of_sex[events.code]])
        out[holders[sex]] = sex
    both = holders["male"] & holders["female"]
    out[both] = None
    bad.note("people with both sexes in the records; theirs is taken as not known", int(both.sum()))
    return out


def column(
    table: pa.Table, name: str | None, rows: Ints, read: Callable[[pa.ChunkedArray], NDArray[Any]]
) -> NDArray[Any] | None:
    """The rows of a column; None where there is no such column or nothing in it."""
    if name is None or table[name].null_count == table.num_rows:
        return None
    return read(table[name])[rows]
