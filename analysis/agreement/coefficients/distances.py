"""Distances between the ratings of a unit, in alpha's own metric, divided by the one expected by chance.

Summed over a table they give 1 - alpha, so they say which units, raters and pairs it comes from.
"""

import numpy as np
from numpy.typing import NDArray

from .table import Floats, Table
from .weights import distance


def relative(made: Table) -> Floats:
    """(units, raters, raters) distance of each pair over the expected distance; NaN where one is missing.

    Raises:
        ZeroDivisionError: the ratings do not vary; look at `Bound.why_undefined` first.
    """
    given = made.codes >= 0
    pairable = (made.seen >= 2)[:, None] & given
    codes = np.where(given, made.codes, 0)
    if made.scale.level in ("nominal", "ratio"):
        d = distance(made.scale)
        apart, n = d[codes[:, :, None], codes[:, None, :]], _counts(made, pairable)
        expected = float(n @ d @ n) / (n.sum() * (n.sum() - 1))
    else:
        score = scores(made)
        apart, s = (score[:, :, None] - score[:, None, :]) ** 2, score[pairable]
        n_pairs = len(s) * (len(s) - 1)
        expected = 2 * float(len(s) * (s**2).sum() - s.sum() ** 2) / n_pairs
    if expected == 0:
        raise ZeroDivisionError("the ratings do not vary")
    both = given[:, :, None] & given[:, None, :] & ~np.eye(given.shape[1], dtype=bool)
    return np.where(both, apart / expected, np.nan)


def scores(made: Table) -> Floats:
    """(units, raters) numbers whose squared differences are alpha's ordinal or interval distance."""
    given = made.codes >= 0
    codes = np.where(given, made.codes, 0)
    if made.scale.level != "ordinal":
        x = made.scale.values[codes]
        return np.asarray(x - x[given].mean())
    n = _counts(made, (made.seen >= 2)[:, None] & given)
    below = np.cumsum(n) - n / 2
    return np.asarray((below - below @ n / n.sum())[codes])


def _counts(made: Table, which: NDArray[np.bool_]) -> Floats:
    """(K,) how often each category was given among some ratings."""
    return np.bincount(made.codes[which], minlength=len(made.scale.categories)).astype(float)
