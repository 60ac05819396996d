"""Paired comparisons: the same held-out people, everything else in the grid alike, fits of the same seed side by
side."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..measures.arrays import Floats, Mask
from ..measures.inference import Spread
from ..measures.limits import straight, student
from ..multiplicity import holm, levels
from ..records import Comparison, Population
from .balance import GridPlace, by_seed
from .evaluate import Evaluation
from .scores import PredictionKey


class Pair(NamedTuple):
    """Two sets of predictions to subtract, and where they stand in the grid."""

    a: PredictionKey
    b: PredictionKey
    point: Hashable = ""
    """All settings but the seed."""
    seed: int = 0


class _Gap(NamedTuple):
    """What one pair of fits gave."""

    pair: Pair
    a: float
    b: float
    deviations: Floats
    n: int


def contrast(
    evaluation: Evaluation, metric: str, pairs: Sequence[Pair], population: Population = "sample"
) -> dict[str, Any]:
    """The mean difference over pairs, with interval and p, as fields of a `Comparison`.

    Each pair is taken on the cases that both sides predict. With three seeds or more the interval includes persons
    and training runs and speaks about recipes; with fewer it speaks about these fits (`inference.py`).
    """
    gaps, why = _gaps(evaluation, metric, pairs, population)
    if not gaps:
        return {"difference": None, "why_missing": why, "n": 0, "pairs": 0, "population": population}
    seeds = [
        [gaps[i] for i in part] for part in by_seed([GridPlace(g.pair.point, g.pair.seed) for g in gaps])
    ]
    kept = [gap for part in seeds for gap in part]
    spread = _over_seeds(evaluation, metric, seeds, population)
    basis = spread.basis
    low, high = straight(spread.value, basis) or (None, None)
    return {
        "difference": spread.value,
        "low": low,
        "high": high,
        "p": basis.p(spread.value),
        "se": float(np.sqrt(basis.total)),
        "df": basis.freedom(),
        "about": spread.about,
        "seeds": spread.seeds,
        "seed_sd": spread.seed_sd,
        "seed_share": basis.training / basis.total if basis.total > 0 else None,
        "a_value": float(np.mean([g.a for g in kept])),
        "b_value": float(np.mean([g.b for g in kept])),
        "n": min(g.n for g in kept),
        "pairs": len(kept),
        "population": population,
    }


def _gaps(
    evaluation: Evaluation, metric: str, pairs: Sequence[Pair], population: Population
) -> tuple[list[_Gap], str | None]:
    """The pairs that have a value on both sides, and why the last other one has none."""
    out: list[_Gap] = []
    why = None if pairs else "no pair of fits is finished"
    for pair in pairs:
        where = evaluation.present(pair.a) & evaluation.present(pair.b)
        a, b = (_known(evaluation, metric, key, population, where) for key in (pair.a, pair.b))
        if a is None or b is None:
            why = evaluation.why_not(where) or "the metric has no value for one side"
            continue
        out.append(_Gap(pair, a[0], b[0], a[1] - b[1], int(where.sum())))
    return out, why


def _known(
    evaluation: Evaluation, metric: str, key: PredictionKey, population: Population, where: Mask
) -> tuple[float, Floats] | None:
    """A value and its deviations; None where either is missing."""
    value = evaluation.value(metric, key, population, where)
    if value is None:
        return None
    deviations = evaluation.deviations(metric, key, population, where)
    return None if deviations is None else (value, deviations)


def _over_seeds(
    evaluation: Evaluation, metric: str, seeds: Sequence[Sequence[_Gap]], population: Population
) -> Spread:
    """The mean over settings for each seed, and over seeds."""
    keys = [k for part in seeds for g in part for k in (g.pair.a, g.pair.b)]
    return evaluation.spread(
        metric,
        [float(np.mean([g.a - g.b for g in part])) for part in seeds],
        [np.mean([g.deviations for g in part], axis=0) for part in seeds],
        population,
        np.logical_and.reduce([evaluation.present(k) for k in keys]),
    )


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with Holm's correction inside each family, and intervals at the level that it leaves."""
    out = list(comparisons)
    for family in dict.fromkeys(c.family for c in comparisons):
        places = [i for i, c in enumerate(comparisons) if c.family == family]
        ps = [comparisons[i].p for i in places]
        for i, p, level in zip(places, holm(ps), levels(ps), strict=True):
            out[i] = comparisons[i].model_copy(update={"p_adjusted": p, **_limits(comparisons[i], level)})
    return out


def _limits(c: Comparison, level: float | None) -> dict[str, float | None]:
    """The interval of a comparison at its level in the family."""
    if level is None or c.difference is None or c.se is None or c.df is None:
        return {}
    half = student(c.df, 1 - level) * c.se
    return {"low_adjusted": c.difference - half, "high_adjusted": c.difference + half}
