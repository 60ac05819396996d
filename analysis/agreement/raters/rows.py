"""Who differs, and how: severity, consistency, drift, influence on the coefficient, and rater against rater."""

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....study.records import Level
from ..coefficients.bound import bind
from ..coefficients.distances import apart
from ..coefficients.table import DENSE, Floats, Table, table
from ..coefficients.weights import Weights
from ..records import PairRow, RaterRow
from ..uncertainty.intervals import interval
from ..uncertainty.resample import draw
from .severity import FEW_SHARED, Severity

MANY_RATERS = 30
"""Raters above which the change that leaving one out makes has its interval by the jackknife."""


def without_each_rater(
    ratings: Any,
    statistic: str,
    level: Level,
    *,
    weights: Weights = None,
    categories: Sequence[Hashable] | None = None,
) -> list[float | None]:
    """The coefficient with each rater (column) left out in turn; arguments as in `coefficient`.

    >>> without_each_rater([[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 1, 2]], "percent_agreement", "nominal")
    [0.75, 0.75, 0.5]
    """
    bound = bind(table(ratings, level, categories), statistic, weights)
    return [bound.without(g).value() for g in range(len(bound.table.raters))]


def rater_rows(
    ratings: Table,
    statistic: str = "krippendorff_alpha",
    *,
    weights: Weights = None,
    order: Floats | None = None,
    confidence: float = 0.95,
    replicates: int = 10_000,
    seed: int = 0,
) -> list[RaterRow]:
    """Every rater beside the others.

    Args:
        ratings: the table.
        statistic: for the influence of leaving a rater out.
        weights: as in `coefficient`.
        order: (units, raters) when each rating was given, for drift; NaN where not known.
        confidence: of the intervals.
        replicates: bootstrap draws for the influence; severity and drift use least squares and the jackknife.
        seed: of the draws.
    """
    rows = _basic(ratings)
    if len(rows) > 2:
        rows = _influence(rows, ratings, statistic, weights, confidence, replicates, seed)
    if ratings.scale.level == "nominal":
        return rows
    fit = Severity.fit(ratings)
    if fit is None:
        why = "severity: the raters fall into groups that share no unit, so their levels cannot be compared"
        return [r.model_copy(update={"why_missing": why}) for r in rows]
    return [fit.filled(row, g, order, confidence) for g, row in enumerate(rows)]


def pair_rows(ratings: Table, weights: Weights = None) -> list[PairRow]:
    """Every two raters on the units that both saw; no kappa under 10 of them, no row where there are none."""
    given = (ratings.codes >= 0).astype(float)
    shared = given.T @ given
    pairs = combinations(range(len(ratings.raters)), 2)
    return [_pair(ratings, g, h, weights) for g, h in pairs if shared[g, h] > 0]


def _basic(ratings: Table) -> list[RaterRow]:
    """Counts and shares, and the part of alpha that the rater's pairs make."""
    own: list[float | None] = [None] * len(ratings.raters)
    shared = ((ratings.codes >= 0) & (ratings.seen >= 2)[:, None]).sum(0)
    if bind(ratings, "krippendorff_alpha").why_undefined() is None:
        each = np.nansum(apart(ratings) / np.maximum(ratings.seen - 1, 1)[:, None], axis=0)
        own = [float(1 - d / n) if n else None for d, n in zip(each, shared, strict=True)]
    labels = ratings.scale.labels
    few = len(labels) <= DENSE
    rows = []
    for g, name in enumerate(ratings.raters):
        codes = ratings.codes[:, g]
        counts = np.bincount(codes[codes >= 0], minlength=len(labels)).tolist()
        n = sum(counts)
        rows.append(
            RaterRow(
                rater=str(name),
                n=n,
                n_shared=int(shared[g]),
                share={
                    label: c / n if n else 0.0 for label, c in zip(labels, counts, strict=True) if c or few
                },
                own=own[g],
            )
        )
    return rows


def _influence(
    rows: list[RaterRow],
    ratings: Table,
    statistic: str,
    weights: Weights,
    confidence: float,
    replicates: int,
    seed: int,
) -> list[RaterRow]:
    """Leave one rater out: the coefficient of the others, and the change with its interval.

    With many raters the interval is by the jackknife: a bootstrap of them all would take minutes.
    """
    whole = bind(ratings, statistic, weights)
    bounds = [whole, *(whole.without(g) for g in range(len(ratings.raters)))]
    why = [b.why_undefined() for b in bounds]
    if why[0]:
        return [r.model_copy(update={"why_missing": why[0]}) for r in rows]
    kept = [b for b, w in zip(bounds, why, strict=True) if w is None]
    many = len(rows) > MANY_RATERS
    drawn = dict(zip(map(id, kept), draw(kept, 0 if many else replicates, seed), strict=True))
    out = []
    for g, row in enumerate(rows):
        d = drawn.get(id(bounds[g + 1]))
        if d is None:
            out.append(row.model_copy(update={"why_missing": f"without this rater: {why[g + 1]}"}))
            continue
        change = drawn[id(whole)] - d
        found = interval(change, "jackknife" if many else "auto", confidence)
        update = {
            "without": d.value,
            "change": change.value,
            "change_low": found.low,
            "change_high": found.high,
        }
        out.append(row.model_copy(update=update))
    return out


def _pair(ratings: Table, g: int, h: int, weights: Weights) -> PairRow:
    both = (ratings.codes[:, [g, h]] >= 0).all(1)
    a, b = ratings.codes[both, g], ratings.codes[both, h]
    n = int(both.sum())
    row = PairRow(
        a=str(ratings.raters[g]),
        b=str(ratings.raters[h]),
        n=n,
        agreement=float((a == b).mean()) if n else None,
        kappa=None,
        bias=None,
        confusion=_confusion(a, b, len(ratings.scale.categories)),
        why_missing=f"{n} units in common, fewer than {FEW_SHARED}" if n < FEW_SHARED else None,
    )
    if n < FEW_SHARED:
        return row
    bound = bind(ratings.only([g, h]), "cohen_kappa", "quadratic" if ratings.scale.continuous else weights)
    bias = None
    if ratings.scale.level != "nominal":
        bias = float((ratings.scale.values[a] - ratings.scale.values[b]).mean())
    return row.model_copy(update={"kappa": bound.value(), "bias": bias, "why_missing": bound.why_undefined()})


def _confusion(a: NDArray[np.int32], b: NDArray[np.int32], k: int) -> tuple[tuple[int, ...], ...]:
    """Counts of category by category; none for a scale of so many that nobody reads them."""
    if k > DENSE:
        return ()
    counts = np.bincount(a.astype(np.int64) * k + b, minlength=k * k).reshape(k, k)
    return tuple(tuple(row) for row in counts.tolist())
