"""Every fit of a large grid at once: a heat map, and what each axis changes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ....study.grid import Cell
from ...cells import ARM, arm
from ...performance.scores import PredictionKey
from ...records import Comparison, Metric
from ..material import Material
from ..section import Section
from .comparison import differences

FEWEST = 8
"""Fits from which a grid is drawn."""
MOST_LEVELS = 60
"""Rows of the table of levels that stand on the page; the rest are in the rows that travel with it."""


class HeatRow(NamedTuple):
    """One row of the heat map."""

    name: str
    readout: str
    first: bool
    """The first of its arm."""
    values: tuple[Metric | None, ...]


def section(m: Material) -> dict[str, Any] | None:
    """The heat map of ROC-AUC and the table of levels; None for a grid that is seen at a glance elsewhere."""
    cells = [s.cell for s in m.tables.cells if s.state == "done"]
    levels = [c for c in m.tables.comparisons if c.unit == "level" and c.metric == m.settings.compared[0]]
    if len(cells) < FEWEST:
        return {"heat": None, "levels": _levels(levels)} if levels else None
    auc = {
        PredictionKey(r.cell, r.readout): r
        for r in m.tables.metrics
        if r.metric == "roc_auc" and r.group == "all" and r.population == m.population
    }
    down, across = _axes(cells)
    columns = sorted({tuple(getattr(c, a) for a in across) for c in cells})
    rows: list[HeatRow] = []
    ids = {c.id for c in cells}
    readouts = list(dict.fromkeys(k.readout for k in auc if k.cell in ids))
    for name in dict.fromkeys(arm(c) for c in cells):
        of_arm = [c for c in cells if arm(c) == name]
        for place in sorted({tuple(str(getattr(c, a)) for a in down) for c in of_arm}):
            here = [c for c in of_arm if tuple(str(getattr(c, a)) for a in down) == place]
            at = {tuple(getattr(c, a) for a in across): c for c in here}
            for readout in readouts:
                values = tuple(
                    auc.get(PredictionKey(at[x].id, readout)) if x in at else None for x in columns
                )
                if any(v is not None for v in values):
                    label = ", ".join([name, *(f"{a} {v}" for a, v in zip(down, place, strict=True))])
                    rows.append(HeatRow(label, readout, not rows or rows[-1].name != label, values))
    known = [v.value for r in rows for v in r.values if v is not None and v.value is not None]
    return {
        "heat": {"rows": rows, "columns": columns, "across": across, "low": min(known), "high": max(known)}
        if known
        else None,
        "levels": _levels(levels),
    }


def _axes(cells: Sequence[Cell]) -> tuple[list[str], list[str]]:
    """Axes that vary: those of the rows, and at most two of the columns, the longest first."""
    varying = {f: len({getattr(c, f) for c in cells}) for f in Cell.model_fields if f not in ARM}
    axes = sorted((f for f, n in varying.items() if n > 1), key=lambda f: -varying[f])
    across = sorted(axes[:2], key=list(Cell.model_fields).index)
    return [a for a in axes if a not in across], across


def _levels(rows: Sequence[Comparison]) -> dict[str, Any] | None:
    if not rows:
        return None
    ordered = sorted(rows, key=lambda c: -abs(c.difference or 0.0))
    return {"rows": ordered[:MOST_LEVELS], "axis": differences(ordered[:MOST_LEVELS]), "all": len(rows)}


SECTION = Section("The grid", section, "grid.html.j2")
