"""An interval for chance-corrected agreement on two categories, also where one of them is rare.

Resampling cannot see beyond the sample: where no two raters gave the rare category to one item, all replicates lie
near zero, and the interval misses. The chances of the pairs (both, one, neither) under a supposed agreement can be
worked out, though, so an interval is the set of agreements that the observed pairs do not contradict: the goodness
of fit of Donner & Eliasziw (1992, Stat Med 11:1511), with the prevalence that fits best under each. Pairs count as in
alpha, so items with more ratings count more; chi squared is divided by the design effect of clusters and compared
with F instead of its limit.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from ..coefficients.bound import Bound
from ..coefficients.table import Floats, RatingTable
from ..distributions import f
from .intervals import FEW, LEAST, Interval, jackknife_se
from .resample import Draws

CARRYING = 30
"""Independent units with the rarer category below which the interval is taken whatever their number in all."""

RARE = 0.3
"""Share of the rarer category up to which it is rare: with even ones resampling holds its coverage on 30 units."""

SAME_MODEL = ("krippendorff_alpha", "fleiss_kappa", "scott_pi")
"""Coefficients that the model's correlation is."""

OTHER_CHANCE = ("cohen_kappa", "conger_kappa", "light_kappa")
"""Coefficients with another chance agreement, which is taken as known."""


class Pairs(NamedTuple):
    """Weighted pairs of ratings of the same item: both in the category, one of them, neither."""

    both: float
    one: float
    neither: float

    @property
    def n(self) -> float:
        """All of them."""
        return sum(self)

    @property
    def share(self) -> float:
        """Of the category among the ratings."""
        return (self.both + self.one / 2) / self.n

    @property
    def correlation(self) -> float:
        """The value that fits best: Scott's pi of the pairs."""
        return 1 - self.one / self.n / (2 * self.share * (1 - self.share))

    @property
    def standard_error(self) -> float:
        """Of the correlation, by the delta method, were the pairs independent."""
        p, q = self.share, self.one / self.n
        slope = q * (1 - 2 * p) / (2 * (p * (1 - p)) ** 2)
        gradient = np.array([slope, slope / 2 - 1 / (2 * p * (1 - p)), 0.0])
        shares = np.array(self) / self.n
        return float(np.sqrt(max(shares @ gradient**2 - (shares @ gradient) ** 2, 0.0) / self.n))


def possible(b: Bound, pairable: int) -> bool:
    """Two categories are used, and the coefficient is one of chance-corrected agreement."""
    plain = b.weighting in ("", "identity") or len(b.table.scale.categories) == 2
    if b.name not in (*SAME_MODEL, *OTHER_CHANCE) or not plain or len(b.table.used) != 2 or pairable < LEAST:
        return False
    return b.name in SAME_MODEL or _all_vary(b.table)


def _all_vary(ratings: RatingTable) -> bool:
    """Every rater gave both categories: else kappa is 0 whatever the other raters say."""
    used = [len(np.unique(column[column >= 0])) for column in ratings.codes.T]
    return all(n != 1 for n in used)


def suits(b: Bound, pairable: int) -> bool:
    """It is possible, and resampling does not do: the rarer category is on few units, or nobody disagrees."""
    if not possible(b, pairable):
        return False
    own = pairs(b.table)
    few = pairable < FEW or carrying(b.table)[0] < CARRYING
    return own.one == 0 or (few and own.share <= RARE)


def carrying(ratings: RatingTable) -> tuple[int, int]:
    """Independent units (items, clusters) with any category but the commonest; and all that have two ratings."""
    own = ratings.of_units(np.flatnonzero(ratings.seen >= 2))
    has = ((own.codes != int(np.argmax(own.times))) & (own.codes >= 0)).any(1)
    if not own.clusters:
        return int(has.sum()), len(has)
    return len({c for c, h in zip(own.clusters, has, strict=True) if h}), len(set(own.clusters))


def pairs(ratings: RatingTable) -> Pairs:
    """The pairs of the rarer of the two used categories, each item's over its ratings less one."""
    rare = ratings.used[int(np.argmin(ratings.times[ratings.used]))]
    m = ratings.seen
    c = (ratings.codes == rare).sum(1)
    share = (m >= 2) / np.maximum(m - 1, 1)
    return Pairs(
        float((c * (c - 1) / 2 * share).sum()),
        float((c * (m - c) * share).sum()),
        float(((m - c) * (m - c - 1) / 2 * share).sum()),
    )


def interval(b: Bound, d: Draws, confidence: float) -> Interval:
    """Limits of a coefficient for which that is `possible`.

    Args:
        b: the coefficient with its table.
        d: its value and the values without each unit.
        confidence: e.g. 0.95.
    """
    own = pairs(b.table)
    effect = _design_effect(own, d) if b.table.clusters else 1.0
    limit = float(f.ppf(confidence, 1, d.pairable - 1)) * effect
    raters = int((b.table.codes >= 0).any(0).sum())
    low, high = _limits(own, limit, max(-1 / (raters - 1), -0.999))
    if b.name in OTHER_CHANCE and own.correlation < 1:
        chance = (1 - d.value) / (1 - own.correlation)
        low, high = 1 - (1 - low) * chance, 1 - (1 - high) * chance
    spread = f", design effect {effect:.2f}" if b.table.clusters else ""
    return Interval(
        min(low, d.value),
        max(high, d.value),
        f"{confidence:.0%} goodness of fit of the pairs of ratings (Donner & Eliasziw 1992), F with 1 and "
        f"{d.pairable - 1} df{spread}",
    )


def _design_effect(own: Pairs, d: Draws) -> float:
    """Variance between clusters over that of independent pairs; 1 at least."""
    known = ~np.isnan(d.left_out)
    naive = own.standard_error
    if known.sum() < 2 or naive == 0:
        return 1.0
    spread = jackknife_se(d.left_out[known], d.times[known])
    return max(1.0, (spread / naive) ** 2)


def _limits(own: Pairs, limit: float, least: float) -> tuple[float, float]:
    """Where chi squared passes its limit on both sides of the best fit."""
    from scipy.optimize import brentq  # slow to import

    def beyond(correlation: float) -> float:
        return chi_squared(own, correlation) - limit

    best = min(max(own.correlation, least), 1.0)
    start, end = least + 1e-9, 1 - 1e-9
    low = least if best <= start or beyond(start) <= 0 else float(brentq(beyond, start, best, xtol=1e-7))
    high = 1.0 if best >= end or beyond(end) <= 0 else float(brentq(beyond, best, end, xtol=1e-7))
    return low, high


def chi_squared(own: Pairs, correlation: float) -> float:
    """Pearson's chi squared of the pairs under a supposed correlation and the share that fits it best.

    >>> round(chi_squared(Pairs(4, 0, 6), 1.0), 6), chi_squared(Pairs(4, 2, 6), 0.0) > 4
    (0.0, True)
    """
    observed = np.array(own)
    expected = own.n * _chances(_best_share(own, correlation), correlation)
    if ((expected <= 0) & (observed > 0)).any():
        return np.inf
    kept = expected > 0
    return float(((observed[kept] - expected[kept]) ** 2 / expected[kept]).sum())


def _best_share(own: Pairs, correlation: float) -> float:
    """The share of the category that is most likely under a correlation."""
    from scipy.optimize import minimize_scalar  # slow to import

    edge = -correlation / (1 - correlation) if correlation < 0 else 0.0
    if correlation >= 1:
        return own.both / (own.both + own.neither)
    optimum = minimize_scalar(
        lambda p: -float(xlogy(np.array(own), np.maximum(_chances(p, correlation), 1e-300)).sum()),
        bounds=(edge, 1 - edge),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return float(optimum.x)


def _chances(p: float, correlation: float) -> Floats:
    """Chances of both, one and neither in a category of this share."""
    extra = correlation * p * (1 - p)
    return np.array([p**2 + extra, 2 * p * (1 - p) - 2 * extra, (1 - p) ** 2 + extra])
