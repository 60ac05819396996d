"""Which items raters disagree about, and how the categories are used."""

import numpy as np

from ....study.errors import DataError
from ..coefficients.bound import bind
from ..coefficients.distances import apart
from ..coefficients.table import Floats, RatingTable
from .records import CategoryRow, ItemRow


def disagreement(ratings: RatingTable) -> Floats:
    """(units,) mean distance of a unit's pairs over the expected one; NaN with fewer than two ratings.

    Raises:
        DataError: the ratings do not vary.
    """
    if why := bind(ratings, "krippendorff_alpha").why_undefined():
        raise DataError(f"items: {why}.")
    m = ratings.seen
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.where(m >= 2, np.nansum(apart(ratings), axis=1) / np.maximum(m * (m - 1), 1), np.nan)
        )


def item_rows(ratings: RatingTable, most: int | None = None) -> list[ItemRow]:
    """Items with two ratings or more, the most disputed first; names decide between equals.

    Args:
        ratings: the table.
        most: how many; None: all.
    Raises:
        DataError: the ratings do not vary.
    """
    each = disagreement(ratings)
    weighted = np.where(ratings.seen >= 2, each * ratings.seen, 0.0)  # counts as m ratings, like alpha
    total = float(weighted.sum())
    pairable = np.flatnonzero(ratings.seen >= 2)
    names = np.array([str(ratings.units[u]) for u in pairable], dtype=object)
    order = pairable[np.lexsort((names, -weighted[pairable], -each[pairable]))]
    labels = ratings.scale.labels
    return [
        ItemRow(
            item=str(ratings.units[u]),
            n=int(ratings.seen[u]),
            disagreement=float(each[u]),
            share=float(weighted[u] / total) if total else 0.0,
            ratings={str(ratings.raters[g]): labels[c] for g, c in enumerate(ratings.codes[u]) if c >= 0},
        )
        for u in order[:most]
    ]


def category_rows(ratings: RatingTable, most: int | None = None) -> list[CategoryRow]:
    """Every category with its prevalence, the raters' range (bias), specific agreement and kappa.

    Args:
        ratings: the table.
        most: how many, the commonest; None: all, in order.
    """
    k = len(ratings.scale.categories)
    counts = np.stack([np.bincount(column[column >= 0], minlength=k) for column in ratings.codes.T])
    of_rater = counts.sum(1, keepdims=True)
    shares = (counts / np.maximum(of_rater, 1))[of_rater[:, 0] > 0]
    times = counts.sum(0)
    kept = range(k) if most is None or k <= most else sorted(np.argsort(-times, kind="stable")[:most])
    labels = ratings.scale.labels
    return [
        CategoryRow(
            category=labels[c],
            n=int(times[c]),
            share=float(times[c] / times.sum()),
            least=float(shares[:, c].min()),
            most=float(shares[:, c].max()),
            specific=bind(ratings, f"specific_agreement:{labels[c]}").value(),
            specific_uebersax=bind(ratings, f"specific_agreement_uebersax:{labels[c]}").value(),
            kappa=bind(ratings, f"category_kappa:{labels[c]}").value(),
        )
        for c in kept
    ]
