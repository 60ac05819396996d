"""From fits to recipes: the variance over persons and over training runs, in one interval.

The same recipe trained again gives another model. A statement about recipes therefore has two sources of variance:
the people who happened to be held out, the same for every fit, and the training runs, of which a study has a few.
With d_s the number (or difference) that seed s gave, S seeds, and c the covariance of two seeds over samples of
persons,

    Var(mean) = c + MS / S,    MS = sample variance of the d_s,

because MS holds both the training noise and the part of the sampling error that seeds do not share. This is
Obuchowski and Rockette's model of readers and cases (1995) with seeds as readers; its degrees of freedom:
`limits.Basis.quantile`. With fewer than three seeds MS says next to nothing, and the interval is about these fits
only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..records import About
from .arrays import Floats
from .limits import Basis
from .variance import degrees

FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Spread:
    """A mean over seeds and the two variances behind it."""

    value: float
    basis: Basis
    about: About
    seeds: int
    seed_sd: float | None
    """Standard deviation between seeds; None with one."""


def combined(
    values: Sequence[float],
    deviations: Sequence[Floats],
    cases: float,
    controls: float,
    carried: float | None = None,
) -> Spread:
    """The mean over seeds with its variance.

    Args:
        values: (S,) one a seed, each already a mean over whatever else was varied.
        deviations: (S, m) one vector a seed, from the same persons in the same order.
        cases: effective number of persons with the outcome.
        controls: of those without.
        carried: how many persons carry the variance; None: read from the deviations, whose entries then are persons.
    """
    s = len(values)
    mean = np.mean(deviations, axis=0)
    over_persons = float(mean @ mean)
    df = degrees(mean) if carried is None else carried
    sd = float(np.std(values, ddof=1)) if s > 1 else None
    value = float(np.mean(values))
    if s < FEWEST_SEEDS or sd is None:
        return Spread(value, Basis(over_persons, df, cases, controls), "fits", s, sd)
    own = float(np.mean([d @ d for d in deviations]))
    shared = max((s * over_persons - own) / (s - 1), 0.0)
    return Spread(value, Basis(shared, df, cases, controls, sd**2 / s, s), "recipes", s, sd)
