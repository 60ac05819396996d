"""Means over the finished fits of every arm, and the yardsticks beside them: the rows of the headline."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..measures.arrays import Floats
from ..measures.inference import Spread
from ..measures.metrics import METRICS
from ..records import Average, Metric, Population
from .balance import GridPlace, by_seed
from .choice import Choice
from .contrasts import Comparer, point
from .evaluate import Evaluation
from .scores import PredictionKey


@dataclass(frozen=True)
class Group:
    """Sets of predictions that one row averages."""

    name: str
    readout: str
    places: Sequence[tuple[PredictionKey, Hashable, int]]
    """Each with its settings and its seed."""
    expected: int
    """How many there should be."""

    @property
    def keys(self) -> list[PredictionKey]:
        return [key for key, _, _ in self.places]


def averages(comparer: Comparer, choice: Choice, metrics: Iterable[str]) -> Iterator[Average]:
    """Mean of every metric over the finished fits of every arm and read-out, then the yardsticks.

    Each says how many fits it rests on and how many the grid has, and what the fit that was chosen on the tuning
    split reaches.
    """
    return averaged(comparer.evaluation, _groups(comparer), choice, metrics)


def averaged(
    evaluation: Evaluation, groups: Iterable[Group], choice: Choice, metrics: Iterable[str]
) -> Iterator[Average]:
    """Mean of every metric over the sets of predictions of each group, in each population."""
    wanted = list(metrics)
    for group in groups:
        best, luckiest = choice.best(group.keys), choice.best_held_out(group.keys)
        for population in evaluation.held.populations:
            for metric in wanted:
                yield _average(evaluation, group, metric, population, best, luckiest)


def _groups(comparer: Comparer) -> Iterator[Group]:
    for name, cells in comparer.arms.items():
        for readout in comparer.readouts[name]:
            places = [(key, point(c), c.seed) for c, key in comparer.keys(name, readout)]
            yield Group(name, readout, places, len(cells))
    for name, keys in comparer.yardsticks.items():
        yield Group(name, keys[0][0].readout, [(k, n, 0) for k, n in keys], len(keys))


def _average(
    evaluation: Evaluation,
    group: Group,
    metric: str,
    population: Population,
    best: PredictionKey | None,
    luckiest: PredictionKey | None,
) -> Average:
    rows = {key: evaluation.metric(metric, key, population) for key in group.keys}
    known = [place for place in group.places if rows[place[0]].value is not None]
    facts: dict[str, Any] = {
        "target": group.name,
        "readout": group.readout,
        "expected": group.expected,
        "metric": metric,
        "population": population,
        "n_missing": sum(row.n_missing for row in rows.values()),
        "n_clipped": sum(row.n_clipped for row in rows.values()),
    }
    if not known:
        why = next((row.why_missing for row in rows.values()), "no fit is finished")
        return Average(**facts, value=None, cells=0, n=0, n_positive=0, why_missing=why)
    seeds = [[known[i][0] for i in part] for part in by_seed([GridPlace(p, seed) for _, p, seed in known])]
    kept = [key for part in seeds for key in part]
    facts |= _chosen(rows, best, luckiest)
    facts |= {name: min(getattr(rows[key], name) for key in kept) for name in ("n", "n_positive")}
    spread = _spread(evaluation, metric, population, seeds, rows)
    if spread is None:
        return Average(**facts, value=float(np.mean([rows[key].value for key in kept])), cells=len(kept))
    low, high = evaluation.limits(metric, spread)
    return Average(
        **facts,
        value=spread.value,
        low=low,
        high=high,
        cells=len(kept),
        about=spread.about,
        seeds=spread.seeds,
        seed_sd=spread.seed_sd,
    )


def _spread(
    evaluation: Evaluation,
    metric: str,
    population: Population,
    seeds: Sequence[Sequence[PredictionKey]],
    rows: dict[PredictionKey, Metric],
) -> Spread | None:
    """The mean over seeds with its variance; None where the metric has none."""
    if METRICS[metric].scale is None:
        return None
    vectors: dict[PredictionKey, Floats] = {}
    for key in (key for part in seeds for key in part):
        vector = evaluation.deviations(metric, key, population, evaluation.present(key))
        if vector is None:
            return None
        vectors[key] = vector
    return evaluation.spread(
        metric,
        [float(np.mean([rows[k].value for k in part])) for part in seeds],
        [np.mean([vectors[k] for k in part], axis=0) for part in seeds],
        population,
        np.logical_and.reduce([evaluation.present(key) for key in vectors]),
    )


def _chosen(
    rows: dict[PredictionKey, Metric], best: PredictionKey | None, luckiest: PredictionKey | None
) -> dict[str, Any]:
    return {
        "best": rows[best].value if best else None,
        "best_cell": best.cell if best else None,
        "best_held_out": rows[luckiest].value if luckiest else None,
    }
