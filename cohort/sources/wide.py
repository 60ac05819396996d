"""A wide table: a row a person (or a visit), a column a thing. Ages or dates of first occurrence, as UK Biobank gives
them; repeated measurements, as cohort studies do; onsets known only to lie between two visits."""

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from ...study.records import Record
from .. import codes
from ..events import Place
from ..reading import dates, files, tables
from ..reading.gather import EventBatch, Gathered
from ..reading.tables import TableFormat
from ._people import NAMES, UNITS, PeopleTable, shaped

Meaning = Literal["unknown", "birth", "birth_year"]
UK_BIOBANK: dict[str, Meaning] = {
    "1900-01-01": "unknown",  # the code has no event date
    "1901-01-01": "unknown",  # the event date is before birth
    "1902-02-02": "birth",  # the event date is the date of birth
    "1903-03-03": "birth_year",  # the event date is after birth, in the year of birth
    "1909-09-09": "unknown",  # the event date is in the future, a placeholder
    "2037-07-07": "unknown",
}
"""Special dates of first occurrences, UK Biobank's Data-Coding 819. In each of them the thing did happen."""


class EventColumn(Record):
    """A column and the event that it stands for."""

    column: str
    """Its name in the table."""
    code: str
    """The code that it stands for."""
    system: str = "local"
    """Coding system of the code."""
    name: str = ""
    """What a timeline calls it; empty: the code."""
    kind: Literal["condition", "drug", "measurement", "procedure", "observation", "demographic"] | None = None
    """None: by the system; a measurement where it has numbers of every visit."""
    unit: str | None = None
    """Of its numbers."""
    words: dict[str, str] = Field(default_factory=dict)
    """Value in the table -> the word for it: `{ "1" = "yes", "0" = "no" }`."""


class First(EventColumn):
    """Date or age of a first occurrence; empty where it never was."""

    after: str | None = None
    """Column of the last time it was known not to be there: the onset lies between the two."""
    when: str | None = None
    """Column that says whether it happened at all ..."""
    equals: str = "1"
    """... and its word for yes. Otherwise the date is of the end of follow-up."""


class Death(Record):
    """Date or age of death, in a column that holds the end of follow-up of the living."""

    column: str
    """Column of the date or age."""
    when: str
    """Column that says whether the person died ..."""
    equals: str = "1"
    """... and its word for yes."""


class Options(TableFormat):
    """Where the table is and what its columns mean."""

    path: str
    """The file."""
    subject: str
    """Column of the person's id."""
    birth: str | None = None
    """Column of the date of birth; None: everything is an age."""
    birth_year: str | None = None
    """Column of the year of birth, where there is no date."""
    birth_month: str | None = None
    """Column of the month of birth beside it."""
    sex: str | None = None
    """Column of the sex."""
    sexes: dict[str, str] = Field(default_factory=dict)
    """Word in the column `sex` -> `male` or `female`, where it is not one of m, f, male, female."""
    site: str | None = None
    """Column of the hospital, practice or assessment centre."""
    death: str | Death | None = None
    """Column of the date or age of death, as `values` says; a table of keys where the living have one there too."""
    first: str | None = None
    """Column of the first day of observation, a date or an age."""
    last: str | None = None
    """Column of the last one; None: the last time in any column, or death."""
    values: Literal["age", "date"] = "age"
    """What the columns of time hold."""
    age_unit: Literal["years", "months", "days"] = "years"
    """Of all ages in the table."""
    special_dates: dict[str, Meaning] = Field(default_factory=lambda: dict(UK_BIOBANK))
    """Dates of first occurrences that are none: `unknown` (it happened, nobody knows when), `birth`, `birth_year`."""
    firsts: tuple[First, ...] = ()
    """First occurrences."""
    firsts_file: str | None = None
    """More of them: a CSV with the columns column, code, system, name."""
    interval: Literal["midpoint", "upper"] = "midpoint"
    """Where an onset between two times is put: in the middle, or at the first time it was seen."""
    at: str | None = None
    """Column of the date or age of the row, where a person has a row a visit."""
    measured: tuple[EventColumn, ...] = ()
    """What was measured at that time."""
    always: tuple[EventColumn, ...] = ()
    """What holds always (sex is one without being named)."""

    @model_validator(mode="after")
    def _a_time(self) -> "Options":
        if self.measured and self.at is None:
            raise ValueError("measured columns need 'at', the column with the age or date of the row")
        if self.values == "date" and not (self.birth or self.birth_year):
            raise ValueError("dates need births: name 'birth' or 'birth_year'")
        return self


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        DataError: a column is missing.
    """
    wide = _Wide(options, place)
    return Gathered(wide.people(), wide.batches(), place)


class _Wide:
    """Reads the table once: people are few enough for one row each in memory."""

    def __init__(self, options: Options, place: Place) -> None:
        self.options, self.place = options, place
        file = files.opened(place.path(options.path), place, "cohort.source.path")
        self.file = file.name
        self.firsts = [*options.firsts, *self._listed()]
        columns = {c: c for c in self._columns()}
        raw = pd.concat(tables.chunks(file, columns, place, "cohort.source", options))
        self.decimal = raw.attrs.get("decimal", ".")
        blank = raw[options.subject].isna()
        place.bad.add(self.file, "no subject", raw.index[blank].tolist(), [""] * int(blank.sum()))
        self.rows = raw[~blank]
        self.who = self.rows[options.subject]
        self._people = self._shaped()

    def _listed(self) -> list[First]:
        if self.options.firsts_file is None:
            return []
        file = self.place.path(self.options.firsts_file)
        columns = {n: n for n in ("column", "code", "system", "name")}
        where, optional = "cohort.source.firsts_file", frozenset({"name", "system"})
        parts = tables.chunks(file, columns, self.place, where, self.options, optional)
        return [
            First.model_validate({k: v for k, v in row.items() if isinstance(v, str)})
            for part in parts
            for row in part.to_dict("records")
        ]

    def _columns(self) -> list[str]:
        o = self.options
        ends = [o.death.column, o.death.when] if isinstance(o.death, Death) else [o.death]
        single = [
            o.subject,
            o.birth,
            o.birth_year,
            o.birth_month,
            o.sex,
            o.site,
            *ends,
            o.first,
            o.last,
            o.at,
        ]
        listed = [c.column for c in (*self.firsts, *o.measured, *o.always)]
        between = [c for f in self.firsts for c in (f.after, f.when)]
        return list(dict.fromkeys(c for c in (*single, *listed, *between) if c))

    def people(self) -> pd.DataFrame:
        """The people; observation up to the last time that stands anywhere, or death."""
        aged = {"aged": True} if self.options.values == "age" else {}
        return self._watched(self._people.assign(**aged))

    def _shaped(self) -> pd.DataFrame:
        """The first row that says something, of each person."""
        o = self.options
        one = self.rows.groupby(o.subject, sort=False).first().reset_index()
        self._note_differing([o.sex, o.site, o.birth, o.birth_year, o.birth_month, o.first, o.last])
        given = {"subject": o.subject, "sex": o.sex, "site": o.site, "birth": o.birth}
        out = pd.DataFrame({ours: one[c] for ours, c in given.items() if c})
        suffix = "_age" if o.values == "age" else ""
        for name in ("first", "last"):
            if (column := getattr(o, name)) is not None:
                out[name + suffix] = one[column]
        died = o.death.column if isinstance(o.death, Death) else o.death
        if o.death is not None:
            out["death" + suffix], dead = (
                c.reindex(one[o.subject]).to_numpy() for c in self._deaths(o.death)
            )
        out.attrs["decimal"] = self.decimal
        options = PeopleTable(path="", subject=o.subject, sexes=o.sexes, date_format=o.date_format)
        theirs = {
            n + suffix: c for n, c in (("first", o.first), ("last", o.last), ("death", died)) if c
        } | given
        named = {ours: c for ours, c in theirs.items() if c}
        people = shaped(out, self.file, options, self.place, UNITS[o.age_unit], "cohort.source", named)
        if o.death is not None:
            people["dead"] = dead
        if o.birth_year:
            month = dates.numbers(one[o.birth_month]) if o.birth_month else np.full(len(one), np.nan)
            people["birth"] = dates.middle(one[o.birth_year].tolist(), month.tolist(), [np.nan] * len(one))
            wrong, year = people["birth"].isna(), one[o.birth_year]
            self.place.bad.add(
                self.file, f"{o.birth_year} is no year", one.index[wrong].tolist(), year[wrong].tolist()
            )
        assert set(people) <= {*NAMES, "dead"}
        return people

    def _note_differing(self, columns: Iterable[str | None]) -> None:
        """What is said of a person in several rows and not the same in each: the first counts."""
        for column in filter(None, columns):
            several = self.rows[column].groupby(self.who, sort=False).nunique() > 1
            self.place.bad.note(
                f"people with several values of {column}; the first counts", int(several.sum())
            )

    def _deaths(self, death: str | Death) -> tuple["pd.Series[str]", "pd.Series[bool]"]:
        """By subject: the text of the day or age of death, and whether the person is known to have died."""
        column = death if isinstance(death, str) else death.column
        died = self._there(column) if isinstance(death, str) else self._says(death.when, death.equals)
        text = self.rows[column].where(died).groupby(self.who, sort=False).first()
        return text, died.groupby(self.who, sort=False).any()

    def _there(self, column: str) -> "pd.Series[bool]":
        """Where a column of times says one."""
        cells = self.rows[column]
        return cells.notna() if self.options.values == "age" else dates.there(cells)

    def _says(self, column: str, yes: str) -> "pd.Series[bool]":
        return self.rows[column].map(lambda cell: tables.word(cell, {yes: "yes"}) == "yes").astype(bool)

    def _watched(self, people: pd.DataFrame) -> pd.DataFrame:
        """Where nothing says until when a person was watched: the last time in any of the columns, or death."""
        o = self.options
        name, death = ("last_age", "death_age") if o.values == "age" else ("last", "death")
        columns = [c for c in (o.at, *(f.column for f in self.firsts), *(f.after for f in self.firsts)) if c]
        if o.last is not None or not columns:
            return people
        times = pd.concat([self._said_time(self.rows[c]) for c in columns], axis=1)
        last = people["subject"].map(times.max(axis=1).groupby(self.who, sort=False).max())
        if death in people:
            last = pd.concat([last, people[death]], axis=1).max(axis=1)
        return people.assign(**{name: last})

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        o = self.options
        for first in self.firsts:
            yield self._first(first)
        for column in o.measured:
            assert o.at is not None
            value = self.rows[column.column]
            yield self._batch(column, self.who, self._checked(o.at, value.notna() & self._there(o.at)), value)
        for column in o.always:
            self._note_differing([column.column])
            one = self.rows.groupby(o.subject, sort=False)[column.column].first().reset_index()
            yield self._batch(column, one[o.subject], None, one[column.column])

    def _first(self, first: First) -> EventBatch:
        """First occurrences: a row for each person with whom it happened, whether or not anybody knows when."""
        happened, time = self._onset(first)
        once = happened & ~self.who.where(happened).duplicated()
        return self._batch(first, self.who, time, keep=once.to_numpy())

    def _batch(
        self,
        column: EventColumn,
        who: "pd.Series[str]",
        time: pd.Series | None,
        value: "pd.Series[str] | None" = None,
        keep: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None" = None,
    ) -> EventBatch:
        system = codes.system(column.system)
        default = "measurement" if value is not None and time is not None else "observation"
        kind = column.kind or ("demographic" if time is None else codes.kind(system, default))
        name = column.name or (column.code if system == "local" else f"{system} {column.code}")
        events = pd.DataFrame(
            {"subject": who, "system": system, "code": column.code, "kind": kind, "name": name}
        )
        if value is not None:
            worded = value.map(lambda cell: tables.word(cell, column.words))
            unnamed = int((value.notna() & worded.isna()).sum()) if column.words else 0
            self.place.bad.note(f"values of {column.column} for which its `words` have no word", unnamed)
            events["value"] = dates.numbers(value.mask(worded.notna()), self.decimal)
            events["text"] = worded.where(worded.notna(), value.where(events["value"].isna()))
            events["coded"] = True  # the study file names the column
            keep = value.notna().to_numpy()
        if time is not None:
            events["age" if self.options.values == "age" else "time"] = time
        if column.unit:
            events["unit"] = column.unit
        return EventBatch(self.file, events if keep is None else events[keep])

    def _onset(self, first: First) -> tuple["pd.Series[bool]", pd.Series]:
        """(rows,) whether it happened, and the time of the first occurrence; missing where nobody knows it."""
        happened = self._there(first.column)
        if first.when is not None:
            happened = self._says(first.when, first.equals)
        upper = self._checked(first.column, happened & self._there(first.column), first=True)
        if first.after is not None and self.options.interval == "midpoint":
            lower = self._checked(first.after, happened & self._there(first.after))
            upper = upper.where(lower.isna() | upper.isna(), lower + (upper - lower) / 2)
        return happened, upper.groupby(self.who, sort=False).transform("min")

    def _checked(self, column: str, wanted: "pd.Series[bool]", first: bool = False) -> pd.Series:
        """The times of a column where they are wanted; what cannot be read is counted."""
        text = self.rows[column].where(wanted)
        time, special = self._plain_time(text), pd.Series(False, index=text.index)
        if first and self.options.values == "date":
            time, special = self._special(time)
        wrong = wanted & time.isna() & ~special
        what = "no age" if self.options.values == "age" else "no date"
        values = self.rows.loc[wrong, column].tolist()
        self.place.bad.add(self.file, f"{column} is {what}", self.rows.index[wrong].tolist(), values)
        if self.options.values == "date":
            read = int((wanted & ~wrong).sum())
            self.place.bad.dated(self.file, column, "cohort.source.date_format", read, values)
        return time

    def _special(self, time: pd.Series) -> tuple[pd.Series, "pd.Series[bool]"]:
        """Times in which the special dates mean what they stand for, and which rows had one."""
        meaning = time.dt.strftime("%Y-%m-%d").map(self.options.special_dates)
        special = meaning.notna()
        if not special.any():
            return time, special
        birth = self.who.map(self._people.set_index("subject")["birth"])
        of_year = birth + pd.offsets.YearEnd(0)
        out = time.mask(special).astype("datetime64[s]")
        out = out.mask(meaning == "birth", birth).mask(meaning == "birth_year", of_year)
        return out, special

    def _said_time(self, text: "pd.Series[str]") -> pd.Series:
        """Times that are said; special dates say none."""
        time = self._plain_time(text)
        if self.options.values == "age":
            return time
        return time.mask(time.dt.strftime("%Y-%m-%d").isin(self.options.special_dates))

    def _plain_time(self, text: "pd.Series[str]") -> pd.Series:
        if self.options.values == "age":
            return pd.Series(
                dates.numbers(text, self.decimal) * UNITS[self.options.age_unit], index=text.index
            )
        return dates.dates(text, self.options.date_format)
