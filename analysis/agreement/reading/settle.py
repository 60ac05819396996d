"""The last step of reading: names, clusters and times in order, values on their scales; what is wrong is named."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ....study.errors import DataError, StudyError, not_one_of
from ....study.records import Level
from .answers import COLUMNS
from .clock import clock
from .names import joined_names
from .source import Place, Reading, ReadSettings, ScaleFound, Source, Unsettled, place_in
from .values import Cells, Measured, measure
from .words import as_number, folded


def settled(raw: Unsettled, settings: ReadSettings) -> Source:
    """Ratings with their scales.

    Args:
        raw: as a reader found them.
        settings: levels, categories and words for missing, as the user says.
    Raises:
        DataError: cells that are no values, items in two clusters, clusters that are empty for some; with rows.
        StudyError: a dimension that there is not.
    """
    place = place_in(raw.name)
    notes = list(raw.notes)
    ratings = raw.ratings.reset_index(drop=True)
    if ratings.empty:
        raise DataError(f"{raw.name}: no ratings.")
    ratings = joined_names(ratings, notes)
    ratings = _replicates(ratings, notes)
    check_clusters(ratings, place, raw.cluster_name)
    ratings["order"] = _orders(ratings, raw, notes)
    dimensions = list(dict.fromkeys(ratings["dimension"]))
    for kind, said in (("level", settings.levels), ("categories", settings.categories)):
        for asked in set(said) - {""} - set(dimensions):
            raise StudyError(f"--{kind}: {not_one_of('dimension', asked, dimensions)}")
    scales: dict[str, ScaleFound] = {}
    parts = []
    for dimension, own in ratings.groupby("dimension", sort=False):
        name = str(dimension)
        cells = Cells(own, place, name)
        measured = _measured(cells, name, raw, settings)
        notes += [f"{name}: {n}" if len(dimensions) > 1 else n for n in measured.notes]
        part = own.assign(value=pd.Series(measured.values, index=own.index, dtype=object))
        parts.append(part)
        scales[name] = ScaleFound(measured.level, measured.categories, measured.declared, measured.assumed)
        for label in measured.labels:
            parts.append(_box(part, name, label))
            scales[f"{name}: {label}"] = ScaleFound("nominal", ("no", "yes"), True, False)
    ratings = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    _check_missing(raw, settings, notes)
    notes += _lone(ratings)
    return Source(
        ratings,
        scales,
        Reading(
            source=raw.name,
            format=raw.format,
            shape=raw.shape,
            columns=raw.columns,
            unused=raw.unused,
            notes=tuple(notes),
        ),
        raw.cluster_name,
        raw.group_name,
        nameless=raw.nameless,
        reference=_reference(raw, scales, ratings),
    )


def _measured(cells: Cells, name: str, raw: Unsettled, settings: ReadSettings) -> Measured:
    def of(mapping: Mapping[str, Any]) -> Any:
        return mapping.get(name, mapping.get(""))

    level: Level | None = of(settings.levels) or of(raw.levels)
    categories = of(settings.categories) or of(raw.categories)
    return measure(cells, level, categories, settings.missing, settings.label_separator, raw.closed)


def _box(part: pd.DataFrame, name: str, label: str) -> pd.DataFrame:
    """One label of a multi-label rating: was it given?"""
    value = [None if v is None else "yes" if label in v else "no" for v in part["value"]]
    return part.assign(dimension=f"{name}: {label}", value=pd.Series(value, index=part.index, dtype=object))


def check_clusters(ratings: pd.DataFrame, place: Place, name: str) -> None:
    """Every item is in one cluster, or none is in any.

    Raises:
        DataError: some have none, or one is in two; with rows.
    """
    filled = (ratings["cluster"] != "").to_numpy()
    if not filled.any():
        return
    if not filled.all():
        rows = np.flatnonzero(~filled)
        first = ratings.iloc[rows[0]]
        raise DataError(
            f"{place(first['where'])}: no {name} for item {first['item']!r}; {len(rows)} of {len(ratings)} "
            "rows have none. Fill "
            "the cells in (an item that stands alone is its own), or remove the column."
        )
    pairs = ratings[["item", "cluster", "where"]].drop_duplicates(["item", "cluster"])
    again = pairs["item"].duplicated(keep=False).to_numpy()
    if again.any():
        item = pairs["item"].to_numpy()[again][0]
        both = pairs[pairs["item"] == item].iloc[:2]
        (a, b), (at, _) = both["cluster"], (place(w) for w in both["where"])
        raise DataError(
            f"{at}: item {item!r} is under two {name}s, {a!r} and {b!r} ({place(both['where'].iloc[1])}). "
            "An item is in one; "
            f"where items are numbered anew in each {name}, join both: --column item={name.upper()} "
            "--column item=ITEM."
        )


def _replicates(ratings: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """A column of replicates that tells nothing apart is left alone."""
    key = ["item", "rater", "dimension", "group"]
    if (ratings["replicate"] == "").all() or ratings.duplicated(key).any():
        return ratings
    notes.append("no rater read an item twice, so the column of repeated readings is not needed")
    return ratings.assign(replicate="")


def _orders(ratings: pd.DataFrame, raw: Unsettled, notes: list[str]) -> "pd.Series[float]":
    if ratings["order"].dtype.kind == "f":
        return ratings["order"]
    found = clock(ratings["order"].tolist(), raw.rank)
    if found.why and (ratings["order"] != "").any():
        notes.append(f"{raw.columns.get('order', 'order')!r} gives no order ({found.why}): drift is left out")
    return pd.Series(found.moments, index=ratings.index)


def _check_missing(raw: Unsettled, settings: ReadSettings, notes: list[str]) -> None:
    cells = {str(v).strip().casefold() for v in raw.ratings["value"].unique() if isinstance(v, str)}
    for word in settings.missing:
        if word.strip().casefold() not in cells:
            notes.append(f"--missing {word}: no such cell")


def _lone(ratings: pd.DataFrame) -> list[str]:
    """Items that one rater rated, and raters who gave next to nothing: they may be slips of the pen."""
    given = ratings[ratings["value"].notna()]
    notes = []
    seen = given.groupby("item", sort=False)["rater"].nunique()
    lone = seen[seen == 1].index.tolist()
    if lone and len(seen) > len(lone):
        notes.append(f"{_count(len(lone), 'item')} with one rater, in no pair: {_some(lone)}")
    per_rater = given.groupby("rater", sort=False)["item"].nunique()
    few = per_rater[(per_rater <= 2) & (per_rater < 0.2 * per_rater.median())].index.tolist()
    if few:
        notes.append(f"{_count(len(few), 'rater')} with one or two items: {_some(few)}")
    return notes


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' if n > 1 else ''}"


def _some(names: list[Any]) -> str:
    return ", ".join(repr(str(n)) for n in names[:3]) + (", ..." if len(names) > 3 else "")


def _reference(
    raw: Unsettled, scales: Mapping[str, ScaleFound], ratings: pd.DataFrame
) -> pd.DataFrame | None:
    """The reference standard on the scale of the ratings.

    Raises:
        DataError: an item with two reference values.
    """
    if raw.reference is None:
        return None
    own = raw.reference[raw.reference["value"] != ""].drop_duplicates(["item", "value"])
    twice = own["item"].duplicated()
    if twice.any():
        row = own[twice].iloc[0]
        raise DataError(
            f"{place_in(raw.name)(row['where'])}: item {row['item']!r} has two reference values. Give one."
        )
    dimension = next(iter(scales))
    kinds = {str(v): v for v in ratings.loc[ratings["dimension"] == dimension, "value"].dropna().unique()}
    by_fold = {folded(text): v for text, v in kinds.items()}
    numeric = all(isinstance(v, int | float) for v in kinds.values())
    values = [by_fold.get(folded(v), as_number(v) if numeric else v) for v in own["value"]]
    return own.assign(value=pd.Series(values, index=own.index, dtype=object), dimension=dimension)
