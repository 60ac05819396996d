"""A wide table: a row a person (or a visit), a column a thing. Ages or dates of first occurrence, as UK Biobank gives
them; repeated measurements, as cohort studies do; onsets known only to lie between two visits."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from ...study.records import Record
from .. import codes, tables
from ..events import Place
from ..gather import Batch, Gathered
from ._people import NAMES, People, shaped
from .long_csv import UNITS

PLACEHOLDERS = ("1900-01-01", "1901-01-01", "1902-02-02", "1903-03-03", "1909-09-09", "2037-07-07")
"""UK Biobank's dates that mean: no date, before birth, at birth, in the year of birth, in the future."""


class Column(Record):
    """A column and the event that it stands for."""

    column: str
    code: str
    system: str = "local"
    name: str = ""
    kind: Literal["condition", "drug", "measurement", "procedure", "observation", "demographic"] | None = None
    """None: by the system; a measurement where it has numbers of every visit."""
    unit: str | None = None


class First(Column):
    """Date or age of a first occurrence; empty where it never was."""

    after: str | None = None
    """Column of the last time it was known not to be there: the onset lies between the two."""
    when: str | None = None
    """Column that says whether it happened at all ..."""
    equals: str = "1"
    """... and its word for yes. Otherwise the date is of the end of follow-up."""


class Options(Record):
    """Where the table is and what its columns mean."""

    path: str
    subject: str
    birth: str | None = None
    """Column of the date of birth; None: everything is an age."""
    birth_year: str | None = None
    birth_month: str | None = None
    sex: str | None = None
    sexes: dict[str, str] = Field(default_factory=dict)
    site: str | None = None
    death: str | None = None
    first: str | None = None
    last: str | None = None
    """Columns of death and of the first and last day of observation, dates or ages like everything else."""
    values: Literal["age", "date"] = "age"
    """What the columns of time hold."""
    age_unit: Literal["years", "months", "days"] = "years"
    date_format: str | None = None
    missing: tuple[str, ...] = PLACEHOLDERS
    """Words that mean nothing is known."""
    firsts: tuple[First, ...] = ()
    """First occurrences."""
    firsts_file: str | None = None
    """More of them: a CSV with the columns column, code, system, name."""
    interval: Literal["midpoint", "upper"] = "midpoint"
    """Where an onset between two times is put: in the middle, or at the first time it was seen."""
    at: str | None = None
    """Column of the date or age of the row, where a person has a row a visit."""
    measured: tuple[Column, ...] = ()
    """What was measured at that time."""
    always: tuple[Column, ...] = ()
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
        file = tables.opened(place.path(options.path), place, "cohort.source.path")
        self.file = file.name
        self.firsts = [*options.firsts, *self._listed()]
        raw = pd.concat(tables.chunks(file, {c: c for c in self._columns()}, place, "cohort.source"))
        self.rows = raw.mask(raw.isin([*options.missing, ""]))
        blank = self.rows[options.subject].isna()
        place.bad.add(self.file, "no subject", raw.index[blank].tolist(), [""] * int(blank.sum()))
        self.rows = self.rows[~blank]

    def _listed(self) -> list[First]:
        if self.options.firsts_file is None:
            return []
        file = self.place.path(self.options.firsts_file)
        columns = {n: n for n in ("column", "code", "system", "name")}
        parts = tables.chunks(
            file, columns, self.place, "cohort.source.firsts_file", frozenset({"name", "system"})
        )
        return [
            First.model_validate({k: v for k, v in row.items() if isinstance(v, str)})
            for part in parts
            for row in part.to_dict("records")
        ]

    def _columns(self) -> list[str]:
        o = self.options
        single = [
            o.subject,
            o.birth,
            o.birth_year,
            o.birth_month,
            o.sex,
            o.site,
            o.death,
            o.first,
            o.last,
            o.at,
        ]
        listed = [c.column for c in (*self.firsts, *o.measured, *o.always)]
        between = [c for f in self.firsts for c in (f.after, f.when)]
        return list(dict.fromkeys(c for c in (*single, *listed, *between) if c))

    def people(self) -> pd.DataFrame:
        """The first row that says something, of each person; observation up to the last time that stands anywhere."""
        o = self.options
        one = self.rows.groupby(o.subject, sort=False).first().reset_index()
        given = {"subject": o.subject, "sex": o.sex, "site": o.site, "birth": o.birth}
        out = pd.DataFrame({ours: one[c] for ours, c in given.items() if c})
        suffix = "_age" if o.values == "age" else ""
        for name in ("death", "first", "last"):
            if (column := getattr(o, name)) is not None:
                out[name + suffix] = one[column]
        if o.birth_year:
            month = one[o.birth_month].str.zfill(2) if o.birth_month else "07"
            out["birth"] = one[o.birth_year] + "-" + month + "-15"
        people = shaped(out, self.file, People(path="", subject=o.subject, sexes=o.sexes, date_format=o.date_format),
                        self.place, UNITS[o.age_unit])  # fmt: skip
        assert set(people) <= set(NAMES)
        return self._watched(people.assign(aged=True) if o.values == "age" else people)

    def _watched(self, people: pd.DataFrame) -> pd.DataFrame:
        """Where nothing says until when a person was watched, the last time in any of the columns."""
        o = self.options
        columns = [c for c in (o.at, *(f.column for f in self.firsts), *(f.after for f in self.firsts)) if c]
        if o.last is not None or not columns:
            return people
        times = pd.concat([self._time(self.rows[c]) for c in columns], axis=1)
        last = times.max(axis=1).groupby(self.rows[o.subject], sort=False).max()
        name = "last_age" if o.values == "age" else "last"
        return people.assign(**{name: people["subject"].map(last)})

    def batches(self) -> Iterator[Batch]:
        o, who = self.options, self.rows[self.options.subject]
        for first in self.firsts:
            yield self._batch(first, who, self._onset(first))
        for column in o.measured:
            assert o.at is not None
            yield self._batch(
                column, who, self._checked(o.at, self.rows[column.column].notna()), self.rows[column.column]
            )
        for column in o.always:
            one = self.rows.groupby(o.subject, sort=False)[column.column].first().reset_index()
            yield self._batch(column, one[o.subject], None, one[column.column])

    def _batch(
        self,
        column: Column,
        who: "pd.Series[str]",
        time: pd.Series | None,
        value: "pd.Series[str] | None" = None,
    ) -> Batch:
        system = codes.system(column.system)
        default = "measurement" if value is not None and time is not None else "observation"
        kind = column.kind or ("demographic" if time is None else codes.kind(system, default))
        name = column.name or (column.code if system == "local" else f"{system} {column.code}")
        events = pd.DataFrame(
            {"subject": who, "system": system, "code": column.code, "kind": kind, "name": name}
        )
        keep = np.ones(len(events), dtype=bool)
        if value is not None:
            events["value"] = tables.numbers(value)
            events["text"] = value.where(events["value"].isna())
            events["coded"] = True  # the study file names the column
            keep &= value.notna().to_numpy()
        if time is not None:
            events["age" if self.options.values == "age" else "time"] = time
            keep &= time.notna().to_numpy()
        if column.unit:
            events["unit"] = column.unit
        return Batch(self.file, events[keep])

    def _onset(self, first: First) -> pd.Series:
        """Time of a first occurrence, missing where it never was."""
        happened = self.rows[first.column].notna()
        if first.when is not None:
            happened &= (self.rows[first.when].str.removesuffix(".0") == first.equals).fillna(False)
        upper = self._checked(first.column, happened)
        if first.after is not None and self.options.interval == "midpoint":
            lower = self._checked(first.after, happened & self.rows[first.after].notna())
            upper = upper.where(lower.isna(), lower + (upper - lower) / 2)
        once = upper.groupby(self.rows[self.options.subject], sort=False).transform("min")
        repeat = self.rows[self.options.subject].duplicated()
        return once.where(~repeat)

    def _checked(self, column: str, wanted: "pd.Series[bool]") -> pd.Series:
        """The times of a column where they are wanted; what cannot be read is counted."""
        time = self._time(self.rows[column].where(wanted))
        wrong = wanted & time.isna()
        what = "no age" if self.options.values == "age" else "no date"
        self.place.bad.add(
            self.file,
            f"{column} is {what}",
            self.rows.index[wrong].tolist(),
            self.rows.loc[wrong, column].tolist(),
        )
        return time

    def _time(self, text: "pd.Series[str]") -> pd.Series:
        if self.options.values == "age":
            return pd.Series(tables.numbers(text) * UNITS[self.options.age_unit], index=text.index)
        return tables.dates(text, self.options.date_format)
