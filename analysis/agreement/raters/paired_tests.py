"""Do two raters use the categories alike? McNemar, Stuart-Maxwell and Bowker, also where items come in clusters.

All three are Wald tests of differences whose covariance under the null hypothesis is the sum of the squared (crossed)
contributions of independent units. For independent items this gives the textbook formulas exactly; with clusters a
unit is a cluster (Obuchowski 1998 for McNemar's).
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from ...multiplicity import holm
from ..coefficients.table import DENSE, Floats, Ints, RatingTable
from ..distributions import chi2, sign_test
from ..uncertainty.resample import added
from .records import RaterTest

EXACT = 25
"""Discordant items up to which McNemar's test is the exact binomial one."""


def pair_tests(ratings: RatingTable) -> list[RaterTest]:
    """The tests of every two raters on the items that both rated, p adjusted for their number test by test.

    McNemar for two categories; Stuart-Maxwell (margins) and Bowker (symmetry) for three and more.
    """
    if len(ratings.scale.categories) > DENSE or ratings.scale.sets:
        return []
    rows = []
    for g, h in combinations(range(len(ratings.raters)), 2):
        both = np.flatnonzero((ratings.codes[:, [g, h]] >= 0).all(1))
        if len(both):
            rows += _pair(ratings.of_units(both), g, h)
    return adjusted(rows)


def adjusted(rows: Sequence[RaterTest]) -> list[RaterTest]:
    """The rows with p adjusted over those of the same test (Holm 1979)."""
    out = list(rows)
    for test in dict.fromkeys(r.test for r in rows):
        at = [i for i, r in enumerate(rows) if r.test == test]
        for i, p in zip(at, holm([rows[i].p for i in at]), strict=True):
            out[i] = rows[i].model_copy(update={"p_adjusted": p})
    return out


def _pair(ratings: RatingTable, g: int, h: int) -> list[RaterTest]:
    """From the pairs of categories that occur, each with its number of items; with clusters, item by item."""
    a, b = ratings.codes[:, g].astype(np.int64), ratings.codes[:, h].astype(np.int64)
    k = len(ratings.scale.categories)
    times = None
    if not ratings.clusters:
        kinds, times = np.unique(a * k + b, return_counts=True)
        a, b = kinds // k, kinds % k
    pair = _Pair((str(ratings.raters[g]), str(ratings.raters[h])), len(ratings.units), times, ratings)
    one, two = np.eye(k)[a], np.eye(k)[b]
    if k == 2:
        return [_mcnemar(one[:, 0] - two[:, 0], pair)]
    crossed = one[:, :, None] * two[:, None, :]
    i, j = np.triu_indices(k, 1)
    return [
        _wald("stuart_maxwell", "margins", one - two, pair),
        _wald("bowker", "symmetry", crossed[:, i, j] - crossed[:, j, i], pair),
    ]


class _Pair(NamedTuple):
    """Two raters and the items that both rated."""

    raters: tuple[str, str]
    n: int
    times: Ints | None
    """(rows,) items that each row of differences stands for; None where a row is an item and items have clusters."""
    ratings: RatingTable


def _mcnemar(difference: Floats, pair: _Pair) -> RaterTest:
    """Exact where few items are discordant and all are independent, else chi squared without correction."""
    if pair.times is not None:
        more, less = (int(pair.times[difference == sign].sum()) for sign in (1, -1))
        if 0 < more + less < EXACT:
            return RaterTest(
                test="mcnemar",
                of="margins",
                raters=pair.raters,
                value=None,
                p=sign_test(more, less),
                n=pair.n,
                method="exact binomial",
            )
    return _wald("mcnemar", "margins", difference[:, None], pair)


def _wald(test: str, of: str, differences: Floats, pair: _Pair) -> RaterTest:
    """Chi squared of the summed differences, degrees of freedom the rank of their covariance."""
    units = differences if pair.times is not None else added([differences], pair.ratings.clusters)[0]
    times = np.ones(len(units)) if pair.times is None else pair.times.astype(np.float64)
    covariance = (units * times[:, None]).T @ units
    df = int(np.linalg.matrix_rank(covariance))
    row = RaterTest(test=test, of=of, raters=pair.raters, value=None, p=None, n=pair.n)
    if df == 0:
        return row.model_copy(update={"why_missing": "the two never differ"})
    total = times @ units
    value = float(total @ np.linalg.pinv(covariance, hermitian=True) @ total)
    unit = pair.ratings.independent[1]
    update = {"value": value, "df": df, "p": float(chi2.sf(value, df)), "method": f"chi squared, by {unit}"}
    return row.model_copy(update=update)


def kendall_w(ratings: RatingTable) -> RaterTest:
    """Kendall's coefficient of concordance of the raters' rankings of the items, ties corrected (Kendall 1948).

    1: all rank the items alike; 0: no association. Its test is chi squared with n - 1 degrees of freedom.
    """
    raters = np.flatnonzero((ratings.codes >= 0).any(0))
    names = tuple(str(ratings.raters[g]) for g in raters)
    complete = (ratings.codes[:, raters] >= 0).all(1)
    n, m = int(complete.sum()), len(raters)
    row = RaterTest(test="kendall_w", of="rankings", raters=names, value=None, p=None, n=n)
    if ratings.scale.level == "nominal":
        return row.model_copy(update={"why_missing": "a nominal scale has no ranks"})
    if n < 3:
        return row.model_copy(update={"why_missing": f"{n} items rated by all {m} raters; 3 are needed"})
    ranks = pd.DataFrame(ratings.codes[np.ix_(complete, raters)]).rank().to_numpy()
    ties = sum(float((t**3 - t).sum()) for t in (np.unique(r, return_counts=True)[1] for r in ranks.T))
    spread = 12 * float(((ranks.sum(1) - m * (n + 1) / 2) ** 2).sum())
    most = m**2 * (n**3 - n) - m * ties
    if most <= 0:
        return row.model_copy(update={"why_missing": "every rater gave all items the same rank"})
    w = spread / most
    statistic = m * (n - 1) * w
    clustered = "; items in clusters are taken as independent" if ratings.clusters else ""
    return row.model_copy(
        update={
            "value": w,
            "statistic": statistic,
            "df": n - 1,
            "p": float(chi2.sf(statistic, n - 1)),
            "method": f"chi squared = m (n - 1) W, of {n} items that all rated{clustered}",
        }
    )
