"""A long table: a row an event, its columns named in the study file. CSV, TSV or Parquet, a file or a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from ...study.errors import DataError, StudyError
from .. import codes
from ..events import Place
from ..reading import dates, files, tables
from ..reading.gather import EventBatch, Gathered
from ..reading.systems import Systems
from ..reading.tables import TableFormat
from ..records import Kind
from ._people import UNITS, PeopleTable, people, shaped

WORDS = "cohort.source.words"
_TIMED, _CODED = ("subject", "time", "age"), ("code", "system", "kind", "description")


class Options(TableFormat):
    """Where the table is and what its columns are called."""

    path: str
    """A file, or a folder of files of one form."""
    subject: str
    """Column of the person's id."""
    time: str | None = None
    """Column of the date; or else `age`."""
    age: str | None = None
    """Column of the age at the event; or else `time`."""
    age_unit: Literal["years", "months", "days"] = "years"
    """Of all ages in the tables."""
    code: str
    """Column of the code."""
    system: str | None = None
    """Column of the coding system; or else `default_system`, or else what is in front of the code (`ICD10//F03`)."""
    default_system: str | None = None
    """The coding system of every code, where one column holds codes of one system."""
    systems: dict[str, str] = Field(default_factory=dict)
    """Coding system as the table writes it -> its common name (ICD10, SNOMED, ...), where it is not recognised."""
    kind: str | None = None
    """Column of the kind (condition, drug, ...); or else by the system."""
    description: str | None = None
    """Column of the name of the code."""
    value: str | None = None
    """Column of what was found: numbers, or words where it is no number."""
    unit: str | None = None
    """Column of the unit."""
    text: str | None = None
    """Column of what was found in words."""
    words: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Code -> value in the table -> the word for it: `{ smoker = { "1" = "yes", "0" = "no" } }`."""
    people: PeopleTable | None = None
    """A table of the people, with birth, sex, death and the span of observation. None: the rows below tell."""
    sex: str | None = None
    """Column that repeats the person's sex in every row, where there is no table of people."""
    birth: str | None = None
    """The same for the date of birth."""
    birth_code: str | None = None
    """Code of the rows that give the date of birth, where there is no table of people."""
    death_code: str | None = None
    """The same for the death."""
    sexes: dict[str, str] = Field(default_factory=dict)
    """Word in the column `sex` -> `male` or `female`, where it is not one of m, f, male, female."""

    @model_validator(mode="after")
    def _a_time(self) -> "Options":
        if (self.time is None) == (self.age is None):
            raise ValueError("name either 'time' (a date) or 'age', not both")
        if self.time is not None and not (self.people or self.birth or self.birth_code):
            raise ValueError("dates need births: name 'people', or 'birth', or 'birth_code'")
        return self


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there.
        DataError: a column is missing.
    """
    root = files.opened(place.path(options.path), place, "cohort.source.path")
    paths = files.listed(root, files.ENDINGS)
    if not paths:
        raise StudyError(f"cohort.source.path: {options.path}: no tables found ({', '.join(files.KINDS)}).")
    long = _Long(options, place, paths)
    table = options.people
    who = long.people() if table is None else people(table, place, UNITS[options.age_unit])
    return Gathered(who, long.batches(), place)


class _Long:
    def __init__(self, options: Options, place: Place, paths: list[Path]) -> None:
        self.options, self.place, self.files = options, place, paths
        self.systems = Systems(options.systems, place)
        names = (*_TIMED, *_CODED, "value", "unit", "text", "sex", "birth")
        self.columns = {n: c for n in names if (c := getattr(options, n)) is not None}
        place.bad.expect(WORDS, options.words)

    def people(self) -> pd.DataFrame:
        """Who occurs in the rows, with what the rows say of them."""
        o, suffix, parts = self.options, "_age" if self.options.age else "", []
        self.place.bad.open = False  # rows are counted when the events are read
        for _, rows in self._rows():
            part = pd.DataFrame({n: rows[n] for n in ("subject", "sex", "birth") if n in rows})
            when = rows["age" if o.age else "time"]
            for name, code in (("birth", o.birth_code), ("death", o.death_code)):
                if code is not None:
                    part[f"{name}{suffix}"] = when.where(rows["code"] == code)
            if o.death_code is not None:
                part["dead"] = rows["code"].where(rows["code"] == o.death_code)
            parts.append(_first(part))
        self.place.bad.open = True
        stated = _first(pd.concat(parts, ignore_index=True))
        out = stated.drop(columns=["birth_age", "dead"], errors="ignore")
        options = PeopleTable(path="", subject="", sexes=o.sexes, date_format=o.date_format)
        file = f"{self.files[0].name} (people)"
        self.place.bad.read(file, len(out))
        names = {"birth": o.birth or str(o.birth_code), "death": str(o.death_code)}
        shape = shaped(out, file, options, self.place, UNITS[o.age_unit], "cohort.source", names)
        if "dead" in stated:
            shape["dead"] = stated["dead"].notna()
        return shape.assign(aged=True) if o.age else shape

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        ends = [c for c in (self.options.birth_code, self.options.death_code) if c]
        for file, rows in self._rows():
            good = self._timed(file, rows[~rows["code"].isin(ends)])
            keep = [c for c in ("subject", "time", "age") if c in good]
            coded = self._coded(good)
            if "unit" in good:
                coded["unit"] = good["unit"].fillna(coded["unit"])
            yield EventBatch(file, pd.concat([good[keep], coded, self._found(good)], axis=1))

    def _found(self, rows: pd.DataFrame) -> pd.DataFrame:
        """value, text, coded."""
        out = pd.DataFrame(index=rows.index)
        if "value" in rows:
            worded = self._in_words(rows)
            out["value"] = dates.numbers(rows["value"].mask(worded.notna()), rows.attrs.get("decimal", "."))
            words = rows["value"].where(np.isnan(out["value"].to_numpy(float)))
            out["text"] = worded.where(
                worded.notna(), rows["text"].fillna(words) if "text" in rows else words
            )
            out["coded"] = worded.notna()
        elif "text" in rows:
            out["text"] = rows["text"]
        return out

    def _in_words(self, rows: pd.DataFrame) -> pd.Series:
        """The word of the study file for each value; missing where there is none."""
        out = pd.Series(None, index=rows.index, dtype=object)
        for code, words in self.options.words.items():
            of_code = rows["code"] == code
            if of_code.any():
                self.place.bad.use(WORDS, code)
                out[of_code] = rows.loc[of_code, "value"].map(lambda v, w=words: tables.word(v, w))
                unnamed = int((of_code & rows["value"].notna() & out.isna()).sum())
                self.place.bad.note(f"values of {code} for which cohort.source.words have no word", unnamed)
        return out

    def _timed(self, file: str, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows with `time` or `age`; missing where there is none or it cannot be read."""
        o = self.options
        if o.time is not None:
            return dates.dated(
                rows, file, "time", self.place, o.date_format, "cohort.source.date_format", o.time
            )
        decimal = rows.attrs.get("decimal", ".")
        return rows.assign(age=dates.aged(rows, file, "age", self.place, UNITS[o.age_unit], decimal))

    def _coded(self, rows: pd.DataFrame) -> pd.DataFrame:
        """system, code, kind, name, and the unit where it is part of the code."""
        columns = [list(rows[n]) if n in rows else [None] * len(rows) for n in _CODED]
        known = {key: self._code(*key) for key in set(zip(*columns, strict=True))}
        cells = [known[key] for key in zip(*columns, strict=True)]
        return pd.DataFrame(
            cells, columns=["system", "code", "kind", "name", "unit"], index=rows.index, dtype=object
        )

    def _code(
        self, code: object, system: object, kind: object, description: object
    ) -> tuple[str, str, str, str, str | None]:
        given = _said(system) or self.options.default_system
        parsed = (
            self.systems.code(_said(code))
            if given is None
            else codes.Code(self.systems(given), _said(code), "")
        )
        what = parsed.kind or codes.kind(parsed.system)
        if word := _said(kind):
            named = codes.kind_of_word(word)
            if named is None:
                allowed = ", ".join(sorted(get_args(Kind)))
                raise DataError(
                    f"cohort.source.kind: found {word!r} in column {self.options.kind!r}; a kind is one "
                    f"of {allowed}. Correct the column, or leave the key out."
                )
            what = named
        return parsed.system, parsed.code, what, _said(description), parsed.unit

    def _rows(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for file in self.files:
            many = len(self.files) > 1
            for rows in tables.chunks(
                file, self.columns, self.place, "cohort.source", self.options, many=many
            ):
                yield file.name, rows


def _first(part: pd.DataFrame) -> pd.DataFrame:
    """A row a person, with the first thing that is said in each column."""
    return part[part["subject"].notna()].groupby("subject", sort=False).first().reset_index()


def _said(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()
