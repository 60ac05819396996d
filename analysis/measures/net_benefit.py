"""Decision curves: what acting on a risk above a threshold is worth (Vickers and Elkin 2006). A row a point."""

from collections.abc import Iterator

import numpy as np

from ..records import Curve
from .arrays import Floats, Labels, Mask
from .limits import student
from .variance import SamplingDesign, degrees

POINTS = 50
"""Thresholds of a curve."""


def thresholds(top: float) -> Floats:
    """Evenly spaced above 0, up to `top`."""
    return np.asarray(np.linspace(0, top, POINTS + 1)[1:], dtype=np.float64)


def decision_curve(
    y: Labels, risk: Floats, weight: Floats, design: SamplingDesign, where: Mask, series: str, top: float
) -> Iterator[Curve]:
    """Net benefit a person, and interventions avoided for each 100 people against treating everybody.

    Net benefit is the share of true positives minus that of false positives at the odds of the threshold; 0 is
    treating nobody. The difference from treating everybody, divided by those odds, is how many fewer people are
    treated for the same true positives (Vickers, Van Calster and Steyerberg 2019). n is how many are flagged.
    """
    for t in thresholds(top):
        odds = t / (1 - t)
        flagged = (risk >= t).astype(float)
        gain = y - odds * (1 - y)
        n = int(flagged.sum())
        yield _point("net_benefit", series, t, flagged * gain, weight, design, where, n)
        avoided = 100 / odds * (flagged - 1) * gain
        yield _point("interventions_avoided", series, t, avoided, weight, design, where, n)


def treat_all(y: Labels, weight: Floats, design: SamplingDesign, top: float) -> Iterator[Curve]:
    """Net benefit of treating everybody."""
    every = np.ones(len(y), bool)
    for t in thresholds(top):
        yield _point("net_benefit", "treat all", t, y - t / (1 - t) * (1 - y), weight, design, every, len(y))


def _point(
    figure: str,
    series: str,
    t: float,
    each: Floats,
    weight: Floats,
    design: SamplingDesign,
    where: Mask,
    n: int,
) -> Curve:
    """A weighted mean over people, with its interval; none where it is the same for everybody."""
    value = float(np.average(each, weights=weight))
    influence = np.zeros(len(where))
    influence[where] = weight * (each - value) / weight.sum()
    vector = design.deviations(influence, where)
    half = student(max(degrees(vector), 1.0), 0.95) * float(np.sqrt(vector @ vector))
    low, high = (value - half, value + half) if half > 0 else (None, None)
    return Curve(figure=figure, series=series, x=float(t), y=value, low=low, high=high, n=n)
