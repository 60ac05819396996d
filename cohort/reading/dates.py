"""Dates and ages as tables write them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..events import Place

_YEAR, _MONTH, _SLASHED = r"\d{4}(?:\.0)?", r"\d{4}-\d{2}", r"\d{4}/\d{1,2}/\d{1,2}(?:[ T].*)?"
_NEVER = r"\s*(?:[3-9]\d{3}|29\d{2})\b.*|.*\b(?:[3-9]\d{3}|29\d{2})\s*|\s*(?:[3-9]\d{3}|29\d{2})\d{4}\s*"
"""A date in or after the year 2900, such as 9999-12-31: it stands for none."""

OPEN = "2099-12-31"
"""What claims data write for an observation that goes on."""


def there(text: "pd.Series[str]") -> "pd.Series[bool]":
    """Which cells say a date: neither empty nor a stand-in for none such as 9999-12-31.

    >>> there(pd.Series(["2010-05-17", "9999-12-31", "31/12/9999", None, " "])).tolist()
    [True, False, False, False, False]
    """
    words = text.astype("str")
    return text.notna() & (words.str.strip() != "") & ~words.str.fullmatch(_NEVER).fillna(False).astype(bool)


def dates(text: "pd.Series[str]", form: str | None = None, early: bool = False) -> "pd.Series[pd.Timestamp]":
    """Days from text; NaT where there is none or it is no date.

    Args:
        text: `2010-05-17` or `2010/5/17`, with or without a time behind it; `20100517`; `2010-05` or `2010`. A year
            from 2900 on stands for no date.
        form: strptime format where dates are written otherwise, such as `%d/%m/%Y`; a time behind it does not matter.
        early: of a month or year alone take the middle (births), not the last day (nothing is known too soon).
    """
    clean = text.astype("str").where(there(text), "").str.strip()
    if form is not None:
        out = pd.to_datetime(clean, format=form, errors="coerce")
        rest = out.isna() & (clean != "")
        if rest.any():
            out[rest] = pd.to_datetime(clean[rest].str.split().str[0], format=form, errors="coerce")
        return out.dt.normalize().astype("datetime64[s]")
    out = pd.to_datetime(clean.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
    rest = out.isna() & (clean != "")
    if rest.any():
        out[rest] = _short(clean[rest], early)
    return out.astype("datetime64[s]")


def _short(text: "pd.Series[str]", early: bool) -> "pd.Series[pd.Timestamp]":
    """Days from dates without dashes, months and years."""
    out = pd.Series(pd.NaT, index=text.index, dtype="datetime64[s]")
    packed, month, year = text.str.fullmatch(r"\d{8}"), text.str.fullmatch(_MONTH), text.str.fullmatch(_YEAR)
    slashed = text.str.fullmatch(_SLASHED)
    if slashed.any():
        words = text[slashed].str.split(r"[ T]", regex=True).str[0]
        out[slashed] = pd.to_datetime(words, format="%Y/%m/%d", errors="coerce")
    if packed.any():
        out[packed] = pd.to_datetime(text[packed], format="%Y%m%d", errors="coerce")
    if month.any():
        start = pd.to_datetime(text[month] + "-01", format="%Y-%m-%d", errors="coerce")
        out[month] = start + (pd.Timedelta(days=14) if early else pd.offsets.MonthEnd(1))
    if year.any():
        day = "-07-01" if early else "-12-31"
        out[year] = pd.to_datetime(text[year].str.slice(0, 4) + day, format="%Y-%m-%d", errors="coerce")
    return out


def dated(
    frame: pd.DataFrame,
    file: str,
    column: str,
    place: Place,
    form: str | None,
    key: str,
    name: str | None = None,
) -> pd.DataFrame:
    """The rows with their date in `time`: NaT where there is none, or none that can be read, which is counted as bad.

    Such a row tells that something happened, not when: it reaches no timeline, but a disease of unknown date is one.

    Args:
        frame: has the text in `column`.
        file: for the lists of what is wrong.
        column: of the frame.
        place: counts.
        form: as for `dates`.
        key: of the study file that names the form, for errors.
        name: of the column in the file, where it is another.
    """
    time = dates(frame[column], form)
    present = there(frame[column])
    wrong = time.isna() & present
    _count(frame, file, column, place, key, name or column, wrong, int((~wrong & present).sum()))
    place.bad.note(f"{file}: rows without a date; no timeline shows them", int((~present).sum()))
    return frame.assign(time=time)


def birthdays(
    frame: pd.DataFrame,
    file: str,
    column: str,
    place: Place,
    form: str | None,
    key: str,
    name: str | None = None,
    early: bool = True,
    end: bool = False,
) -> "pd.Series[pd.Timestamp]":
    """Dates of people (births, deaths); those that cannot be read are counted as bad, and the person has none.

    `end`: of ends of observation, among which `OPEN` is none.
    """
    day = dates(frame[column], form, early=early)
    wrong = there(frame[column]) & day.isna()
    if end and (day == OPEN).any():
        place.bad.note(f"{file}: {name or column} {OPEN}, taken for no end", int((day == OPEN).sum()))
        day = day.mask(day == OPEN)
    _count(frame, file, column, place, key, name or column, wrong, int(day.notna().sum()))
    return day


def _count(
    frame: pd.DataFrame,
    file: str,
    column: str,
    place: Place,
    key: str,
    name: str,
    wrong: "pd.Series[bool]",
    read: int,
) -> None:
    values = frame.loc[wrong, column].tolist()
    stands_for_none = (
        frame[column].notna() & ~there(frame[column]) & (frame[column].astype("str").str.strip() != "")
    )
    place.bad.note(f"{file}: {name} in or after the year 2900, taken for no date", int(stands_for_none.sum()))
    place.bad.dated(file, name, key, read, values)
    place.bad.add(file, f"{name} is no date", frame.index[wrong].tolist(), values)


def numbers(text: "pd.Series[str]", decimal: str = ".") -> NDArray[np.float64]:
    """Floats; NaN where there is none or it is no number (then it is text).

    >>> numbers(pd.Series(["1.5", "<2", None])).tolist(), numbers(pd.Series(["1,5"]), ",").tolist()
    ([1.5, nan, nan], [1.5])
    """
    if decimal != ".":
        text = text.where(text.isna(), text.astype("str").str.replace(decimal, ".", regex=False))
    return np.asarray(pd.to_numeric(text, errors="coerce").to_numpy(np.float64, na_value=np.nan))


def aged(
    frame: pd.DataFrame, file: str, column: str, place: Place, years: float, decimal: str = "."
) -> NDArray[np.float64]:
    """Ages in years; NaN where there is none, or none that can be read, which is counted as bad.

    Args:
        frame: has the text in `column`.
        file: for the list of what is wrong.
        column: of the frame.
        place: counts.
        years: that a unit of the column is.
        decimal: the mark in its numbers.
    """
    age = numbers(frame[column], decimal) * years
    wrong = frame[column].notna().to_numpy() & np.isnan(age)
    place.bad.add(
        file, f"{column} is no number", frame.index[wrong].tolist(), frame.loc[wrong, column].tolist()
    )
    return age


def middle(year: Sequence[str], month: Sequence[float], day: Sequence[float]) -> "pd.Series[pd.Timestamp]":
    """Births from their parts; the middle of what is not known, or cannot be.

    >>> middle(["1940", "1941.0", "1940"], [5, float("nan"), 2], [float("nan"), 3, 31]).astype(str).tolist()
    ['1940-05-15', '1941-07-01', '1940-02-15']
    """
    text, middles = [], []
    for y, m, d in zip(year, month, day, strict=True):
        of_year, of_month = str(y).removesuffix(".0"), f"{int(m):02d}" if 1 <= m <= 12 else ""
        middles.append(f"{of_year}-{of_month}-15" if of_month else f"{of_year}-07-01")
        text.append(f"{of_year}-{of_month}-{int(d):02d}" if of_month and 1 <= d <= 31 else middles[-1])
    found, middle_of = (
        pd.to_datetime(pd.Series(t, dtype="str"), format="%Y-%m-%d", errors="coerce") for t in (text, middles)
    )
    found = found.where(found.notna(), middle_of)
    return found.astype("datetime64[s]")
