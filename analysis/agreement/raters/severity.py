"""How far each rater stands from the others on the same units, how steadily, and whether that moves with time."""

from collections.abc import Hashable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..coefficients.table import Floats, Ints, RatingTable
from ..distributions import t
from ..uncertainty.intervals import jackknife_se
from ..uncertainty.resample import added
from .records import RaterRow

CELLS = 20_000_000
"""Units times raters squared, up to which units are left out one by one for standard errors."""

FEW_SHARED = 10
"""Units in common below which two raters get no kappa, and clusters below which one gets no drift."""


def groups(ratings: RatingTable) -> list[set[Hashable]]:
    """Raters connected by shared units, directly or through others; severity is comparable inside a group only."""
    given = (ratings.codes >= 0).astype(float)
    linked = given.T @ given > 0
    left, out = set(range(len(ratings.raters))), []
    while left:
        group, new = set(), {min(left)}
        while new:
            group |= new
            new = {h for g in new for h in np.flatnonzero(linked[g])} - group
        left -= group
        out.append({ratings.raters[g] for g in group})
    return out


class Severity:
    """Two-way least squares: rating = unit + rater; the raters' effects sum to 0. From sums over units.

    For a unit with m ratings the normal equations add I - 1/m to the matrix of the raters who saw it and each
    rating's deviation from the unit's mean to the right side, so leaving units out is a subtraction.
    """

    def __init__(self, ratings: RatingTable, effects: Floats, se: Floats) -> None:
        self.ratings, self.effects, self.se, self.spreads = ratings, effects, se, _spreads(ratings)
        given = ratings.codes >= 0
        self.adjusted = np.where(given, _steps(ratings) - effects, 0.0)
        self.sums = self.adjusted.sum(1)

    @classmethod
    def fit(cls, ratings: RatingTable) -> "Severity | None":
        if len(groups(ratings)) > 1:
            return None
        x, given = _steps(ratings), ratings.codes >= 0
        m = np.maximum(ratings.seen, 1)[:, None]
        deviation = np.where(given, x - np.where(given, x, 0).sum(1, keepdims=True) / m, 0.0)
        i = given.astype(float)
        left = np.diag(i.sum(0)) - i.T @ (i / m)
        effects = _solved(np.hstack([left.ravel(), deviation.sum(0)])[None], i.shape[1])[0]
        if i.size * i.shape[1] > CELLS:
            return cls(ratings, effects, _sandwich(ratings, left, deviation - i * _adjusted(i, m, effects)))
        each = i[:, :, None] * np.eye(i.shape[1]) - i[:, :, None] * i[:, None, :] / m[:, :, None]
        terms = np.hstack([each.reshape(len(i), -1), deviation])
        if ratings.clusters:
            terms = added([terms], ratings.clusters)[0]
        left_out = _solved(terms.sum(0) - terms, i.shape[1])
        ones: Ints = np.ones(len(terms), dtype=np.int64)
        se = np.array([jackknife_se(left_out[:, g], ones) for g in range(i.shape[1])])
        return cls(ratings, effects, se)

    def filled(self, row: RaterRow, g: int, order: Floats | None, confidence: float) -> RaterRow:
        q = float(t.ppf((1 + confidence) / 2, max(self.ratings.independent[0] - 1, 1)))
        shared, apart = self._from_others(g)
        drift = None
        if order is not None:
            together = [
                self.ratings.clusters[u] if self.ratings.clusters else u for u in np.flatnonzero(shared)
            ]
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
        own, m = self.adjusted[:, g], self.ratings.seen
        shared = (self.ratings.codes[:, g] >= 0) & (m >= 2)
        return shared, (own - (self.sums - own) / np.maximum(m - 1, 1))[shared]


def _adjusted(i: Floats, m: Floats, effects: Floats) -> Floats:
    """(units, raters) each rater's effect over the mean effect of the raters of the unit."""
    return np.asarray(effects - (i @ effects)[:, None] / m)


def _sandwich(ratings: RatingTable, left: Floats, residuals: Floats) -> Floats:
    """Standard errors from the units' residuals (or clusters'), where leaving each out in turn would not fit."""
    if ratings.clusters:
        residuals = added([residuals], ratings.clusters)[0]
    n = len(residuals)
    bread = np.linalg.pinv(left)
    meat = residuals.T @ residuals * n / max(n - 1, 1)
    return np.asarray(np.sqrt(np.diag(bread @ meat @ bread)))


def _spreads(ratings: RatingTable) -> list[float | None]:
    """SD of each rater's own error (Grubbs 1948): the variance of a - b is that of a's error plus that of b's.

    Least squares over the pairs, each weighted by its units, errors not negative. Two raters get half each.
    """
    x, given = _steps(ratings), ratings.codes >= 0
    r = given.shape[1]
    left, right = [], []
    shared = given.T.astype(float) @ given
    for g, h in combinations(range(r), 2):
        if shared[g, h] > 1:
            both = given[:, g] & given[:, h]
            n = int(both.sum())
            left.append(n**0.5 * (np.arange(r) == g) + n**0.5 * (np.arange(r) == h))
            right.append(n**0.5 * float((x[both, g] - x[both, h]).var(ddof=1)))
    paired = np.sum(left, axis=0) > 0 if left else np.zeros(r, dtype=bool)
    if len(left) < 2:
        variance = np.full(r, right[0] / max(left[0]) / 2 if left else 0.0)
    else:
        from scipy.optimize import nnls  # slow to import

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


def _steps(ratings: RatingTable) -> Floats:
    """(units, raters) positions or numbers, 0 where missing."""
    return np.asarray(np.where(ratings.codes >= 0, ratings.scale.values[ratings.codes], 0.0))


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
