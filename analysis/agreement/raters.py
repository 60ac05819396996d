"""Who differs, and how: severity, consistency, drift, influence on the coefficient, and rater against rater."""

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import t

from ...study.records import Level
from .bound import bind
from .distances import relative
from .intervals import interval, jackknife_se
from .records import PairRow, RaterRow
from .resample import added, draw
from .table import Floats, Ints, Table, table
from .weights import Weights

FEW_SHARED = 10
"""Units in common below which two raters get no kappa."""


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
    fit = _Severity.fit(made)
    if fit is None:
        why = "severity: the raters fall into groups that share no unit, so their levels cannot be compared"
        return [r.model_copy(update={"why_missing": why}) for r in rows]
    return [fit.filled(row, g, order, confidence) for g, row in enumerate(rows)]


def pair_rows(made: Table, weights: Weights = None) -> list[PairRow]:
    """Every two raters on the units that both saw; no kappa under 10 of them."""
    return [_pair(made, g, h, weights) for g, h in combinations(range(len(made.raters)), 2)]


def groups(made: Table) -> list[set[Hashable]]:
    """Raters connected by shared units, directly or through others; severity is comparable inside a group only."""
    given = (made.codes >= 0).astype(float)
    linked = given.T @ given > 0
    left, out = set(range(len(made.raters))), []
    while left:
        group, new = set(), {min(left)}
        while new:
            group |= new
            new = {h for g in new for h in np.flatnonzero(linked[g])} - group
        left -= group
        out.append({made.raters[g] for g in group})
    return out


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


class _Severity:
    """Two-way least squares: rating = unit + rater; the raters' effects sum to 0. From sums over units.

    For a unit with m ratings the normal equations add I - 1/m to the matrix of the raters who saw it and each
    rating's deviation from the unit's mean to the right side, so leaving units out is a subtraction.
    """

    def __init__(self, made: Table, effects: Floats, se: Floats) -> None:
        self.made, self.effects, self.se, self.spreads = made, effects, se, _spreads(made)

    @classmethod
    def fit(cls, made: Table) -> "_Severity | None":
        if len(groups(made)) > 1:
            return None
        x, given = _steps(made), made.codes >= 0
        m = np.maximum(made.seen, 1)[:, None]
        deviation = np.where(given, x - np.where(given, x, 0).sum(1, keepdims=True) / m, 0.0)
        i = given.astype(float)
        left = i[:, :, None] * np.eye(i.shape[1]) - i[:, :, None] * i[:, None, :] / m[:, :, None]
        terms = np.hstack([left.reshape(len(i), -1), deviation])
        if made.clusters:
            terms = added([terms], made.clusters)[0]
        total = terms.sum(0)
        effects = _solved(total[None], i.shape[1])[0]
        left_out = _solved(total - terms, i.shape[1])
        ones: Ints = np.ones(len(terms), dtype=np.int64)
        se = np.array([jackknife_se(left_out[:, g], ones) for g in range(i.shape[1])])
        return cls(made, effects, se)

    def filled(self, row: RaterRow, g: int, order: Floats | None, confidence: float) -> RaterRow:
        q = float(t.ppf((1 + confidence) / 2, max(self.made.independent[0] - 1, 1)))
        shared, apart = self._from_others(g)
        drift = None
        if order is not None:
            together = [self.made.clusters[u] if self.made.clusters else u for u in np.flatnonzero(shared)]
            drift = _slope(apart, order[shared, g], together, confidence)
        return row.model_copy(
            update={
                "effect": float(self.effects[g]),
                "effect_low": float(self.effects[g] - q * self.se[g]),
                "effect_high": float(self.effects[g] + q * self.se[g]),
                "spread": self.spreads[g],
                **({"drift": drift[0], "drift_low": drift[1], "drift_high": drift[2]} if drift else {}),
            }
        )

    def _from_others(self, g: int) -> tuple[NDArray[np.bool_], Floats]:
        """Units that the rater shares, and each rating on them minus the mean of the others', severity taken out."""
        x, given = _steps(self.made) - self.effects, self.made.codes >= 0
        shared = given[:, g] & (self.made.seen >= 2)
        others = (np.where(given, x, 0).sum(1) - x[:, g]) / np.maximum(self.made.seen - 1, 1)
        return shared, (x[:, g] - others)[shared]


def _spreads(made: Table) -> list[float | None]:
    """SD of each rater's own error (Grubbs 1948): the variance of a - b is that of a's error plus that of b's.

    Least squares over the pairs, each weighted by its units, errors not negative. Two raters get half each.
    """
    x, given = _steps(made), made.codes >= 0
    r = given.shape[1]
    left, right = [], []
    for g, h in combinations(range(r), 2):
        both = given[:, g] & given[:, h]
        n = int(both.sum())
        if n > 1:
            left.append(n**0.5 * (np.arange(r) == g) + n**0.5 * (np.arange(r) == h))
            right.append(n**0.5 * float((x[both, g] - x[both, h]).var(ddof=1)))
    paired = np.sum(left, axis=0) > 0 if left else np.zeros(r, dtype=bool)
    if len(left) < 2:
        variance = np.full(r, right[0] / max(left[0]) / 2 if left else 0.0)
    else:
        variance, _ = nnls(np.array(left), np.array(right))
    return [float(v**0.5) if p else None for v, p in zip(variance, paired, strict=True)]


def _solved(sums: Floats, raters: int) -> Floats:
    """(B, raters) effects that sum to 0 from (B, raters^2 + raters) sums."""
    left = sums[:, : raters**2].reshape(-1, raters, raters) + 1 / raters
    with np.errstate(all="ignore"):
        try:
            return np.asarray(np.linalg.solve(left, sums[:, raters**2 :, None])[:, :, 0])
        except np.linalg.LinAlgError:  # leaving some unit out breaks the graph of raters
            return np.asarray((np.linalg.pinv(left) @ sums[:, raters**2 :, None])[:, :, 0])


def _steps(made: Table) -> Floats:
    """(units, raters) positions or numbers, 0 where missing."""
    return np.asarray(np.where(made.codes >= 0, made.scale.values[made.codes], 0.0))


def _slope(
    y: Floats, when: Floats, clusters: Sequence[Hashable], confidence: float
) -> tuple[float, float, float] | None:
    """Least-squares change of y from the first `when` to the last, with limits by the jackknife over clusters.

    None with under 10 clusters.
    """
    known = ~np.isnan(when)
    y, when = y[known], when[known]
    if len(y) < FEW_SHARED or np.ptp(when) == 0:
        return None
    x = (when - when.min()) / np.ptp(when)
    rows = np.column_stack([np.ones(len(x)), x, y, x * x, x * y])
    (rows,) = added([rows], [c for c, k in zip(clusters, known, strict=True) if k])

    def slope(sums: Floats) -> Floats:
        n, sx, sy, sxx, sxy = np.moveaxis(sums, -1, 0)
        with np.errstate(all="ignore"):
            return np.asarray((n * sxy - sx * sy) / (n * sxx - sx**2))

    total = rows.sum(0)
    change, left_out = float(slope(total)), slope(total - rows)
    if len(rows) < FEW_SHARED or not np.isfinite(left_out).all():
        return None
    se = jackknife_se(left_out, np.ones(len(rows), dtype=np.int64))
    half = float(t.ppf((1 + confidence) / 2, len(rows) - 2)) * se
    return change, change - half, change + half


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
