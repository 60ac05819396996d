"""One coefficient with its interval: how the two are made, and what is said where one of them does not exist."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...study import parts
from ...study.errors import DataError
from ...study.records import Level
from ..records import Agreement
from . import intervals
from .coefficients import COEFFICIENTS, Coefficient
from .resample import Sample, bootstrap, sample
from .table import Floats, Table, table
from .weights import Weights, matrix

Method = Literal["auto", "bca", "percentile", "jackknife"]

FEW = 30
"""Independent units below which `auto` takes the jackknife instead of the bootstrap."""


@dataclass(frozen=True)
class Bound:
    """A coefficient with the scale and weights it is computed for."""

    name: str
    coefficient: Coefficient
    table: Table
    weights: Floats

    def of(self, sums: Floats) -> Floats:
        """(B, p) sums -> (B,) values, NaN where undefined."""
        return self.coefficient.value(sums, self.table.scale, self.weights)

    def sample(self) -> Sample:
        """The rows to resample: a unit each, or a cluster each."""
        return sample(self.coefficient.terms(self.table, self.weights), self.table.clusters)

    def undefined(self) -> str | None:
        """Why the ratings leave the coefficient without a value; None where they do not."""
        if self.coefficient.corrected and len(self.table.used) < 2:
            only = self.table.scale.categories[self.table.used[0]]
            return f"no variation: every pairable rating is {only!r}, so chance agreement is complete"
        return None


def bind(made: Table, statistic: str, weights: Weights = None) -> Bound:
    """Look the coefficient up and fit it to a table.

    Raises:
        StudyError: no such coefficient or weighting.
        DataError: weights that do not fit the categories.
    """
    name, _, category = statistic.partition(":")
    found = parts.pick(COEFFICIENTS, "coefficient", name)
    _fits(found, made, statistic)
    if found.weights == "none":
        if weights is not None:
            raise DataError(f"weights: {name} takes none; its metric is that of the level.")
        w: Floats = np.empty((0, 0))
    elif found.weights == "category":
        w = _category(made, name, category)
    else:
        default = None if found.weights == "level" else found.weights
        w = matrix(default if weights is None else weights, made.scale)
    return Bound(statistic, found, made, w)


def _fits(found: Coefficient, made: Table, statistic: str) -> None:
    given = made.codes >= 0
    raters = int(given.any(0).sum())
    if found.two and raters != 2:
        raise DataError(
            f"{statistic} is of two raters; found {raters}. Use conger_kappa or krippendorff_alpha."
        )
    if found.complete and made.scale.level == "nominal":
        raise DataError(f"{statistic} is of numbers; the scale is nominal. Use krippendorff_alpha.")
    if found.complete and not given.all():
        gaps = int((~given.all(1)).sum())
        raise DataError(
            f"{statistic} needs every rating; {gaps} of {len(given)} units lack some. "
            "Use krippendorff_alpha at interval level."
        )


def _category(made: Table, name: str, category: str) -> Floats:
    """Weights that credit one category only."""
    labels = [str(c) for c in made.scale.categories]
    if category not in labels:
        raise DataError(f"{name} is of one category: write {name}:{labels[-1]}. Known: {', '.join(labels)}.")
    return np.diag([float(label == category) for label in labels])


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
        categories: all that raters could give, in order; None takes those that occur.
    Returns:
        None where the ratings do not vary (`estimate` says why in words).
    Raises:
        DataError: ratings that no coefficient can use; see `table`.
        StudyError: an unknown name.

    >>> coefficient([[1, 1], [1, 2], [2, 2]], "krippendorff_alpha", "nominal")  # 1 - (6 - 1) * 1 / (3 * 3)
    0.4444444444444444
    """
    bound = bind(table(ratings, level, categories), statistic, weights)
    if bound.undefined():
        return None
    value = float(bound.of(bound.sample().total)[0])
    return None if np.isnan(value) else value


def estimate(
    made: Table,
    statistic: str,
    *,
    dimension: str = "",
    weights: Weights = None,
    method: Method = "auto",
    confidence: float = 0.95,
    replicates: int | None = None,
    seed: int = 0,
    unit: str = "item",
) -> Agreement:
    """A coefficient with its interval, counts and the words for a methods section.

    Args:
        made: the table; its clusters, where it has some, are what is resampled.
        statistic: a name in `COEFFICIENTS`.
        dimension: what was rated.
        weights: as in `coefficient`.
        method: `auto` is `bca`, or `jackknife` under 30 independent units or where replicates are undefined.
        confidence: of the interval.
        replicates: bootstrap draws; None takes 10,000, and up to 100,000 where the units are few and it costs no
            more, because the limits of a small sample are the noisiest.
        seed: of the draws.
        unit: what one independent unit is called in the text.
    """
    bound = bind(made, statistic, weights)
    empty = Agreement(
        dimension=dimension,
        statistic=statistic,
        value=None,
        why_missing=bound.undefined() or "not computed",
        n_items=len(made.units),
        n_raters=int((made.codes >= 0).any(0).sum()),
        n_ratings=int(made.seen.sum()),
    )
    if bound.undefined():
        return empty
    rows = bound.sample()
    replicates = replicates or max(10_000, min(100_000, 10_000_000 // rows.n))
    value = float(bound.of(rows.total)[0])
    found = _interval(bound, rows, value, method, confidence, replicates, seed)
    low, high = found.limits or (None, None)
    return empty.model_copy(
        update={
            "value": value,
            "low": low,
            "high": high,
            "why_missing": None if found.limits else found.text,
            "method": f"{found.text}, by {unit} (n = {rows.n}), raters fixed" if found.limits else "",
        }
    )


@dataclass(frozen=True)
class _Found:
    limits: intervals.Limits | None
    text: str


def _interval(
    bound: Bound, rows: Sample, value: float, method: Method, confidence: float, replicates: int, seed: int
) -> _Found:
    """The limits by the wished method, or by the jackknife where `auto` finds the bootstrap unfit."""
    if rows.n < 2:
        return _Found(None, f"{rows.n} independent unit: no interval")
    left_out = bound.of(rows.left_out())
    if method == "jackknife" or (method == "auto" and rows.n < FEW):
        return _jackknife(rows, value, left_out, confidence)
    drawn = bound.of(bootstrap(rows, replicates, seed))
    kept = drawn[~np.isnan(drawn)]
    lost = 1 - len(kept) / replicates
    if lost > 0.2:
        return _Found(None, f"{lost:.0%} of bootstrap replicates have no variation: no interval")
    if method == "percentile":
        limits: intervals.Limits | None = intervals.percentile(kept, confidence)
    elif (method == "auto" and lost > 0.01) or np.isnan(left_out).any():
        return _jackknife(rows, value, left_out, confidence)
    else:
        limits = intervals.bca(value, kept, left_out, rows.times, confidence)
    if limits is None:
        return _Found(None, "the replicates do not vary around the value: resampling gives no interval")
    dropped = f", {replicates - len(kept)} undefined and dropped" if lost else ""
    name = "percentile" if method == "percentile" else "BCa"
    return _Found(
        limits, f"{confidence:.0%} {name} bootstrap, {replicates:,} replicates{dropped}, seed {seed}"
    )


def _jackknife(rows: Sample, value: float, left_out: Floats, confidence: float) -> _Found:
    if np.isnan(left_out).any():
        return _Found(None, "without one of the units nothing varies: no interval")
    limits = intervals.jackknife_fisher(value, left_out, rows.times, confidence)
    if limits is None:
        return _Found(None, "the raters never differ: resampling gives no interval")
    return _Found(limits, f"{confidence:.0%} jackknife interval on Fisher's z scale")
