"""Every number about every set of predictions, with its interval; replicates are kept for paired comparisons."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records import Metric, Population
from ..settings import Settings
from .intervals import Counts, draws, interval, replicates
from .metrics import METRICS
from .scores import Floats, HeldOut, Key, Scores

Where = NDArray[np.bool_]


class Evaluation:
    """The held-out cases, all scores, and one set of bootstrap draws for everything asked of them."""

    def __init__(self, held: HeldOut, scores: Scores, settings: Settings, seed: int) -> None:
        self.held, self.scores, self.settings = held, scores, settings
        self.counts: Counts = draws(held.person, settings.replicates, seed)
        self._kept: dict[tuple[str, Key, Population, bytes], Floats] = {}

    def present(self, key: Key) -> Where:
        """(n,) the cases that have a risk."""
        return np.isfinite(self.scores.risk[key])

    def value(self, metric: str, key: Key, population: Population, where: Where) -> float | None:
        """The metric on the cases of `where`; None where it has no answer."""
        y, risk, weight = self.held.y, self.scores.on(key, population), self.held.weights(population)
        if not where.any():
            return None
        found = float(METRICS[metric](y[where], risk[where], weight[where][None, :])[0])
        return found if np.isfinite(found) else None

    def spread(self, metric: str, key: Key, population: Population, where: Where) -> Floats:
        """(b,) the metric in every bootstrap sample of the cases of `where`."""
        at = (metric, key, population, where.tobytes())
        if at not in self._kept:
            risk, weight = self.scores.on(key, population), self.held.weights(population)
            self._kept[at] = replicates(METRICS[metric], self.held.y, risk, weight, self.counts, where)
        return self._kept[at]

    def metric(
        self,
        metric: str,
        key: Key,
        population: Population = "sample",
        group: str = "all",
        of: Where | None = None,
    ) -> Metric:
        """One number as a record: value, interval, counts, or the reason for its absence."""
        of = np.ones(len(self.held.y), bool) if of is None else of
        where = self.present(key) & of
        ones = int(self.held.y[where].sum())
        facts: dict[str, Any] = {
            "cell": key.cell, "readout": key.readout, "metric": metric, "population": population, "group": group,
            "n": int(where.sum()), "n_positive": ones, "n_missing": int((of & ~where).sum()),
        }  # fmt: skip
        why = self.why_not(where)
        value = None if why else self.value(metric, key, population, where)
        if value is None:
            why = why or "the risks do not vary, or separate the classes"
            return Metric(**facts, value=None, why_missing=why)
        limits = interval(self.spread(metric, key, population, where)) or (None, None)
        return Metric(**facts, value=value, low=limits[0], high=limits[1])

    def why_not(self, where: Where) -> str | None:
        """Why nothing can be said about these cases; None where something can."""
        n, ones = int(where.sum()), int(self.held.y[where].sum())
        if n == 0:
            return "no case has a prediction"
        return f"only one class among {n} cases" if ones in (0, n) else None


def all_metrics(evaluation: Evaluation, keys: Iterable[Key]) -> Iterator[Metric]:
    """Every metric of every set of predictions, in the sample and, where it differs, in the source population."""
    for key in keys:
        for population in evaluation.held.populations:
            for metric in METRICS:
                yield evaluation.metric(metric, key, population)


def subgroups(held: HeldOut, settings: Settings) -> dict[str, Where]:
    """The cases of each sex and age band, by the name that stands in the tables; groups of nobody are left out."""
    out = {f"sex {sex}": np.array([s == sex for s in held.sex]) for sex in sorted({s for s in held.sex if s})}
    edges = (-np.inf, *settings.age_bands, np.inf)
    for low, high in pairwise(edges):
        name = f"<{high:g}" if low == -np.inf else f"{low:g}+" if high == np.inf else f"{low:g}-{high:g}"
        out[f"age {name}"] = (held.age >= low) & (held.age < high)
    return {name: where for name, where in out.items() if where.any()}


def by_subgroup(evaluation: Evaluation, keys: Iterable[Key], metric: str = "roc_auc") -> Iterator[Metric]:
    """One metric in every subgroup; a group too small by the settings gets a reason instead of a number."""
    least = evaluation.settings.smallest_group
    groups = subgroups(evaluation.held, evaluation.settings)
    for key in keys:
        for name, of in groups.items():
            where = of & evaluation.present(key)
            ones = int(evaluation.held.y[where].sum())
            if min(ones, int(where.sum()) - ones) >= least:
                yield evaluation.metric(metric, key, "sample", name, of)
                continue
            yield Metric(
                cell=key.cell, readout=key.readout, metric=metric, group=name, value=None, n=int(where.sum()),
                n_positive=ones, n_missing=int((of & ~where).sum()),
                why_missing=f"fewer than {least} cases or controls",
            )  # fmt: skip
