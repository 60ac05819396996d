"""Dawid and Skene's estimate of the true categories and of each rater's error rates, by EM.

With few raters it is worse than the median: at 300 items and 3 raters it found the true ordinal category of 53 %
of items against 59 % (agreement page of the docs). Use it for nominal scales with five raters or more.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....study.errors import DataError
from ..coefficients.table import Floats, Ints, table


@dataclass(frozen=True, eq=False)
class Latent:
    """What EM arrived at."""

    categories: tuple[Hashable, ...]
    prevalence: Floats
    """(K,) share of units in each true category."""
    errors: Floats
    """(raters, K, K): probability that the rater says the column where the row is true."""
    posterior: Floats
    """(units, K) probability of each true category."""
    log_likelihood: float
    iterations: int


def dawid_skene(
    ratings: Any,
    *,
    rater_of_column: Sequence[Hashable] | None = None,
    categories: Sequence[Hashable] | None = None,
    most: int = 500,
    tolerance: float = 1e-9,
) -> Latent:
    """Fit by EM from the majority vote (Dawid & Skene 1979, Appl Stat 28:20).

    Args:
        ratings: (units, columns); None where missing.
        rater_of_column: who made each column, where a rater read more than once; None: each column is a rater.
        categories: all that raters could give; None takes those that occur.
        most: iterations.
        tolerance: EM stops when the log-likelihood gains less.
    Raises:
        DataError: ratings that cannot be used; no convergence.
    """
    coded = table(ratings, "nominal", categories)
    names = list(rater_of_column) if rater_of_column is not None else list(coded.raters)
    if len(names) != len(coded.raters):
        raise DataError(f"rater_of_column: {len(names)} names for {len(coded.raters)} columns.")
    order: Ints = np.array([list(dict.fromkeys(names)).index(g) for g in names])
    given = (coded.codes[:, :, None] == np.arange(len(coded.scale.categories))).astype(float)
    by_rater = np.stack([given[:, order == r].sum(1) for r in range(order.max() + 1)], axis=1)
    posterior = coded.counts / coded.seen[:, None]
    before = -np.inf
    for iteration in range(1, most + 1):
        prevalence, errors = _maximise(by_rater, posterior)
        posterior, likelihood = _expect(by_rater, prevalence, errors)
        if likelihood - before < tolerance:
            return Latent(coded.scale.categories, prevalence, errors, posterior, likelihood, iteration)
        before = likelihood
    raise DataError(f"dawid_skene: no convergence after {most} iterations; give more with most=.")


def _maximise(by_rater: Floats, posterior: Floats) -> tuple[Floats, Floats]:
    counts = np.einsum("uk,url->rkl", posterior, by_rater)
    total = counts.sum(2, keepdims=True)
    return posterior.mean(0), counts / np.where(total > 0, total, 1)


def _expect(by_rater: Floats, prevalence: Floats, errors: Floats) -> tuple[Floats, float]:
    with np.errstate(divide="ignore"):
        logs = np.log(errors)
        start = np.log(prevalence)
    finite = np.maximum(logs, -700.0)  # 0 * log 0 is 0
    joint = start + np.einsum("url,rkl->uk", by_rater, finite)
    top = joint.max(1, keepdims=True)
    weight = np.exp(joint - top)
    return weight / weight.sum(1, keepdims=True), float((top[:, 0] + np.log(weight.sum(1))).sum())
