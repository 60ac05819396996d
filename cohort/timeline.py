"""The history as numbered evidence lines, and the text that models and raters read.

Repeats of a code are one line, dated at the first; lines are numbered in the order of their first event over the
whole history before the prediction time. So a number stays when the budget changes, and when the prediction time
moves later the numbers that were there stay too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .events import STATIC, YEAR, Shard
from .settings import Timeline

Count = Callable[[str], int]


@dataclass(frozen=True)
class Line:
    """One line before it is numbered."""

    code: int
    first: int
    last: int
    """Days since birth; `STATIC` for what holds always."""
    count: int
    value: float
    """The last one; NaN where there is none."""
    row: int
    """Of the first event, within the shard."""


def history(shard: Shard, start: int, stop: int, before: int, hidden: NDArray[np.bool_]) -> list[Line]:
    """The lines of one person: events [start, stop) of the shard that lie before day `before` and are not hidden."""
    upto = start + int(np.searchsorted(shard.day[start:stop], before, side="left"))
    rows = np.arange(start, upto)
    rows = rows[~hidden[shard.code[rows]]]
    if not len(rows):
        return []
    code = shard.code[rows]
    order = np.argsort(code, kind="stable")
    edges = np.flatnonzero(np.append(True, np.diff(code[order]) != 0))
    ends = np.append(edges[1:], len(order)) - 1
    firsts, lasts = rows[order[edges]], rows[order[ends]]
    value = shard.value[lasts] if shard.value is not None else np.full(len(lasts), np.nan)
    lines = [
        Line(int(shard.code[f]), int(shard.day[f]), int(shard.day[la]), int(n), float(v), int(f))
        for f, la, n, v in zip(firsts, lasts, ends - edges + 1, value, strict=True)
    ]
    return sorted(lines, key=lambda x: x.row)  # rows are in order of day


def evidence(shard: Shard, case: str, lines: list[Line], day: int) -> list[dict[str, Any]]:
    """Rows of `Evidence`, numbered, not yet chosen (`shown` is True)."""
    codes, systems, kinds, names = (shard.codes[c].to_numpy() for c in ("code", "system", "kind", "name"))
    out = []
    for i, line in enumerate(lines, 1):
        c, dated = line.code, line.first != STATIC
        unit = None if shard.unit is None else shard.unit[line.row]
        row = {
            "case": case, "id": f"E{i:03d}", "kind": kinds[c],
            "age": round(line.first / YEAR, 1) if dated else None,
            "years_before": round((day - line.last) / YEAR, 1) if dated else None,
            "code": codes[c], "system": systems[c], "name": names[c],
            "value": None if np.isnan(line.value) else line.value, "unit": unit, "count": line.count, "shown": True,
            "source": f"{shard.file}:{shard.row[line.row]}",
        }  # fmt: skip
        row["line"] = text(row, round((day - line.first) / YEAR, 1) if dated else None)
        out.append(row)
    return out


def text(row: dict[str, Any], first_before: float | None) -> str:
    """One line: number, age and years before, name, value, and repeats.

    >>> row = {"id": "E007", "age": 66.4, "years_before": 0.2, "name": "Hypertension", "value": None, "count": 3}
    >>> text(row, 3.6)
    '[E007] age 66.4 (3.6 y before): Hypertension; 3 times, last 0.2 y before'
    """
    what = row["name"]
    if row["value"] is not None:
        what += f" {row['value']:g}" + (f" {row['unit']}" if row.get("unit") else "")
    if row["count"] > 1 and row["age"] is not None:
        what += f"; {row['count']} times, last {row['years_before']:.1f} y before"
    when = "" if row["age"] is None else f" age {row['age']:.1f} ({first_before:.1f} y before):"
    return f"[{row['id']}]{when} {what}"


def choose(rows: list[dict[str, Any]], timeline: Timeline, count: Count, rarity: dict[str, float]) -> None:
    """Set `shown` on the lines that fit the budget, best first by the policy."""
    if timeline.budget is None:
        return
    left = timeline.budget
    for row in sorted(rows, key=lambda r: _rank(r, timeline.policy, rarity)):
        cost = count(row["line"])
        row["shown"] = cost <= left
        left -= cost if row["shown"] else 0


def _rank(row: dict[str, Any], policy: str, rarity: dict[str, float]) -> tuple[float, ...]:
    """Smaller goes in first. Demographics always lead; `mixed` keeps conditions before everything recent or common."""
    demographic = float(row["kind"] != "demographic")
    recent = row["years_before"] if row["years_before"] is not None else 0.0
    if policy == "recent":
        return demographic, recent
    common = -rarity.get(row["code"], 0.0)
    if policy == "rare":
        return demographic, common, recent
    tier = {"condition": 0.0, "drug": 1.0, "measurement": 2.0}.get(row["kind"], 3.0)
    return demographic, tier - (1.0 if recent <= 2.0 and tier > 0 else 0.0), common, recent


def render(rows: list[dict[str, Any]]) -> str:
    """The timeline: the lines shown, in the order of their numbers."""
    return "\n".join(r["line"] for r in rows if r["shown"])
