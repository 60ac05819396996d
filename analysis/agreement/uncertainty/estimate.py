"""Coefficients with their intervals: how the two are made, and what is said where one of them does not exist."""

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np

from ....study.errors import DataError
from ....study.records import Level
from ...records import Agreement
from ..coefficients.bound import Bound, bind, needs_declaring
from ..coefficients.icc import Limits, limits_irr
from ..coefficients.table import RatingTable, table
from ..coefficients.weights import Weights
from . import goodness, intervals
from .intervals import LEAST, Interval, Method, jackknife_se
from .resample import Draws, draw
from .standard_errors import NULL, standard_errors

Raters = Literal["fixed", "random"]
"""The interval is about these raters, or about raters like these."""

Statistic = str | tuple[str, Weights]
"""A name in `COEFFICIENTS`, or the name and its weights."""


def coefficient(
    ratings: Any,
    statistic: str,
    level: Level,
    *,
    weights: Weights = None,
    categories: Sequence[Hashable] | None = None,
) -> float | None:
    """One coefficient of one table.

    Args:
        ratings: (units, raters); None where a rater did not see the unit.
        statistic: a name in `COEFFICIENTS`.
        level: how far apart two categories are.
        weights: for weighted coefficients: a name in `WEIGHTS` or a matrix; None takes the level's own.
        categories: all that raters could give, in order; None takes those that occur, as published examples do.
    Returns:
        None where the ratings do not vary (`estimate` says why in words).
    Raises:
        DataError: ratings that no coefficient can use; see `table`.
        StudyError: an unknown name.

    >>> coefficient([[1, 1], [1, 2], [2, 2]], "krippendorff_alpha", "nominal")  # 1 - (6 - 1) * 1 / (3 * 3)
    0.4444444444444444
    """
    return bind(table(ratings, level, categories), statistic, weights).value()


def estimate(ratings: RatingTable, statistic: Statistic, **how: Any) -> Agreement:
    """One coefficient with its interval; `how` as in `estimates`."""
    return estimates(ratings, [statistic], **how)[0]


def estimates(
    ratings: RatingTable,
    statistics: Sequence[Statistic],
    *,
    dimension: str = "",
    method: Method = "auto",
    raters: Raters = "fixed",
    confidence: float = 0.95,
    replicates: int | None = None,
    seed: int = 0,
) -> list[Agreement]:
    """Coefficients with intervals, counts and the words for a methods section, all from the same draws.

    Args:
        ratings: the table, its categories declared; its clusters, where it has some, are what is resampled.
        statistics: names, with weights where the level's own are not wanted.
        dimension: what was rated.
        method: of the interval; see `intervals.interval`. `auto` takes the F distribution for an ICC of
            independent units.
        raters: `random` adds the jackknife variance of leaving raters out (Satterthwaite degrees of freedom).
        confidence: of the interval.
        replicates: bootstrap draws; None takes 10,000, and up to 100,000 where the units are few and it costs no
            more, because the limits of a small sample are the noisiest.
        seed: of the draws.
    Raises:
        DataError: categories that must be declared were not; ratings that do not suit a coefficient.
        StudyError: an unknown name.
    """
    bounds = [bind(ratings, *([s] if isinstance(s, str) else s)) for s in statistics]
    for b in bounds:
        if why := needs_declaring(b):
            raise DataError(f"categories: {why}.")
    defined = [b for b in bounds if b.why_undefined() is None]
    n, _ = ratings.independent
    if method == "jackknife" or raters == "random":
        replicates = 0
    elif replicates is None:
        replicates = max(10_000, min(100_000, 10_000_000 // n))
    drawn = dict(zip(defined, draw(defined, replicates, seed), strict=True)) if defined else {}
    return [_row(b, drawn.get(b), dimension, method, raters, confidence, seed) for b in bounds]


def _row(
    b: Bound,
    d: Draws | None,
    dimension: str,
    method: Method,
    raters: Raters,
    confidence: float,
    seed: int,
) -> Agreement:
    n, unit = b.table.independent
    limits = Interval(None, None, b.why_undefined() or "")
    if d is not None:
        limits = _interval(b, d, method, raters, confidence, seed)
    some = limits.low is not None or limits.high is not None
    return Agreement(
        dimension=dimension,
        statistic=b.name,
        weights=b.weighting,
        value=d.value if d else None,
        low=limits.low,
        high=limits.high,
        **_errors(b, d),
        n_items=len(b.table.units),
        n_raters=int((b.table.codes >= 0).any(0).sum()),
        n_ratings=int(b.table.seen.sum()),
        why_missing=limits.text if limits.low is None or limits.high is None else None,
        method=f"{limits.text}, by {unit} (n = {n}), raters {raters}" if d and some else "",
    )


def _errors(b: Bound, d: Draws | None) -> dict[str, Any]:
    """Standard errors of a defined coefficient: in closed form, by the jackknife, and were it 0."""
    if d is None:
        return {}
    known = not np.isnan(d.left_out).any() and d.n > 1
    errors: dict[str, Any] = {"jackknife_error": jackknife_se(d.left_out, d.times) if known else None}
    if not b.table.clusters:
        errors |= {"standard_error": standard_errors(b), "null_error": standard_errors(b, NULL)}
    return errors


def _interval(b: Bound, d: Draws, method: Method, raters: Raters, confidence: float, seed: int) -> Interval:
    if raters == "random":
        limits = _random_raters(b, d, confidence)
    elif _by_goodness(b, method, d.pairable):
        return goodness.interval(b, d, confidence)
    elif method == "goodness":
        raise DataError(f"interval: goodness is of kappas and alpha of two categories, not of this {b.name}.")
    elif method == "irr":
        if b.name != "icc_ak":
            raise DataError(f"interval: irr is of icc_ak, not of {b.name}.")
        return _of_f(b, limits_irr, d.value, confidence)
    elif b.coefficient.limits and method == "auto" and not b.table.clusters:
        return _of_f(b, b.coefficient.limits, d.value, confidence)
    else:
        limits = intervals.interval(d, method, confidence, seed)
    share = not (b.coefficient.corrected or b.coefficient.complete)
    return limits._replace(low=max(limits.low, 0.0)) if share and limits.low is not None else limits


def _by_goodness(b: Bound, method: Method, pairable: int) -> bool:
    if method == "goodness":
        return goodness.possible(b, pairable)
    return method == "auto" and goodness.suits(b, pairable)


def _of_f(b: Bound, limits: Limits, value: float, confidence: float) -> Interval:
    """Limits of the F distribution; one that does not lie on its own side of the value is none."""
    if value >= 1:
        return Interval(None, None, "perfect agreement: the F distribution gives no limits")
    with np.errstate(all="ignore"):
        low, high = limits(b.total(), confidence)
    text = f"{confidence:.0%} limits of the F distribution (McGraw & Wong 1996)"
    raters = int((b.table.codes >= 0).any(0).sum())
    least = -np.inf if b.name.endswith("k") else -1 / (raters - 1)
    known = [low if least <= low <= value else None, high if value <= high <= 1 else None]
    missing = [side for side, limit in zip(("lower", "upper"), known, strict=True) if limit is None]
    if missing:
        text += (
            f"; no {' or '.join(missing)} limit: the raters agree less than by chance, which F does not cover"
        )
    return Interval(known[0], known[1], text)


def _random_raters(b: Bound, d: Draws, confidence: float) -> Interval:
    """Jackknife over units and over raters, variances added (Satterthwaite's degrees of freedom)."""
    columns = [g for g in range(len(b.table.raters)) if (b.table.codes[:, g] >= 0).any()]
    left_out = [b.without(g).value() for g in columns]
    if len(columns) < 3 or any(v is None for v in left_out):
        return Interval(None, None, f"{len(columns)} raters: without one of them nothing can be measured")
    if d.pairable < LEAST or np.isnan(d.left_out).any() or abs(d.value) >= 1:
        return intervals.interval(d, "jackknife", confidence)
    units = jackknife_se(d.left_out, d.times) ** 2
    among = jackknife_se(np.array(left_out, dtype=float), np.ones(len(columns), dtype=np.int64)) ** 2
    df = (units + among) ** 2 / (units**2 / (d.pairable - 1) + among**2 / (len(columns) - 1))
    low, high = intervals.symmetric(d.value, (units + among) ** 0.5, df, confidence, fisher=True)
    few = "; fewer than 5 raters say little about others" if len(columns) < 5 else ""
    return Interval(
        low, high, f"{confidence:.0%} jackknife over units and over raters, t with {df:.1f} df{few}"
    )
