"""Who differs, and how: severity, consistency, drift, influence on the coefficient, and rater against rater."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....study.records import Level
from ..coefficients.bound import Bound, bind
from ..coefficients.distances import apart
from ..coefficients.formulas import COEFFICIENTS
from ..coefficients.table import DENSE, MISSING, Floats, RatingTable, table
from ..coefficients.weights import Weights, matrix
from ..uncertainty.intervals import interval
from ..uncertainty.resample import Draws, draw
from .records import PairRow, RaterRow
from .severity import FEW_SHARED, Severity

MANY_RATERS, MANY_UNITS = 30, 20_000
"""Above either, the change that leaving a rater out makes has its interval by the jackknife."""


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
    ratings: RatingTable,
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
        why = "severity: the raters fall into groups that share no unit, so their severity cannot be compared"
        return [r.model_copy(update={"why_missing": why}) for r in rows]
    return [fit.filled(row, g, order, confidence) for g, row in enumerate(rows)]


def pair_rows(ratings: RatingTable, weights: Weights = None) -> list[PairRow]:
    """Every two raters on the units that both saw; no kappa under 10 of them, no row where there are none."""
    given = (ratings.codes >= 0).astype(float)
    shared = given.T @ given
    pairs = combinations(range(len(ratings.raters)), 2)
    return [_pair(ratings, g, h, weights) for g, h in pairs if shared[g, h] > 0]


def _basic(ratings: RatingTable) -> list[RaterRow]:
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
    ratings: RatingTable,
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
    if why := whole.why_undefined():
        return [r.model_copy(update={"why_missing": why}) for r in rows]
    many = len(rows) > MANY_RATERS or len(ratings.units) > MANY_UNITS
    without: Callable[[int], Bound] = whole.without
    if many and whole.coefficient.symmetric:
        whole, without = _packed(ratings, statistic, weights)
    others = [whole.without(g) for g in range(len(rows))] if not many else []
    drawn = _drawn(whole, [b for b in others if b.why_undefined() is None], replicates, seed)
    out = []
    for g, row in enumerate(rows):
        rest = others[g] if others else without(g)
        if why := rest.why_undefined():
            out.append(row.model_copy(update={"why_missing": f"without this rater: {why}"}))
            continue
        all_of_them, fewer = draw([whole, rest], 0, seed) if many else (drawn[id(whole)], drawn[id(rest)])
        change = all_of_them - fewer
        bounds = interval(change, "jackknife" if many else "auto", confidence)
        limits = {"change_low": bounds.low, "change_high": bounds.high}
        out.append(row.model_copy(update={"without": fewer.value, "change": change.value, **limits}))
    return out


def _packed(ratings: RatingTable, statistic: str, weights: Weights) -> tuple[Bound, Callable[[int], Bound]]:
    """The coefficient of the packed table, and without a rater: for coefficients that do not ask who rated."""
    table, rater = ratings.packed()
    whole = bind(table, statistic, weights)

    def without(g: int) -> Bound:
        codes = np.where(rater == g, MISSING, table.codes).astype(np.int32)
        return replace(whole, table=replace(table, codes=codes))

    return whole, without


def _drawn(whole: Bound, others: Sequence[Bound], replicates: int, seed: int) -> dict[int, Draws]:
    """The same draws of all raters and of all but one, by the identity of what is drawn; none for no others."""
    kept = [whole, *others]
    return dict(zip(map(id, kept), draw(kept, replicates, seed), strict=True)) if others else {}


def _pair(ratings: RatingTable, g: int, h: int, weights: Weights) -> PairRow:
    both = (ratings.codes[:, [g, h]] >= 0).all(1)
    a, b = ratings.codes[both, g], ratings.codes[both, h]
    n, k = int(both.sum()), len(ratings.scale.categories)
    row = PairRow(
        a=str(ratings.raters[g]),
        b=str(ratings.raters[h]),
        n=n,
        agreement=float((a == b).mean()) if n else None,
        kappa=None,
        bias=None,
        **_indices(a, b, k),
        confusion=_confusion(a, b, k),
        why_missing=f"{n} units in common, fewer than {FEW_SHARED}" if n < FEW_SHARED else None,
    )
    if n < FEW_SHARED:
        return row
    bias = None
    if ratings.scale.level != "nominal":
        bias = float((ratings.scale.values[a] - ratings.scale.values[b]).mean())
    kappa = _kappa(ratings, g, h, row.confusion, weights)
    return row.model_copy(update={"bias": bias, **kappa})


def _kappa(
    ratings: RatingTable, g: int, h: int, confusion: Sequence[Sequence[int]], weights: Weights
) -> dict[str, float | str | None]:
    """Cohen's kappa from the counts of a few categories; from the ratings where they are many, or it is undefined."""
    scale = ratings.scale
    if confusion and not scale.sets:
        counts = np.asarray(confusion, dtype=float)
        value = float(
            COEFFICIENTS["cohen_kappa"].value(counts.reshape(1, -1), scale, matrix(weights, scale)[0])[0]
        )
        if np.count_nonzero(counts.sum(0) + counts.sum(1)) > 1 and not np.isnan(value):
            return {"kappa": value, "why_missing": None}
    bound = bind(ratings.only([g, h]), "cohen_kappa", "quadratic" if scale.continuous else weights)
    return {"kappa": bound.value(), "why_missing": bound.why_undefined()}


def _indices(a: NDArray[np.int32], b: NDArray[np.int32], k: int) -> dict[str, float]:
    """What lies between kappa and plain agreement on two categories (Byrt, Bishop & Carlin 1993).

    >>> a, b = np.repeat([[0, 0, 1, 1], [0, 1, 0, 1]], [40, 9, 6, 45], axis=1)
    >>> _indices(a, b, 2)
    {'pabak': 0.7, 'prevalence_index': 0.05, 'bias_index': 0.03}
    """
    n = len(a)
    if k != 2 or not n:
        return {}
    both, neither = int(((a == 0) & (b == 0)).sum()), int(((a == 1) & (b == 1)).sum())
    return {
        "pabak": 2 * (both + neither) / n - 1,
        "prevalence_index": abs(both - neither) / n,
        "bias_index": abs(int((a == 0).sum()) - int((b == 0).sum())) / n,
    }


def _confusion(a: NDArray[np.int32], b: NDArray[np.int32], k: int) -> tuple[tuple[int, ...], ...]:
    """Counts of category by category; none for a scale of so many that nobody reads them."""
    if k > DENSE:
        return ()
    counts = np.bincount(a.astype(np.int64) * k + b, minlength=k * k).reshape(k, k)
    return tuple(tuple(row) for row in counts.tolist())
