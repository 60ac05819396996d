"""Who differs, and how: severity, consistency, drift, influence on the coefficient, and rater against rater."""

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ....study.records import Level
from ..coefficients.bound import bind
from ..coefficients.distances import relative
from ..coefficients.table import Floats, Table, table
from ..coefficients.weights import Weights
from ..records import PairRow, RaterRow
from ..uncertainty.intervals import interval
from ..uncertainty.resample import draw
from .severity import FEW_SHARED, Severity


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
    return [bound.without(g) for g in range(len(bound.table.raters))]


def rater_rows(
    made: Table,
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
        made: the table.
        statistic: for the influence of leaving a rater out.
        weights: as in `coefficient`.
        order: (units, raters) when each rating was given, for drift; NaN where not known.
        confidence: of the intervals.
        replicates: bootstrap draws for the influence; severity and drift use least squares and the jackknife.
        seed: of the draws.
    """
    rows = [_basic(made, g) for g in range(len(made.raters))]
    if len(rows) > 2:
        rows = _influence(rows, made, statistic, weights, confidence, replicates, seed)
    if made.scale.level == "nominal":
        return rows
    fit = Severity.fit(made)
    if fit is None:
        why = "severity: the raters fall into groups that share no unit, so their levels cannot be compared"
        return [r.model_copy(update={"why_missing": why}) for r in rows]
    return [fit.filled(row, g, order, confidence) for g, row in enumerate(rows)]


def pair_rows(made: Table, weights: Weights = None) -> list[PairRow]:
    """Every two raters on the units that both saw; no kappa under 10 of them."""
    return [_pair(made, g, h, weights) for g, h in combinations(range(len(made.raters)), 2)]


def _basic(made: Table, g: int) -> RaterRow:
    codes = made.codes[:, g]
    counts = np.bincount(codes[codes >= 0], minlength=len(made.scale.categories))
    n, shared = int(counts.sum()), int(((codes >= 0) & (made.seen >= 2)).sum())
    own = None
    if bind(made, "krippendorff_alpha").why_undefined() is None and shared:
        others = np.maximum(made.seen - 1, 1)
        own = 1 - float(np.nansum(relative(made)[:, g, :], axis=1) @ (1 / others)) / shared
    labels = [str(c) for c in made.scale.categories]
    return RaterRow(
        rater=str(made.raters[g]),
        n=n,
        n_shared=shared,
        share={label: c / n if n else 0.0 for label, c in zip(labels, counts.tolist(), strict=True)},
        own=own,
    )


def _influence(
    rows: list[RaterRow],
    made: Table,
    statistic: str,
    weights: Weights,
    confidence: float,
    replicates: int,
    seed: int,
) -> list[RaterRow]:
    """Leave one rater out: the coefficient of the others, and the change with its interval."""
    everyone = range(len(made.raters))
    tables = [made] + [made.only([h for h in everyone if h != g]) for g in everyone]
    bounds = [bind(x, statistic, weights) for x in tables]
    why = [b.why_undefined() for b in bounds]
    if why[0]:
        return [r.model_copy(update={"why_missing": why[0]}) for r in rows]
    kept = [b for b, w in zip(bounds, why, strict=True) if w is None]
    drawn = dict(zip(map(id, kept), draw(kept, replicates, seed), strict=True))
    out = []
    for g, row in enumerate(rows):
        d = drawn.get(id(bounds[g + 1]))
        if d is None:
            out.append(row.model_copy(update={"why_missing": f"without this rater: {why[g + 1]}"}))
            continue
        change = drawn[id(bounds[0])] - d
        found = interval(change, "auto", confidence)
        out.append(
            row.model_copy(
                update={
                    "without": d.value, "change": change.value, "change_low": found.low, "change_high": found.high
                }
            )
        )  # fmt: skip
    return out


def _pair(made: Table, g: int, h: int, weights: Weights) -> PairRow:
    both = (made.codes[:, [g, h]] >= 0).all(1)
    a, b = made.codes[both, g], made.codes[both, h]
    k, n = len(made.scale.categories), int(both.sum())
    confusion = np.bincount(a.astype(np.int64) * k + b, minlength=k * k).reshape(k, k)
    row = PairRow(
        a=str(made.raters[g]),
        b=str(made.raters[h]),
        n=n,
        agreement=float((a == b).mean()) if n else None,
        kappa=None,
        bias=None,
        confusion=tuple(tuple(r) for r in confusion.tolist()),
        why_missing=f"{n} units in common, fewer than {FEW_SHARED}" if n < FEW_SHARED else None,
    )
    if n < FEW_SHARED:
        return row
    bound = bind(made.only([g, h]), "cohen_kappa", weights)
    bias = None
    if made.scale.level != "nominal":
        bias = float((made.scale.values[a] - made.scale.values[b]).mean())
    return row.model_copy(update={"kappa": bound.value(), "bias": bias, "why_missing": bound.why_undefined()})
