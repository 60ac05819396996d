"""How much credit two different categories get: 1 on the diagonal, less the further apart they are."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....study import parts
from ....study.errors import DataError
from ....study.records import Level
from .table import MANY, Floats, Scale

Sets = Sequence[frozenset[Any]]

Weights = str | Sequence[Sequence[float]] | Floats | None
"""A name in the table below, a (K, K) matrix in the order of the categories, or None for the level's own."""


def identity(x: Floats) -> Floats:
    """Full credit for the same category, none for any other."""
    return np.eye(len(x))


def linear(x: Floats) -> Floats:
    """Credit falls with the distance: 1 - |x - y| / range (Cicchetti & Allison 1971)."""
    d = np.abs(x[:, None] - x)
    return _credit(d)


def quadratic(x: Floats) -> Floats:
    """Credit falls with the squared distance: 1 - (x - y)^2 / range^2 (Fleiss & Cohen 1973)."""
    d = (x[:, None] - x) ** 2
    return _credit(d)


def ordinal(x: Floats) -> Floats:
    """Credit falls with the number of pairs of categories spanned (Gwet 2014, ch. 3); not alpha's ordinal metric."""
    n = np.abs(np.arange(len(x))[:, None] - np.arange(len(x))) + 1
    d = n * (n - 1) / 2
    return _credit(d)


def radical(x: Floats) -> Floats:
    """Credit falls with the square root of the distance (Gwet 2014, ch. 3)."""
    d = np.sqrt(np.abs(x[:, None] - x))
    return _credit(d)


def ratio(x: Floats) -> Floats:
    """Credit falls with the squared relative distance ((x - y) / (x + y))^2 (Gwet 2014, ch. 3)."""
    return _credit(_relative(x))


def circular(x: Floats) -> Floats:
    """The scale is a ring: sin^2 of half the angle between categories (Gwet 2014, ch. 3)."""
    return _credit(np.sin(np.pi * (x[:, None] - x) / (x.max() - x.min() + 1)) ** 2)


def bipolar(x: Floats) -> Floats:
    """The same distance counts more near the ends of the scale (Gwet 2014, ch. 3)."""
    s = x[:, None] + x
    room = (s - 2 * x.min()) * (2 * x.max() - s)
    return _credit(np.where(room > 0, (x[:, None] - x) ** 2 / np.where(room > 0, room, 1), 0.0))


def within_one(x: Floats) -> Floats:
    """Full credit up to one step on the scale."""
    return np.asarray(np.abs(x[:, None] - x) <= 1, dtype=float)


def jaccard(sets: Sets) -> Floats:
    """Two sets of labels: what they share over what either has (Jaccard 1901); two empty sets are equal.

    >>> jaccard([frozenset("ab"), frozenset("b"), frozenset()]).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return np.array([[len(a & b) / len(a | b) if a | b else 1.0 for b in sets] for a in sets])


def masi(sets: Sets) -> Floats:
    """Jaccard times 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap (Passonneau 2006).

    >>> masi([frozenset("ab"), frozenset("b"), frozenset("bc")]).round(4).tolist()
    [[1.0, 0.3333, 0.1111], [0.3333, 1.0, 0.3333], [0.1111, 0.3333, 1.0]]
    """
    kind = [[1.0 if a == b else 2 / 3 if a <= b or b <= a else 1 / 3 for b in sets] for a in sets]
    return np.asarray(jaccard(sets) * np.array(kind))


def _credit(apart: Floats) -> Floats:
    return np.asarray(1 - apart / apart.max())


def _relative(x: Floats) -> Floats:
    """(K, K): ((x - y) / (x + y))^2, 0 where both are 0."""
    s = x[:, None] + x
    return np.asarray(np.where(s != 0, (x[:, None] - x) / np.where(s == 0, 1, s), 0.0) ** 2)


def distance(scale: Scale) -> Floats:
    """(K, K) squared distance of alpha at nominal, interval and ratio level; the ordinal one depends on the data.

    Source: Krippendorff 2011, section D.
    """
    x = scale.values
    if scale.level == "nominal":
        return 1 - np.eye(len(x))
    return _relative(x) if scale.level == "ratio" else np.asarray((x[:, None] - x) ** 2)


def metric(scale: Scale, w: Floats) -> Floats:
    """(K, K) distance that agreement weights stand for; without any, the level's own."""
    return 1 - w if w.size else distance(scale)


def matrix(weights: Weights, scale: Scale) -> tuple[Floats, str]:
    """(K, K) agreement weights for a scale, and what they are called.

    A matrix with zeros on its diagonal is read as disagreement (Cohen 1968) and turned into 1 - d / max d; one with
    its largest number all along the diagonal is divided by it, so that full agreement is 1.

    Raises:
        DataError: a matrix of the wrong shape, not symmetric, or with another diagonal; too many categories.
        StudyError: an unknown name.
    """
    k = len(scale.categories)
    if k > MANY:
        raise DataError(
            f"categories: {k}, more than {MANY}; weights between all pairs are not meant for such a scale. "
            "Use the interval level with krippendorff_alpha or an ICC."
        )
    if weights is None:
        weights = DEFAULT[scale.level]
    if isinstance(weights, str) and weights in OF_SETS:
        if not scale.sets:
            raise DataError(f"weights: {weights} is between sets of labels; these ratings are single values.")
        return OF_SETS[weights]([c for c in scale.categories if isinstance(c, frozenset)]), weights
    if isinstance(weights, str):
        ratings = parts.pick(WEIGHTS, "weighting", weights)
        if scale.sets and weights != "identity":
            raise DataError(
                f"weights: {weights} needs an order; sets of labels take {', '.join(OF_SETS)} or identity."
            )
        return (ratings(scale.values) if k > 1 else np.ones((k, k))), weights
    return _given(np.asarray(weights, dtype=float), k), "given"


def _given(w: Any, k: int) -> Floats:
    if w.shape != (k, k) or not np.allclose(w, w.T):
        raise DataError(f"weights: a matrix of shape {w.shape}; a symmetric ({k}, {k}) one is needed.")
    if np.allclose(w.diagonal(), 0) and w.max() > 0:
        return np.asarray(1 - w / w.max())
    if w.max() <= 0 or not np.allclose(w.diagonal(), w.max()):
        raise DataError("weights: the diagonal is neither all 1 (agreement) nor all 0 (disagreement).")
    return np.asarray(w / w.max())


DEFAULT: dict[Level, str] = {
    "nominal": "identity",
    "ordinal": "quadratic",
    "interval": "quadratic",
    "ratio": "ratio",
}

WEIGHTS: dict[str, Callable[[Floats], Floats]] = {
    "identity": identity,
    "linear": linear,
    "quadratic": quadratic,
    "ordinal": ordinal,
    "radical": radical,
    "ratio": ratio,
    "circular": circular,
    "bipolar": bipolar,
    "within_one": within_one,
}

OF_SETS: dict[str, Callable[[Sets], Floats]] = {"jaccard": jaccard, "masi": masi}
"""Between sets of labels (multi-label ratings)."""
