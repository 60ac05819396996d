"""Raters against a reference standard: sensitivity, specificity, kappa of each, as in attribute-agreement studies."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....study.errors import DataError
from ..coefficients.bound import bind
from ..coefficients.table import DENSE, MISSING, Ints, RatingTable
from ..uncertainty.estimate import estimate
from .records import AccuracyRow, ReferenceRow, ShareRow
from .shares import ShareInterval, share

KAPPA_DRAWS = 2000
"""Bootstrap draws for the interval of a rater's kappa."""


def against(
    ratings: RatingTable, reference: Mapping[Hashable, Hashable], confidence: float = 0.95
) -> list[ReferenceRow]:
    """Every rater, and all together, against the reference value of each item.

    Args:
        ratings: the table.
        reference: unit -> its value on the scale of the ratings. A value that no rater gave widens a scale whose
            categories were not declared.
        confidence: of the intervals: Wilson's with the design effect of clusters, for all raters together of items.
    Raises:
        DataError: a reference value outside a declared scale, or no item with one.
    """
    ratings, codes = _coded(ratings, reference)
    rows = [_row(ratings, codes, [g], confidence) for g in range(len(ratings.raters))]
    rows = [r for r in rows if r.n]
    if len(rows) > 1:
        rows.append(_row(ratings, codes, list(range(len(ratings.raters))), confidence))
    return rows


def attribute_shares(
    ratings: RatingTable, reference: Mapping[Hashable, Hashable], confidence: float = 0.95
) -> list[ShareRow]:
    """Of the items that all raters rated: on how many all agree, and on how many all agree with the reference.

    Args, Raises:
        as `against`.
    """
    ratings, codes = _coded(ratings, reference)
    raters = ratings.columns(np.flatnonzero((ratings.codes >= 0).any(0)))
    full = np.flatnonzero((raters.codes != MISSING).all(1))
    raters, codes = raters.of_units(full), codes[full]
    alike = (raters.codes == raters.codes[:, :1]).all(1)
    known = np.flatnonzero(codes != MISSING)
    right = alike[known] & (raters.codes[known, 0] == codes[known])
    clusters = [raters.clusters[i] for i in known] if raters.clusters else ()
    shares = {
        "all raters agree": share(alike, raters.clusters, confidence),
        "all agree with the reference": share(right, clusters, confidence),
    }
    return [ShareRow(name=name, **s._asdict()) for name, s in shares.items()]


def _coded(ratings: RatingTable, reference: Mapping[Hashable, Hashable]) -> tuple[RatingTable, Ints]:
    """The table on a scale that holds every reference value, and (units,) their codes; MISSING where there is none.

    Raises:
        DataError: as `against`.
    """
    values = {u: reference[u] for u in ratings.units if u in reference}
    if not values:
        raise DataError("reference: none of the items that were rated has a reference value.")
    outside = {u: v for u, v in values.items() if v not in ratings.scale.categories}
    if outside and ratings.scale.declared:
        unit, value = next(iter(outside.items()))
        known = ", ".join(ratings.scale.labels[:12])
        raise DataError(f"reference: {value!r} of item {unit!r} is outside the scale. Allowed: {known}.")
    if outside:
        ratings = _widened(ratings, list(dict.fromkeys(outside.values())))
    place = {c: k for k, c in enumerate(ratings.scale.categories)}
    codes = [place[values[u]] if u in values else MISSING for u in ratings.units]
    return ratings, np.array(codes, dtype=np.int64)


def _widened(ratings: RatingTable, more: Sequence[Hashable]) -> RatingTable:
    """The table on a scale with more categories: numbers in their order, words behind the others."""
    old = ratings.scale.categories
    new: tuple[Any, ...] = (*old, *more)
    if all(isinstance(c, int | float) for c in new):
        new = tuple(sorted(new))
    place = np.array([new.index(c) for c in old] + [MISSING], dtype=np.int32)
    return replace(ratings, codes=place[ratings.codes], scale=replace(ratings.scale, categories=new))


def _row(ratings: RatingTable, codes: Ints, raters: Sequence[int], confidence: float) -> ReferenceRow:
    given = ratings.codes[:, raters]
    u, g = np.nonzero((given != MISSING) & (codes != MISSING)[:, None])
    answered, true = given[u, g].astype(np.int64), codes[u]
    several = len(raters) > 1
    clusters: list[Hashable] = []
    if several or ratings.clusters:
        clusters = [ratings.clusters[i] if ratings.clusters else int(i) for i in u]
    exact = ShareInterval(None, None, None, len(answered))
    if not ratings.scale.continuous:
        exact = share(answered == true, clusters, confidence)
    return ReferenceRow(
        rater="all raters" if several else str(ratings.raters[raters[0]]),
        n=len(answered),
        correct=exact.value,
        correct_low=exact.low,
        correct_high=exact.high,
        bias=_bias(ratings, answered, true),
        categories=tuple(
            _category(ratings, k, answered, true, clusters, confidence) for k in _shown(ratings)
        ),
        **({} if several else _chance_corrected(ratings, codes, raters[0], confidence)),
    )


def _shown(ratings: RatingTable) -> Sequence[int]:
    """The categories to describe: the second of two, or all of a few."""
    k = len(ratings.scale.categories)
    return [1] if k == 2 else range(k) if k <= DENSE else []


def _chance_corrected(ratings: RatingTable, codes: Ints, rater: int, confidence: float) -> dict[str, Any]:
    """Cohen's kappa of a rater and the reference, weighted as suits the level; of measurements, the concordance."""
    pair = np.stack([ratings.codes[:, rater], codes], axis=1).astype(np.int32)
    both = np.flatnonzero((pair != MISSING).all(1))
    if not len(both):
        return {}
    table = replace(
        ratings,
        codes=pair[both],
        units=tuple(ratings.units[i] for i in both),
        raters=("rater", "reference"),
        clusters=tuple(ratings.clusters[i] for i in both) if ratings.clusters else (),
    )
    if ratings.scale.continuous:
        return {"concordance": bind(table, "concordance").value()}
    weights = None if ratings.scale.declared or ratings.scale.level != "ordinal" else "identity"
    row = estimate(table, ("cohen_kappa", weights), confidence=confidence, replicates=KAPPA_DRAWS)
    return {
        "kappa": row.value,
        "kappa_low": row.low,
        "kappa_high": row.high,
        "weights": row.weights,
        "why_missing": row.why_missing,
    }


def _bias(ratings: RatingTable, answered: Ints, true: Ints) -> float | None:
    """Mean of rating minus reference, in steps or numbers."""
    if ratings.scale.level == "nominal" or not len(answered):
        return None
    return float((ratings.scale.values[answered] - ratings.scale.values[true]).mean())


def _category(
    ratings: RatingTable, k: int, answered: Ints, true: Ints, clusters: Sequence[Hashable], confidence: float
) -> AccuracyRow:
    """One category against all others."""
    named: NDArray[np.bool_] = answered == k
    real: NDArray[np.bool_] = true == k

    def of(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> ShareInterval:
        some = [clusters[i] for i in np.flatnonzero(among)] if clusters else ()
        return share(hits[among], some, confidence)

    sensitivity, specificity = of(named, real), of(~named, ~real)
    positive, negative = of(real, named), of(~real, ~named)
    return AccuracyRow(
        category=ratings.scale.labels[k],
        n_true=sensitivity.n,
        n_said=positive.n,
        sensitivity=sensitivity.value,
        sensitivity_low=sensitivity.low,
        sensitivity_high=sensitivity.high,
        specificity=specificity.value,
        specificity_low=specificity.low,
        specificity_high=specificity.high,
        positive_predictive=positive.value,
        negative_predictive=negative.value,
    )
