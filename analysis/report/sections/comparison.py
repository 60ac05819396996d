"""Every target against the reference: the table that the verdict rests on, and the same by other measures."""

from collections.abc import Sequence
from typing import Any

from ...performance.contrasts import OTHER_FORMAT, OWN_FORMAT, WITHIN, family
from ...performance.metrics import METRICS
from ...records import Comparison
from ..material import Material
from ..strips import Axis, axis


def section(m: Material) -> dict[str, Any] | None:
    """Families of comparisons, the question's own first; None where the study has no grid."""
    if not m.tables.cells:
        return None
    compared = m.settings.compared
    main = _family(m.tables.comparisons, OWN_FORMAT, compared[0])
    others = [_family(m.tables.comparisons, OWN_FORMAT, metric) for metric in compared[1:]]
    beside = [
        ("Read in other formats", _family(m.tables.comparisons, OTHER_FORMAT, compared[0])),
        ("Baselines", _family(m.tables.comparisons, "baselines", compared[0])),
        ("Models made elsewhere", _family(m.tables.comparisons, "outsides", compared[0])),
        ("What the text before the label changes", _family(m.tables.comparisons, WITHIN, compared[0])),
    ]
    return {
        "main": main, "others": [f for f in others if f["rows"]], "beside": [(t, f) for t, f in beside if f["rows"]],
        "paper": any(c.target != m.settings.reference for c in (s.cell for s in m.tables.cells)),
    }  # fmt: skip


def _family(comparisons: Sequence[Comparison], name: str, metric: str) -> dict[str, Any]:
    rows = [c for c in comparisons if c.family == family(name, metric)]
    return {"name": family(name, metric), "measure": METRICS[metric], "rows": rows, "axis": differences(rows)}


def differences(rows: Sequence[Comparison]) -> Axis:
    """The scale of a column of differences, with zero as its rule."""
    values = [v for c in rows for v in (c.low_adjusted, c.high_adjusted, c.difference)]
    return axis(values, 0.0)
