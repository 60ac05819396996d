"""What is summed over units: a row of numbers for each unit, from which a coefficient is made.

Each function takes the table and the agreement weights and gives (units, p). A unit with fewer than two ratings
gives zeros where pairs are counted.
"""

from itertools import combinations

import numpy as np

from .table import Floats, RatingTable
from .weights import metric


def disagreement(table: RatingTable, w: Floats) -> Floats:
    """Disagreement inside each unit and its pairable values (Krippendorff 2011), packed by the metric.

    ordinal: K(K-1)/2 coincidences, K counts. interval: disagreement, count, sum, sum of squares (no matrix of
    categories, so that many distinct values cost nothing). Else, and with weights: disagreement, K counts.
    """
    pairable = (table.seen >= 2)[:, None]
    share = 1 / np.maximum(table.seen - 1, 1)[:, None]
    if table.scale.level == "interval" and not w.size:
        return moments(table)
    c = table.counts
    if table.scale.level == "ordinal" and not w.size:
        i, j = np.triu_indices(c.shape[1], 1)
        return np.asarray(np.hstack([c[:, i] * c[:, j] * share, c]) * pairable)
    inside = ((c @ metric(table.scale, w)) * c).sum(1, keepdims=True) / 2 * share
    return np.asarray(np.hstack([inside, c]) * pairable)


def moments(table: RatingTable) -> Floats:
    """Squared differences inside each unit, count, sum and sum of squares of its pairable numbers: 4 columns."""
    x, m = centred(table), table.seen[:, None]
    s, q = x.sum(1, keepdims=True), (x**2).sum(1, keepdims=True)
    inside = (m * q - s**2) / np.maximum(m - 1, 1)
    return np.asarray(np.hstack([inside, m, s, q]) * (m >= 2))


def pairs(table: RatingTable, w: Floats) -> Floats:
    """Credited share of each unit's pairs, one where it has pairs: 2 columns."""
    c, m = table.counts, table.seen.astype(float)
    credit = ((c @ w) * c).sum(1) - (c @ w.diagonal())
    return np.column_stack([credit / np.maximum(m * (m - 1), 1), m >= 2])


def shares(table: RatingTable, w: Floats) -> Floats:
    """`pairs`, then each category's share of the unit's ratings and one where it was rated: K + 3 columns."""
    c, m = table.counts, table.seen
    return np.column_stack([pairs(table, w), c / np.maximum(m, 1)[:, None], m >= 1])


def two_raters(table: RatingTable, w: Floats) -> Floats:
    """`shares` of the units that both raters saw."""
    return np.asarray(shares(table, w) * (table.seen >= 2)[:, None])


def by_rater(table: RatingTable, w: Floats) -> Floats:
    """`pairs`, then which category each rater gave: 2 + R * K columns."""
    return np.hstack([pairs(table, w), _given(table).reshape(len(table.codes), -1)])


def joint(table: RatingTable, w: Floats) -> Floats:
    """For every pair of raters, which two categories they gave: R(R-1)/2 * K * K columns."""
    given = _given(table)
    raters = combinations(range(given.shape[1]), 2)
    both = [given[:, g, :, None] * given[:, h, None, :] for g, h in raters]
    return np.stack(both, axis=1).reshape(len(given), -1)


def category(table: RatingTable, w: Floats) -> Floats:
    """Pairs in one category (the one that the row `w` names), ratings in it: 2 columns, weighted as in alpha."""
    pairable = table.seen >= 2
    c = (table.codes == int(w[0].argmax())).sum(1) * pairable.astype(float)
    return np.column_stack([c * (c - 1) / np.maximum(table.seen - 1, 1), c])


def pairs_of_category(table: RatingTable, w: Floats) -> Floats:
    """Pairs in the category, pairs with one rating in it or two: 2 columns, every pair counting the same."""
    m = table.seen.astype(float)
    c = (table.codes == int(w[0].argmax())).sum(1) * (m >= 2)
    return np.column_stack([c * (c - 1), c * np.maximum(m - 1, 0)])


def one_against_rest(table: RatingTable, w: Floats) -> Floats:
    """`shares` of a scale of two: the category that the row `w` names, and all others: 5 columns."""
    m = table.seen.astype(float)
    c = (table.codes == int(w[0].argmax())).sum(1).astype(float)
    agree = (c * (c - 1) + (m - c) * (m - c - 1)) / np.maximum(m * (m - 1), 1) * (m >= 2)
    share = c / np.maximum(m, 1)
    return np.column_stack([agree, m >= 2, share, np.where(m > 0, 1 - share, 0.0), m >= 1])


def products(table: RatingTable, w: Floats) -> Floats:
    """One, each rater's number, the products of every two: 1 + R + R^2 columns, for complete tables."""
    x = centred(table)
    crossed = x[:, :, None] * x[:, None, :]
    return np.hstack([np.ones((len(x), 1)), x, crossed.reshape(len(x), -1)])


def squares(table: RatingTable, w: Floats) -> Floats:
    """Sum of squares between and in all, one, each rater's number: 3 + R columns, for complete tables."""
    x = centred(table)
    return np.column_stack([x.sum(1) ** 2 / x.shape[1], (x**2).sum(1), np.ones(len(x)), x])


def centred(table: RatingTable) -> Floats:
    """(units, raters) numbers minus their mean, 0 where missing: centred, so that squares lose no digits."""
    given = table.codes >= 0
    x = np.where(given, table.scale.values[table.codes], 0.0)
    return np.asarray(np.where(given, x - x.sum() / given.sum(), 0.0))


def _given(table: RatingTable) -> Floats:
    """(units, raters, K) one where the rater gave the category."""
    return np.asarray(table.codes[:, :, None] == np.arange(len(table.scale.categories)), dtype=float)
