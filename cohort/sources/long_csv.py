"""A long table: a row an event, its columns named in the study file. CSV, TSV or Parquet, a file or a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from ...study.errors import StudyError
from ...study.records import Record
from .. import codes, tables
from ..events import Place
from ..gather import Batch, Gathered
from ._people import People, people

UNITS = {"years": 1.0, "months": 1 / 12, "days": 1 / 365.25}


class Options(Record):
    """Where the table is and what its columns are called."""

    path: str
    """A file, or a folder of files of one form."""
    subject: str
    """Column of the person's id."""
    time: str | None = None
    """Column of the date; or else `age`."""
    age: str | None = None
    age_unit: Literal["years", "months", "days"] = "years"
    date_format: str | None = None
    """strptime format where dates are not `2010-05-17`."""
    code: str
    system: str | None = None
    """Column of the coding system; or else `default_system`, or else what is in front of the code (`ICD10//F03`)."""
    default_system: str | None = None
    kind: str | None = None
    """Column of the kind (condition, drug, ...); or else by the system."""
    description: str | None = None
    """Column of the name of the code."""
    value: str | None = None
    unit: str | None = None
    text: str | None = None
    people: People | None = None
    """A table of the people, with birth, sex, death and the span of observation. None: the rows below tell."""
    sex: str | None = None
    birth: str | None = None
    """Columns that repeat the person's sex and date of birth in every row, where there is no table of people."""
    birth_code: str | None = None
    death_code: str | None = None
    """Codes of the rows that give birth and death, where there is no table of people."""
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
    root = tables.opened(place.path(options.path), place, "cohort.source.path")
    files = (
        [root]
        if root.is_file()
        else sorted(p for p in root.rglob("*") if p.name.lower().endswith(tables.ENDINGS))
    )
    if not files:
        raise StudyError(
            f"cohort.source.path: {options.path}: no tables there ({', '.join(tables.ENDINGS)})."
        )
    long = _Long(options, place, files)
    if options.people is not None:
        who = people(options.people, place, UNITS[options.age_unit])
    else:
        place.bad.open = False  # rows are counted when the events are read
        who = long.people()
        place.bad.open = True
    return Gathered(who, long.batches(), place)


class _Long:
    def __init__(self, options: Options, place: Place, files: list[Path]) -> None:
        self.options, self.place, self.files = options, place, files
        names = (
            "subject",
            "time",
            "age",
            "code",
            "system",
            "kind",
            "description",
            "value",
            "unit",
            "text",
            "sex",
            "birth",
        )
        self.columns = {n: c for n in names if (c := getattr(options, n)) is not None}

    def people(self) -> pd.DataFrame:
        """Who occurs in the rows, with what the rows say of them."""
        o, parts = self.options, []
        for _, rows in self._rows():
            part = pd.DataFrame({"subject": rows["subject"]})
            for name in ("sex", "birth"):
                part[name] = rows.get(name)
            for name, code in (("birth", o.birth_code), ("death", o.death_code)):
                if code is not None and "time" in rows:
                    part[name] = rows["time"].where(rows["code"] == code)
                elif code is not None:
                    part[f"{name}_age"] = rows["age"].where(rows["code"] == code)
            parts.append(part[part["subject"].notna()].groupby("subject", sort=False).first().reset_index())
        out = pd.concat(parts, ignore_index=True).groupby("subject", sort=False).first().reset_index()
        if "sex" in out:
            out["sex"] = tables.sex(out["sex"], o.sexes)
        for name in ("birth", "death"):
            if name in out:
                out[name] = tables.dates(out[name], o.date_format, early=name == "birth")
        if "death_age" in out:
            out["death_age"] = tables.numbers(out["death_age"]) * UNITS[o.age_unit]
        return out.drop(columns="birth_age", errors="ignore").assign(aged=True) if o.age else out

    def batches(self) -> Iterator[Batch]:
        for file, rows in self._rows():
            good = self._timed(file, rows)
            good = good[
                ~good["code"].isin([c for c in (self.options.birth_code, self.options.death_code) if c])
            ]
            events = self._coded(good)
            if "value" in good:
                events["value"] = tables.numbers(good["value"])
                words = good["value"].where(np.isnan(events["value"].to_numpy(float)))
                events["text"] = good["text"].fillna(words) if "text" in good else words
            elif "text" in good:
                events["text"] = good["text"]
            if "unit" in good:
                events["unit"] = good["unit"]
            yield Batch(file, events)

    def _timed(self, file: str, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows whose time can be read; rows with an empty time hold always where the table has ages."""
        if "time" in rows:
            return tables.dated(
                rows.rename(columns={"time": "date"}), file, "date", self.place, self.options.date_format
            )
        age = tables.numbers(rows["age"]) * UNITS[self.options.age_unit]
        wrong = rows["age"].notna().to_numpy() & np.isnan(age)
        self.place.bad.add(
            file, "age is no number", rows.index[wrong].tolist(), rows.loc[wrong, "age"].tolist()
        )
        timed: pd.DataFrame = rows.assign(age=age).loc[~wrong]
        return timed

    def _coded(self, rows: pd.DataFrame) -> pd.DataFrame:
        """subject, time or age, system, code, kind, name."""
        keep = [c for c in ("subject", "time", "age") if c in rows]
        out = rows[keep].copy()
        triples = [
            _triple(c, s, k, self.options.default_system)
            for c, s, k in zip(rows["code"], _or_none(rows, "system"), _or_none(rows, "kind"), strict=True)
        ]
        out[["system", "code", "kind"]] = pd.DataFrame(
            triples, columns=["system", "code", "kind"], index=rows.index
        )
        name = pd.Series(_or_none(rows, "description"), index=rows.index, dtype=object)
        out["name"] = name.where(name.notna(), (out["system"] + " " + out["code"]).str.strip())
        return out

    def _rows(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for file in self.files:
            for rows in tables.chunks(file, self.columns, self.place, "cohort.source"):
                yield file.name, rows


def _or_none(rows: pd.DataFrame, name: str) -> list[object]:
    return list(rows[name]) if name in rows else [None] * len(rows)


def _triple(code: object, system: object, kind: object, default: str | None) -> tuple[str, str, str]:
    """system, code, kind of one row."""
    text = "" if code is None or code != code else str(code).strip()
    given = default if system is None or system != system else str(system)
    if given is None:
        found, bare, what = codes.parse(text)
        return found, bare, what if kind is None or kind != kind else str(kind)
    named = codes.system(given)
    return named, text, codes.kind(named) if kind is None or kind != kind else str(kind)
