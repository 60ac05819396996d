"""A coefficient of a table: looked up, checked against the ratings, and ready to be resampled."""

from dataclasses import dataclass

import numpy as np

from ....study import parts
from ....study.errors import DataError
from .formulas import COEFFICIENTS, Coefficient
from .table import MANY, Floats, Table
from .weights import Weights, matrix


@dataclass(frozen=True, eq=False)
class Bound:
    """A coefficient with the table and the weights it is computed for."""

    name: str
    """As asked for, its category included: `specific_agreement:yes`."""
    coefficient: Coefficient
    table: Table
    weights: Floats
    """(K, K); empty where the coefficient takes none, or has a metric of its own."""
    weighting: str
    """The name of the weights, for people."""

    @property
    def skewed(self) -> bool:
        """Its disagreement is a mean of graded distances, few of them large: in small samples mostly too low."""
        graded = bool(((self.weights > 0) & (self.weights < 1)).any())
        return graded and self.coefficient.fixed_chance

    def terms(self, table: Table | None = None) -> Floats:
        """(units, p) of its own table, or of some units of it."""
        return self.coefficient.terms(table or self.table, self.weights)

    def of(self, sums: Floats) -> Floats:
        """(B, p) sums -> (B,) values, NaN where undefined."""
        return self.coefficient.value(sums, self.table.scale, self.weights)

    def value(self) -> float | None:
        """The coefficient of the whole table; None where `why_undefined` has a reason."""
        return None if self.why_undefined() else float(self.of(self.terms().sum(0, keepdims=True))[0])

    def without(self, rater: int) -> float | None:
        """The coefficient of the other raters; None where they leave it undefined."""
        others = [g for g in range(len(self.table.raters)) if g != rater]
        return Bound(
            self.name, self.coefficient, self.table.only(others), self.weights, self.weighting
        ).value()

    def why_undefined(self) -> str | None:
        """Why the ratings leave the coefficient without a value; None where they do not."""
        used = self.table.used
        if self.coefficient.corrected and len(used) < 2:
            only = self.table.scale.categories[used[0]] if len(used) else None
            if only is None:
                return "no unit has two ratings"
            return f"no variation: every rating of a unit with two or more is {only!r}, so nothing can be told apart"
        if np.isnan(self.of(self.terms().sum(0, keepdims=True))[0]):
            return "undefined: what it divides by is 0 for these ratings"
        return None


def bind(made: Table, statistic: str, weights: Weights = None) -> Bound:
    """Look the coefficient up and fit it to a table.

    Raises:
        StudyError: no such coefficient or weighting.
        DataError: ratings, weights or a category that do not suit the coefficient.
    """
    name, _, category = statistic.partition(":")
    found = parts.pick(COEFFICIENTS, "coefficient", name)
    _fits(found, made, statistic)
    if found.two:
        made = made.columns(np.flatnonzero((made.codes >= 0).any(0)))
    if found.weights == "none" and weights is not None:
        raise DataError(f"weights: {name} takes none.")
    if found.weights == "none" or (found.weights == "metric" and weights is None):
        return Bound(statistic, found, made, np.empty((0, 0)), "")
    if found.weights == "category":
        return Bound(statistic, found, made, _category(made, name, category), "")
    if weights is None and found.weights != "level":
        weights = found.weights
    w, weighting = matrix(weights, made.scale)
    return Bound(statistic, found, made, w, weighting)


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
    if len(made.scale.categories) > MANY and made.scale.level != "interval" and not found.complete:
        raise DataError(
            f"categories: {len(made.scale.categories)}, more than {MANY}, at {made.scale.level} level. "
            "Join some, or use the interval level."
        )


def _category(made: Table, name: str, category: str) -> Floats:
    """Weights that credit one category only."""
    labels = [str(c) for c in made.scale.categories]
    if category not in labels:
        raise DataError(f"{name} is of one category: write {name}:{labels[-1]}. Known: {', '.join(labels)}.")
    return np.diag([float(label == category) for label in labels])
