"""Every number about every target and read-out, in one population."""

from typing import Any

from ...measures.metrics import METRICS
from ...performance.formats import YARDSTICKS
from ..headline import ranked
from ..material import ReportNumbers
from ..section import Section
from ..strips import axis

COLUMNS = ("pr_auc", "sensitivity_at_90", "specificity_attained", "brier", "scaled_brier")
"""Beside ROC-AUC, before what else the study compares."""


def section(m: ReportNumbers) -> dict[str, Any] | None:
    """Rows of the headline with the other metrics beside them; None where nothing was predicted."""
    rows = ranked(m.tables.averages)
    if not rows:
        return None
    columns = [*COLUMNS, *(name for name in m.settings.compared if name not in ("roc_auc", *COLUMNS))]
    beside = {(a.metric, a.target, a.readout): a for a in m.tables.averages if a.population == m.population}
    return {
        "rows": rows,
        "columns": [(name, METRICS[name]) for name in columns],
        "beside": beside,
        "axis": axis([v for a in rows for v in (a.low, a.high, a.value)], 0.5),
        "chosen": [a for a in rows if a.best is not None and a.expected > 1 and a.readout not in YARDSTICKS],
        "bayes": any(a.target == "bayes" and a.readout in YARDSTICKS for a in rows),
        "some_missing": any(a.n_missing for a in rows),
    }


SECTION = Section(
    "Every model",
    section,
    "models.html.j2",
    "Nothing was trained or predicted in this study; it ends with the verdicts on the rationales.",
)
