"""The table that every coefficient reads: units x raters, coded on a declared scale, None where nobody rated."""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ....study.errors import DataError, StudyError, not_one_of
from ....study.records import Level

Floats = NDArray[np.float64]
Terms = Floats | csr_array
"""(units, p) numbers that are summed over units; sparse where most of them are 0."""
Ints = NDArray[np.int64]

MISSING = -1
"""The code of a rating that was not given."""

STEPS = 20
"""Values of an interval scale up to which agreement on the exact value means something."""

MANY = 300
"""Categories up to which all pairs of categories are held in memory; above, see `many.py`."""

DENSE = 20
"""Categories from which the forms of `many.py` are taken where there are some, because they are faster."""


class NoPairsError(DataError):
    """Too few raters, or no unit that two of them rated."""


@dataclass(frozen=True)
class Scale:
    """The declared categories and how far apart two of them are."""

    level: Level
    categories: tuple[Hashable, ...]
    """In order where the level is not nominal."""
    declared: bool = False
    """They are what raters were offered; otherwise what happens to occur."""

    @property
    def sets(self) -> bool:
        """A rating is a set of labels."""
        return any(isinstance(c, frozenset) for c in self.categories)

    @property
    def continuous(self) -> bool:
        """A measurement: so many values that two raters hardly ever give the same."""
        return self.level in ("interval", "ratio") and len(self.categories) > STEPS

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """(K,) the categories as people read them; the labels of a set joined by a plus sign."""
        return tuple(
            "+".join(sorted(map(str, c))) or "(none)" if isinstance(c, frozenset) else str(c)
            for c in self.categories
        )

    @cached_property
    def values(self) -> Floats:
        """(K,) positions 1, 2, ... for nominal and ordinal, the numbers themselves for interval and ratio."""
        if self.level in ("nominal", "ordinal"):
            return np.arange(1, len(self.categories) + 1, dtype=float)
        try:
            values = np.array([_number(c) for c in self.categories])
        except (TypeError, ValueError) as e:
            raise DataError(
                f"categories: {e}; a scale at {self.level} level has numbers. Use the ordinal level for words."
            ) from e
        if self.level == "ratio" and (values < 0).any():
            raise DataError("categories: a ratio scale has no negative values; use the interval level.")
        return values


@dataclass(frozen=True, eq=False)
class RatingTable:
    """Who gave which unit which category."""

    codes: NDArray[np.int32]
    """(units, raters): position in `scale.categories`, or `MISSING`. Units that nobody rated are left out."""
    scale: Scale
    units: tuple[Hashable, ...]
    raters: tuple[Hashable, ...]
    clusters: tuple[Hashable, ...] = field(default=())
    """One a unit where units belong together (claims of a rationale, rationales of a patient); else empty."""
    cluster_name: str = "cluster"
    """What a cluster is, in a word."""

    @property
    def independent(self) -> tuple[int, str]:
        """How many independent units there are, and what one is called."""
        return (len(set(self.clusters)), self.cluster_name) if self.clusters else (len(self.units), "item")

    @property
    def pairable(self) -> int:
        """Independent units with two ratings or more."""
        two = self.seen >= 2
        return (
            len({c for c, t in zip(self.clusters, two, strict=True) if t})
            if self.clusters
            else int(two.sum())
        )

    @cached_property
    def counts(self) -> Floats:
        """(units, K): how many raters gave the unit each category."""
        n, k = len(self.codes), len(self.scale.categories)
        flat = (np.arange(n, dtype=np.int64)[:, None] * (k + 1) + self.codes + 1).ravel()
        return np.bincount(flat, minlength=n * (k + 1)).reshape(n, k + 1)[:, 1:].astype(float)

    @cached_property
    def times(self) -> Ints:
        """(K,): how often each category was given."""
        given = self.codes[self.codes != MISSING]
        times: Ints = np.bincount(given, minlength=len(self.scale.categories)).astype(np.int64)
        return times

    @cached_property
    def seen(self) -> Ints:
        """(units,): how many raters rated the unit."""
        seen: Ints = (self.codes != MISSING).sum(1, dtype=np.int64)
        return seen

    @cached_property
    def used(self) -> Ints:
        """Codes of the categories that occur among units with two ratings or more."""
        codes = self.codes[self.seen >= 2]
        used: Ints = np.unique(codes[codes != MISSING]).astype(np.int64)
        return used

    def only(self, raters: Iterable[int]) -> "RatingTable":
        """The same units as some raters (by column) saw them; the others' ratings are missing."""
        keep = np.isin(np.arange(len(self.raters)), list(raters))
        return replace(self, codes=np.where(keep, self.codes, MISSING).astype(np.int32))

    def packed(self) -> tuple["RatingTable", Ints]:
        """The ratings of each unit in as few columns as hold them, and (units, columns) which rater gave each.

        For what does not depend on who gave a rating: with many raters who see few units each, far smaller.
        """
        width = max(int(self.seen.max(initial=0)), 1)
        rater: Ints = np.argsort(self.codes == MISSING, axis=1, kind="stable")[:, :width].astype(np.int64)
        codes = np.take_along_axis(self.codes, rater, axis=1)
        return replace(self, codes=codes, raters=tuple(range(width))), rater

    def columns(self, keep: Ints) -> "RatingTable":
        """The same units with some raters (by column) only."""
        return replace(self, codes=self.codes[:, keep], raters=tuple(self.raters[g] for g in keep))

    def of_units(self, keep: Ints) -> "RatingTable":
        """Some units (by row)."""
        if len(keep) == len(self.units) and np.array_equal(keep, np.arange(len(keep))):
            return self
        clusters = tuple(self.clusters[i] for i in keep) if self.clusters else ()
        units = tuple(self.units[i] for i in keep)
        return replace(self, codes=self.codes[keep], units=units, clusters=clusters)


def table(
    ratings: Any,
    level: Level,
    categories: Sequence[Hashable] | None = None,
    *,
    clusters: Sequence[Hashable] | None = None,
    units: Sequence[Hashable] | None = None,
    raters: Sequence[Hashable] | None = None,
    cluster_name: str = "cluster",
) -> RatingTable:
    """Code a matrix of ratings.

    Args:
        ratings: (units, raters), a sequence of rows, an array or a data frame (its index and columns name units
            and raters); None, NaN or pandas' NA where a rater did not see the unit. Numbers, strings, booleans.
        level: how far apart two categories are.
        categories: all that raters could give, in order; None takes those of an ordered categorical that all
            columns of a data frame share, or else those that occur, sorted.
        clusters: one a unit.
        units: their names; None takes the data frame's, or numbers.
        raters: their names, likewise.
        cluster_name: what a cluster is, in a word.
    Raises:
        NoPairsError: fewer than two raters, or no unit with two ratings; with counts.
        DataError: rows of unequal length, an infinite value or one outside the categories; with rows.
        StudyError: no such level.

    >>> table([[1, 1, None], [2, 3, 3]], "ordinal").codes.tolist()
    [[0, 0, -1], [1, 2, 2]]
    """
    if level not in get_args(Level):
        raise StudyError(not_one_of("level", level, get_args(Level)))
    rows, own_units, own_raters = _rows(ratings)
    units, raters = tuple(units or own_units), tuple(raters or own_raters)
    if clusters is not None and len(clusters) != len(rows):
        raise DataError(f"clusters: {len(clusters)} for {len(rows)} units; give one per unit.")
    categories = _ordered(ratings) if categories is None else categories
    known = tuple(categories) if categories is not None else _observed(rows, level)
    scale = Scale(level, known, declared=categories is not None)
    codes = _coded(rows, scale, units)
    return checked(RatingTable(codes, scale, units, raters, tuple(clusters or ()), cluster_name))


def checked(ratings: RatingTable) -> RatingTable:
    """The table without units that nobody rated.

    Raises:
        NoPairsError: fewer than two raters, or no unit with two ratings; with counts.
    """
    rated = np.flatnonzero(ratings.seen > 0)
    if len(rated) < len(ratings.units):
        ratings = ratings.of_units(rated)
    raters = int((ratings.codes != MISSING).any(0).sum()) if ratings.codes.size else 0
    if raters < 2:
        raise NoPairsError(
            f"ratings: {raters} rater with ratings on {len(ratings.units)} units; two are needed."
        )
    if not (ratings.seen >= 2).any():
        raise NoPairsError(
            f"ratings: none of {len(ratings.units)} units was rated by two of the {raters} raters; "
            "agreement needs units in common."
        )
    return ratings


def absent(value: object) -> bool:
    """None, NaN, pandas' NA and NaT; the word "nan" is a value like any other."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def _rows(ratings: Any) -> tuple[list[list[Any]], tuple[Hashable, ...], tuple[Hashable, ...]]:
    if hasattr(ratings, "columns") and hasattr(ratings, "index"):
        rows = ratings.astype(object).to_numpy().tolist()
        return rows, tuple(ratings.index), tuple(ratings.columns)
    try:
        rows = [list(row) for row in (ratings.tolist() if isinstance(ratings, np.ndarray) else ratings)]
    except TypeError as e:
        raise DataError(
            f"ratings: a matrix is needed, with one row per unit and one column per rater; {e}."
        ) from e
    width = len(rows[0]) if rows else 0
    for i, row in enumerate(rows):
        if len(row) != width:
            raise DataError(f"row {i}: {len(row)} ratings where row 0 has {width}; None marks a missing one.")
    return rows, tuple(range(len(rows))), tuple(range(width))


def _ordered(ratings: Any) -> tuple[Hashable, ...] | None:
    """The categories that all columns of a data frame declare, in their order; None where they declare none."""
    kinds = set(getattr(ratings, "dtypes", ()))
    if len(kinds) != 1 or not getattr(kind := kinds.pop(), "ordered", False):
        return None
    return tuple(kind.categories)


def _observed(rows: list[list[Any]], level: Level) -> tuple[Hashable, ...]:
    values = {v for v in _distinct(rows) if not absent(v) and not _infinite(v)}
    if all(isinstance(v, int | float | np.number | np.bool_) for v in values):
        return tuple(sorted(values))
    if level != "nominal":
        some = ", ".join(sorted(repr(v) for v in values)[:5])
        raise DataError(
            f"categories: the order of {some} is not known; declare the categories, lowest first."
        )
    return tuple(sorted(values, key=str))


def _coded(rows: list[list[Any]], scale: Scale, units: tuple[Hashable, ...]) -> NDArray[np.int32]:
    """Positions of the values in the categories; every value that has none is named with its unit."""
    place: dict[Any, int] = {c: i for i, c in enumerate(scale.categories)}
    if any(absent(c) for c in place):
        raise DataError("categories: a missing value is not a category; leave it out.")
    if len(place) != len(scale.categories):
        raise DataError(f"categories: duplicate in {scale.categories}.")
    outside = len(place)
    code = {v: MISSING if absent(v) else place.get(v, outside) for v in _distinct(rows)}
    out = np.array([[code[v] for v in row] for row in rows], dtype=np.int32).reshape(
        len(rows), len(rows[0]) if rows else 0
    )
    wrong = np.argwhere(out == outside)
    if len(wrong):
        first = "; ".join(f"{rows[i][g]!r} at unit {units[i]!r}" for i, g in wrong[:3])
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        known = ", ".join(str(c) for c in scale.categories[:12])
        raise DataError(f"ratings: {first}{more} outside the scale. Allowed: {known}.")
    return out


def _distinct(rows: list[list[Any]]) -> set[Any]:
    try:
        return set().union(*rows)
    except TypeError as e:
        raise DataError(f"ratings: a rating is one value; {e}.") from e


def _infinite(value: object) -> bool:
    return isinstance(value, float | np.floating) and math.isinf(value)


def _number(value: Any) -> float:
    out = float(value)
    if not math.isfinite(out):
        raise ValueError(f"{value!r} is not a finite number")
    return out
