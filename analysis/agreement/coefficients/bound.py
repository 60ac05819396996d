"""A coefficient of a table: looked up, checked against the ratings, and ready to be resampled."""

from dataclasses import dataclass, replace

import numpy as np

from ....study import parts
from ....study.errors import DataError
from . import many
from .formulas import COEFFICIENTS, Coefficient
from .table import DENSE, MANY, Floats, RatingTable, Terms
from .weights import DEFAULT, Weights, matrix


@dataclass(frozen=True, eq=False)
class Bound:
    """A coefficient with the table and the weights it is computed for."""

    name: str
    """As asked for, its category included: `specific_agreement:yes`."""
    coefficient: Coefficient
    table: RatingTable
    weights: Floats
    """(K, K), or (1, K) for a coefficient of one category; empty where it needs none."""
    weighting: str
    """The name of the weights, for people."""

    @property
    def skewed(self) -> bool:
        """Its disagreement is a mean of graded distances, few of them large: in small samples mostly too low."""
        graded = bool(((self.weights > 0) & (self.weights < 1)).any())
        return graded and self.coefficient.fixed_chance

    def terms(self, table: RatingTable | None = None) -> Terms:
        """(units, p) of its own table, or of some units of it."""
        return self.coefficient.terms(table or self.table, self.weights)

    def of(self, sums: Floats) -> Floats:
        """(B, p) sums -> (B,) values, NaN where undefined."""
        return self.coefficient.value(sums, self.table.scale, self.weights)

    def total(self) -> Floats:
        """(1, p) the sums of the whole table."""
        return np.asarray(self.terms().sum(0)).reshape(1, -1)

    def value(self) -> float | None:
        """The coefficient of the whole table; None where `why_undefined` has a reason."""
        return None if self.why_undefined() else float(self.of(self.total())[0])

    def without(self, rater: int) -> "Bound":
        """The same of the other raters."""
        others = [g for g in range(len(self.table.raters)) if g != rater]
        return replace(self, table=self.table.only(others))

    def why_undefined(self) -> str | None:
        """Why the ratings leave the coefficient without a value; None where they do not."""
        used = self.table.used
        if self.coefficient.corrected and len(used) < 2:
            if not len(used):
                return "no unit has two ratings"
            only = self.table.scale.categories[used[0]]
            return (
                f"no variation: every rating of a unit with two or more is {only!r}; agreement is undefined"
            )
        if np.isnan(self.of(self.total())[0]):
            return "undefined: what it divides by is 0 for these ratings"
        return None


def bind(ratings: RatingTable, statistic: str, weights: Weights = None) -> Bound:
    """Look the coefficient up and fit it to a table.

    Raises:
        StudyError: no such coefficient or weighting.
        DataError: ratings, weights or a category that do not suit the coefficient.
    """
    name, _, category = statistic.partition(":")
    coefficient = parts.pick(COEFFICIENTS, "coefficient", name)
    _check(coefficient, ratings, statistic)
    if coefficient.two:
        ratings = ratings.columns(np.flatnonzero((ratings.codes >= 0).any(0)))
    if coefficient.weights == "none" and weights is not None:
        raise DataError(f"weights: {name} takes none.")
    if coefficient.weights == "category":
        if weights is not None:
            raise DataError(f"weights: {name} is of one category and takes none.")
        return Bound(statistic, coefficient, ratings, _category(ratings, name, category), "")
    if category:
        raise DataError(f"{statistic}: {name} is not of one category.")
    scale = ratings.scale
    if coefficient.weights == "metric" and weights is None and scale.sets:
        weights = "masi"
    if weights is None and coefficient.weights not in ("level", "metric", "none"):
        weights = coefficient.weights
    weighting = _name(weights, coefficient, scale.level)
    if len(scale.categories) > DENSE and (form := many.of(name, weighting, ratings)) is not None:
        return Bound(
            statistic,
            replace(coefficient, terms=form.terms, value=form.value),
            ratings,
            np.empty((0, 0)),
            weighting,
        )
    if coefficient.weights == "none" or not weighting:
        _check_many(coefficient, ratings)
        return Bound(statistic, coefficient, ratings, np.empty((0, 0)), "")
    w, weighting = matrix(weights, scale)
    return Bound(statistic, coefficient, ratings, w, weighting)


def _name(weights: Weights, coefficient: Coefficient, level: str) -> str:
    """The name of the weights; "" for alpha's own metric, or where the coefficient takes none."""
    if weights is None:
        return "" if coefficient.weights in ("metric", "none") else DEFAULT[level]  # type: ignore[index]
    return weights if isinstance(weights, str) else "given"


def _check_many(coefficient: Coefficient, ratings: RatingTable) -> None:
    k, level = len(ratings.scale.categories), ratings.scale.level
    if k > MANY and level != "interval" and not coefficient.complete:
        raise DataError(
            f"categories: {k}, more than {MANY}, at {level} level. Join some, or use the interval level."
        )


def needs_declaring(bound: Bound) -> str | None:
    """Why the categories must be declared for this coefficient, where they were only observed.

    AC and Brennan-Prediger count the categories on offer; weights on positions need to know of unused ones between.
    """
    scale = bound.table.scale
    positions = scale.level == "ordinal" and bound.weighting not in ("", "identity")
    if scale.declared or not (bound.coefficient.declared or positions):
        return None
    return (
        f"{bound.name} depends on which categories raters were offered, used or not; declare the categories"
    )


def _check(coefficient: Coefficient, ratings: RatingTable, statistic: str) -> None:
    given = ratings.codes >= 0
    raters = int(given.any(0).sum())
    if coefficient.two and raters != 2:
        raise DataError(
            f"{statistic} is of two raters; found {raters}. Use conger_kappa or krippendorff_alpha."
        )
    if coefficient.complete and ratings.scale.level == "nominal":
        raise DataError(f"{statistic} is of numbers; the scale is nominal. Use krippendorff_alpha.")
    if coefficient.complete and not given.all():
        gaps = int((~given.all(1)).sum())
        raise DataError(
            f"{statistic} needs every rating; {gaps} of {len(given)} units lack some. "
            "Use krippendorff_alpha at interval level."
        )


def _category(ratings: RatingTable, name: str, category: str) -> Floats:
    """(1, K) one at the category."""
    labels = ratings.scale.labels
    if category not in labels:
        known = ", ".join(labels[:12])
        raise DataError(f"{name} is of one category: write {name}:{labels[-1]}. Known: {known}.")
    return np.array([[float(label == category) for label in labels]])
