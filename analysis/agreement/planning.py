"""How many items and raters a wanted precision takes, and how many hours of clinicians."""

from collections.abc import Callable, Sequence
from math import ceil

import numpy as np

from ...study.errors import DataError
from ...study.records import Level
from .coefficients.bound import bind
from .coefficients.table import MISSING, Floats, Ints, RatingTable, Scale
from .coefficients.weights import Weights
from .distributions import norm
from .records import PrecisionPlan
from .uncertainty.resample import draw

UNITS = 20_000
"""Simulated items; the SD of an item's influence is then known to about 1 %."""


def from_pilot(
    pilot: RatingTable,
    half_width: float,
    statistic: str = "krippendorff_alpha",
    *,
    weights: Weights = None,
    minutes: float | None = None,
    confidence: float = 0.95,
) -> PrecisionPlan:
    """Items for an interval of +- `half_width`, were they and their raters like the pilot's.

    n = (z s / h)^2 with s the SD of the jackknife pseudo-values. With clusters, the items of as many clusters.

    Args:
        pilot: ratings already there; 20 items or more, or the answer is a guess.
        half_width: wanted.
        statistic: a name in `COEFFICIENTS`.
        weights: as in `coefficient`.
        minutes: that a rater takes for an item; None leaves the hours open.
        confidence: of the interval.
    Raises:
        DataError: the pilot leaves the coefficient or its spread undefined.
    """
    bound = bind(pilot, statistic, weights)
    if why := bound.why_undefined():
        raise DataError(f"pilot: {why}.")
    d = draw([bound], 0, 0)[0]
    if np.isnan(d.left_out).any() or np.ptp(d.left_out) == 0:
        raise DataError("pilot: its items do not tell how much the coefficient varies; rate more of them.")
    clusters = _needed(_influence_sd(d.left_out, d.times), half_width, confidence)
    units, _ = pilot.independent
    items = ceil(clusters * len(pilot.units) / units)
    raters = int((pilot.codes >= 0).any(0).sum())
    per_item = float(pilot.seen.mean())
    return PrecisionPlan(
        statistic=statistic,
        value=d.value,
        half_width=half_width,
        raters=raters,
        items=items,
        hours=None if minutes is None else items * per_item * minutes / 60,
        basis=f"pilot of {len(pilot.units)} items, {per_item:.3g} ratings each",
    )


def from_assumptions(
    value: float,
    half_width: float,
    margins: Sequence[float],
    *,
    level: Level = "ordinal",
    raters: Sequence[int] = (2, 3, 4, 5),
    missing: float = 0.0,
    statistic: str = "krippendorff_alpha",
    minutes: float | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[PrecisionPlan]:
    """Items for an interval of +- `half_width`, for each number of raters.

    Ratings are drawn from a latent normal quality of the item plus the rater's own error, cut at the quantiles of
    the wanted margins; the share of the two is chosen so that the coefficient comes out at `value`. Raters are
    taken as equally severe, which at the same coefficient asks for a few items more than unequal ones do.

    Args:
        value: expected coefficient.
        half_width: wanted.
        margins: share of each category, in order; they sum to 1.
        level: of the scale.
        raters: numbers of raters to plan for.
        missing: share of ratings that will not be given, at random.
        statistic: a name in `COEFFICIENTS`.
        minutes: that a rater takes for an item.
        confidence: of the interval.
        seed: of the simulation.
    Raises:
        DataError: margins that are no shares, or a value that such margins cannot reach.

    >>> [(p.raters, 100 <= p.items <= 112) for p in from_assumptions(0.6, 0.1, [0.2] * 5, raters=[3])]
    [(3, True)]
    """
    shares = np.asarray(margins, dtype=float)
    if len(shares) < 2 or (shares < 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise DataError(f"margins: {list(margins)}; two shares or more that sum to 1.")
    return [
        _assumed(value, half_width, shares, level, r, missing, statistic, minutes, confidence, seed)
        for r in raters
    ]


def _assumed(
    value: float,
    half_width: float,
    shares: Floats,
    level: Level,
    raters: int,
    missing: float,
    statistic: str,
    minutes: float | None,
    confidence: float,
    seed: int,
) -> PrecisionPlan:
    from scipy.optimize import brentq  # slow to import

    simulated = _simulator(shares, level, raters, missing, seed)

    def off(correlation: float) -> float:
        return (bind(simulated(correlation), statistic).value() or 0.0) - value

    low, high = 0.001, 0.999
    if off(low) * off(high) > 0:
        reach = f"{off(low) + value:.2f} to {off(high) + value:.2f}"
        raise DataError(f"value: {value}; these margins and raters give {statistic} from {reach}.")
    ratings = simulated(float(brentq(off, low, high, xtol=1e-3)))
    d = draw([bind(ratings, statistic)], 0, 0)[0]
    items = _needed(_influence_sd(d.left_out, d.times), half_width, confidence)
    given = items * raters * (1 - missing)
    return PrecisionPlan(
        statistic=statistic,
        value=value,
        half_width=half_width,
        raters=raters,
        items=items,
        hours=None if minutes is None else given * minutes / 60,
        basis=f"simulation: margins {', '.join(f'{s:.2g}' for s in shares)}, {missing:.0%} missing",
    )


def _simulator(
    shares: Floats, level: Level, raters: int, missing: float, seed: int
) -> Callable[[float], RatingTable]:
    """The same random numbers for every correlation, so that the coefficient is a smooth function of it."""
    rng = np.random.default_rng(seed)
    item, error = rng.normal(size=(UNITS, 1)), rng.normal(size=(UNITS, raters))
    gone = rng.random((UNITS, raters)) < missing
    cuts = norm.ppf(np.cumsum(shares)[:-1])
    scale = Scale(level, tuple(range(len(shares))), declared=True)

    def simulated(correlation: float) -> RatingTable:
        latent = np.sqrt(correlation) * item + np.sqrt(1 - correlation) * error
        codes = np.where(gone, MISSING, np.searchsorted(cuts, latent.ravel()).reshape(latent.shape))
        return RatingTable(codes.astype(np.int32), scale, tuple(range(UNITS)), tuple(range(raters)))

    return simulated


def _influence_sd(left_out: Floats, times: Ints) -> float:
    """SD of the jackknife pseudo-values."""
    n = int(times.sum())
    centred = left_out - np.average(left_out, weights=times)
    return float((n - 1) * np.sqrt((times * centred**2).sum() / (n - 1)))


def _needed(sd: float, half_width: float, confidence: float) -> int:
    if not half_width > 0:
        raise DataError(f"half_width: {half_width}; give a positive number, such as 0.1.")
    return ceil((float(norm.ppf((1 + confidence) / 2)) * sd / half_width) ** 2)
