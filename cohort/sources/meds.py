"""MEDS 0.4 Parquet, and what is found in the wild of it (`value` for `numeric_value`, no metadata, one bare file).

A subject stands in one file, its rows together and sorted by time; rows without a time hold always. Birth is
`MEDS_BIRTH`, death `MEDS_DEATH`. A file is a shard.
"""

from collections.abc import Iterator
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
from ..codes import parse
from ..events import CODES, STATIC, Place, Shard

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
        table = pq.read_table(file, columns=list(names.values()), read_dictionary=dictionary).combine_chunks()
        if table.num_rows == 0:
            raise DataError(f"{file.name}: an empty table. Remove the file, or export it again.")
        self.place.bad.read(file.name, table.num_rows)
        row, person, ids = _people(table[names["subject"]], file.name)
        codes, code = self._codes(table[names["code"]], file.name)
        time = _days(table[names["time"]], file.name)
        code, time = (code, time) if row is None else (code[row], time[row])
        birth = _first_time(codes["code"] == BIRTH, person, time, code, len(ids))
        death = _first_time(codes["code"] == DEATH, person, time, code, len(ids))
        born = birth[person]
        day = np.where((time == NEVER) | (born == NEVER), STATIC, time - born).astype(np.int32)
        keep = np.flatnonzero(~np.isin(code, np.flatnonzero(codes["code"].isin([BIRTH, DEATH]))))
        same = person[keep][1:] == person[keep][:-1]
        if np.any(same & (np.diff(day[keep]) < 0)):
            keep = keep[np.lexsort((day[keep], person[keep]))]
        source = keep if row is None else row[keep]
        value = _column(table, names.get("value"), source)
        people = pd.DataFrame({
            "subject": [str(i) for i in ids],
            "sex": _sexes(codes, person, code, len(ids)),
            "site": _sites(table, names.get("site"), person, row, len(ids)),
            "aged": birth != NEVER,
            "birth": pd.Series(np.where(birth == NEVER, 0, birth).astype("M8[D]").astype("M8[s]")).where(birth != NEVER),
            **_span(person[keep], day[keep], len(ids)),
            "death_day": np.where((death == NEVER) | (birth == NEVER), np.nan, death - birth),
            "split": [self.splits.get(i) for i in ids] if self.splits else None,
        })  # fmt: skip
        return Shard(
            people=people,
            codes=codes,
            person=person[keep],
            day=day[keep],
            code=code[keep],
            files=(file.name,),
            row=source,
            value=None
            if value is None
            else pd.to_numeric(pd.Series(value), errors="coerce").to_numpy(np.float64),
            unit=_column(table, names.get("unit"), source),
            text=_column(table, names.get("text"), source),
        )

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
        return pd.DataFrame(rows, columns=list(CODES)), array.indices.to_numpy().astype(np.int32)


def _named(raw: str, description: str | None) -> tuple[str, str, str, str]:
    system, code, kind = parse(raw)
    if system == "SEX" and (sex := SEXES.get(code.lower())):
        description = f"Sex: {sex}"
    return code, system, kind, description or f"{system} {code}".strip()


def _people(
    column: pa.ChunkedArray, file: str
) -> tuple[NDArray[np.int64] | None, NDArray[np.int32], list[Any]]:
    """How to reorder rows so that a person's stand together (None: they do), each row's person, and the ids."""
    if column.null_count:
        raise DataError(f"{file}: {column.null_count} rows have no subject.")
    ids = column.combine_chunks().to_numpy(zero_copy_only=False)
    new = np.append(True, ids[1:] != ids[:-1])
    if len(pd.unique(ids[new])) == new.sum():
        return None, (np.cumsum(new) - 1).astype(np.int32), ids[new].tolist()
    number, found = pd.factorize(ids)
    order = np.argsort(number, kind="stable")
    return order, number[order].astype(np.int32), list(found)


def _days(column: pa.ChunkedArray, file: str) -> NDArray[np.int64]:
    """Days since 1970, `NEVER` where there is no time."""
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise DataError(f"{file}: the time column holds {column.type}, not timestamps.")
    found: NDArray[np.int64] = (
        pc.cast(column, pa.timestamp("us"))
        .combine_chunks()
        .to_numpy(zero_copy_only=False)
        .astype("M8[D]")
        .astype(np.int64)
    )
    return found


def _first_time(
    wanted: "pd.Series[bool]",
    person: NDArray[np.int32],
    time: NDArray[np.int64],
    code: NDArray[np.int32],
    n: int,
) -> NDArray[np.int64]:
    """(n,) time of each person's first event with a wanted code, or `NEVER`."""
    out = np.full(n, NEVER)
    hit = np.flatnonzero(np.isin(code, np.flatnonzero(wanted)) & (time != NEVER))
    hit = hit[np.argsort(-time[hit], kind="stable")]
    out[person[hit]] = time[hit]
    return out


def _sexes(
    codes: pd.DataFrame, person: NDArray[np.int32], code: NDArray[np.int32], n: int
) -> NDArray[np.object_]:
    """(n,) `male`, `female` or None."""
    sex = np.full(n, None, dtype=object)
    for i in np.flatnonzero(codes["system"] == "SEX"):
        sex[person[code == i]] = SEXES.get(str(codes["code"].iloc[i]).lower())
    return sex


def _sites(
    table: pa.Table, name: str | None, person: NDArray[np.int32], row: NDArray[np.int64] | None, n: int
) -> list[str | None]:
    if name is None:
        return [None] * n
    first = np.searchsorted(person, np.arange(n))
    return [
        None if v is None else str(v)
        for v in table[name].take(pa.array(first if row is None else row[first])).to_pylist()
    ]


def _span(person: NDArray[np.int32], day: NDArray[np.int32], n: int) -> dict[str, NDArray[np.float64]]:
    """Each person's first and last day with an event; NaN where there is none."""
    first, last = np.full(n, np.nan), np.full(n, np.nan)
    dated = np.flatnonzero(day != STATIC)
    last[person[dated]] = day[dated]
    first[person[dated][::-1]] = day[dated][::-1]
    return {"first_day": first, "last_day": last}


def _column(table: pa.Table, name: str | None, order: NDArray[np.int64]) -> NDArray[Any] | None:
    if name is None or table[name].null_count == table.num_rows:
        return None
    found: NDArray[Any] = table[name].combine_chunks().to_numpy(zero_copy_only=False)[order]
    return found


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
