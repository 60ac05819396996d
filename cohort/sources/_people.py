"""A table of people under the names of a study file."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from ...study.errors import StudyError
from ..events import Place
from ..reading import dates, files, tables
from ..reading.tables import TableFormat

UNITS = {"years": 1.0, "months": 1 / 12, "days": 1 / 365.25}
"""Years in a unit of age."""


class PeopleTable(TableFormat):
    """A table with a row a person. Every key but `path` and the form of the file names a column of it."""

    path: str
    """The file."""
    subject: str
    """Column of the person's id."""
    birth: str | None = None
    """Column of the date of birth."""
    sex: str | None = None
    """Column of the sex."""
    site: str | None = None
    """Column of the hospital or practice."""
    death: str | None = None
    """Column of the date of death."""
    first: str | None = None
    """Column of the first day of observation; None: that of the first event."""
    last: str | None = None
    """Column of the last day of observation; None: that of the last event, or of death."""
    first_age: str | None = None
    """`first` as an age, for tables without dates."""
    last_age: str | None = None
    """`last` as an age."""
    death_age: str | None = None
    """`death` as an age."""
    split: str | None = None
    """Column that says who trains, tunes and is held out, for `split.by = "source"`."""
    sexes: dict[str, str] = Field(default_factory=dict)
    """Word in the table -> `male` or `female`, where it is not one of m, f, male, female."""


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
    options: PeopleTable, place: Place, years: float = 1.0, where: str = "cohort.source.people"
) -> pd.DataFrame:
    """The people, as `Gathered` takes them.

    Args:
        options: which table and columns.
        place: counts bad rows.
        years: how many years a unit of the age columns is.
        where: the section of the study file, for errors.
    """
    file = files.opened(place.path(options.path), place, f"{where}.path")
    columns = {n: c for n in NAMES if (c := getattr(options, n)) is not None}
    frame = pd.concat(tables.chunks(file, columns, place, where, options), ignore_index=True)
    blank = frame["subject"].isna()
    place.bad.add(file.name, "no subject", frame.index[blank].tolist(), [""] * int(blank.sum()))
    return shaped(frame[~blank].reset_index(drop=True), file.name, options, place, years, where, columns)


def shaped(
    frame: pd.DataFrame,
    file: str,
    options: PeopleTable,
    place: Place,
    years: float,
    where: str,
    columns: dict[str, str] | None = None,
) -> pd.DataFrame:
    """Text columns under our names become dates, ages and sexes.

    Args:
        frame: columns of `NAMES`.
        file: for the lists of what is wrong.
        options: form of the dates, words for the sexes.
        place: counts.
        years: that a unit of age is.
        where: the section of the study file.
        columns: our name -> the file's.
    """
    out, theirs, key = frame.copy(), columns or {}, f"{where}.date_format"
    for name in ("birth", *_DATES):
        if name in out:
            form, end = options.date_format, name == "last"
            out[name] = dates.birthdays(frame, file, name, place, form, key, theirs.get(name), end=end)
    for name in _AGES:
        if name in out:
            out[name] = dates.aged(frame, file, name, place, years, frame.attrs.get("decimal", "."))
    for name in ("death", "death_age"):
        if name in out:  # who has something there has died, whether or not it can be read
            present = dates.there(frame[name]) if name == "death" else frame[name].notna()
            out["dead"] = present | out.get("dead", False)
    if "sex" in out:
        out["sex"] = sexes(frame["sex"], options.sexes, place, f"{where}.sexes")
    return out


def sexes(text: "pd.Series[str]", words: dict[str, str], place: Place, key: str) -> NDArray[np.object_]:
    """`male`, `female` or None.

    Raises:
        StudyError: the study file has words for the sexes, and none of them occurs.
    """
    wrong = next((v for v in words.values() if v not in ("male", "female")), None)
    if wrong is not None:
        raise StudyError(f"{key}: found {wrong!r}; a word of the table stands for 'male' or 'female'.")
    known = tables.sex(text, words)
    unknown = text[pd.isna(known) & text.notna().to_numpy()]
    if words and len(unknown) == text.notna().sum() > 0:
        occurring = ", ".join(map(repr, sorted(unknown.unique())[:5]))
        raise StudyError(
            f"{key}: none of {', '.join(map(repr, words))} occurs; the table has {occurring}. Correct the words."
        )
    place.bad.note("people of whom the sex is not known", len(text) - int(pd.notna(known).sum()))
    return known
