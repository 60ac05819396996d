"""Do two raters use the categories alike? McNemar, Stuart-Maxwell and Bowker, also where items come in clusters.

All three are Wald tests of differences whose covariance under the null hypothesis is the sum of the squared (crossed)
contributions of independent units. For independent items this gives the textbook formulas exactly; with clusters a
unit is a cluster (Obuchowski 1998 for McNemar's).
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.stats import binomtest, chi2, rankdata

from ...multiplicity import holm
from ..coefficients.table import DENSE, Floats, Table
from ..uncertainty.resample import added
from .records import RaterTest

EXACT = 25
"""Discordant items up to which McNemar's test is the exact binomial one."""


def pair_tests(ratings: Table) -> list[RaterTest]:
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


def _pair(ratings: Table, g: int, h: int) -> list[RaterTest]:
    a, b = ratings.codes[:, g], ratings.codes[:, h]
    k = len(ratings.scale.categories)
    names = (str(ratings.raters[g]), str(ratings.raters[h]))
    one, two = np.eye(k)[a], np.eye(k)[b]
    if k == 2:
        return [_mcnemar(ratings, one[:, 0] - two[:, 0], names)]
    crossed = one[:, :, None] * two[:, None, :]
    i, j = np.triu_indices(k, 1)
    return [
        _wald("stuart_maxwell", "margins", ratings, one - two, names),
        _wald("bowker", "symmetry", ratings, crossed[:, i, j] - crossed[:, j, i], names),
    ]


def _mcnemar(ratings: Table, difference: Floats, names: tuple[str, str]) -> RaterTest:
    """Exact where few items are discordant and all are independent, else chi squared without correction."""
    discordant = int((difference != 0).sum())
    if not ratings.clusters and 0 < discordant < EXACT:
        p = float(binomtest(int((difference > 0).sum()), discordant).pvalue)
        return RaterTest(
            test="mcnemar",
            of="margins",
            raters=names,
            value=None,
            p=p,
            n=len(difference),
            method="exact binomial",
        )
    return _wald("mcnemar", "margins", ratings, difference[:, None], names)


def _wald(test: str, of: str, ratings: Table, differences: Floats, names: tuple[str, str]) -> RaterTest:
    """Chi squared of the summed differences, degrees of freedom the rank of their covariance."""
    units = added([differences], ratings.clusters)[0] if ratings.clusters else differences
    covariance = units.T @ units
    df = int(np.linalg.matrix_rank(covariance))
    row = RaterTest(test=test, of=of, raters=names, value=None, p=None, n=len(differences))
    if df == 0:
        return row.model_copy(update={"why_missing": "the two never differ"})
    total = units.sum(0)
    value = float(total @ np.linalg.pinv(covariance, hermitian=True) @ total)
    unit = ratings.independent[1] if ratings.clusters else "item"
    update = {"value": value, "df": df, "p": float(chi2.sf(value, df)), "method": f"chi squared, by {unit}"}
    return row.model_copy(update=update)


def kendall_w(ratings: Table) -> RaterTest:
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
    ranks = rankdata(ratings.codes[np.ix_(complete, raters)], axis=0)
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
