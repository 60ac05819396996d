"""Ratings one a row, wherever they come from, and the table they make."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from ....annotate.records import Rating
from ....study.errors import DataError
from ....study.records import Level
from ..coefficients.table import MISSING, Floats, RatingTable, Scale, checked

MAIN = "main"
"""The round whose grades were given independently; those of calibration and adjudication were not."""

ARMS = ("arm", "system", "model", "condition", "style")

COLUMNS = {
    "item": "",
    "rater": "",
    "value": None,
    "dimension": "value",
    "cluster": "",
    "group": "",
    "order": np.nan,
    "replicate": "",
    "where": "",
}
"""A frame of ratings, and what stands where nothing is known.

`value` is None where the rater was asked and gave none, `cluster` is what the item belongs to, `group` is what is
compared (an arm, a system, a round), `order` rises with the time at which the rater gave it, `replicate` tells
repeated readings apart, `where` is the place in the file."""


def frame(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """A frame of ratings from rows that leave out what is not known."""
    out = pd.DataFrame(
        {
            name: pd.Series([row.get(name, empty) for row in rows], dtype=object)
            for name, empty in COLUMNS.items()
        }
    )
    if not any(isinstance(at, str) for at in out["order"]):
        out["order"] = out["order"].astype(float)
    return out


def of_ratings(
    ratings: Sequence[Rating], order: Mapping[tuple[str, str], int] | None = None
) -> tuple[pd.DataFrame, str]:
    """The ratings of a study, and what their clusters are.

    A claim is an item. Its cluster is the rationale, or the patient where one patient has several rationales.

    Args:
        ratings: of any dimensions.
        order: (item, rater) -> place in the rater's own sequence.
    """
    rationales = Counter(case for case, _ in {(r.case, r.rationale) for r in ratings})
    by_patient = any(n > 1 for n in rationales.values())
    rows = [
        {
            "item": r.item if r.claim is None else f"{r.item} claim {r.claim}",
            "rater": r.rater,
            "value": r.value,
            "dimension": r.dimension,
            "cluster": r.case if by_patient else r.rationale,
            "group": r.round,
            "order": (order or {}).get((r.item, r.rater), np.nan),
        }
        for r in ratings
    ]
    return frame(rows), "patient" if by_patient else "rationale"


def pivot(
    own: pd.DataFrame,
    level: Level,
    categories: Sequence[Hashable] | None = None,
    cluster_name: str = "cluster",
    *,
    declared: bool = True,
    all_clusters: bool = False,
) -> RatingTable:
    """The table of one dimension: items as they first appear, raters by name.

    Args:
        own: ratings of one dimension.
        level: of its scale.
        categories: all that raters could give, in order; None takes those that occur.
        cluster_name: what a cluster is, in a word.
        declared: the categories are what raters were offered.
        all_clusters: keep clusters also where each has a single item (they may carry the pairing of a comparison).
    Raises:
        DataError: two ratings of one rater for one item, with their rows; a value outside the categories.
        NoPairsError: nothing was rated by two.
    """
    check_once(own)
    i, items = pd.factorize(own["item"])
    g, raters = pd.factorize(own["rater"], sort=True)
    v, kinds = pd.factorize(own["value"].to_numpy(dtype=object))
    scale = _scale(list(kinds), level, categories, declared)
    place = {c: k for k, c in enumerate(scale.categories)}
    outside = [kind for kind in kinds if kind not in place]
    if outside:
        at = int(np.flatnonzero(v == list(kinds).index(outside[0]))[0])
        known = ", ".join(map(str, scale.categories[:12]))
        raise DataError(
            f"ratings: {outside[0]!r} of item {own['item'].iloc[at]!r} is outside the scale. Allowed: {known}."
        )
    code = np.array([place[kind] for kind in kinds] + [MISSING], dtype=np.int32)
    codes = np.full((len(items), len(raters)), MISSING, dtype=np.int32)
    codes[i, g] = code[v]
    clusters = own["cluster"].to_numpy()[np.unique(i, return_index=True)[1]]
    shared = all(clusters) and (all_clusters or len(set(clusters)) < len(clusters))
    return checked(
        RatingTable(
            codes, scale, tuple(items), tuple(raters), tuple(clusters) if shared else (), cluster_name
        )
    )


def _scale(
    kinds: Sequence[Hashable], level: Level, categories: Sequence[Hashable] | None, declared: bool
) -> Scale:
    if categories is not None:
        return Scale(level, tuple(categories), declared)
    try:
        return Scale(level, tuple(sorted(kinds)))  # type: ignore[type-var]
    except TypeError:
        return Scale(level, tuple(sorted(kinds, key=str)))


def check_once(own: pd.DataFrame) -> None:
    """Every rater rated every item once.

    Raises:
        DataError: one did twice; the rows of the first such pair.
    """
    again = own.duplicated(["item", "rater"]).to_numpy()
    if not again.any():
        return
    second = own.iloc[int(np.argmax(again))]
    same = own[(own["item"] == second["item"]) & (own["rater"] == second["rater"])]
    places = [str(w) for w in same["where"][:2] if w != ""]
    at = f" ({' and '.join(places)})" if places else ""
    raise DataError(
        f"ratings: {int(again.sum())} given twice; the first: item {second['item']!r}, rater {second['rater']!r}, "
        f"{second['dimension']!r}{at}. Keep one of each; where a rater read twice on purpose, name the column that "
        "tells the readings apart: --column replicate=NAME."
    )


def by_group(ratings: pd.DataFrame, name: str = "group") -> pd.DataFrame:
    """Where an item was rated in several groups (arms), each is an item of its own and the item their cluster.

    Not where the groups are of raters: those rated the same.

    Args:
        ratings: see `COLUMNS`.
        name: what the file calls the groups.
    """
    if not _in_several(ratings) or groups_of_raters(ratings, name):
        return ratings
    return ratings.assign(
        item=ratings["item"] + " (" + ratings["group"] + ")",
        cluster=ratings["cluster"].where(ratings["cluster"] != "", ratings["item"]),
    )


def groups_of_raters(ratings: pd.DataFrame, name: str = "group") -> bool:
    """Every rater is in one group only, and items were rated in several: the groups are of raters.

    Where the file calls them arms or systems they are what was rated, whoever rated it.
    """
    if name.lower() in ARMS:
        return False
    pairs = ratings[["rater", "group"]].drop_duplicates()
    return bool(pairs["rater"].is_unique) and pairs["group"].nunique() > 1 and _in_several(ratings)


def _in_several(ratings: pd.DataFrame) -> bool:
    return len(ratings[["item", "group"]].drop_duplicates()) > ratings["item"].nunique()


def orders(own: pd.DataFrame, table: RatingTable) -> Floats | None:
    """(items, raters) when each rating was given, NaN where that is not known; None where nothing is known."""
    known = own[own["order"].notna()]
    if known.empty:
        return None
    row, column = ({name: i for i, name in enumerate(names)} for names in (table.units, table.raters))
    out = np.full(table.codes.shape, np.nan)
    known = known[known["item"].isin(row) & known["rater"].isin(column)]
    out[known["item"].map(row).to_numpy(dtype=int), known["rater"].map(column).to_numpy(dtype=int)] = known[
        "order"
    ]
    return out
