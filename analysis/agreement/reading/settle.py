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
from .source import FileReading, Place, RatingReadSettings, RatingSource, ScaleFound, Unsettled, place_in
from .values import Cells, Measured, measure
from .words import STRONG, TOTALS, as_number, folded

_STANDARD = "\0reference"
"""Stands for the rater of a reference value while names are joined."""


def settled(raw: Unsettled, settings: RatingReadSettings) -> RatingSource:
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
    ratings, reference = _joined(ratings, raw, notes, "reference" in settings.columns)
    ratings = _replicates(ratings, notes)
    check_clusters(ratings, place, raw.cluster_name)
    ratings["order"] = _orders(ratings, raw, notes)
    dimensions = list(dict.fromkeys(ratings["dimension"]))
    for kind, by_dimension in (("level", settings.levels), ("categories", settings.categories)):
        for unknown in set(by_dimension) - {""} - set(dimensions):
            raise StudyError(f"--{kind}: {not_one_of('dimension', unknown, dimensions)}")
    scales: dict[str, ScaleFound] = {}
    parts, standards = [], []
    for dimension, own in ratings.groupby("dimension", sort=False):
        name = str(dimension)
        standard = reference[reference["dimension"] == name]
        both = pd.concat([own, standard] if len(standard) else [own], ignore_index=True)
        measured = _measured(Cells(both, place, name), name, raw, settings)
        notes += [f"{name}: {n}" if len(dimensions) > 1 else n for n in measured.notes]
        both["value"] = pd.Series(measured.values, dtype=object)
        scales[name] = ScaleFound(measured.level, measured.categories, measured.declared, measured.assumed)
        boxes = [_box(both, name, label) for label in measured.labels]
        scales |= {
            str(box["dimension"].iloc[0]): ScaleFound("nominal", ("no", "yes"), True, False) for box in boxes
        }
        for part in (both, *boxes):
            parts.append(part.iloc[: len(own)])
            standards.append(part.iloc[len(own) :])
    ratings = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    _check_missing(raw, settings, notes)
    notes += _lone(ratings)
    return RatingSource(
        ratings,
        scales,
        FileReading(
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
        reference=_reference(pd.concat(standards, ignore_index=True), place),
    )


def _measured(cells: Cells, name: str, raw: Unsettled, settings: RatingReadSettings) -> Measured:
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
    times = clock(ratings["order"].tolist(), raw.rank)
    if times.why and (ratings["order"] != "").any():
        notes.append(f"{raw.columns.get('order', 'order')!r} gives no order ({times.why}): drift is left out")
    return pd.Series(times.moments, index=ratings.index)


def _check_missing(raw: Unsettled, settings: RatingReadSettings, notes: list[str]) -> None:
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
    totals = [n for n in seen.index if folded(str(n)) in TOTALS]
    if totals:
        notes.append(f"{totals[0]!r} counts as an item; remove the row if it holds totals")
    few = per_rater[(per_rater <= 2) & (per_rater < 0.2 * per_rater.median())].index.tolist()
    if few:
        notes.append(f"{_count(len(few), 'rater')} with one or two items: {_some(few)}")
    return notes


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' if n > 1 else ''}"


def _some(names: list[Any]) -> str:
    return ", ".join(repr(str(n)) for n in names[:3]) + (", ..." if len(names) > 3 else "")


def _joined(
    ratings: pd.DataFrame, raw: Unsettled, notes: list[str], named: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings and reference standard with one spelling for each item and rater."""
    reference = _on_scale(_of_dimensions(raw, ratings, notes), ratings, raw.name, notes, named)
    if reference.empty:
        return joined_names(ratings, notes), reference
    both = joined_names(pd.concat([ratings, reference], ignore_index=True), notes)
    return both.iloc[: len(ratings)].copy(), both.iloc[len(ratings) :]


def _of_dimensions(raw: Unsettled, ratings: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """The rows of the reference standard, in the columns of ratings, each once; none where it suits no dimension."""
    empty = ratings.iloc[:0]
    if raw.reference is None:
        return empty
    rows = raw.reference[raw.reference["value"].map(lambda cell: cell != "")]
    dimensions = list(dict.fromkeys(ratings["dimension"]))
    if "dimension" not in rows:
        if len(dimensions) > 1:
            notes.append(
                f"the reference is not used: nothing says which of {', '.join(map(repr, dimensions[:4]))} it is of; "
                "measure one at a time (--column value=NAME)"
            )
            return empty
        rows = rows.assign(dimension=dimensions[0])
    rows = rows.drop_duplicates(["item", "dimension", "value"]).assign(rater=_STANDARD)
    return rows.reindex(columns=list(ratings.columns), fill_value="")


def _on_scale(
    reference: pd.DataFrame, ratings: pd.DataFrame, name: str, notes: list[str], named: bool
) -> pd.DataFrame:
    """The reference, where it speaks of what the ratings speak of: numbers of numbers, or words that these have.

    Raises:
        DataError: it does not, and the user named it.
    """
    kept = []
    for dimension, own in reference.groupby("dimension", sort=False):
        rated = _kinds(ratings[ratings["dimension"] == dimension])
        true = _kinds(own)
        if true and rated and not (rated & true or (_numeric(rated) and _numeric(true))):
            some = ", ".join(sorted(true)[:3])
            says = f"reference: its values ({some}) are none that raters gave on {dimension!r}"
            if named:
                raise DataError(f"{name}: {says}. Name another column: --column reference=NAME.")
            notes.append(f"{says}, so it is not used")
            continue
        kept.append(own)
    return pd.concat(kept) if kept else reference.iloc[:0]


def _kinds(rows: pd.DataFrame) -> set[str]:
    cells = [c for c in rows["value"] if c is not None and c == c]
    return {folded(str(sorted(c) if isinstance(c, frozenset) else c)) for c in cells} - STRONG - {""}


def _numeric(kinds: set[str]) -> bool:
    return sum(as_number(k, comma=True) is not None for k in kinds) > len(kinds) / 2


def _reference(rows: pd.DataFrame, place: Place) -> pd.DataFrame | None:
    """Item, dimension and value of the reference standard; None where there is none.

    Raises:
        DataError: an item with two reference values.
    """
    rows = rows[rows["value"].notna()].drop_duplicates(["item", "dimension", "value"])
    twice = rows.duplicated(["item", "dimension"], keep=False)
    if twice.any():
        first = rows[twice].iloc[0]
        same = rows[(rows["item"] == first["item"]) & (rows["dimension"] == first["dimension"])]
        each = " and ".join(f"{v!r} ({place(w)})" for v, w in zip(same["value"], same["where"], strict=True))
        raise DataError(f"reference: item {first['item']!r} has two values, {each}. Give one.")
    return rows[["item", "dimension", "value"]].reset_index(drop=True) if len(rows) else None
