"""Predictions as arrays: every number that the report has about them."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...study.errors import DataError
from ..measures.arrays import Floats, Labels, Places
from ..measures.metrics import METRICS
from ..performance import curves, errors
from ..performance.averages import Group, averaged
from ..performance.choice import Choice
from ..performance.compare import Pair, adjusted, contrast
from ..performance.contrasts import family
from ..performance.evaluate import Evaluation, all_metrics
from ..performance.scores import HeldOut, PredictionKey, Scores, weighted
from ..performance.spread import risk_spread, sample_size
from ..performance.subgroups import by_subgroup, equity
from ..records import Comparison
from ..settings import Settings
from ..tables import Tables

GIVEN = "given"
"""The read-out of risks that were handed over as they are."""
MODELS = "models"
"""The family of the comparisons, before the name of the metric."""


@dataclass(frozen=True)
class Predictions:
    """Risks of one or more models for the same cases; n of them."""

    y: Labels
    """(n,) 0 or 1."""
    risk: Mapping[tuple[str, int], Floats]
    """(n,) by model and training run, NaN where there is none."""
    case: Sequence[str] = ()
    person: Places | None = None
    """(n,) number of the person; None: a case is a person."""
    weight: Floats | None = None
    """(n,) people that the case stands for; None: itself alone."""
    groups: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    """Levels of each case, by the name of the attribute; None where it is not known."""
    missing: Mapping[tuple[str, int], Mapping[str, int]] = field(default_factory=dict)
    """Reasons for missing risks, with counts."""
    censored: int = 0
    """Cases without a label, left out."""
    by_outcome: bool | None = None
    """People with and without the outcome were drawn apart; None: where each class has a weight of its own."""

    @property
    def models(self) -> list[str]:
        """Names, in the order in which they came."""
        return list(dict.fromkeys(model for model, _ in self.risk))

    def keys(self, model: str) -> dict[int, PredictionKey]:
        """The sets of predictions of a model, by seed."""
        seeds = [seed for name, seed in self.risk if name == model]
        return {s: PredictionKey(model if len(seeds) == 1 else f"{model}, seed {s}", GIVEN) for s in seeds}


def evaluate(
    y: Sequence[int] | Labels,
    risk: Mapping[str, Sequence[float] | Floats],
    *,
    person: Sequence[Hashable] | None = None,
    weight: Sequence[float] | None = None,
    groups: Mapping[str, Sequence[str | None]] | None = None,
    reference: str | None = None,
    by_outcome: bool | None = None,
    settings: Settings | None = None,
) -> Tables:
    """Every number of the report that needs no text, about predictions that were made elsewhere.

    Args:
        y: (n,) outcomes, 0 or 1.
        risk: (n,) risks in [0, 1] by model, NaN where there is none; (s, n) for the same recipe trained s times, and
            with three runs or more its intervals include training noise.
        person: (n,) who each case is about, where someone has several; people are resampled as wholes.
        weight: (n,) people that each case stands for.
        groups: (n,) levels by attribute, such as `{"sex": [...]}`, for subgroups.
        reference: the model that the others are compared with; None: the first.
        by_outcome: people with and without the outcome were drawn apart; None: where weights differ between the two
            classes and not within them.
        settings: `[analysis]` of a study file.
    Raises:
        DataError: shapes that differ, a label that is not 0 or 1, a risk outside [0, 1], or one class only.
    """
    labels = np.asarray(y)
    runs = {
        (model, seed): row
        for model, values in risk.items()
        for seed, row in enumerate(np.atleast_2d(np.asarray(values, dtype=float)))
    }
    _check(labels, runs, person, weight)
    return evaluated(
        Predictions(
            y=labels.astype(np.int64),
            risk=runs,
            person=None if person is None else _numbered(person),
            weight=None if weight is None else np.asarray(weight, dtype=float),
            groups=groups or {},
            by_outcome=by_outcome,
        ),
        reference,
        settings or Settings(),
    )


def _check(
    y: Any, risk: Mapping[tuple[str, int], Floats], person: Sequence[Hashable] | None, weight: Any
) -> None:
    n = len(y)
    if not np.isin(y, (0, 1)).all():
        raise DataError(f"y: {y[~np.isin(y, (0, 1))][0]!r}; labels are 0 or 1.")
    for (model, _), row in risk.items():
        if len(row) != n:
            raise DataError(f"risk of {model!r}: {len(row)} values for {n} labels.")
        outside = np.flatnonzero((row < 0) | (row > 1))
        if len(outside):
            raise DataError(f"risk of {model!r}: {row[outside[0]]:g} at {outside[0]}; risks are in [0, 1].")
    for name, values in (("person", person), ("weight", weight)):
        if values is not None and len(values) != n:
            raise DataError(f"{name}: {len(values)} values for {n} labels.")
    if weight is not None and not (np.asarray(weight, dtype=float) > 0).all():
        raise DataError("weight: weights are above 0.")


def _numbered(person: Sequence[Hashable]) -> Places:
    """(n,) a number for each person, in the order of first appearance."""
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(p, len(number)) for p in person], dtype=np.int64)


def held_out(p: Predictions) -> HeldOut:
    """The cases as the analysis knows them: weights are how many people of the source each stands for."""
    n = len(p.y)
    sampling = np.ones(n) if p.weight is None else p.weight
    return HeldOut(
        case=tuple(p.case) or tuple(str(i) for i in range(n)),
        person=np.arange(n) if p.person is None else p.person,
        y=p.y,
        observed=np.ones(n),
        sampling=sampling,
        shift=0.0,
        attributes={k: tuple(v) for k, v in p.groups.items() if len(set(v) - {None}) > 1},
        censored=p.censored,
        by_outcome=drawn_by_outcome(p.y, sampling) if p.by_outcome is None else p.by_outcome,
    )


def drawn_by_outcome(y: Labels, weight: Floats) -> bool:
    """Whether weights are what sampling by outcome gives: one for each class.

    >>> drawn_by_outcome(np.array([1, 0, 0]), np.array([1.0, 9.0, 9.0]))
    True
    """
    return weighted(weight) and not any(weighted(weight[y == g]) for g in (0, 1) if (y == g).any())


def evaluated(p: Predictions, reference: str | None, settings: Settings) -> Tables:
    """Every table that needs no text.

    Raises:
        DataError: one class only, or no such reference.
    """
    if p.y.min() == p.y.max():
        raise DataError(f"all {len(p.y)} labels are {p.y[0]}: discrimination cannot be measured.")
    reference = _reference(p, reference)
    risk = {key: p.risk[model, seed] for model in p.models for seed, key in p.keys(model).items()}
    missing = {key: p.missing.get((m, s), {}) for m in p.models for s, key in p.keys(m).items()}
    as_given = settings.model_copy(update={"reference": reference, "reference_readout": GIVEN})
    evaluation = Evaluation(held_out(p), Scores(risk, missing, 0.0), as_given, seed=0)
    groups = [
        Group(model, GIVEN, [(key, "", seed) for seed, key in p.keys(model).items()], len(p.keys(model)))
        for model in p.models
    ]
    shown = {model: next(iter(p.keys(model).values())) for model in p.models}
    return Tables(
        metrics=[*all_metrics(evaluation, risk), *by_subgroup(evaluation, risk)],
        averages=list(averaged(evaluation, groups, Choice(evaluation, None), METRICS)),
        comparisons=adjusted(
            [c for metric in as_given.compared for c in _comparisons(evaluation, p, reference, metric)]
        ),
        called=list(errors.called(evaluation, shown, shown[reference])),
        equity=equity(evaluation, shown),
        risks=list(risk_spread(evaluation, risk)),
        sample_size=sample_size(evaluation, shown[reference], None, []),
        curves=list(curves.models(evaluation, shown)),
        models=shown,
        evaluation=evaluation,
    )


def _reference(p: Predictions, name: str | None) -> str:
    if name is not None and name not in p.models:
        raise DataError(f"reference: no model {name!r}. Known: {', '.join(p.models)}.")
    return name or p.models[0]


def _comparisons(evaluation: Evaluation, p: Predictions, reference: str, metric: str) -> list[Comparison]:
    """Every other model against the reference."""
    out = []
    for model in p.models:
        if model == reference:
            continue
        pairs = paired(p.keys(model), p.keys(reference))
        estimates = contrast(evaluation, metric, pairs, evaluation.held.population)
        out.append(
            Comparison(
                metric=metric,
                unit="yardstick",
                family=family(MODELS, metric),
                a=model,
                a_readout=GIVEN,
                b=reference,
                b_readout=GIVEN,
                pairs_expected=len(pairs),
                **estimates,
            )
        )
    return out


def paired(a: Mapping[int, PredictionKey], b: Mapping[int, PredictionKey]) -> list[Pair]:
    """Training runs side by side: of the same seed, one run beside every run of the other, else in their order.

    >>> paired({1: PredictionKey("a", "x"), 2: PredictionKey("c", "x")}, {0: PredictionKey("b", "x")})[1].b.cell
    'b'
    """
    if len(a) == 1 or len(b) == 1:
        seeds = a if len(b) == 1 else b
        one, other = next(iter(a.values())), next(iter(b.values()))
        return [Pair(a[s] if len(a) > 1 else one, b[s] if len(b) > 1 else other, "", s) for s in seeds]
    shared = [s for s in a if s in b]
    if shared:
        return [Pair(a[s], b[s], "", s) for s in shared]
    return [
        Pair(one, other, "", i) for i, (one, other) in enumerate(zip(a.values(), b.values(), strict=False))
    ]
