"""Calibration, curves, decisions, and who is flagged at the same specificity."""

from typing import Any

from ...measures.metrics import METRICS
from ..headline import ranked
from ..material import ReportNumbers
from ..section import Section

COLUMNS = ("expected_observed", "calibration_in_the_large", "calibration_slope", "scaled_brier")


def section(m: ReportNumbers) -> dict[str, Any] | None:
    """The figures, the table of calibration, confusion tables; None without predictions."""
    if m.tables.evaluation is None:
        return None
    rows = ranked(m.tables.averages)
    beside = {(a.metric, a.target, a.readout): a for a in m.tables.averages if a.population == m.population}
    names = {k: name for name, k in m.tables.models.items()}
    return {
        "rows": rows,
        "read": any(a.readout != "given" for a in rows),
        "which": _which(m),
        "columns": [(name, METRICS[name]) for name in COLUMNS],
        "beside": beside,
        "held": m.tables.evaluation.held,
        "called": m.tables.called,
        "alarms": m.tables.alarms,
        "shown": [(name, key) for key, name in names.items()],
        "clipped": max((a.n_clipped for a in m.tables.averages), default=0),
    }


def _which(m: ReportNumbers) -> str:
    """Which fit of each model a figure shows, where it has several."""
    several = {a.target for a in m.tables.averages if a.expected > 1}
    chosen = any(a.best is not None for a in m.tables.averages)
    if not several & m.tables.models.keys():
        return ""
    which = "the one with the best ROC-AUC on the tuning split" if chosen else "the first"
    return f"Of a model with several fits, {which} is drawn."


SECTION = Section(
    "Calibration and use", section, "calibration.html.j2", absent="No predictions, so no calibration."
)
