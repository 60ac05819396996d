"""MEDS 0.4 Parquet, and what is found in the wild of it (`value` for `numeric_value`, no metadata, one bare file).

A subject stands in one file, its rows together and sorted by time; rows without a time hold always. Birth is
`MEDS_BIRTH`, death `MEDS_DEATH`. A file is a shard.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...study.errors import DataError, StudyError
from ...study.records import Record
from .. import columns, tables
from ..codes import parse
from ..events import CODES, STATIC, Place, Shard

Ints = NDArray[np.int64]
BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"
NEVER = np.iinfo(np.int64).min
SEXES = {"m": "male", "male": "male", "f": "female", "female": "female"}


class Options(Record):
    """Where the records are, and names that differ from the standard's."""

    path: str
    """The folder that holds `data/` (and `metadata/`), a folder of Parquet files, or one file."""
    subject: str = "subject_id"
    time: str = "time"
    code: str = "code"
    value: str | None = None
    """None: `numeric_value`, else `value`, where there is one."""
    text: str | None = None
    """None: `text_value`, where there is one."""
    unit: str | None = None
    """None: `unit`, where there is one."""
    site: str | None = None
    """A column; the person's first value of it."""


def read(options: Options, place: Place) -> "Meds":
    """The records; only the columns' names are looked at before they are gone through.

    Raises:
        StudyError: nothing there.
        DataError: a column is missing.
    """
    return Meds(options, place)


class Meds:
    """Goes through the files, one shard each."""

    def __init__(self, options: Options, place: Place) -> None:
        self.options, self.place = options, place
        root = place.path(options.path)
        self.files = _files(root)
        if not self.files:
            raise StudyError(
                f"cohort.source.path: {options.path}: no Parquet files there. Give a MEDS folder or file."
            )
        self.names = _descriptions(root / "metadata" / "codes.parquet")
        self.splits = _splits(root / "metadata" / "subject_splits.parquet")
        for file in self.files:
            self._columns(pq.read_schema(file), file.name)

    def __iter__(self) -> Iterator[Shard]:
        seen: set[Any] = set()
        for file in self.files:
            shard = self._shard(file)
            twice = seen.intersection(shard.people["subject"])
            if twice:
                raise DataError(
                    f"{file.name}: subject {min(twice)} stands in an earlier file too; MEDS wants each in one file."
                )
            seen.update(shard.people["subject"])
            yield shard

    def _columns(self, schema: pa.Schema, file: str) -> dict[str, str]:
        """Our names -> the file's names."""
        o, have = self.options, set(schema.names)
        wanted = {"subject": o.subject, "time": o.time, "code": o.code}
        for ours, given, usual in (("value", o.value, ("numeric_value", "value")), ("text", o.text, ("text_value",)),
                                   ("unit", o.unit, ("unit",)), ("site", o.site, ())):  # fmt: skip
            name = given or next((u for u in usual if u in have), None)
            if name:
                wanted[ours] = name
        lacking = [name for name in wanted.values() if name not in have]
        if lacking:
            raise DataError(f"{file}: no column {lacking[0]!r}; it has {', '.join(schema.names)}. "
                            "Name the right one in cohort.source.")  # fmt: skip
        return wanted

    def _shard(self, file: Path) -> Shard:
        names = self._columns(pq.read_schema(file), file.name)
        dictionary = [names[n] for n in ("code", "unit", "text") if n in names]
        table = pq.read_table(file, columns=list(names.values()), read_dictionary=dictionary)
        if table.num_rows == 0:
            raise DataError(f"{file.name}: an empty table. Remove the file, or export it again.")
        self.place.bad.read(file.name, table.num_rows)
        row, starts, ids = _people(table[names["subject"]], file.name)
        codes, code = self._codes(table[names["code"]], file.name)
        time, unread = self._times(table[names["time"]], file.name)
        if row is not None:
            code, time, unread = code[row], time[row], unread[row]
        sizes = np.diff(np.append(starts, len(time)))
        person = np.repeat(np.arange(len(ids), dtype=np.int32), sizes)
        marks = np.isin(codes["code"].to_numpy(object), [BIRTH, DEATH])
        marked = np.flatnonzero(marks[code])
        born, died = (
            _first_time(marked[code[marked] == i], person, time, len(ids))
            for i in (_place(codes, BIRTH), _place(codes, DEATH))
        )
        day = (time - np.repeat(born, sizes)).astype(np.int32)
        day[(time == NEVER) | np.repeat(born == NEVER, sizes)] = STATIC
        keep = np.flatnonzero(~marks[code] & ~unread) if unread.any() else np.flatnonzero(~marks[code])
        person, day, code = person[keep], day[keep], code[keep]
        falls = np.flatnonzero(day[1:] < day[:-1])
        if np.any(person[falls] == person[falls + 1]):
            order = np.lexsort((day, person))
            keep, person, day, code = keep[order], person[order], day[order], code[order]
        source = keep if row is None else row[keep]
        return Shard(
            people=self._table(
                table,
                names,
                ids,
                starts if row is None else row[starts],
                born,
                died,
                codes,
                person,
                day,
                code,
            ),
            codes=codes,
            person=person,
            day=day,
            code=code,
            files=(file.name,),
            row=source,
            value=_column(table, names.get("value"), source, columns.numbers),
            unit=_column(table, names.get("unit"), source, columns.texts),
            text=_column(table, names.get("text"), source, columns.texts),
        )

    def _table(self, table: pa.Table, names: dict[str, str], ids: list[Any], rows: Ints, born: Ints, died: Ints,
               codes: pd.DataFrame, person: NDArray[np.int32], day: NDArray[np.int32],
               code: NDArray[np.int32]) -> pd.DataFrame:  # fmt: skip
        """One row a person. Watched from the first to the last event, or to death."""
        known = born != NEVER
        death = np.where((died == NEVER) | ~known, np.nan, died - born)
        bounds = np.searchsorted(person, np.arange(len(ids) + 1, dtype=np.int32))
        static = np.bincount(person[day == STATIC], minlength=len(ids))
        first, last = bounds[:-1] + static, bounds[1:] - 1
        some = first <= last
        span = np.where(some, day[np.minimum(first, len(day) - 1)], np.nan), np.where(some, day[last], np.nan)
        site = table[names["site"]].take(pa.array(rows)).to_pylist() if "site" in names else [None] * len(ids)
        return pd.DataFrame({
            "subject": pd.array([str(i) for i in ids], dtype=object),
            "sex": _sexes(codes, person, code, len(ids)),
            "site": pd.array([None if s is None else str(s) for s in site], dtype=object),
            "aged": known,
            "birth": pd.Series(np.where(known, born, 0).astype("M8[D]").astype("M8[s]")).where(known),
            "first_day": span[0],
            "last_day": np.fmax(span[1], death),
            "death_day": death,
            "split": pd.array([self.splits.get(i) for i in ids], dtype=object),
        })  # fmt: skip

    def _times(self, column: pa.ChunkedArray, file: str) -> tuple[Ints, NDArray[np.bool_]]:
        """Days since 1970, `NEVER` where there is no time; and the rows whose text is no date, counted as bad."""
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return column.to_numpy().astype("M8[D]").view(np.int64), np.zeros(len(column), dtype=bool)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise DataError(
                f"{file}: the time column holds {column.type}, neither timestamps nor dates as text."
            )
        text = pd.Series(column.to_pylist(), dtype=object)
        text = text.where(~text.isin(["", "NaT", "None"]), None)
        read = tables.dates(text)
        unread = (text.notna() & read.isna()).to_numpy(bool)
        self.place.bad.add(file, "time is no date", np.flatnonzero(unread).tolist(), text[unread].tolist())
        return read.to_numpy().astype("M8[D]").view(np.int64), unread

    def _codes(self, column: pa.ChunkedArray, file: str) -> tuple[pd.DataFrame, NDArray[np.int32]]:
        """The table of codes that occur, and each row's place in it."""
        if column.null_count:
            raise DataError(f"{file}: {column.null_count} rows have no code; MEDS wants one in every row.")
        array = (
            column.combine_chunks()
            if pa.types.is_dictionary(column.type)
            else pc.dictionary_encode(column.combine_chunks())
        )
        raw = array.dictionary.to_pylist()
        rows = [
            (c, "", "observation", c) if c in (BIRTH, DEATH) else _named(c, self.names.get(c)) for c in raw
        ]
        return pd.DataFrame(rows, columns=list(CODES), dtype=object), array.indices.to_numpy().astype(
            np.int32
        )


def _named(raw: str, description: str | None) -> tuple[str, str, str, str]:
    system, code, kind = parse(raw)
    if system == "SEX" and (sex := SEXES.get(code.lower())):
        description = f"Sex: {sex}"
    return code, system, kind, description or f"{system} {code}".strip()


def _people(column: pa.ChunkedArray, file: str) -> tuple[Ints | None, Ints, list[Any]]:
    """How to reorder rows so that a person's stand together (None: they do), where each begins, and the ids."""
    if column.null_count:
        raise DataError(f"{file}: {column.null_count} rows have no subject.")
    ids = column.to_numpy()
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    if len(pd.unique(ids[starts])) == len(starts):
        return None, starts, ids[starts].tolist()
    number, found = pd.factorize(ids)
    order = np.argsort(number, kind="stable")
    return order, np.searchsorted(number[order], np.arange(len(found))), list(found)


def _place(codes: pd.DataFrame, code: str) -> int:
    """Row of a code in the table; -1 where it does not occur."""
    at = np.flatnonzero((codes["code"] == code).to_numpy(bool))
    return int(at[0]) if len(at) else -1


def _first_time(rows: Ints, person: NDArray[np.int32], time: Ints, n: int) -> Ints:
    """(n,) the earliest time of each person's rows, or `NEVER`."""
    out = np.full(n, NEVER)
    rows = rows[time[rows] != NEVER]
    rows = rows[np.argsort(-time[rows], kind="stable")]
    out[person[rows]] = time[rows]
    return out


def _sexes(
    codes: pd.DataFrame, person: NDArray[np.int32], code: NDArray[np.int32], n: int
) -> NDArray[np.object_]:
    """(n,) `male`, `female` or None."""
    words = np.array([SEXES.get(str(c).lower()) for c in codes["code"]], dtype=object)
    is_sex = (codes["system"] == "SEX").to_numpy(bool)
    rows = np.flatnonzero(is_sex[code])
    sex = np.full(n, None, dtype=object)
    sex[person[rows]] = words[code[rows]]
    return sex


def _column(
    table: pa.Table, name: str | None, rows: Ints, read: Callable[[pa.ChunkedArray], NDArray[Any]]
) -> NDArray[Any] | None:
    """The rows of a column; None where there is no such column or nothing in it."""
    if name is None or table[name].null_count == table.num_rows:
        return None
    return read(table[name])[rows]


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    inner = root / "data" if (root / "data").is_dir() else root
    return sorted(inner.rglob("*.parquet"))


def _descriptions(path: Path) -> dict[str, str]:
    """Code -> its name, from MEDS metadata where there is some."""
    if not path.exists():
        return {}
    table = pq.read_table(path, columns=["code", "description"])
    return {
        c: d for c, d in zip(table["code"].to_pylist(), table["description"].to_pylist(), strict=True) if d
    }


def _splits(path: Path) -> dict[int, str]:
    if not path.exists():
        return {}
    table = pq.read_table(path, columns=["subject_id", "split"])
    return dict(zip(table["subject_id"].to_pylist(), table["split"].to_pylist(), strict=True))
