"""MEDS 0.4 Parquet, and what is found in the wild of it (`value` for `numeric_value`, no metadata, one bare file).

A subject stands in one file, its rows together and sorted by time. A row without a time holds always where it is a
property of the person; a diagnosis or another event without one happened on a day that is not known. Birth is
`MEDS_BIRTH`, death `MEDS_DEATH` or a code that begins so (`MEDS_DEATH//IN_HOSPITAL`). A file is a shard.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field

from ...study.errors import DataError, StudyError
from ...study.records import Record
from ..codes import SYSTEMS, says_kind
from ..events import CODES, HAPPENS, STATIC, UNDATED, Place, Shard
from ..reading import columns, dates, files
from ..reading.bad_rows import BadRows
from ..reading.systems import Systems
from ..reading.tables import READING, unreadable

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).min
SEXES = {"m": "male", "male": "male", "f": "female", "female": "female", "8507": "male", "8532": "female"}


class Options(Record):
    """Where the records are, and names that differ from the standard's."""

    path: str
    """The folder that holds `data/` (and `metadata/`), a folder of Parquet files, or one file."""
    subject: str = "subject_id"
    """Column of the person's id."""
    time: str = "time"
    """Column of the time."""
    code: str = "code"
    """Column of the code."""
    value: str | None = None
    """None: `numeric_value`, else `value`, where there is one."""
    text: str | None = None
    """None: `text_value`, where there is one."""
    unit: str | None = None
    """None: `unit`, where there is one."""
    site: str | None = None
    """A column; the person's first value of it."""
    birth: tuple[str, ...] = ("MEDS_BIRTH",)
    """Codes of birth, also with more behind them."""
    death: tuple[str, ...] = ("MEDS_DEATH",)
    """Codes of death, also with more behind them: `MEDS_DEATH//IN_HOSPITAL`."""
    systems: dict[str, str] = Field(default_factory=dict)
    """First part of a code -> the common name of its system (ICD10, SNOMED, ...), where it is not recognised."""


def read(options: Options, place: Place) -> "Meds":
    """The records; only the columns' names are looked at before they are gone through.

    Raises:
        StudyError: nothing there.
        DataError: a column is missing, or a file cannot be read.
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
        self.systems = Systems(options.systems, place)
        self.names, self.parents = _metadata(root / "metadata" / "codes.parquet")
        self.splits = _splits(root / "metadata" / "subject_splits.parquet")
        for file in self.files:
            self._columns(_opened(file, pq.read_schema), file.name)

    def __iter__(self) -> Iterator[Shard]:
        seen: set[Any] = set()
        for file in self.files:
            shard = self._shard(file)
            if shard is None:
                continue
            twice = seen.intersection(shard.people["subject"])
            if twice:
                raise DataError(
                    f"{file.name}: subject {min(twice)} stands in an earlier file too; MEDS wants each in one file."
                )
            seen.update(shard.people["subject"])
            yield shard
        if not seen:
            raise DataError(
                f"{self.files[0].name}: an empty table, like all that are there. Export it again."
            )

    def _columns(self, schema: pa.Schema, file: str) -> dict[str, str]:
        """Our names -> the file's names."""
        o, have = self.options, set(schema.names)
        wanted = {"subject": o.subject, "time": o.time, "code": o.code}
        for ours, given, usual in (
            ("value", o.value, ("numeric_value", "value")),
            ("text", o.text, ("text_value",)),
            ("unit", o.unit, ("unit",)),
            ("site", o.site, ()),
        ):
            name = given or next((u for u in usual if u in have), None)
            if name:
                wanted[ours] = name
        lacking = [name for name in wanted.values() if name not in have]
        if lacking:
            raise DataError(
                f"{file}: no column {lacking[0]!r}; it has {', '.join(schema.names)}. "
                "Name the right one in cohort.source."
            )
        for name in wanted.values():
            if pa.types.is_nested(kind := schema.field(name).type):
                raise DataError(f"{file}: column {name!r} holds {kind}; a cell is one number, date or text.")
        return wanted

    def _shard(self, file: Path) -> Shard | None:
        """The people of a file and their events; None where it is empty."""
        names = self._columns(_opened(file, pq.read_schema), file.name)
        coded = [names[n] for n in ("code", "unit", "text") if n in names]
        table = _opened(file, lambda f: pq.read_table(f, columns=list(names.values()), read_dictionary=coded))
        if table.num_rows == 0:
            self.place.bad.say(f"{file.name}: an empty table")
            return None
        self.place.bad.read(file.name, table.num_rows)
        rows = self._rows(table, names, file.name)
        events = self._events(rows)
        source = events.row
        unit = self._units(rows, events, _column(table, names.get("unit"), source, columns.texts))
        return Shard(
            people=self._people(table, names, rows, events),
            codes=rows.codes,
            person=events.person,
            day=events.day,
            code=events.code,
            files=(file.name,),
            row=source,
            value=_column(table, names.get("value"), source, columns.numbers),
            unit=unit,
            text=_column(table, names.get("text"), source, columns.texts),
        )

    def _rows(self, table: pa.Table, names: dict[str, str], file: str) -> "_Rows":
        """The rows with each person's together."""
        order, starts, ids = _by_person(table[names["subject"]], file)
        codes, units, code = self._codes(table[names["code"]], file)
        time = self._times(table[names["time"]], file, names["time"])
        if order is not None:
            code, time = code[order], time[order]
        sizes = np.diff(np.append(starts, len(time)))
        person = np.repeat(np.arange(len(ids), dtype=np.int32), sizes)
        born, died = (_marks(codes, given) for given in (self.options.birth, self.options.death))
        for what, marks in (("births", born), ("deaths", died)):
            n = _differing(np.flatnonzero(marks[code]), person, time)
            self.place.bad.note(f"people with {what} on several days; the first counts", n)
        return _Rows(
            ids=ids,
            starts=starts if order is None else order[starts],
            order=order,
            person=person,
            time=time,
            code=code,
            codes=codes,
            units=units,
            birth=_first_time(np.flatnonzero(born[code]), person, time, len(ids)),
            death=_first_time(np.flatnonzero(died[code]), person, time, len(ids)),
            dead=np.isin(np.arange(len(ids)), person[died[code]]),
            marks=born | died | (codes["code"] == "").to_numpy(bool),
        )

    def _events(self, rows: "_Rows") -> "_Events":
        """The rows that are no birth or death, with their day, sorted."""
        born = rows.birth[rows.person]
        day = (rows.time - born).astype(np.int32)
        without = (rows.time == NEVER) | (born == NEVER)
        if without.any():
            happens = rows.codes["kind"].isin(HAPPENS).to_numpy()[rows.code[without]]
            day[without] = np.where(happens, UNDATED, STATIC)
        keep = np.flatnonzero(~rows.marks[rows.code])
        person, day, code = rows.person[keep], day[keep], rows.code[keep]
        falls = np.flatnonzero(day[1:] < day[:-1])
        if np.any(person[falls] == person[falls + 1]):
            order = np.lexsort((day, person))
            keep, person, day, code = keep[order], person[order], day[order], code[order]
        return _Events(person, day, code, keep if rows.order is None else rows.order[keep])

    def _people(
        self, table: pa.Table, names: dict[str, str], rows: "_Rows", events: "_Events"
    ) -> pd.DataFrame:
        """One row a person. Watched from the first to the last event, or to death."""
        n, known = len(rows.ids), rows.birth != NEVER
        death = np.where((rows.death == NEVER) | ~known, np.nan, rows.death - rows.birth)
        first, last = _span(events, n)
        site: list[Any] = [None] * n
        if "site" in names:
            site = columns.texts(table[names["site"]].take(pa.array(rows.starts))).tolist()
        subject = [str(i) for i in rows.ids]
        return pd.DataFrame(
            {
                "subject": pd.array(subject, dtype=object),
                "sex": _sexes(rows.codes, events, n, self.place.bad),
                "site": pd.array(site, dtype=object),
                "aged": known,
                "birth": pd.Series(np.where(known, rows.birth, 0).astype("M8[D]").astype("M8[s]")).where(
                    known
                ),
                "first_day": first,
                "last_day": np.fmax(last, death),
                "death_day": death,
                "dead": rows.dead,
                "split": pd.array([self.splits.get(i) for i in subject], dtype=object),
            }
        )

    def _times(self, column: pa.ChunkedArray, file: str, name: str) -> Ints:
        """Days since 1970, `NEVER` where there is no time or its text is no date, which is counted as bad."""
        if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
            return np.asarray(column.to_numpy().astype("M8[D]").view(np.int64))
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
            raise DataError(
                f"{file}: the time column holds {column.type}, neither timestamps nor dates as text."
            )
        text = pd.Series(columns.texts(column), dtype=object)
        text = text.where(~text.isin(["", "NaT", "None"]), None)
        timed = dates.birthdays(
            pd.DataFrame({name: text}), file, name, self.place, None, "the times", early=False
        )
        return np.asarray(timed.to_numpy().astype("M8[D]").view(np.int64))

    def _codes(
        self, column: pa.ChunkedArray, file: str
    ) -> tuple[pd.DataFrame, NDArray[np.object_], NDArray[np.int32]]:
        """The table of codes that occur, the unit that is part of each, and each row's place in the table.

        A row without a code is counted as bad; its code is empty.
        """
        if column.null_count or not pa.types.is_dictionary(column.type):
            texts = pa.array(columns.texts(column), pa.string()).fill_null("")
            column = pa.chunked_array([texts.dictionary_encode()])
        array = column.unify_dictionaries().combine_chunks()
        raw = columns.texts(pa.chunked_array([array.dictionary])).tolist()
        rows = [self._named(c) for c in raw]
        codes = pd.DataFrame([r[:-1] for r in rows], columns=list(CODES), dtype=object)
        place = array.indices.to_numpy().astype(np.int32)
        without = np.flatnonzero((codes["code"] == "").to_numpy(bool)[place])
        self.place.bad.add(file, "no code", without.tolist(), [""] * len(without))
        return codes, np.array([r[-1] for r in rows], dtype=object), place

    def _named(self, raw: str) -> tuple[str, str, str, str, tuple[tuple[str, str], ...], str | None]:
        """A row of the table of codes, and the unit that is part of the code."""
        found = self.systems.code(raw.strip())
        name = self.names.get(raw) or ""
        if found.system == "SEX" and (sex := SEXES.get(found.code.lower())):
            found, name = found._replace(code=sex), f"Sex: {sex}"
        parents = [self.systems.code(p) for p in self.parents.get(raw, ())]
        known = next((p.kind for p in parents if p.system in SYSTEMS), None)
        if known and found.system not in SYSTEMS and not says_kind(raw):
            found = found._replace(kind=known)
        return (
            found.code,
            found.system,
            found.kind,
            name,
            tuple((p.system, p.code) for p in parents),
            found.unit,
        )

    def _units(
        self, rows: "_Rows", events: "_Events", given: NDArray[np.object_] | None
    ) -> NDArray[np.object_] | None:
        """(events,) the unit of the column, else the one that is part of the code."""
        if all(u is None for u in rows.units):
            return given
        own: NDArray[np.object_] = rows.units[events.code]
        return own if given is None else np.where(given == None, own, given)  # noqa: E711


@dataclass(frozen=True)
class _Rows:
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
class _Events:
    """Columns of a shard."""

    person: NDArray[np.int32]
    day: NDArray[np.int32]
    code: NDArray[np.int32]
    row: Ints


def _opened(file: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(file)
    except READING as e:
        raise DataError(unreadable(file.name, e)) from e


def _by_person(column: pa.ChunkedArray, file: str) -> tuple[Ints | None, Ints, list[Any]]:
    """How to reorder rows so that a person's stand together (None: they do), where each begins, and the ids."""
    if column.null_count:
        raise DataError(f"{file}: {column.null_count} rows have no subject.")
    ids = column.to_numpy() if pa.types.is_integer(column.type) else columns.texts(column)
    starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    if len(pd.unique(ids[starts])) == len(starts):
        return None, starts, ids[starts].tolist()
    number, found = pd.factorize(ids)
    order = np.argsort(number, kind="stable")
    return order, np.searchsorted(number[order], np.arange(len(found))), list(found)


def _marks(codes: pd.DataFrame, given: tuple[str, ...]) -> NDArray[np.bool_]:
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


def _first_time(rows: Ints, person: NDArray[np.int32], time: Ints, n: int) -> Ints:
    """(n,) the earliest time of each person's rows, or `NEVER`."""
    out = np.full(n, NEVER)
    rows = rows[time[rows] != NEVER]
    rows = rows[np.argsort(-time[rows], kind="stable")]
    out[person[rows]] = time[rows]
    return out


def _differing(rows: Ints, person: NDArray[np.int32], time: Ints) -> int:
    """How many people have these rows on more than one day."""
    rows = rows[time[rows] != NEVER]
    days = pd.DataFrame({"person": person[rows], "day": time[rows]}).drop_duplicates()
    return int((days["person"].value_counts() > 1).sum())


def _span(events: _Events, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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


def _sexes(codes: pd.DataFrame, events: _Events, n: int, bad: BadRows) -> NDArray[np.object_]:
    """(n,) `male`, `female`, or None where neither or both stand there."""
    out = np.full(n, None, dtype=object)
    holders = {}
    for sex in ("male", "female"):
        mine = ((codes["system"] == "SEX") & (codes["code"] == sex)).to_numpy(bool)
        holders[sex] = np.isin(np.arange(n), events.person[mine[events.code]])
        out[holders[sex]] = sex
    both = holders["male"] & holders["female"]
    out[both] = None
    bad.note("people with both sexes in the records; theirs is taken as not known", int(both.sum()))
    return out


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
    return [f for f in files.listed(inner, (".parquet",)) if "metadata" not in f.relative_to(inner).parts]


def _metadata(path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Code -> its name, and code -> its parents, from MEDS metadata as far as there is some."""
    if not path.exists():
        return {}, {}
    have = _opened(path, pq.read_schema).names
    if "code" not in have:
        raise DataError(
            f"{path.name}: no column 'code'; it has {', '.join(have)}. MEDS metadata names the code so."
        )
    some = [c for c in ("code", "description", "parent_codes") if c in have]
    table = {
        c: v.to_pylist()
        for c, v in zip(some, _opened(path, lambda f: pq.read_table(f, columns=some)), strict=True)
    }
    names: dict[str, str] = {}
    parents: dict[str, list[str]] = {}
    nothing = [None] * len(table["code"])
    rows = zip(
        table["code"], table.get("description", nothing), table.get("parent_codes", nothing), strict=True
    )
    for code, name, above in rows:
        if name:
            names.setdefault(str(code), str(name))
        listed = [above] if isinstance(above, str) else above or ()
        parents.setdefault(str(code), []).extend(str(p) for p in listed if p)
    return names, parents


def _splits(path: Path) -> dict[str, str]:
    """Subject -> its part of the split; ids are text, as everywhere."""
    if not path.exists():
        return {}
    table = _opened(path, pq.read_table)
    if not {"subject_id", "split"} <= set(table.column_names):
        raise DataError(
            f"{path.name}: no columns 'subject_id' and 'split'; it has {', '.join(table.column_names)}."
        )
    ids, split = (columns.texts(table[c]).tolist() for c in ("subject_id", "split"))
    return {i: s for i, s in zip(ids, split, strict=True) if i is not None and s is not None}
