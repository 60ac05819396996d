"""Which items raters disagree about, and how the categories are used."""

import numpy as np

from ....study.errors import DataError
from ..coefficients.bound import bind
from ..coefficients.distances import relative
from ..coefficients.table import Table
from ..records import CategoryRow, ItemRow


def item_rows(made: Table, most: int | None = None) -> list[ItemRow]:
    """Items with two ratings or more, the most disputed first; names decide between equals.

    Args:
        made: the table.
        most: how many; None: all.
    Raises:
        DataError: the ratings do not vary.
    """
    if why := bind(made, "krippendorff_alpha").why_undefined():
        raise DataError(f"items: {why}.")
    apart = relative(made)
    m = made.seen
    inside = np.nansum(apart, axis=(1, 2)) / np.maximum(m - 1, 1)  # counts as m ratings, like alpha
    total = float(inside.sum())
    rows = [
        ItemRow(
            item=str(made.units[u]),
            n=int(m[u]),
            disagreement=float(inside[u] / m[u]),
            share=float(inside[u] / total) if total else 0.0,
            ratings={
                str(made.raters[g]): str(made.scale.categories[c])
                for g, c in enumerate(made.codes[u])
                if c >= 0
            },
        )
        for u in np.flatnonzero(m >= 2)
    ]
    rows.sort(key=lambda r: (-r.disagreement, -r.share, r.item))
    return rows[:most]


def category_rows(made: Table) -> list[CategoryRow]:
    """Every category with its prevalence, the raters' range (bias) and specific agreement."""
    counts = (made.codes[:, :, None] == np.arange(len(made.scale.categories))).sum(0)
    of_rater = counts.sum(1, keepdims=True)
    shares = (counts / np.maximum(of_rater, 1))[of_rater[:, 0] > 0]
    rows = []
    for k, name in enumerate(made.scale.categories):
        n = int(counts[:, k].sum())
        rows.append(
            CategoryRow(
                category=str(name),
                n=n,
                share=n / float(of_rater.sum()),
                least=float(shares[:, k].min()),
                most=float(shares[:, k].max()),
                specific=bind(made, f"specific_agreement:{name}").value(),
            )
        )
    return rows
