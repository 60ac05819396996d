"""MEDS 0.4 Parquet, and what is found in the wild of it (`value` for `numeric_value`, no metadata, one bare file).

A subject stands in one file, its rows together and sorted by time. A row without a time holds always where it is a
property of the person; a diagnosis or another event without one happened on a day that is not known. Birth is
`MEDS_BIRTH`, death `MEDS_DEATH` or a code that begins so (`MEDS_DEATH//IN_HOSPITAL`). A file is a shard.
"""

from collections.abc import Iterator
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
from ..reading import columns, dates
from ..reading.systems import Systems
from ._meds_files import data_files, metadata, opened, splits
from ._meds_rows import (
    NEVER,
    Events,
    Ints,
    MedsRows,
    by_person,
    column,
    differing,
    first_time,
    marked,
    sexes,
    span,
)

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
        self.files = data_files(root)
        if not self.files:
            raise StudyError(
                f"cohort.source.path: {options.path}: no Parquet files found. Give a MEDS folder or file."
            )
        self.systems = Systems(options.systems, place)
        self.names, self.parents = metadata(root / "metadata" / "codes.parquet")
        self.splits = splits(root / "metadata" / "subject_splits.parquet")
        for file in self.files:
            self._columns(opened(file, pq.read_schema), file.name)

    def __iter__(self) -> Iterator[Shard]:
        seen: set[Any] = set()
        for file in self.files:
            shard = self._shard(file)
            if shard is None:
                continue
            twice = seen.intersection(shard.people["subject"])
            if twice:
                raise DataError(
                    f"{file.name}: subject {min(twice)} appears in an earlier file too; MEDS keeps each in one file."
                )
            seen.update(shard.people["subject"])
            yield shard
        if not seen:
            raise DataError(f"{self.files[0].name}: an empty table, like all the others. Export it again.")

    def rows(self, others: frozenset[str]) -> Iterator[tuple[str, dict[str, pa.ChunkedArray]]]:
        """Each file's name and its columns subject, time, code and value as they are, times of day included.

        Args:
            others: more columns, under their own names, where a file has them.
        """
        for file in self.files:
            schema = opened(file, pq.read_schema)
            named = self._columns(schema, file.name)
            ours = ("subject", "time", "code", "value")
            some: dict[str, str] = {name: named[name] for name in ours if name in named}
            some |= {name: name for name in others if name in schema.names}
            read = list(dict.fromkeys(some.values()))
            table = opened(file, lambda f, c=read: pq.read_table(f, columns=c))  # type: ignore[misc]
            yield file.name, {name: table[theirs] for name, theirs in some.items()}

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
        names = self._columns(opened(file, pq.read_schema), file.name)
        coded, read = [names[n] for n in ("code", "unit", "text") if n in names], list({*names.values()})
        table = opened(file, lambda f: pq.read_table(f, columns=read, read_dictionary=coded))
        if table.num_rows == 0:
            self.place.bad.say(f"{file.name}: an empty table")
            return None
        self.place.bad.read(file.name, table.num_rows)
        rows = self._rows(table, names, file.name)
        events = self._events(rows)
        source = events.row
        unit = self._units(rows, events, column(table, names.get("unit"), source, columns.texts))
        return Shard(
            people=self._people(table, names, rows, events),
            codes=rows.codes,
            person=events.person,
            day=events.day,
            code=events.code,
            files=(file.name,),
            row=source,
            value=column(table, names.get("value"), source, columns.numbers),
            unit=unit,
            text=column(table, names.get("text"), source, columns.texts),
        )

    def _rows(self, table: pa.Table, names: dict[str, str], file: str) -> "MedsRows":
        """The rows with each person's together."""
        order, starts, ids = by_person(table[names["subject"]], file)
        codes, units, code = self._codes(table[names["code"]], file)
        time = self._times(table[names["time"]], file, names["time"])
        if order is not None:
            code, time = code[order], time[order]
        sizes = np.diff(np.append(starts, len(time)))
        person = np.repeat(np.arange(len(ids), dtype=np.int32), sizes)
        born, died = (marked(codes, given) for given in (self.options.birth, self.options.death))
        for what, marks in (("births", born), ("deaths", died)):
            n = differing(np.flatnonzero(marks[code]), person, time)
            self.place.bad.note(f"people with {what} on several days; the first counts", n)
        return MedsRows(
            ids=ids,
            starts=starts if order is None else order[starts],
            order=order,
            person=person,
            time=time,
            code=code,
            codes=codes,
            units=units,
            birth=first_time(np.flatnonzero(born[code]), person, time, len(ids)),
            death=first_time(np.flatnonzero(died[code]), person, time, len(ids)),
            dead=np.isin(np.arange(len(ids)), person[died[code]]),
            marks=born | died | (codes["code"] == "").to_numpy(bool),
        )

    def _events(self, rows: "MedsRows") -> "Events":
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
        return Events(person, day, code, keep if rows.order is None else rows.order[keep])

    def _people(
        self, table: pa.Table, names: dict[str, str], rows: "MedsRows", events: "Events"
    ) -> pd.DataFrame:
        """One row a person. Watched from the first to the last event, or to death."""
        n, known = len(rows.ids), rows.birth != NEVER
        death = np.where((rows.death == NEVER) | ~known, np.nan, rows.death - rows.birth)
        first, last = span(events, n)
        site: list[Any] = [None] * n
        if "site" in names:
            site = columns.texts(table[names["site"]].take(pa.array(rows.starts))).tolist()
        subject = [str(i) for i in rows.ids]
        return pd.DataFrame(
            {
                "subject": pd.array(subject, dtype=object),
                "sex": sexes(rows.codes, events, n, self.place.bad),
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
        parsed = self.systems.code(raw.strip())
        name = self.names.get(raw) or ""
        if parsed.system == "SEX" and (sex := SEXES.get(parsed.code.lower())):
            parsed, name = parsed._replace(code=sex), f"Sex: {sex}"
        parents = [self.systems.code(p) for p in self.parents.get(raw, ())]
        known = next((p.kind for p in parents if p.system in SYSTEMS), None)
        if known and parsed.system not in SYSTEMS and not says_kind(raw):
            parsed = parsed._replace(kind=known)
        return (
            parsed.code,
            parsed.system,
            parsed.kind,
            name,
            tuple((p.system, p.code) for p in parents),
            parsed.unit,
        )

    def _units(
        self, rows: "MedsRows", events: "Events", given: NDArray[np.object_] | None
    ) -> NDArray[np.object_] | None:
        """(events,) the unit of the column, else the one that is part of the code."""
        if all(u is None for u in rows.units):
            return given
        own: NDArray[np.object_] = rows.units[events.code]
        return own if given is None else np.where(given == None, own, given)  # noqa: E711
