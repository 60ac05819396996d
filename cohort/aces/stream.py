"""Rows of a MEDS file as moments: what each predicate of a task counts at each time of each person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...study.errors import DataError
from ..reading.columns import numbers, texts
from .task import ANY, RECORD_END, RECORD_START, Derived, Plain, Task

Ints = NDArray[np.int64]
Rows = Mapping[str, pa.ChunkedArray]
"""Columns by our names: subject, time, code, value where there is one; other columns by theirs."""


@dataclass(frozen=True)
class Stream:
    """Moments, sorted by person and time; all rows of one person at one time are one."""

    people: list[str]
    person: Ints
    """(moments,) place in `people`, ascending."""
    time: Ints
    """(moments,) microseconds since 1970, ascending within a person."""
    count: Mapping[str, Ints]
    """(moments,) rows that count for a predicate; 0 or 1 for what is derived and for `SPECIAL`."""


def stream(rows: Rows, task: Task, file: str) -> Stream:
    """The moments of the people who have everything that the task says must hold always.

    Args:
        rows: of one file, in any order.
        task: names the predicates.
        file: its name, for errors.
    Raises:
        DataError: a column that a predicate names is not there, or times are none.
    """
    subject = texts(rows["subject"])
    known = np.array([s is not None for s in subject], dtype=bool)
    people, person = np.unique(np.where(known, subject, "").astype(str), return_inverse=True)
    time, timed = _times(rows["time"], file)
    hits = {n: known & _hits(rows, n, p, file) for n, p in task.predicates.items() if isinstance(p, Plain)}
    stays = np.ones(len(people), dtype=bool)
    for name, predicate in task.predicates.items():
        if isinstance(predicate, Plain) and predicate.static:
            stays &= np.isin(np.arange(len(people)), person[hits[name] & ~timed])
    use = np.flatnonzero(known & timed & stays[person])
    use = use[np.lexsort((time[use], person[use]))]
    person, time = np.asarray(person[use], dtype=np.int64), time[use]
    new = np.append(True, (person[1:] != person[:-1]) | (time[1:] != time[:-1]))[: len(use)]
    moment = np.asarray(np.cumsum(new), dtype=np.int64) - 1
    n = int(new.sum())
    count: dict[str, Ints] = {}
    for name, predicate in task.predicates.items():
        if isinstance(predicate, Derived):
            some = np.array([count[p] > 0 for p in predicate.of])
            count[name] = np.asarray(
                some.all(axis=0) if predicate.every else some.any(axis=0), dtype=np.int64
            )
        elif predicate.static:
            count[name] = np.ones(n, dtype=np.int64)  # whoever has none is not here
        else:
            count[name] = np.asarray(np.bincount(moment[hits[name][use]], minlength=n), dtype=np.int64)
    person, time = person[new], time[new]
    count[ANY] = np.ones(n, dtype=np.int64)
    count[RECORD_START] = np.append(True, person[1:] != person[:-1])[:n].astype(np.int64)
    count[RECORD_END] = np.append(person[1:] != person[:-1], True)[-n:].astype(np.int64) if n else count[ANY]
    return Stream(people.tolist(), person, time, count)


def _times(column: pa.ChunkedArray, file: str) -> tuple[Ints, NDArray[np.bool_]]:
    """(rows,) microseconds since 1970, and whether there is a time."""
    if not (
        pa.types.is_timestamp(column.type) or pa.types.is_date(column.type) or pa.types.is_null(column.type)
    ):
        raise DataError(f"{file}: the time column holds {column.type}; an ACES task needs timestamps.")
    stamps = pc.cast(column, pa.timestamp("us"), safe=False)
    whole = pc.fill_null(pc.cast(stamps, pa.int64()), 0)
    return np.asarray(whole.to_numpy(), dtype=np.int64), np.asarray(column.is_valid().to_numpy(), dtype=bool)


def _hits(rows: Rows, name: str, predicate: Plain, file: str) -> NDArray[np.bool_]:
    """(rows,) which count for a plain predicate; a missing value is within no limits."""
    codes = rows["code"].unify_dictionaries() if pa.types.is_dictionary(rows["code"].type) else rows["code"]
    array = codes.combine_chunks()
    array = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    words = texts(pa.chunked_array([array.dictionary])).tolist()
    wanted = np.array([*(w is not None and _says(predicate.codes, w) for w in words), False], dtype=bool)
    out: NDArray[np.bool_] = wanted[array.indices.fill_null(len(words)).to_numpy()]
    for limit, key in ((predicate.low, "value_min"), (predicate.high, "value_max")):
        if limit is not None and "value" not in rows:
            raise DataError(f"predicates.{name}.{key}: {file} has no column of values.")
    if predicate.low is not None or predicate.high is not None:
        value: Any = rows["value"]
        value = value.to_numpy() if pa.types.is_floating(value.type) else numbers(value)
        if predicate.low is not None:  # compared in the column's own precision, as ACES does
            out = out & (value >= predicate.low if predicate.low_inclusive else value > predicate.low)
        if predicate.high is not None:
            out = out & (value <= predicate.high if predicate.high_inclusive else value < predicate.high)
    for column, said in predicate.columns.items():
        if column not in rows:
            raise DataError(
                f"predicates.{name}.{column}: no key of ACES, and {file} has no column {column!r}. Correct it."
            )
        out = out & np.array([cell == said for cell in rows[column].to_pylist()], dtype=bool)
    return out


def _says(codes: frozenset[str] | re.Pattern[str], word: str) -> bool:
    return word in codes if isinstance(codes, frozenset) else codes.search(word) is not None
