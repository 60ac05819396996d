"""How well each model does in subgroups, and how fair that is by stated measures."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..measures.arrays import Floats, Mask
from ..measures.discrimination import threshold
from ..measures.inference import combined
from ..multiplicity import holm
from ..records import Equity, Metric
from .evaluate import Evaluation
from .scores import HeldOut, PredictionKey


def subgroups(held: HeldOut) -> dict[str, Mask]:
    """The cases of each level of each attribute, by the name that stands in the tables: `sex female`."""
    out: dict[str, Mask] = {}
    for name, levels in held.attributes.items():
        for level in sorted({v for v in levels if v is not None}, key=_order):
            out[f"{name} {level}"] = np.array([v == level for v in levels])
    return out


def _order(level: str) -> tuple[int, float, str]:
    """Bands by where they start, other levels by name."""
    head = level.split("-")[0].rstrip("+")
    if level.startswith("<"):
        return 0, -1.0, level
    return (0, float(head), level) if head.replace(".", "", 1).isdigit() else (1, 0.0, level)


def by_subgroup(
    evaluation: Evaluation, keys: Iterable[PredictionKey], metric: str = "roc_auc"
) -> Iterator[Metric]:
    """One metric in every subgroup; a group too small by the settings gets a reason instead of a number."""
    population = evaluation.held.population
    groups = subgroups(evaluation.held)
    for key in keys:
        for name, of in groups.items():
            where = of & evaluation.present(key)
            if why := too_small(evaluation, where):
                yield Metric(
                    cell=key.cell,
                    readout=key.readout,
                    metric=metric,
                    group=name,
                    value=None,
                    n=int(where.sum()),
                    n_positive=int(evaluation.held.y[where].sum()),
                    n_missing=int((of & ~where).sum()),
                    population=population,
                    why_missing=why,
                )
            else:
                yield evaluation.metric(metric, key, population, name, of)


def too_small(evaluation: Evaluation, where: Mask) -> str | None:
    """Why a group gets no number; None where it is large enough for an interval that covers."""
    ones, least = int(evaluation.held.y[where].sum()), evaluation.settings.smallest_group
    few = min(ones, int(where.sum()) - ones) < least
    return f"fewer than {least} people with or without the outcome" if few else None


class _Value(NamedTuple):
    """A number about a group and its deviation vector."""

    value: float
    deviations: Floats


def equity(evaluation: Evaluation, models: Mapping[str, PredictionKey]) -> list[Equity]:
    """Every subgroup against all others, by every measure of `MEASURES`, Holm within a model and a measure."""
    out: list[Equity] = []
    for model, key in models.items():
        for measure, of in MEASURES.items():
            rows = [
                _against_rest(evaluation, model, key, measure, of, name, group)
                for name, group in subgroups(evaluation.held).items()
            ]
            adjusted = holm([r.p for r in rows])
            out += [r.model_copy(update={"p_adjusted": p}) for r, p in zip(rows, adjusted, strict=True)]
    return out


def _against_rest(
    evaluation: Evaluation, model: str, key: PredictionKey, measure: str, of: "Of", name: str, group: Mask
) -> Equity:
    here, rest = evaluation.present(key) & group, evaluation.present(key) & ~group
    facts: dict[str, Any] = {
        "model": model,
        "cell": key.cell,
        "readout": key.readout,
        "group": name,
        "measure": measure,
        "n": int(here.sum()),
        "n_positive": int(evaluation.held.y[here].sum()),
    }
    why = too_small(evaluation, here) or too_small(evaluation, rest)
    a, b = (None, None) if why else (of(evaluation, key, here), of(evaluation, key, rest))
    if a is None or b is None:
        return Equity(**facts, value=None, rest=None, difference=None, why_missing=why or "no value")
    gap = combined([a.value - b.value], [a.deviations - b.deviations], 1.0, 1.0)
    half = gap.basis.quantile() * float(np.sqrt(gap.basis.total))
    return Equity(
        **facts,
        value=a.value,
        rest=b.value,
        difference=gap.value,
        low=gap.value - half,
        high=gap.value + half,
        p=gap.basis.p(gap.value),
    )


Of = Callable[[Evaluation, PredictionKey, Mask], _Value | None]


def _metric(name: str, transform: Callable[[float], tuple[float, float]] = lambda v: (v, 1.0)) -> Of:
    """A metric of the table as a measure; `transform` gives its value on another scale, and the slope there."""

    def of(evaluation: Evaluation, key: PredictionKey, where: Mask) -> _Value | None:
        population = evaluation.held.population
        value = evaluation.value(name, key, population, where)
        vector = None if value is None else evaluation.deviations(name, key, population, where)
        if value is None or vector is None:
            return None
        moved, slope = transform(value)
        return _Value(moved, vector * slope)

    return of


def _flagged(label: int) -> Of:
    """Share of a group's people with, or without, the outcome above the threshold that serves everybody."""

    def of(evaluation: Evaluation, key: PredictionKey, where: Mask) -> _Value | None:
        held, population = evaluation.held, evaluation.held.population
        risk, weight = evaluation.scores.on(key, population), held.weights(population)
        every = evaluation.present(key)
        at = float(threshold(held.y[every], risk[every], weight[every][None])[0])
        members = where & (held.y == label)
        called = np.where(members, risk > at, False).astype(float)
        share = float(np.average(called[members], weights=weight[members]))
        influence = np.where(members, weight * (called - share) / weight[members].sum(), 0.0)
        return _Value(share, held.design.deviations(influence, where))

    return of


MEASURES: dict[str, Of] = {
    "roc_auc": _metric("roc_auc"),
    "sensitivity": _flagged(1),
    "false_positive_rate": _flagged(0),
    "log_expected_observed": _metric("expected_observed", lambda v: (float(np.log(v)), 1 / v)),
}
"""What is compared between a group and all others. Sensitivity and false positive rate at one threshold for
everybody, the one with 90 % specificity over all: their gaps are equal opportunity and, together, equalised odds
(Hardt and others 2016). The logarithm of expected over observed: whose risks are too high. 0 is fair by each."""


def largest(rows: Sequence[Equity], measure: str) -> Equity | None:
    """The widest gap of one measure."""
    known = [r for r in rows if r.measure == measure and r.difference is not None]
    return max(known, key=lambda r: abs(r.difference or 0.0), default=None)
