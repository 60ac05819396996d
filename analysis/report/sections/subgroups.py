"""Ranking in subgroups, and how fair each model is by stated measures."""

from typing import Any

from ..material import ReportNumbers
from ..section import Section

LABELS = {
    "roc_auc": "ROC-AUC",
    "sensitivity": "sensitivity",
    "false_positive_rate": "false positive rate",
    "log_expected_observed": "log of expected / observed",
}


def section(m: ReportNumbers) -> dict[str, Any] | None:
    """ROC-AUC by group for the models shown, and gaps between each group and all others."""
    if not m.tables.equity:
        return None
    metrics = {(r.cell, r.readout, r.group): r for r in m.tables.metrics if r.group != "all"}
    groups = list(dict.fromkeys(group for _, _, group in metrics))
    rows = {
        n: [metrics[(*k, g)] for g in groups]
        for n, k in m.tables.models.items()
        if (*k, groups[0]) in metrics
    }
    gaps = [r for r in m.tables.equity if r.difference is not None and r.model not in m.tables.optima]
    apart = [r for r in gaps if r.p_adjusted is not None and r.p_adjusted < 0.05]
    return {
        "groups": groups,
        "rows": rows,
        "gaps": gaps,
        "apart": apart,
        "labels": LABELS,
        "models": list(dict.fromkeys(r.model for r in gaps)),
    }


SECTION = Section("Subgroups", section, "subgroups.html.j2")
