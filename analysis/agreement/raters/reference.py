"""Raters against a reference standard: sensitivity, specificity, kappa of each, as in attribute-agreement studies."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ....study.errors import DataError, not_one_of
from ..coefficients.bound import bind
from ..coefficients.table import DENSE, MISSING, Ints, Table
from ..records import AccuracyRow, ReferenceRow
from .shares import Share, share


def against(
    ratings: Table, reference: Mapping[Hashable, Hashable], confidence: float = 0.95
) -> list[ReferenceRow]:
    """Every rater, and all together, against the reference value of each item.

    Args:
        ratings: the table.
        reference: unit -> its value, one of the categories.
        confidence: of the intervals: Wilson's, with the design effect of clusters, for all raters together of items.
    Raises:
        DataError: a reference value outside the scale, or no item with one.
    """
    codes = _coded(ratings, reference)
    rows = [_row(ratings, codes, [g], confidence) for g in range(len(ratings.raters))]
    rows = [r for r in rows if r.n]
    if len(rows) > 1:
        rows.append(_row(ratings, codes, list(range(len(ratings.raters))), confidence))
    return rows


def split_off(ratings: Table, rater: Hashable) -> tuple[Table, dict[Hashable, Hashable]]:
    """The table without a rater, and the rater's values as the reference.

    Raises:
        DataError: no such rater.
    """
    if rater not in ratings.raters:
        raise DataError(f"--reference: {not_one_of('rater', str(rater), map(str, ratings.raters))}")
    place = ratings.raters.index(rater)
    given = np.flatnonzero(ratings.codes[:, place] != MISSING)
    reference = {ratings.units[u]: ratings.scale.categories[ratings.codes[u, place]] for u in given}
    return ratings.only([g for g in range(len(ratings.raters)) if g != place]), reference


def _coded(ratings: Table, reference: Mapping[Hashable, Hashable]) -> Ints:
    """(units,) code of the reference value; MISSING where an item has none."""
    place = {c: k for k, c in enumerate(ratings.scale.categories)}
    outside = [(u, v) for u, v in reference.items() if v not in place and u in set(ratings.units)]
    if outside and not ratings.scale.declared and ratings.scale.level == "nominal":
        outside = []  # a truth that no rater ever gave: nobody is right there
    if outside:
        known = ", ".join(ratings.scale.labels[:12])
        raise DataError(
            f"reference: {outside[0][1]!r} of item {outside[0][0]!r} is outside the scale. Allowed: {known}."
        )
    codes = [place.get(reference[u], len(place)) if u in reference else MISSING for u in ratings.units]
    if all(c == MISSING for c in codes):
        raise DataError("reference: none of the items that were rated has a reference value.")
    return np.array(codes, dtype=np.int64)


def _row(ratings: Table, codes: Ints, raters: Sequence[int], confidence: float) -> ReferenceRow:
    given = ratings.codes[:, raters]
    u, g = np.nonzero((given != MISSING) & (codes != MISSING)[:, None])
    said, true = given[u, g].astype(np.int64), codes[u]
    several = len(raters) > 1
    clusters = (
        [ratings.clusters[i] if ratings.clusters else i for i in u] if several or ratings.clusters else []
    )
    correct = share(said == true, clusters, confidence)
    return ReferenceRow(
        rater="all raters" if several else str(ratings.raters[raters[0]]),
        n=len(said),
        correct=correct.value,
        correct_low=correct.low,
        correct_high=correct.high,
        kappa=None if several else _kappa(ratings, codes, raters[0]),
        bias=_bias(ratings, said, true),
        categories=tuple(_category(ratings, k, said, true, clusters, confidence) for k in _shown(ratings)),
    )


def _shown(ratings: Table) -> Sequence[int]:
    """The categories to describe: the second of two, or all of a few."""
    k = len(ratings.scale.categories)
    return [1] if k == 2 else range(k) if k <= DENSE else []


def _kappa(ratings: Table, codes: Ints, rater: int) -> float | None:
    """Cohen's kappa with the reference, weighted as suits the level."""
    k = len(ratings.scale.categories)
    pair = np.stack([ratings.codes[:, rater], np.where(codes < k, codes, MISSING)], axis=1).astype(np.int32)
    both = np.flatnonzero((pair != MISSING).all(1))
    if not len(both):
        return None
    units = tuple(ratings.units[i] for i in both)
    return bind(Table(pair[both], ratings.scale, units, ("rater", "reference")), "cohen_kappa").value()


def _bias(ratings: Table, said: Ints, true: Ints) -> float | None:
    """Mean of rating minus reference, in steps or numbers."""
    if ratings.scale.level == "nominal" or not len(said):
        return None
    return float((ratings.scale.values[said] - ratings.scale.values[true]).mean())


def _category(
    ratings: Table, k: int, said: Ints, true: Ints, clusters: Sequence[Hashable], confidence: float
) -> AccuracyRow:
    """One category against all others."""
    found: NDArray[np.bool_] = said == k
    real: NDArray[np.bool_] = true == k

    def of(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Share:
        some = [clusters[i] for i in np.flatnonzero(among)] if clusters else ()
        return share(hits[among], some, confidence)

    sensitivity, specificity = of(found, real), of(~found, ~real)
    positive, negative = of(real, found), of(~real, ~found)
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


def attribute_shares(
    ratings: Table, reference: Mapping[Hashable, Hashable], confidence: float = 0.95
) -> dict[str, Share]:
    """Of the items that all raters rated: on how many all agree, and on how many all agree with the reference."""
    raters = np.flatnonzero((ratings.codes >= 0).any(0))
    own = ratings.columns(raters)
    full = np.flatnonzero((own.codes != MISSING).all(1))
    own = own.of_units(full)
    alike = (own.codes == own.codes[:, :1]).all(1)
    clusters = own.clusters
    out = {"all raters agree": share(alike, clusters, confidence)}
    codes = _coded(ratings, reference)[full]
    known = np.flatnonzero(codes != MISSING)
    right = alike[known] & (own.codes[known, 0] == codes[known])
    some = [clusters[i] for i in known] if clusters else ()
    out["all agree with the reference"] = share(right, some, confidence)
    return out
