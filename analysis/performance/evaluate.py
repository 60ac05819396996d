"""Every number about every set of predictions, with its interval."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..measures import bootstrap
from ..measures.arrays import EDGE, Floats, Mask, kish
from ..measures.inference import Spread, combined
from ..measures.limits import Interval
from ..measures.metrics import METRICS
from ..records import Metric, Population
from ..settings import Settings
from .scores import HeldOut, PredictionKey, Scores

_Asked = tuple[str, PredictionKey, Population, bytes]
"""A metric, of whose risks, in which population, on which cases."""


class Evaluation:
    """The cases, all scores, and what is asked of them."""

    def __init__(self, held: HeldOut, scores: Scores, settings: Settings, seed: int) -> None:
        self.held, self.scores, self.settings, self.seed = held, scores, settings, seed
        self._rows: dict[tuple[str, PredictionKey, Population], Metric] = {}
        self._values: dict[_Asked, float | None] = {}
        self._vectors: dict[_Asked, Floats | None] = {}

    @cached_property
    def counts(self) -> bootstrap.Counts:
        """One set of bootstrap draws, for metrics without an influence function."""
        return bootstrap.draws(self.held.design, self.settings.replicates, self.seed)

    def present(self, key: PredictionKey) -> Mask:
        """(n,) the cases that have a risk."""
        return np.isfinite(self.scores.risk[key])

    def value(self, metric: str, key: PredictionKey, population: Population, where: Mask) -> float | None:
        """The metric on the cases of `where`; None where it has no answer."""
        at = (metric, key, population, where.tobytes())
        if at not in self._values:
            self._values[at] = self._value(metric, key, population, where)
        return self._values[at]

    def _value(self, metric: str, key: PredictionKey, population: Population, where: Mask) -> float | None:
        if self.why_not(where):
            return None
        y, risk, weight = self.held.y, self.scores.on(key, population), self.held.weights(population)
        value = float(METRICS[metric].compute(y[where], risk[where], weight[where][None, :])[0])
        return value if np.isfinite(value) else None

    def deviations(
        self, metric: str, key: PredictionKey, population: Population, where: Mask
    ) -> Floats | None:
        """A vector whose inner products with others of this metric are covariances; None where there is no
        variance."""
        at = (metric, key, population, where.tobytes())
        if at not in self._vectors:
            self._vectors[at] = self._deviations(metric, key, population, where)
        return self._vectors[at]

    def _deviations(
        self, metric: str, key: PredictionKey, population: Population, where: Mask
    ) -> Floats | None:
        measure = METRICS[metric]
        y, risk, weight = self.held.y, self.scores.on(key, population), self.held.weights(population)
        if measure.influence is None:
            values = bootstrap.replicates(measure.compute, y, risk, weight, self.counts, where)
            return bootstrap.deviations(values)
        influence = np.zeros(len(y))
        influence[where] = measure.influence(y[where], risk[where], weight[where])
        if not np.isfinite(influence).all():
            return None
        return self.held.design.deviations(influence, where)

    def spread(
        self,
        metric: str,
        values: Sequence[float],
        deviations: Sequence[Floats],
        population: Population,
        where: Mask,
    ) -> Spread:
        """The mean over seeds with its variance, on the cases of `where`."""
        y, weight = self.held.y[where], self.held.weights(population)[where]
        cases, controls = kish(weight[y == 1]), kish(weight[y == 0])
        known = METRICS[metric].influence is not None
        return combined(values, deviations, cases, controls, None if known else min(cases, controls) - 1)

    def limits(self, metric: str, spread: Spread) -> Interval | tuple[None, None]:
        """The interval of a value of the metric."""
        scale = METRICS[metric].scale
        return (scale(spread.value, spread.basis) if scale else None) or (None, None)

    def metric(
        self,
        metric: str,
        key: PredictionKey,
        population: Population = "sample",
        group: str = "all",
        of: Mask | None = None,
    ) -> Metric:
        """One number as a record: value, interval, counts, or the reason for its absence."""
        at = (metric, key, population)
        if of is None and at in self._rows:
            return self._rows[at]
        row = self._metric(metric, key, population, group, of)
        if of is None:
            self._rows[at] = row
        return row

    def _metric(
        self, metric: str, key: PredictionKey, population: Population, group: str, of: Mask | None
    ) -> Metric:
        of = np.ones(len(self.held.y), bool) if of is None else of
        where = self.present(key) & of
        facts: dict[str, Any] = {
            "cell": key.cell,
            "readout": key.readout,
            "metric": metric,
            "population": population,
            "group": group,
            "n": int(where.sum()),
            "n_positive": int(self.held.y[where].sum()),
            "n_missing": int((of & ~where).sum()),
            "n_clipped": self.clipped(metric, key, population, where),
        }
        value = self.value(metric, key, population, where)
        if value is None:
            return Metric(**facts, value=None, why_missing=self.why_missing(metric, key, population, where))
        if METRICS[metric].scale is None:
            return Metric(**facts, value=value)
        vector = self.deviations(metric, key, population, where)
        if vector is None:
            return Metric(**facts, value=value)
        low, high = self.limits(metric, self.spread(metric, [value], [vector], population, where))
        return Metric(**facts, value=value, low=low, high=high)

    def clipped(self, metric: str, key: PredictionKey, population: Population, where: Mask) -> int:
        """How many risks were moved away from 0 or 1, where the metric takes logarithms."""
        if not METRICS[metric].clips:
            return 0
        risk = self.scores.on(key, population)[where]
        return int(((risk < EDGE) | (risk > 1 - EDGE)).sum())

    def why_not(self, where: Mask) -> str | None:
        """Why nothing can be said about these cases; None where something can."""
        n, ones = int(where.sum()), int(self.held.y[where].sum())
        if n == 0:
            return "no case has a prediction"
        return f"only one class among {n} cases" if ones in (0, n) else None

    def why_missing(self, metric: str, key: PredictionKey, population: Population, where: Mask) -> str:
        """Why a metric has no value on these cases."""
        fault = self.why_not(where)
        ask = METRICS[metric].why_not
        if fault is None and ask is not None:
            risk, weight = self.scores.on(key, population), self.held.weights(population)
            fault = ask(self.held.y[where], risk[where], weight[where])
        return fault or "the metric is not defined for these risks"


def all_metrics(evaluation: Evaluation, keys: Iterable[PredictionKey]) -> Iterator[Metric]:
    """Every metric of every set of predictions, in the sample and, where it differs, in the source population."""
    for key in keys:
        for population in evaluation.held.populations:
            for metric in METRICS:
                yield evaluation.metric(metric, key, population)
