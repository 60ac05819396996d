"""Units: many spellings become one, the measurements that nearly every record has stand in one unit each."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..events import Shard
from ..reading.bad_rows import BadRows
from ..words import number

Floats = NDArray[np.float64]


@cache
def table() -> dict[str, Any]:
    """Units, limits and conversions, from `cohort/data/units.json`."""
    units: dict[str, Any] = json.loads(
        files("wherefore.cohort").joinpath("data/units.json").read_text(encoding="utf-8")
    )
    return units


@cache
def canonical(unit: str) -> str:
    """A unit in UCUM where its spelling is known; else as it is.

    >>> canonical("µmol/L"), canonical("milligram per deciliter"), canonical("MMHG"), canonical("°F"), canonical("U")
    ('umol/L', 'mg/dL', 'mm[Hg]', '[degF]', 'U')
    """
    flat = " ".join(unicodedata.normalize("NFKC", unit).replace("μ", "µ").split())
    lower = flat.lower()
    known: dict[str, str] = table()["same"]
    if lower in known:
        return known[lower]
    parts = [_part(p) for p in re.split(r"\s*/\s*|\s+per\s+", lower)]
    return "/".join(str(p) for p in parts) if all(parts) else flat


def _part(word: str) -> str | None:
    known: dict[str, str] = table()["parts"]
    return known.get(word) or known.get(word.removesuffix("s"))


def is_unit(word: str) -> bool:
    """Whether a word behind a number is a unit: a known spelling, or one with marks that words do not have.

    >>> is_unit("umol/L"), is_unit("mg"), is_unit("%"), is_unit("Elm"), is_unit("/05")
    (True, True, True, False, False)
    """
    lower = word.lower()
    marked = any(c in "/%[]{}^*°" for c in word) and any(c.isalpha() or c == "%" for c in word)
    return lower in table()["same"] or _part(lower) is not None or marked


def flag_of(code: str, value: float, unit: str | None) -> str:
    """`high`, `low`, or nothing: the value is within limits, the code has none, or the unit is not the table's.

    >>> flag_of("8480-6", 152.0, "mm[Hg]"), flag_of("8480-6", 120.0, "mm[Hg]"), flag_of("2345-7", 5.5, None)
    ('high', '', '')
    """
    known = table()["LOINC"].get(code)
    if known is None or known["normal"] is None or (unit or SCORE) != known["unit"]:
        return ""
    low, high = known["normal"]
    return "low" if value < low else "high" if value > high else ""


SCORE = "{score}"
"""The unit of what has none: a score without a unit is one in points."""


@cache
def in_words(unit: str | None) -> str | None:
    """A unit as a clinician writes it; None for one that says nothing.

    >>> in_words("mm[Hg]"), in_words("mL/min/{1.73_m2}"), in_words("{score}"), in_words("[iU]/L")
    ('mmHg', 'mL/min/1.73m2', None, 'IU/L')
    """
    if unit is None:
        return None
    known: str = table()["words"].get(unit, unit)
    return re.sub(r"\{[^}]*\}", "", known).replace("10*", "10^").replace("[iU]", "IU").strip()[:24] or None


def converted(code: str, value: Floats, unit: str) -> tuple[Floats, str]:
    """Values in the unit of the table where there is a way, with as many digits as they had; else as they are.

    >>> converted("2339-0", np.array([5.0, 5.55]), "mmol/L")
    (array([ 90., 100.]), 'mg/dL')
    >>> converted("2339-0", np.array([5.0]), "U")
    (array([5.]), 'U')
    """
    for way in table()["convert"]:
        if code in way["codes"] and unit == way["from"]:
            exact = value * way["factor"] + way.get("offset", 0.0)
            return np.array(
                [_rounded(e, v) for e, v in zip(exact.tolist(), value.tolist(), strict=True)]
            ), way["to"]
    return value, unit


def _rounded(exact: float, original: float) -> float:
    """A converted number with as many significant digits as the one that was said, two at least."""
    digits = len(number(original).lstrip("-0.").replace(".", "")) if original == original else 0
    return float(f"{exact:.{max(2, digits)}g}")


def harmonised(shard: Shard, bad: BadRows) -> Shard:
    """The shard with units in one spelling, known measurements in one unit each, and values that cannot be taken out.

    A value without a unit stays as it is: nobody knows what it says, so that it is neither converted nor judged.
    """
    if shard.value is None:
        return shard
    value, unit, text = shard.value.copy(), _spelled(shard.unit), shard.text
    gone = np.isinf(value)
    for code, rows in _measured(shard):
        known = table()["LOINC"][code]
        if unit is not None:
            for name in pd.unique(pd.Series(unit[rows], dtype=object)):
                if isinstance(name, str):
                    own = rows[unit[rows] == name]
                    value[own], unit[own] = converted(code, value[own], name)
                    if text is not None and unit[own[0]] != name:
                        text = _reworded(text, own, value)
        recorded = np.full(len(rows), None, dtype=object) if unit is None else unit[rows]
        judged = (recorded == known["unit"]) | ((recorded == None) & (known["unit"] == SCORE))  # noqa: E711
        low, high = known["plausible"]
        gone[rows[judged & ((value[rows] < low) | (value[rows] > high))]] = True
    _count(shard, np.flatnonzero(gone), bad)
    value[gone] = np.nan
    out = replace(shard, value=value, unit=unit, text=text)
    return out.take(np.flatnonzero(~gone)) if gone.any() else out


def _reworded(text: NDArray[np.object_], rows: NDArray[np.int64], value: Floats) -> NDArray[np.object_]:
    """Texts such as `<5` with the converted number."""
    out = text.copy()
    for row in rows[text[rows] != None]:  # noqa: E711
        sign = re.match(r"[^\d.+-]*", str(text[row]))
        out[row] = f"{sign[0] if sign else ''}{number(float(value[row]))}"
    return out


def _spelled(unit: NDArray[np.object_] | None) -> NDArray[np.object_] | None:
    """(events,) units in one spelling each."""
    if unit is None:
        return None
    at, distinct = pd.factorize(unit)
    words = np.array([*(canonical(str(u)) or None for u in distinct), None], dtype=object)
    spelled: NDArray[np.object_] = words[at]
    return spelled


def mixed(shard: Shard) -> dict[str, set[str]]:
    """Codes whose values stand in more than one unit, and the units; they keep a line each and are never mixed."""
    if shard.unit is None or shard.value is None:
        return {}
    rows = np.flatnonzero(~np.isnan(shard.value))
    frame = pd.DataFrame(
        {"code": shard.code[rows], "unit": pd.Series(shard.unit[rows], dtype=object)}
    ).drop_duplicates()
    names, out = shard.codes["code"].to_numpy(object), dict[str, set[str]]()
    for code, unit in zip(frame["code"].tolist(), frame["unit"].tolist(), strict=True):
        out.setdefault(str(names[code]), set()).add("no unit" if unit is None else str(unit))
    return {code: units for code, units in out.items() if len(units) > 1}


def _measured(shard: Shard) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Known codes that occur, and their rows with a value."""
    assert shard.value is not None
    names = shard.codes["code"].to_numpy(object)
    known = np.flatnonzero(
        (shard.codes["system"] == "LOINC").to_numpy() & np.isin(names.astype(str), list(table()["LOINC"]))
    )
    rows = np.flatnonzero(np.isin(shard.code, known) & ~np.isnan(shard.value))
    for code in known:
        own = rows[shard.code[rows] == code]
        if len(own):
            yield str(names[code]), own


def _count(shard: Shard, rows: NDArray[np.int64], bad: BadRows) -> None:
    assert shard.value is not None
    names = shard.codes["name"].to_numpy(object)[shard.code[rows]]
    file = np.zeros(len(rows), dtype=int) if shard.file is None else shard.file[rows]
    for number_ in np.unique(file):
        own = rows[file == number_]
        values = [f"{n} {v:g}" for n, v in zip(names[file == number_], shard.value[own], strict=True)]
        bad.add(shard.files[number_], "a value that cannot be", shard.row[own].tolist(), values)
