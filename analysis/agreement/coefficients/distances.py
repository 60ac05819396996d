"""How far each rating is from the others of its unit, in alpha's own metric, over the distance expected by chance.

Summed over a table, each unit's over its ratings less one, they give 1 - alpha times the ratings: so they say which
units and raters it comes from.
"""

from collections.abc import Callable, Iterator

import numpy as np

from .many import ratio_expected
from .table import Floats, Ints, RatingTable
from .weights import masi

CELLS = 4_000_000
"""Pairs of ratings held at once."""


def apart(ratings: RatingTable) -> Floats:
    """(units, raters) summed distance of a rating to the others of its unit, over the expected distance of a pair.

    NaN where a rating is missing.

    Raises:
        ZeroDivisionError: the ratings do not vary; look at `Bound.why_undefined` first.
    """
    given = ratings.codes >= 0
    level, sets = ratings.scale.level, ratings.scale.sets
    if level in ("interval", "ordinal"):
        total, expected = _of_scores(ratings)
    elif level == "nominal" and not sets:
        n = pairable_counts(ratings)
        total = _of_pairs(ratings, lambda a, b: np.asarray(a != b, dtype=float))
        expected = 1 - float((n * (n - 1)).sum() / (n.sum() * (n.sum() - 1)))
    elif level == "ratio":
        total = _of_pairs(ratings, _relative)
        expected = ratio_expected(ratings.scale.values, pairable_counts(ratings))
    else:
        d = 1 - masi([c for c in ratings.scale.categories if isinstance(c, frozenset)])
        n = pairable_counts(ratings)
        total = _of_pairs(ratings, lambda a, b: d[a, b])
        expected = float(n @ d @ n) / (n.sum() * (n.sum() - 1))
    if expected == 0:
        raise ZeroDivisionError("the ratings do not vary")
    return np.where(given, total / expected, np.nan)


def _of_scores(ratings: RatingTable) -> tuple[Floats, float]:
    """Squared distances need only each unit's sum and sum of squares."""
    given = ratings.codes >= 0
    s = np.where(given, scores(ratings), 0.0)
    m = ratings.seen[:, None]
    total = m * s**2 - 2 * s * s.sum(1, keepdims=True) + (s**2).sum(1, keepdims=True)
    x = s[given & (m >= 2)]
    return total, 2 * float(len(x) * (x**2).sum() - x.sum() ** 2) / (len(x) * (len(x) - 1))


def _of_pairs(ratings: RatingTable, distance: Callable[[Floats, Floats], Floats]) -> Floats:
    """Distances pair by pair, some units at a time.

    Args:
        ratings: the table.
        distance: of the values of a ratio scale, or else of the codes.
    """
    out = np.zeros(ratings.codes.shape)
    values = (
        ratings.scale.values if ratings.scale.level == "ratio" else np.arange(len(ratings.scale.categories))
    )
    for some in _blocks(ratings):
        given = ratings.codes[some] >= 0
        x = values[np.where(given, ratings.codes[some], 0)]
        both = given[:, :, None] & given[:, None, :]
        out[some] = np.where(both, distance(x[:, :, None], x[:, None, :]), 0.0).sum(2)
    return out


def _relative(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.where(a + b > 0, (a - b) / np.where(a + b > 0, a + b, 1), 0.0) ** 2)


def _blocks(ratings: RatingTable) -> Iterator[slice]:
    units, raters = ratings.codes.shape
    step = max(1, CELLS // max(raters**2, 1))
    return (slice(i, i + step) for i in range(0, units, step))


def scores(ratings: RatingTable) -> Floats:
    """(units, raters) numbers whose squared differences are alpha's ordinal or interval distance."""
    given = ratings.codes >= 0
    codes = np.where(given, ratings.codes, 0)
    if ratings.scale.level != "ordinal":
        x = ratings.scale.values[codes]
        return np.asarray(x - x[given].mean())
    n = pairable_counts(ratings).astype(float)
    below = np.cumsum(n) - n / 2
    return np.asarray((below - below @ n / n.sum())[codes])


def pairable_counts(ratings: RatingTable) -> Ints:
    """(K,) how often each category was given on units with two ratings or more."""
    codes = ratings.codes[ratings.seen >= 2]
    counts: Ints = np.bincount(codes[codes >= 0], minlength=len(ratings.scale.categories)).astype(np.int64)
    return counts
