"""From a value and its variance to a 95 % interval, on the scale that suits the metric.

Near the end of its range a number has a variance of nearly zero by any formula that looks only at the sample, and a
handful of people with the outcome carry it. Metrics in [0, 1] therefore have score intervals (Wilson 1927 for
shares, Newcombe 2006 for ROC-AUC): the variance is that of a model at each candidate value, times how much more or
less than the model the data vary, and that factor is drawn towards 1 the fewer people carry it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

LEVEL = 0.95
Z = float(ndtri(0.5 + LEVEL / 2))
"""Standard normal quantile, for intervals of independent counts in closed form."""
PRIOR = 8.0
"""People that the model's variance is worth beside those who carry the variance of the data: by simulation over few
and many cases, ties, polarised and skewed risks (`benchmarks/evaluate.py`)."""


@dataclass(frozen=True)
class Basis:
    """What an interval rests on beside the value."""

    variance: float
    """Over samples of persons."""
    degrees: float
    """How many persons carry it."""
    cases: float
    """Effective number of persons with the outcome."""
    controls: float
    training: float = 0.0
    """Variance over training runs, of the mean over seeds."""
    seeds: int = 0
    """Training runs that variance was estimated from; 0: it is not part of the interval."""

    @property
    def total(self) -> float:
        """Variance from both sources."""
        return self.variance + self.training

    def freedom(self, prior: float = 0.0) -> float:
        """Degrees of freedom of the sum of the two variances.

        The seeds' share s of the variance has (seeds - 1) / s of them. Satterthwaite's formula has s squared, and
        with three seeds covers 0.92 where the seeds dominate; this one stays within 0.942 and 0.963 for every share
        (`decisions/0064`).
        """
        s = self.training / self.total if self.total > 0 else 0.0
        persons = (1 - s) ** 2 / max(self.degrees + prior, 1.0)
        seeds = s / (self.seeds - 1) if self.seeds > 1 else 0.0
        return float(max(1 / (persons + seeds), 1.0))

    def quantile(self, prior: float = 0.0) -> float:
        """Two-sided quantile of Student's t.

        >>> round(Basis(1.0, 1e9, 10, 10).quantile(), 2), round(Basis(0.0, 1e9, 10, 10, 1.0, 3).quantile(), 2)
        (1.96, 4.3)
        """
        return student(self.freedom(prior), LEVEL)

    def p(self, value: float) -> float | None:
        """Two-sided p of a difference; None where it has no variance and is not zero."""
        if self.total <= 0:
            return 1.0 if value == 0 else None
        return float(2 * stdtr(self.freedom(), -abs(value) / np.sqrt(self.total)))


def student(degrees: float, level: float) -> float:
    """Two-sided quantile of Student's t: the value that `level` of the distribution lies within.

    >>> round(student(2, 0.95), 3), round(student(1e9, 0.95), 3)
    (4.303, 1.96)
    """
    return float(stdtrit(degrees, 0.5 + level / 2))


Interval = tuple[float, float]
Scale = Callable[[float, Basis], Interval | None]
"""(value, basis) to the limits; None where there is no variance to go by."""


def straight(value: float, basis: Basis) -> Interval | None:
    """The value plus and minus."""
    half = basis.quantile() * np.sqrt(basis.total)
    return (float(value - half), float(value + half)) if half > 0 else None


def positive(value: float, basis: Basis) -> Interval | None:
    """For what has no upper end: plus and minus on the scale of its logarithm."""
    if value <= 0 or basis.total <= 0:
        return None
    factor = np.exp(basis.quantile() * np.sqrt(basis.total) / value)
    return float(value / factor), float(value * factor)


def share(value: float, basis: Basis) -> Interval | None:
    """For a share of the people with the outcome: Wilson's interval, with the variance of the data."""
    return _score(value, basis, lambda x: x * (1 - x) / basis.cases)


def share_of_controls(value: float, basis: Basis) -> Interval | None:
    """The same for a share of the people without the outcome."""
    return _score(value, basis, lambda x: x * (1 - x) / basis.controls)


def share_of_all(value: float, basis: Basis) -> Interval | None:
    """The same for a share of everybody."""
    return _score(value, basis, lambda x: x * (1 - x) / (basis.cases + basis.controls))


def area(value: float, basis: Basis) -> Interval | None:
    """For ROC-AUC: Newcombe's method 5, with the variance of the data.

    >>> low, high = area(1.0, Basis(0.0, 0.0, 5, 20))
    >>> round(low, 3), high    # perfect in 5 against 20 is not certain
    (0.691, 1.0)
    """
    return _score(value, basis, lambda x: ranking_variance(x, basis.cases, basis.controls))


def ranking_variance(auc: float, cases: float, controls: float) -> float:
    """Variance of a ROC-AUC under exponential risks, symmetric in the two classes (Newcombe 2006, method 5).

    >>> round(ranking_variance(0.5, 10, 10), 4)    # (1 + 9 x 2 / 3) / 400
    0.0175
    """
    pairs = (cases + controls) / 2 - 1
    spread = (1 - auc) / (2 - auc) + auc / (1 + auc)
    return float(auc * (1 - auc) / (cases * controls) * (1 + pairs * spread))


def _score(value: float, basis: Basis, model: Callable[[float], float]) -> Interval | None:
    """The values x whose distance from the estimate is within the quantile times their own standard error."""
    if min(basis.cases, basis.controls) <= 0:
        return None
    q = basis.quantile(prior=PRIOR)
    known = model(value)
    factor = basis.variance / known if known > 0 else 0.0
    carried = basis.degrees if known > 0 else 0.0
    factor = (factor * carried + PRIOR) / (carried + PRIOR)

    def outside(x: float) -> bool:
        return (x - value) ** 2 > q**2 * (factor * model(x) + basis.training)

    return _edge(value, 0.0, outside), _edge(value, 1.0, outside)


def _edge(inside: float, end: float, outside: Callable[[float], bool]) -> float:
    """Where `outside` becomes true between a value and the end of the range, by halving; the end where it does
    not."""
    near_end = end + (1e-12 if end == 0.0 else -1e-12)
    if not outside(near_end):
        return end
    for _ in range(50):
        middle = (inside + near_end) / 2
        inside, near_end = (inside, middle) if outside(middle) else (middle, near_end)
    return float((inside + near_end) / 2)
