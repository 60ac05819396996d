"""What stands beside the names in the legends of figures: the number behind each curve, and how many people."""

from collections.abc import Mapping

from ..records import Metric
from ..tables import Tables
from ..words import number


def notes(tables: Tables) -> dict[str, dict[str, str]]:
    """By figure and series."""
    if tables.evaluation is None:
        return {}
    population = tables.evaluation.held.population
    metrics = {
        (r.cell, r.readout, r.metric): r
        for r in tables.metrics
        if r.group == "all" and r.population == population
    }
    return {
        "roc": _notes(tables, metrics, "roc_auc", "AUC"),
        "precision_recall": _notes(tables, metrics, "pr_auc", "AP"),
    }


def _notes(
    tables: Tables, metrics: Mapping[tuple[str, str, str], Metric], metric: str, short: str
) -> dict[str, str]:
    rows = {name: metrics.get((*key, metric)) for name, key in tables.models.items()}
    return {n: f"{short} {number(r.value)}, n {r.n:,}" for n, r in rows.items() if r is not None}
