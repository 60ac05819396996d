"""Units of the few measurements that nearly every record has: one unit each, limits, and what cannot be."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .bad_rows import BadRows
from .events import Shard

Floats = NDArray[np.float64]


@cache
def table() -> dict[str, Any]:
    """Units, limits and conversions, from `cohort/data/units.json`."""
    found: dict[str, Any] = json.loads(
        files("wherefore.cohort").joinpath("data/units.json").read_text(encoding="utf-8")
    )
    return found


def flag_of(code: str, value: float, unit: str | None) -> str:
    """`high`, `low`, or nothing: the value is within limits, the code has none, or the unit is not the table's.

    >>> flag_of("8480-6", 152.0, "mm[Hg]"), flag_of("8480-6", 120.0, "mm[Hg]"), flag_of("2345-7", 5.5, None)
    ('high', '', '')
    """
    known = table()["LOINC"].get(code)
    if known is None or known["normal"] is None or unit != known["unit"]:
        return ""
    low, high = known["normal"]
    return "low" if value < low else "high" if value > high else ""


@cache
def in_words(unit: str | None) -> str | None:
    """A unit as a clinician writes it; None for one that says nothing.

    >>> in_words("mm[Hg]"), in_words("mL/min/{1.73_m2}"), in_words("{score}"), in_words("[iU]/L")
    ('mmHg', 'mL/min/1.73m2', None, 'IU/L')
    """
    if unit is None:
        return None
    known: str = table()["words"].get(unit, unit)
    return re.sub(r"\{[^}]*\}", "", known).replace("10*", "10^").replace("[iU]", "IU").strip() or None


def converted(code: str, value: Floats, unit: str) -> tuple[Floats, str]:
    """Values in the unit of the table where there is a way; else as they are.

    >>> converted("2339-0", np.array([5.0]), "mmol/l")
    (array([90.091]), 'mg/dL')
    >>> converted("2339-0", np.array([5.0]), "U")
    (array([5.]), 'U')
    """
    unit = table()["same"].get(unit, unit)
    for way in table()["convert"]:
        if code in way["codes"] and unit == way["from"]:
            return value * way["factor"] + way.get("offset", 0.0), way["to"]
    return value, unit


def harmonised(shard: Shard, bad: BadRows) -> Shard:
    """The shard with known measurements in one unit each, and values that cannot be taken out, counted and listed."""
    if shard.value is None:
        return shard
    value, unit = shard.value.copy(), None if shard.unit is None else shard.unit.copy()
    gone = np.zeros(len(value), dtype=bool)
    for code, rows in _measured(shard):
        known = table()["LOINC"][code]
        if unit is not None:
            for name in pd.unique(pd.Series(unit[rows], dtype=object)):
                if isinstance(name, str):
                    mine = rows[unit[rows] == name]
                    value[mine], unit[mine] = converted(code, value[mine], name)
        same = (
            np.ones(len(rows), dtype=bool)
            if unit is None
            else np.isin(unit[rows].astype(str), [known["unit"], "None"])
        )
        low, high = known["plausible"]
        wrong = rows[same & ((value[rows] < low) | (value[rows] > high))]
        gone[wrong] = True
    _count(shard, np.flatnonzero(gone), bad)
    value[gone] = np.nan
    out = replace(shard, value=value, unit=unit)
    return out.take(np.flatnonzero(~gone)) if gone.any() else out


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
        out.setdefault(str(names[code]), set()).add(str(unit))
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
        mine = rows[shard.code[rows] == code]
        if len(mine):
            yield str(names[code]), mine


def _count(shard: Shard, rows: NDArray[np.int64], bad: BadRows) -> None:
    assert shard.value is not None
    names = shard.codes["name"].to_numpy(object)[shard.code[rows]]
    file = np.zeros(len(rows), dtype=int) if shard.file is None else shard.file[rows]
    for number in np.unique(file):
        mine = rows[file == number]
        found = [f"{n} {v:g}" for n, v in zip(names[file == number], shard.value[mine], strict=True)]
        bad.add(shard.files[number], "a value that cannot be", shard.row[mine].tolist(), found)
