"""Observed against predicted risk: in groups of equal size, and as a smooth curve. A row a point."""

from collections.abc import Iterator

import numpy as np

from ..records import Curve
from .arrays import Floats, Labels, Mask, expit, kish, logit
from .calibration import line, maximise
from .limits import Z, student
from .variance import SamplingDesign, degrees

GRID = 60
"""Points of the smooth curve."""
KNOTS = (0.05, 0.35, 0.65, 0.95)
"""Quantiles of the log odds of the risk (Harrell 2015): two smooth terms beside the straight line."""


def grouped(
    y: Labels, risk: Floats, weight: Floats, design: SamplingDesign, where: Mask, series: str, bins: int = 10
) -> Iterator[Curve]:
    """Mean risk against the share with the outcome in groups of equal size; a tie never straddles two groups.

    Args:
        y: (n,) of the cases of `where`, like the next two.
        risk: (n,)
        weight: (n,)
        design: how the persons of all cases were drawn.
        where: which of all cases these are.
        series: name of the curve.
        bins: groups wanted; fewer where risks are tied.
    """
    order = np.argsort(risk, kind="stable")
    edges = np.unique(np.quantile(risk, np.linspace(0, 1, bins + 1)[1:-1]))
    persons = design.person[where]
    for group in np.split(order, np.searchsorted(risk[order], edges, "right")):
        if not len(group):
            continue
        here = np.zeros(len(y), bool)
        here[group] = True
        low, high = bar(y, weight, here, design.stratified, persons)
        yield Curve(
            figure="calibration",
            series=series,
            x=float(np.average(risk[group], weights=weight[group])),
            y=float(np.average(y[group], weights=weight[group])),
            low=low,
            high=high,
            n=len(group),
        )


def bar(
    y: Labels, weight: Floats, here: Mask, by_outcome: bool, persons: Labels | None = None
) -> tuple[float, float]:
    """Wilson's 95 % interval of the weighted share with the outcome in a group, with the variance of the design.

    The weights of people with and of those without the outcome count for what they are: where a case stands for one
    person and a control for twenty, the share moves by one case, not by Kish's average person. Where people were
    drawn by outcome, their numbers are fixed, and only which of them are in the group varies.

    Args:
        y: (n,) of the sample.
        weight: (n,)
        here: (n,) the group.
        by_outcome: people with and without the outcome were drawn apart.
        persons: (n,) number of the person of each case; None: one case each.
    """
    total, share = weight[here].sum(), float(np.average(y[here], weights=weight[here]))
    loss = [0.0, 0.0]
    for g in (0, 1):
        members = y == g
        inside = here & members
        of = inside if inside.any() else members
        mean = float((weight[of] ** 2).sum() / weight[of].sum()) if of.any() else 0.0
        rest = 1 - weight[inside].sum() / weight[members].sum() if by_outcome and members.any() else 1.0
        loss[g] = mean * rest
    crowd = 1.0 if persons is None else here.sum() / len(np.unique(persons[here]))
    spread = loss[1] * (1 - share) + loss[0] * share
    return wilson(share, float(total / (spread * crowd)) if spread > 0 else kish(weight[here]))


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in n cases (Wilson 1927).

    >>> low, high = wilson(0.5, 10)
    >>> round(low, 4), round(high, 4)
    (0.2366, 0.7634)
    """
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def smooth(
    y: Labels, risk: Floats, weight: Floats, design: SamplingDesign, where: Mask, series: str
) -> Iterator[Curve]:
    """A flexible calibration curve with its 95 % band (Harrell 2015; Van Calster 2019).

    Logistic regression of the outcome on a restricted cubic spline of the log odds of the risk; a straight line where
    there are too few distinct risks for one, nothing where no line can be fitted. n is the count of cases. The band
    is pointwise, from the influence of each person on the coefficients.
    """
    x = logit(risk)
    if line(y, x, weight) is None:
        return
    middle, spread = float(x.mean()), float(x.std())
    z = (x - middle) / spread
    knots = np.unique(np.quantile(z, KNOTS))
    columns = _spline(z, knots)
    beta = maximise(y, columns, np.zeros(len(z)), weight, np.zeros(columns.shape[1]))
    p = expit(columns @ beta)
    information = columns.T @ (columns * (weight * p * (1 - p))[:, None])
    influence = np.zeros((len(where), columns.shape[1]))
    influence[where] = (columns * (weight * (y - p))[:, None]) @ np.linalg.inv(information)
    vectors = np.array([design.deviations(column, where) for column in influence.T])
    low, high = np.quantile(risk, [0.01, 0.99])
    at = np.linspace(low, high, GRID)
    rows = _spline((logit(at) - middle) / spread, knots)
    for risk_at, row in zip(at, rows, strict=True):
        vector = row @ vectors
        half = student(max(degrees(vector), 1.0), 0.95) * float(np.sqrt(vector @ vector))
        value = float(row @ beta)
        ends = expit(np.array([value - half, value, value + half]))
        yield Curve(
            figure="calibration_curve",
            series=series,
            x=float(risk_at),
            y=float(ends[1]),
            low=float(ends[0]),
            high=float(ends[2]),
            n=len(y),
        )


def _spline(z: Floats, knots: Floats) -> Floats:
    """Columns 1, z and a restricted cubic spline: cubic between the knots, straight beyond (Stone and Koo 1985)."""
    columns = [np.ones(len(z)), z]
    if len(knots) == len(KNOTS):
        last, before = knots[-1], knots[-2]
        scale = (knots[-1] - knots[0]) ** 2

        def cube(k: float) -> Floats:
            return np.asarray(np.maximum(z - k, 0) ** 3)

        for k in knots[:-2]:
            tail = cube(before) * (last - k) / (last - before) - cube(last) * (before - k) / (last - before)
            columns.append((cube(k) - tail) / scale)
    return np.column_stack(columns)
