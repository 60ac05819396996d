"""Lines as rows of `Evidence`, in columns."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cleaning.units import flag_of, in_words
from ..events import STATIC, YEAR, Shard
from ..line import evidence_id, written
from ..records import Evidence
from ..words import number
from .lines import Lines

SAME = "the same"
"""Instead of words that stand in the line already."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Objects = NDArray[np.object_]


def evidence(shard: Shard, names: Sequence[str], day: Ints, lines: Lines) -> pd.DataFrame:
    """Rows of `Evidence`, all of them still shown.

    Args:
        shard: the events.
        names: (cases,) ids of the cases.
        day: (cases,) prediction time in days since birth.
        lines: of all cases.
    """
    first, last, at = shard.day[lines.first], shard.day[lines.last], day[lines.case]
    dated = first != STATIC
    age, last_age = np.round(first / YEAR, 1), np.round(last / YEAR, 1)
    since, ago = (np.round((at - d.astype(np.int64)) / YEAR, 1) for d in (first, last))
    code = shard.code[lines.first]
    table = {c: shard.codes[c].to_numpy(object)[code] for c in ("kind", "code", "system", "name")}
    unit: Objects = lines.unit
    findings = _findings(shard, lines)
    ids = [evidence_id(n) for n in lines.number.tolist()]
    dates = zip(dated.tolist(), age.tolist(), since.tolist(), last_age.tolist(), ago.tolist(), strict=True)
    statements = zip(*_said(shard, lines, table["code"], unit), strict=True)
    text = [
        _line(id, name + head, count, when, between, end)
        for id, name, count, when, (head, between, end) in zip(
            ids, table["name"], lines.count.tolist(), dates, statements, strict=True
        )
    ]
    files = np.array(shard.files, dtype=object)[0 if shard.file is None else shard.file[lines.first]]
    columns = {
        "case": np.array(names, dtype=object)[lines.case],
        "id": ids,
        **table,
        "age": np.where(dated, age, np.nan),
        "last_age": np.where(dated, last_age, np.nan),
        "years_before": np.where(dated, ago, np.nan),
        **findings,
        "unit": [
            in_words(u) if v == v else None for u, v in zip(unit, findings["value"].tolist(), strict=True)
        ],
        "count": lines.count,
        "shown": np.ones(len(ids), dtype=bool),
        "line": text,
        "source": files + ":" + shard.row[lines.first].astype(str).astype(object),
    }
    # plain Python strings: turning half a million of them into Arrow's and back costs more than making them
    return pd.DataFrame({f: _plain(columns[f]) for f in Evidence.model_fields})


def _plain(column: Any) -> Any:
    return pd.Series(column, dtype=object) if isinstance(column, list) or column.dtype == object else column


def _line(
    id: str,
    what: str,
    count: int,
    when: tuple[bool, float, float, float, float],
    between: tuple[tuple[str, float], ...],
    end: str,
) -> str:
    dated, age, since, last_age, ago = when
    if not dated:  # what holds always does so once, however often it was written down
        return written(id, what)
    if count == 1:
        return written(id, what, age, since)
    return written(id, what, age, since, count, between, end, last_age, ago)


def _findings(shard: Shard, lines: Lines) -> dict[str, Any]:
    """The fields of `Evidence` that hold what was found."""
    of, row = lines.readings
    value, text, age = _values(shard, row), _texts(shard, row), _ages(shard, row)
    final = np.append(of[1:] != of[:-1], True) if len(of) else np.zeros(0, dtype=bool)
    initial = np.append(True, of[1:] != of[:-1]) if len(of) else np.zeros(0, dtype=bool)
    places = {"": final, "first_": initial & ~final, "between_": ~initial & ~final}
    out: dict[str, Any] = {}
    for prefix, own in places.items():
        names = (
            f"{prefix}value",
            f"{prefix}text",
            "between_age" if prefix == "between_" else f"{prefix}value_age",
        )
        for name, column, empty in zip(names, (value, text, age), (np.nan, "", np.nan), strict=True):
            out[name] = np.full(len(lines.case), empty, dtype=column.dtype)
            out[name][of[own]] = column[own]
    return out


def _values(shard: Shard, row: Ints) -> Floats:
    return np.full(len(row), np.nan) if shard.value is None else shard.value[row]


def _texts(shard: Shard, row: Ints) -> Objects:
    """What was found as it was said; empty where that is the bare number."""
    words: Objects = np.full(len(row), None, dtype=object) if shard.text is None else shard.text[row]
    return np.where(words == None, "", words)  # noqa: E711


def _ages(shard: Shard, row: Ints) -> Floats:
    day = shard.day[row]
    return np.where(day == STATIC, np.nan, np.round(day / YEAR, 1))


def _said(
    shard: Shard, lines: Lines, code: Objects, unit: Objects
) -> tuple[list[str], list[tuple[tuple[str, float], ...]], list[str]]:
    """(lines,) what was found at the first event, as it follows the name; between; and at the last event."""
    n = len(lines.case)
    heads, ends = [""] * n, [""] * n
    between: list[tuple[tuple[str, float], ...]] = [()] * n
    of, row = lines.readings
    first, last = row == lines.first[of], row == lines.last[of]
    columns = (of, _values(shard, row), _texts(shard, row), _ages(shard, row), first, last)
    for i, value, text, age, is_first, is_last in zip(*(c.tolist() for c in columns), strict=True):
        flag = flag_of(code[i], value, unit[i]) if not text else ""
        finding = text or number(value)
        mark = f" ({flag})" if flag else ""
        of_what = in_words(unit[i]) if value == value else None
        whole = f"{finding} {of_what}{mark}" if of_what else finding + mark
        if is_first:
            heads[i] = f" {whole}" if value == value else f": {whole}"
        elif is_last:
            ends[i] = SAME if text and not between[i] and heads[i] == f": {whole}" else whole
        else:
            again = heads[i] or between[i]  # the unit stands with the first finding
            between[i] += ((finding + mark if again else whole, age),)
    return heads, between, ends
