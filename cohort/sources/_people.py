"""A table of people under the names of a study file."""

import numpy as np
import pandas as pd
from pydantic import Field

from ...study.records import Record
from .. import tables
from ..events import Place


class People(Record):
    """A table with a row a person. Every key but `path` names a column of it."""

    path: str
    subject: str
    birth: str | None = None
    sex: str | None = None
    site: str | None = None
    death: str | None = None
    """Date of death."""
    first: str | None = None
    last: str | None = None
    """Dates of the first and last day of observation; None: of the first and last event."""
    first_age: str | None = None
    last_age: str | None = None
    death_age: str | None = None
    """The same as ages, for tables without dates."""
    split: str | None = None
    sexes: dict[str, str] = Field(default_factory=dict)
    """Word in the table -> `male` or `female`, where it is not one of m, f, male, female."""
    date_format: str | None = None


NAMES = (
    "subject",
    "birth",
    "sex",
    "site",
    "death",
    "first",
    "last",
    "first_age",
    "last_age",
    "death_age",
    "split",
)
_DATES, _AGES = ("death", "first", "last"), ("first_age", "last_age", "death_age")


def people(
    options: People, place: Place, years: float = 1.0, where: str = "cohort.source.people"
) -> pd.DataFrame:
    """The people, as `Gathered` takes them.

    Args:
        options: which table and columns.
        place: counts bad rows.
        years: how many years a unit of the age columns is.
        where: the section of the study file, for errors.
    """
    file = tables.opened(place.path(options.path), place, f"{where}.path")
    columns = {n: c for n in NAMES if (c := getattr(options, n)) is not None}
    frame = pd.concat(tables.chunks(file, columns, place, where), ignore_index=True)
    blank = frame["subject"].isna()
    place.bad.add(file.name, "no subject", frame.index[blank].tolist(), [""] * int(blank.sum()))
    return shaped(frame[~blank].reset_index(drop=True), file.name, options, place, years)


def shaped(frame: pd.DataFrame, file: str, options: People, place: Place, years: float) -> pd.DataFrame:
    """Text columns under our names become dates, ages and sexes."""
    out = frame.copy()
    if "birth" in out:
        out["birth"] = tables.birthdays(frame, file, "birth", place, options.date_format)
    for name in _DATES:
        if name in out:
            out[name] = tables.birthdays(frame, file, name, place, options.date_format)
    for name in _AGES:
        if name in out:
            out[name] = tables.numbers(frame[name]) * years
            wrong = frame[name].notna() & np.isnan(out[name].to_numpy(float))
            place.bad.add(
                file, f"{name} is no number", frame.index[wrong].tolist(), frame.loc[wrong, name].tolist()
            )
    if "sex" in out:
        out["sex"] = tables.sex(frame["sex"], options.sexes)
    return out
