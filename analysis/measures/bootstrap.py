"""The bootstrap over persons, for metrics whose variance has no formula: one set of draws for the whole study."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats, Labels, Mask
from .metrics import Function
from .variance import SamplingDesign

Counts = NDArray[np.uint8]
BLOCK = 250
"""Replicates at a time: 250 x 1,000 doubles are 2 MB and stay in the cache; measured in benchmarks/evaluate.py."""


def draws(design: SamplingDesign, replicates: int, seed: int) -> Counts:
    """How often each case stands in each bootstrap sample.

    Persons are drawn with replacement, with all their cases; within the classes of the design where the study drew
    people with and without the outcome apart.

    Args:
        design: of the sample, n cases.
        replicates: b.
        seed: of the whole study's draws; the same seed gives the same draws.
    Returns:
        (b, n).
    """
    rng = np.random.default_rng(seed)
    m = len(design.group)
    classes = [np.flatnonzero(design.group == g) for g in (0, 1)] if design.stratified else [np.arange(m)]
    out = np.empty((replicates, len(design.person)), np.uint8)
    for b in range(replicates):
        drawn = [members[rng.integers(0, len(members), len(members))] for members in classes if len(members)]
        out[b] = np.bincount(np.concatenate(drawn), minlength=m)[design.person]
    return out


def replicates(
    metric: Function, y: Labels, risk: Floats, weight: Floats, counts: Counts, where: Mask
) -> Floats:
    """(b,) the metric in every bootstrap sample, over the cases where `where` holds."""
    y, risk, weight = y[where], risk[where], weight[where]
    every = bool(where.all())
    parts = [metric(y, risk, (c if every else c[:, where]) * weight) for c in _blocks(counts)]
    return np.concatenate(parts)


def deviations(values: Floats) -> Floats | None:
    """Replicates as a deviation vector: squared length is their variance (see `variance.py`).

    None where fewer than nine in ten have a value; the others count as the mean.
    """
    seen = np.isfinite(values)
    if seen.sum() < 0.9 * len(values) or seen.sum() < 2:
        return None
    centred = np.where(seen, values - values[seen].mean(), 0.0)
    return np.asarray(centred / np.sqrt(seen.sum() - 1))


def _blocks(counts: Counts) -> Iterator[Counts]:
    for start in range(0, len(counts), BLOCK):
        yield counts[start : start + BLOCK]
