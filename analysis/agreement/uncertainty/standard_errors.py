"""Standard errors in closed form, for independent units and fixed raters; and by the jackknife for all others.

`n - 1` where Gwet divides by it (irrCAC's functions of raw ratings), `n` where Fleiss, Cohen and Everitt do.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

import numpy as np

from ....study.errors import DataError
from ....study.records import Level
from ..coefficients import terms
from ..coefficients.bound import Bound, bind
from ..coefficients.table import MANY, Floats, RatingTable, table
from ..coefficients.weights import Weights, matrix, metric
from .intervals import jackknife_se
from .resample import draw


def standard_error(
    ratings: Any,
    statistic: str,
    level: Level,
    *,
    weights: Weights = None,
    categories: Sequence[Hashable] | None = None,
    method: Literal["analytic", "jackknife", "null"] = "analytic",
) -> float:
    """Standard error of a coefficient over units, the raters fixed.

    Args:
        ratings: (units, raters); None where a rater did not see the unit.
        statistic: a name in `COEFFICIENTS`.
        level: how far apart two categories are.
        weights: as in `coefficient`.
        categories: as in `coefficient`.
        method: in closed form, as published; by leaving out one unit at a time; or in closed form were the true
            coefficient 0, for a test of that.
    Raises:
        DataError: the literature has no closed form for this one, or the coefficient is undefined.

    >>> rows = [[1, 1]] * 20 + [[1, 2]] * 5 + [[2, 1]] * 10 + [[2, 2]] * 15
    >>> round(standard_error(rows, "percent_agreement", "nominal"), 4)  # sqrt(0.7 * 0.3 / 49)
    0.0655
    """
    bound = bind(table(ratings, level, categories), statistic, weights)
    if why := bound.why_undefined():
        raise DataError(f"{statistic}: {why}; it has no standard error.")
    if method == "jackknife":
        drawn = draw([bound], 0, 0)[0]
        return jackknife_se(drawn.left_out, drawn.times)
    known = NULL if method == "null" else ANALYTIC
    error = standard_errors(bound, known)
    if error is None:
        raise DataError(
            f"{statistic}: no closed form here; use method='jackknife'. Known: {', '.join(known)}."
        )
    return error


def standard_errors(bound: Bound, known: "dict[str, ClosedForm] | None" = None) -> float | None:
    """The closed form of a defined coefficient, of `ANALYTIC` or others; None where there is none."""
    known = ANALYTIC if known is None else known
    scale = bound.table.scale
    if bound.name not in known or len(bound.table.units) < 2 or len(scale.categories) > MANY:
        return None
    w = bound.weights
    if not w.size and bound.weighting:
        w, _ = matrix(bound.weighting, scale)
    return known[bound.name](bound.table, w)


def alpha(ratings: RatingTable, w: Floats) -> float | None:
    """Gwet 2014, ch. 5: linearised in ratings and margins of the units with two ratings.

    As irrCAC for R. None for the ordinal metric, which is itself made of the margins, and for very many categories.
    """
    scale = ratings.scale
    if not w.size and (scale.level == "ordinal" or len(scale.categories) > MANY):
        return None
    d = metric(scale, w)
    w = 1 - d / d.max()
    c = ratings.counts[ratings.seen >= 2]
    m = c.sum(1)
    mean = m.mean()
    more = m / mean - 1  # ratings beyond the mean unit's; they carry their share of both sums
    p = c.mean(0) / mean
    agreed = (((c @ w) * c).sum(1) - m) / (m - 1) / mean
    observed, chance = float(agreed.mean()), float(p @ w @ p)
    value = (observed - chance) / (1 - chance)
    own = (agreed - observed * more - chance) / (1 - chance)
    pulled = c @ (w @ p) / mean - chance * more
    return _spread(own - 2 * (1 - value) * (pulled - chance) / (1 - chance), value)


def percent(ratings: RatingTable, w: Floats) -> float:
    """Gwet 2014, ch. 5: the spread of the units' own shares."""
    return _spread(_observed(ratings, w))


def fleiss(ratings: RatingTable, w: Floats) -> float:
    """Gwet 2014, eq. 5.3.8: linearised in the pooled shares."""
    share = _share(ratings)
    p = share.mean(0)
    return _linear(_observed(ratings, w), ratings, float(p @ w @ p), share @ (w @ p))


def scott(ratings: RatingTable, w: Floats) -> float:
    """Fleiss' over the units that both raters saw."""
    return fleiss(ratings.of_units(np.flatnonzero(ratings.seen >= 2)), w)


def gwet(ratings: RatingTable, w: Floats) -> float:
    """Gwet 2008, eq. 37; 2014, eq. 5.3.4."""
    share, k = _share(ratings), w.shape[0]
    p = share.mean(0)
    factor = w.sum() / (k * (k - 1))
    return _linear(
        _observed(ratings, w), ratings, factor * float((p * (1 - p)).sum()), factor * (share @ (1 - p))
    )


def brennan_prediger(ratings: RatingTable, w: Floats) -> float:
    """Gwet 2014, ch. 5: chance is a constant."""
    chance = float(w.mean())
    return _linear(_observed(ratings, w), ratings, chance, np.full(len(ratings.codes), chance))


def conger(ratings: RatingTable, w: Floats) -> float:
    """Gwet 2014, eq. 5.3.16, with ratings missing as in irrCAC."""
    ratings = ratings.columns(np.flatnonzero((ratings.codes >= 0).any(0)))
    n, r, k = len(ratings.codes), ratings.codes.shape[1], w.shape[0]
    given = terms.by_rater(ratings, w)[:, 2:].reshape(n, r, k)
    rated = given.sum(2)
    of_rater = rated.sum(0)
    p = given.sum(0) / of_rater[:, None]
    total = p.sum(0)
    chance = float((total @ w @ total - np.einsum("rk,kl,rl->", p, w, p)) / (r * (r - 1)))
    centred = given - (rated - of_rater / n)[:, :, None] * p
    pulled = np.einsum("urk,kl,rl->u", centred * (n / of_rater)[:, None], w, total - p)
    return _linear(_observed(ratings, w), ratings, chance, pulled / (r * (r - 1)))


def cohen(ratings: RatingTable, w: Floats) -> float:
    """Fleiss, Cohen & Everitt 1969 (Psychol Bull 72:323), weighted or not."""
    n, p = _crossed(ratings, w)
    rows, columns = p.sum(1), p.sum(0)
    observed, chance = float((p * w).sum()), float(rows @ w @ columns)
    margin = (w @ columns)[:, None] + (rows @ w)[None]
    spread = (p * (w * (1 - chance) - margin * (1 - observed)) ** 2).sum()
    bias = (observed * chance - 2 * chance + observed) ** 2
    return float(np.sqrt(max(spread - bias, 0.0) / n) / (1 - chance) ** 2)


def cohen_null(ratings: RatingTable, w: Floats) -> float:
    """Fleiss, Cohen & Everitt 1969, were the raters independent."""
    n, p = _crossed(ratings, w)
    rows, columns = p.sum(1), p.sum(0)
    chance = float(rows @ w @ columns)
    margin = (w @ columns)[:, None] + (rows @ w)[None]
    spread = (np.outer(rows, columns) * (w - margin) ** 2).sum()
    return float(np.sqrt(max(spread - chance**2, 0.0) / n) / (1 - chance))


def fleiss_null(ratings: RatingTable, w: Floats) -> float | None:
    """Fleiss, Nee & Landis 1979 (Psychol Bull 86:974), were all ratings independent; complete and unweighted."""
    m = int(ratings.seen[0])
    if (ratings.seen != m).any() or not np.array_equal(w, np.eye(len(w))):
        return None
    p = ratings.counts.sum(0) / ratings.counts.sum()
    q = p * (1 - p)
    return float(
        np.sqrt(2 * (q.sum() ** 2 - (q * (1 - 2 * p)).sum()) / (len(ratings.codes) * m * (m - 1))) / q.sum()
    )


def _crossed(ratings: RatingTable, w: Floats) -> tuple[float, Floats]:
    """How many units both raters saw, and the share of each pair of categories among them."""
    both = terms.joint(ratings, w).sum(0).reshape(w.shape)
    n = float(both.sum())
    return n, both / n


def _observed(ratings: RatingTable, w: Floats) -> Floats:
    """(units,) credited share of pairs, scaled so that its mean over all units is the observed agreement."""
    share, pairable = terms.pairs(ratings, w).T
    return np.asarray(share * len(share) / pairable.sum())


def _share(ratings: RatingTable) -> Floats:
    return ratings.counts / ratings.seen[:, None]


def _linear(observed: Floats, ratings: RatingTable, chance: float, pulled: Floats) -> float:
    """Spread of the linearised coefficient (Gwet 2014, ch. 5).

    Args:
        observed: (units,) as `_observed`.
        ratings: the table.
        chance: agreement by chance.
        pulled: (units,) what each unit adds to chance; its mean is `chance`.
    """
    pairable = ratings.seen >= 2
    value = (observed.mean() - chance) / (1 - chance)
    own = (observed - chance * pairable * len(pairable) / pairable.sum()) / (1 - chance)
    return _spread(own - 2 * (1 - value) * (pulled - chance) / (1 - chance), value)


def _spread(x: Floats, around: float | None = None) -> float:
    """sqrt(sum of squares / (n (n - 1)))."""
    n = len(x)
    return float(np.sqrt(((x - (x.mean() if around is None else around)) ** 2).sum() / (n * (n - 1))))


ClosedForm = Callable[[RatingTable, Floats], float | None]

ANALYTIC: dict[str, ClosedForm] = {
    "krippendorff_alpha": alpha,
    "percent_agreement": percent,
    "within_one_agreement": percent,
    "weighted_agreement": percent,
    "fleiss_kappa": fleiss,
    "scott_pi": scott,
    "gwet_ac": gwet,
    "brennan_prediger": brennan_prediger,
    "conger_kappa": conger,
    "cohen_kappa": cohen,
}

NULL: dict[str, ClosedForm] = {"cohen_kappa": cohen_null, "fleiss_kappa": fleiss_null}
