"""Calibration, curves, decisions, and who is flagged at the same specificity."""

from typing import Any

from ...performance.metrics import METRICS
from ..headline import ranked
from ..material import Material

COLUMNS = ("expected_observed", "calibration_in_the_large", "calibration_slope", "scaled_brier")


def section(m: Material) -> dict[str, Any] | None:
    """The figures, the table of calibration, confusion tables; None without predictions."""
    if m.tables.evaluation is None:
        return None
    beside = {(a.metric, a.target, a.readout): a for a in m.tables.averages if a.population == m.population}
    names = {k: name for name, k in m.tables.models.items()}
    return {
        "rows": ranked(m.tables.averages), "columns": [(name, METRICS[name]) for name in COLUMNS], "beside": beside,
        "held": m.tables.evaluation.held, "called": m.tables.called, "alarms": m.tables.alarms,
        "shown": [(name, key) for key, name in names.items()],
        "clipped": max((a.n_clipped for a in m.tables.averages), default=0),
    }  # fmt: skip
