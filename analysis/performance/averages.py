"""Means over the finished cells of every arm, and the baselines beside them: the rows of the headline."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..records import Average, Population
from .compare import BASELINE, Comparer
from .intervals import interval
from .metrics import LOWER_IS_BETTER
from .scores import Key

RANKED = frozenset({"roc_auc", "pr_auc", "sensitivity_at_90", "scaled_brier"}) | LOWER_IS_BETTER
"""Metrics with a best end; calibration is best in the middle."""


def averages(comparer: Comparer, metrics: Iterable[str]) -> Iterator[Average]:
    """Mean and best of every metric over the finished cells of every arm and read-out, then the baselines.

    Each says how many cells it rests on and how many the grid has.
    """
    wanted = list(metrics)
    groups = [
        (name, readout, [Key(c.id, readout) for c in cells if comparer.has(c, readout)], len(cells))
        for name, cells in comparer.arms.items()
        for readout in comparer.readouts[name]
    ]
    groups += [(k.cell, k.readout, [k], 1) for k in comparer.evaluation.scores.risk if k.readout == BASELINE]
    for name, readout, keys, expected in groups:
        for population in comparer.evaluation.held.populations:
            for metric in wanted:
                facts = {"target": name, "readout": readout, "expected": expected}
                yield _average(comparer, keys, metric, population, facts)


def _average(
    comparer: Comparer, keys: Sequence[Key], metric: str, population: Population, facts: dict[str, Any]
) -> Average:
    evaluation = comparer.evaluation
    rows = [(key, evaluation.metric(metric, key, population)) for key in keys]
    known = [(key, row, row.value) for key, row in rows if row.value is not None]
    facts |= {"metric": metric, "population": population, "n_missing": sum(row.n_missing for _, row in rows)}
    if not known:
        why = next((row.why_missing for _, row in rows), "no cell is finished")
        return Average(**facts, value=None, cells=0, n=0, n_positive=0, why_missing=why)
    spread = np.mean(
        [evaluation.spread(metric, key, population, evaluation.present(key)) for key, _, _ in known], axis=0
    )
    limits = interval(spread) or (None, None)
    values = [value for _, _, value in known]
    return Average(
        **facts, value=float(np.mean(values)), low=limits[0], high=limits[1],
        best=(min if metric in LOWER_IS_BETTER else max)(values) if metric in RANKED else None,
        cells=len(known), n=min(r.n for _, r, _ in known), n_positive=min(r.n_positive for _, r, _ in known),
    )  # fmt: skip
