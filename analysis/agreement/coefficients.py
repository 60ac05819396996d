"""The coefficients. Each is a function of sums over units, so one matrix product gives every resample at once.

`terms` gives a row of numbers a unit; `value` makes coefficients of sums of such rows, one a row. A bootstrap
replicate weights the rows, the jackknife subtracts them, a cluster adds them up: the formula stays the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .table import MANY, Floats, Scale, Table
from .weights import ratio_distance

Terms = Callable[[Table, Floats], Floats]
Value = Callable[[Floats, Scale, Floats], Floats]


@dataclass(frozen=True)
class Coefficient:
    """One line of the table below."""

    terms: Terms
    """(table, weights) -> (units, p)."""
    value: Value
    """(sums (B, p), scale, weights) -> (B,), NaN where the sums leave it undefined."""
    says: str
    """Its name and source as it may stand in a methods section."""
    corrected: bool = True
    """For chance: undefined where only one category is used."""
    declared: bool = False
    """The value depends on which categories were offered, not only on those used."""
    weights: str | None = None
    """Taken where none are asked for; None: those of the level."""


def alpha_terms(table: Table, w: Floats) -> Floats:
    """Disagreement inside each unit and its pairable values, packed by level (Krippendorff 2011).

    ordinal: K(K-1)/2 coincidences, K counts; interval: disagreement, count, sum, sum of squares (no matrix of
    categories, so that many distinct values cost nothing); else: disagreement, K counts.
    """
    pairable = (table.seen >= 2)[:, None]
    share = 1 / np.maximum(table.seen - 1, 1)[:, None]
    if table.scale.level == "interval":
        x, m = _centred(table), table.seen[:, None]
        s, q = x.sum(1, keepdims=True), (x**2).sum(1, keepdims=True)
        return np.asarray(np.hstack([(m * q - s**2) * share, m, s, q]) * pairable)
    c = table.counts
    i, j = np.triu_indices(c.shape[1], 1)
    if table.scale.level == "ordinal":
        return np.asarray(np.hstack([c[:, i] * c[:, j] * share, c]) * pairable)
    d = _distance(table.scale)
    inside = ((c @ d) * c).sum(1, keepdims=True) / 2 * share
    return np.asarray(np.hstack([inside, c]) * pairable)


def alpha(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Krippendorff's alpha: 1 - observed / expected disagreement (Krippendorff 2011).

    >>> from wherefore.analysis.agreement import coefficient
    >>> rows = [[1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    ...         [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, 3, None, None]]
    >>> round(coefficient(rows, "krippendorff_alpha", "ordinal"), 3)  # Krippendorff 2011, example D
    0.815
    >>> round(coefficient(rows, "krippendorff_alpha", "interval"), 3)
    0.849
    """
    if scale.level == "interval":
        inside, n, s, q = sums.T
        return _one_minus((n - 1) * inside, n * q - s**2)
    k = len(scale.categories)
    n = sums[:, -k:]
    total = n.sum(1)
    if scale.level == "ordinal":
        i, j = np.triu_indices(k, 1)
        between = np.cumsum(n, 1) - n / 2
        d = (between[:, i] - between[:, j]) ** 2
        inside = np.einsum("bp,bp->b", sums[:, :-k], d)
        expected = np.einsum("bp,bp,bp->b", n[:, i], n[:, j], d)
    else:
        inside, expected = sums[:, 0], ((n @ _distance(scale)) * n).sum(1) / 2
    return _one_minus((total - 1) * inside, expected)


def agreement_terms(table: Table, w: Floats) -> Floats:
    """Share of credited pairs and one where pairable; share of each category and one where rated: K + 3 columns."""
    c, m = table.counts, table.seen.astype(float)
    pairable = m >= 2
    credit = ((c @ w) * c).sum(1) - m
    share = np.where(pairable, credit / np.maximum(m * (m - 1), 1), 0.0)
    return np.column_stack([share, pairable, c / m[:, None], np.ones(len(m))])


def percent(sums: Floats, scale: Scale, w: Floats) -> Floats:
    """Mean over units of the share of rater pairs that agree, or of their credit (Gwet 2014, ch. 2).

    >>> from wherefore.analysis.agreement import coefficient
    >>> coefficient([["a", "a", None], ["a", "b", "b"]], "percent_agreement", "nominal")  # (1 + 1/3) / 2
    0.6666666666666666
    """
    return _divide(sums[:, 0], sums[:, 1])


def _distance(scale: Scale) -> Floats:
    """(K, K) squared distance of alpha at nominal and ratio level."""
    if len(scale.categories) > MANY:
        raise ValueError("checked before")
    return ratio_distance(scale.values) if scale.level == "ratio" else 1 - np.eye(len(scale.categories))


def _centred(table: Table) -> Floats:
    """(units, raters) numbers minus their mean, 0 where missing: centred, so that squares lose no digits."""
    given = table.codes >= 0
    x = np.where(given, table.scale.values[table.codes], 0.0)
    return np.asarray(np.where(given, x - x.sum() / given.sum(), 0.0))


def _divide(a: Floats, b: Floats) -> Floats:
    """a / b, NaN where b is 0 (or as good as 0, where rounding leaves a trace)."""
    out = np.full(len(a), np.nan)
    np.divide(a, b, out=out, where=np.abs(b) > 1e-12)
    return out


def _one_minus(a: Floats, b: Floats) -> Floats:
    return np.asarray(1 - _divide(a, b))


COEFFICIENTS: dict[str, Coefficient] = {
    "krippendorff_alpha": Coefficient(
        alpha_terms, alpha, "Krippendorff's alpha (Krippendorff 2011)", weights="identity"
    ),
    "percent_agreement": Coefficient(
        agreement_terms,
        percent,
        "percent agreement (mean over items of the share of agreeing pairs)",
        corrected=False,
        weights="identity",
    ),
}
