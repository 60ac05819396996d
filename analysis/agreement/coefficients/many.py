"""Coefficients of scales with many values, without a matrix of all pairs of categories or a table of units by them.

Three ideas carry them. Agreement on the same category needs only how often each occurs: sparse counts. Squared
distances need only sums and sums of squares. The relative distance of a ratio scale is a smooth function of the
logarithms, which Chebyshev polynomials give to the last digit from a few dozen sums. The ordinal distance depends on
the margins, so the pairs of categories that occur together are counted, and only these.
"""

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack

from .ratio import corrected, divide
from .table import Floats, Ints, RatingTable, Scale, Terms
from .terms import moments

MOST_PAIRS = 2_000_000
"""Pairs of categories that occur together on one unit, up to which an ordinal scale is measured."""


class Many(NamedTuple):
    """What a coefficient sums over units, and the formula of the sums."""

    terms: Callable[[RatingTable, Floats], Terms]
    value: Callable[[Floats, Scale, Floats], Floats]


def of(name: str, weighting: str, ratings: RatingTable) -> Many | None:
    """The coefficient without a matrix of categories; None where there is no such form.

    Args:
        name: in `COEFFICIENTS`.
        weighting: the name of the weights; "" for alpha's own metric.
        ratings: the table that it is bound to.
    """
    level = ratings.scale.level
    if name == "krippendorff_alpha" and weighting == "quadratic":
        return Many(lambda t, w: moments(t), alpha_of_moments)
    if name == "krippendorff_alpha":
        if weighting == "identity" or (not weighting and level == "nominal"):
            return Many(_same_disagreement, _alpha_same)
        if not weighting and level == "ratio":
            return _alpha_ratio(ratings)
        return _alpha_ordinal(ratings) if not weighting and level == "ordinal" else None
    if weighting == "identity":
        return SAME.get(name)
    return SQUARED.get(name) if weighting == "quadratic" else None


def counts(ratings: RatingTable) -> csr_array:
    """(units, K) how many raters gave the unit each category."""
    u, g = np.nonzero(ratings.codes >= 0)
    k = ratings.codes[u, g]
    shape = (len(ratings.codes), len(ratings.scale.categories))
    return csr_array((np.ones(len(u)), (u, k)), shape=shape)


def _given(ratings: RatingTable) -> csr_array:
    """(units, R * K) one where the rater gave the category."""
    u, g = np.nonzero(ratings.codes >= 0)
    k = len(ratings.scale.categories)
    column = g.astype(np.int64) * k + ratings.codes[u, g]
    return csr_array((np.ones(len(u)), (u, column)), shape=(len(ratings.codes), len(ratings.raters) * k))


def _squares(c: csr_array) -> Floats:
    """(units,) sum of squared counts."""
    return np.asarray((c * c).sum(1)).ravel()


def _joined(columns: Floats, sparse: csr_array) -> csr_array:
    return hstack([csr_array(columns), sparse], format="csr")


def _same_pairs(ratings: RatingTable) -> Floats:
    """Share of each unit's pairs in the same category, one where it has pairs: 2 columns."""
    m = ratings.seen.astype(float)
    return np.column_stack([(_squares(counts(ratings)) - m) / np.maximum(m * (m - 1), 1), m >= 2])


def _same_disagreement(ratings: RatingTable, w: Floats) -> Terms:
    """Pairs in different categories, weighted as in alpha, and the pairable counts: 1 + K columns."""
    m, c = ratings.seen.astype(float), counts(ratings)
    inside = (m**2 - _squares(c)) / 2 / np.maximum(m - 1, 1) * (m >= 2)
    return _joined(inside[:, None], c.multiply((m >= 2)[:, None]).tocsr())


def alpha_of_moments(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Alpha in the interval metric, from sums of `terms.moments`."""
    inside, n, s, q = sums.T
    return 1 - divide((n - 1) * inside, n * q - s**2, 1e-12 * n * q)


def _alpha_same(sums: Floats, scale: Scale, w: Floats) -> Floats:
    n = sums[:, 1:]
    total = n.sum(1)
    return 1 - divide((total - 1) * sums[:, 0], (total**2 - (n**2).sum(1)) / 2)


def _same_shares(ratings: RatingTable, w: Floats) -> Terms:
    """`_same_pairs`, one where the unit was rated, each category's share of its ratings: 3 + K columns."""
    m = ratings.seen
    share = counts(ratings).multiply((1 / np.maximum(m, 1))[:, None]).tocsr()
    return _joined(np.column_stack([_same_pairs(ratings), m >= 1]), share)


def _same_shares_of_two(ratings: RatingTable, w: Floats) -> Terms:
    return _same_shares(ratings, w).multiply((ratings.seen >= 2)[:, None].astype(float)).tocsr()


def _shares(sums: Floats) -> Floats:
    return np.asarray(sums[:, 3:] / np.maximum(sums[:, 2:3], 1))


def _observed(sums: Floats) -> Floats:
    return divide(sums[:, 0], sums[:, 1])


def _fleiss_same(sums: Floats, scale: Scale, w: Floats) -> Floats:
    return corrected(_observed(sums), (_shares(sums) ** 2).sum(1))


def _gwet_same(sums: Floats, scale: Scale, w: Floats) -> Floats:
    p = _shares(sums)
    return corrected(_observed(sums), (p * (1 - p)).sum(1) / max(len(scale.categories) - 1, 1))


def _brennan_same(sums: Floats, scale: Scale, w: Floats) -> Floats:
    return corrected(_observed(sums), np.full(len(sums), 1 / len(scale.categories)))


def _same_by_rater(ratings: RatingTable, w: Floats) -> Terms:
    return _joined(_same_pairs(ratings), _given(ratings))


def _same_by_two(ratings: RatingTable, w: Floats) -> Terms:
    return _same_by_rater(ratings, w).multiply((ratings.seen >= 2)[:, None].astype(float)).tocsr()


def _conger_same(sums: Floats, scale: Scale, w: Floats) -> Floats:
    n = sums[:, 2:].reshape(len(sums), -1, len(scale.categories))
    given = n.sum(2, keepdims=True)
    p = n / np.where(given > 0, given, 1)
    r = (given[:, :, 0] > 0).sum(1).astype(float)
    chance = divide((p.sum(1) ** 2).sum(1) - (p**2).sum((1, 2)), r * (r - 1))
    return corrected(_observed(sums), chance)


def _squared_pairs(ratings: RatingTable) -> tuple[Floats, Floats]:
    """(units,) mean squared difference of the unit's pairs; (units, raters) numbers, 0 where missing."""
    given = ratings.codes >= 0
    x = np.where(given, ratings.scale.values[np.where(given, ratings.codes, 0)], 0.0)
    x = np.where(given, (x - x.sum() / given.sum()) / (np.ptp(ratings.scale.values) or 1.0), 0.0)
    m = ratings.seen.astype(float)
    s, q = x.sum(1), (x**2).sum(1)
    return 2 * (m * q - s**2) / np.maximum(m * (m - 1), 1), x


def _squared_shares(ratings: RatingTable, w: Floats) -> Floats:
    """Mean squared difference, one where there are pairs; mean, mean square and one where rated: 5 columns."""
    d, x = _squared_pairs(ratings)
    m = np.maximum(ratings.seen, 1)
    return np.column_stack([d, ratings.seen >= 2, x.sum(1) / m, (x**2).sum(1) / m, ratings.seen >= 1])


def _squared_shares_of_two(ratings: RatingTable, w: Floats) -> Floats:
    return np.asarray(_squared_shares(ratings, w) * (ratings.seen >= 2)[:, None])


def _fleiss_squared(sums: Floats, scale: Scale, w: Floats) -> Floats:
    d, pairs, s, q, n = sums.T
    mean, square = divide(s, n), divide(q, n)
    return 1 - divide(divide(d, pairs), 2 * (square - mean**2), 1e-12 * square)


def _squared_by_rater(ratings: RatingTable, w: Floats) -> Floats:
    """Mean squared difference, one where there are pairs; each rater's count, sum and sum of squares: 2 + 3 R."""
    d, x = _squared_pairs(ratings)
    given = (ratings.codes >= 0).astype(float)
    return np.hstack([np.column_stack([d, ratings.seen >= 2]), given, x, x**2])


def _squared_by_two(ratings: RatingTable, w: Floats) -> Floats:
    return np.asarray(_squared_by_rater(ratings, w) * (ratings.seen >= 2)[:, None])


def _conger_squared(sums: Floats, scale: Scale, w: Floats) -> Floats:
    n, s, q = np.moveaxis(sums[:, 2:].reshape(len(sums), 3, -1), 1, 0)
    rated = n > 0
    mean, square = (np.where(rated, a / np.where(rated, n, 1), 0.0) for a in (s, q))
    r = rated.sum(1).astype(float)
    apart = 2 * (r - 1) * square.sum(1) - 2 * (mean.sum(1) ** 2 - (mean**2).sum(1))
    return 1 - divide(divide(sums[:, 0], sums[:, 1]), divide(apart, r * (r - 1)), 1e-12 * square.sum(1))


def _alpha_ordinal(ratings: RatingTable) -> Many:
    """Pairs of categories that meet on a unit, and the counts: the distance follows the margins of each resample."""
    k = len(ratings.scale.categories)
    _, pairs = _pair_counts(ratings, None)
    i, j = pairs // k, pairs % k

    def terms(table: RatingTable, w: Floats) -> Terms:
        together, _ = _pair_counts(table, pairs)
        pairable = (table.seen >= 2)[:, None].astype(float)
        return hstack([together, counts(table).multiply(pairable)], format="csr")

    def value(sums: Floats, scale: Scale, w: Floats) -> Floats:
        n = sums[:, len(pairs) :]
        total = n.sum(1)
        score = np.cumsum(n, 1) - n / 2
        inside = np.einsum("bp,bp->b", sums[:, : len(pairs)], (score[:, i] - score[:, j]) ** 2)
        square = total * (n * score**2).sum(1)
        return 1 - divide((total - 1) * inside, square - (n * score).sum(1) ** 2, 1e-12 * square)

    return Many(terms, value)


def _pair_counts(ratings: RatingTable, pairs: Ints | None) -> tuple[csr_array, Ints]:
    """(units, pairs) how often two different categories meet on a unit over its ratings less one; and the pairs."""
    k, rows, keys, weights = len(ratings.scale.categories), [], [], []
    share = 1 / np.maximum(ratings.seen - 1, 1)
    for g, h in combinations(range(ratings.codes.shape[1]), 2):
        a, b = ratings.codes[:, g].astype(np.int64), ratings.codes[:, h].astype(np.int64)
        both = np.flatnonzero((a >= 0) & (b >= 0) & (a != b))
        rows.append(both)
        keys.append(np.minimum(a[both], b[both]) * k + np.maximum(a[both], b[both]))
        weights.append(share[both])
    row, key, weight = (np.concatenate(x) for x in (rows, keys, weights))
    known: Ints = np.unique(key) if pairs is None else pairs
    at = np.searchsorted(known, key)
    return csr_array((weight, (row, at)), shape=(len(ratings.codes), len(known))), known


def _alpha_ratio(ratings: RatingTable) -> Many:
    """((x - y) / (x + y))^2 is tanh^2 of half the difference of the logarithms: a smooth kernel.

    A zero is as far as can be from every other value, and stands beside the polynomials.
    """
    features, kernel = _ratio_features(ratings.scale.values)

    def terms(table: RatingTable, w: Floats) -> Terms:
        pairable = (table.seen >= 2)[:, None]
        return np.hstack([relative_disagreement(table)[:, None], counts(table) @ features * pairable])

    def value(sums: Floats, scale: Scale, w: Floats) -> Floats:
        total = sums[:, 1] + sums[:, 2]
        least = 1e-12 * total**2 * (1.0 if features[:, 0].any() else kernel.max())
        return 1 - divide((total - 1) * sums[:, 0], _ratio_expected(sums[:, 1:], kernel), least)

    return Many(terms, value)


def ratio_expected(values: Floats, n: Ints) -> float:
    """Mean relative distance of two of the values, given how often each occurs."""
    features, kernel = _ratio_features(values)
    pairs = n.sum() * (n.sum() - 1) / 2
    return float(_ratio_expected((n @ features)[None], kernel)[0] / pairs)


def _ratio_features(x: Floats) -> tuple[Floats, Floats]:
    """(values, 2 + nodes) one for 0, one for another, the basis of its logarithm; and the kernel of the nodes."""
    positive = x > 0
    basis, kernel = _chebyshev(
        np.log1p(x[positive] / x[positive].min() - 1) if positive.any() else x[positive]
    )
    features = np.zeros((len(x), 2 + basis.shape[1]))
    features[~positive, 0], features[positive, 1], features[positive, 2:] = 1, 1, basis
    return features, kernel


def _ratio_expected(sums: Floats, kernel: Floats) -> Floats:
    """(B,) sum of the relative distances of all pairs."""
    f = sums[:, 2:]
    return np.asarray(sums[:, 0] * sums[:, 1] + np.einsum("bi,ij,bj->b", f, kernel, f) / 2)


def relative_disagreement(ratings: RatingTable) -> Floats:
    """(units,) relative squared distances of the unit's pairs over its ratings less one."""
    out = np.zeros(len(ratings.codes))
    x = ratings.scale.values
    for g, h in combinations(range(ratings.codes.shape[1]), 2):
        both = np.flatnonzero((ratings.codes[:, [g, h]] >= 0).all(1))
        a, b = x[ratings.codes[both, g]], x[ratings.codes[both, h]]
        out[both] += np.where(a == b, 0.0, (a - b) / np.where(a + b > 0, a + b, 1)) ** 2
    return np.asarray(out / np.maximum(ratings.seen - 1, 1))


def _chebyshev(u: Floats) -> tuple[Floats, Floats]:
    """(values, nodes) Lagrange basis at Chebyshev nodes, and (nodes, nodes) tanh^2 of half their differences.

    The poles of the kernel lie at a distance of pi, which says how many nodes give 1e-15 (Trefethen 2013, ch. 8).
    """
    if len(u) == 0:
        return np.zeros((0, 1)), np.zeros((1, 1))
    half = float(np.ptp(u)) / 2
    if half == 0:
        return np.ones((len(u), 1)), np.zeros((1, 1))
    rho = (np.pi + (np.pi**2 + half**2) ** 0.5) / half
    n = int(np.ceil(36 / np.log(rho))) + 2
    angle = np.pi * (np.arange(n) + 0.5) / n
    node = np.cos(angle)
    nodes = u.min() + half * (1 + node)
    weight = (-1.0) ** np.arange(n) * np.sin(angle)
    apart = ((u - u.min()) / half - 1)[:, None] - node
    hit = apart == 0
    basis = weight / np.where(hit, 1, apart)
    basis /= basis.sum(1, keepdims=True)
    basis = np.where(hit.any(1, keepdims=True), hit, basis)
    return basis, np.tanh((nodes[:, None] - nodes) / 2) ** 2


SAME: dict[str, Many] = {
    "percent_agreement": Many(lambda t, w: _same_pairs(t), lambda s, scale, w: _observed(s)),
    "weighted_agreement": Many(lambda t, w: _same_pairs(t), lambda s, scale, w: _observed(s)),
    "fleiss_kappa": Many(_same_shares, _fleiss_same),
    "scott_pi": Many(_same_shares_of_two, _fleiss_same),
    "gwet_ac": Many(_same_shares, _gwet_same),
    "brennan_prediger": Many(_same_shares, _brennan_same),
    "conger_kappa": Many(_same_by_rater, _conger_same),
    "cohen_kappa": Many(_same_by_two, _conger_same),
}
"""Credit for the same category only."""

SQUARED: dict[str, Many] = {
    "fleiss_kappa": Many(_squared_shares, _fleiss_squared),
    "scott_pi": Many(_squared_shares_of_two, _fleiss_squared),
    "conger_kappa": Many(_squared_by_rater, _conger_squared),
    "cohen_kappa": Many(_squared_by_two, _conger_squared),
}
"""Credit that falls with the squared distance."""
