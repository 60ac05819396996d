"""What every shape gives: ratings one a row, and what was taken for what."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from .....study.errors import DataError
from ..header import Columns
from ..kinds import Kind, kind, plain
from ..roles import ROLES

Shape = Literal["long", "wide", "transposed", "counts", "contingency"]

SAYS: dict[Shape, str] = {
    "long": "one row per rating",
    "wide": "one column per rater",
    "transposed": "one row per rater, one column per item",
    "counts": "one row per item, one column per category: how many raters chose it",
    "contingency": "a cross-table of two raters",
}

ROW_NAMES = frozenset(
    ("", "unnamed_0", "x", "1", "index", "row", "row_names", "rownames", "rowname", "nr", "no")
)
"""Columns that only name or count the rows."""

RoleColumns = Mapping[str, Sequence[str]]
"""Role -> columns, as the user says."""


class ShapedRatings(NamedTuple):
    """The ratings of a table, and how they were found."""

    ratings: pd.DataFrame
    """See `answers.COLUMNS`; all text, "" where there is none."""
    shape: Shape
    columns: dict[str, str]
    """What is taken for what, in words."""
    unused: dict[str, Kind]
    notes: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    """All that raters could give, where the shape itself says so."""
    nameless: bool = False
    """Nobody knows which rater gave which rating."""
    reference: pd.DataFrame | None = None
    """Columns item, value, where: the reference standard, where the table has one."""
    cluster_name: str = "cluster"


def text(c: Columns, column: str | None) -> "pd.Series[str]":
    """The cells of a column without blanks around them; "" where there is no such column."""
    if column is None:
        return pd.Series([""] * len(c.table), dtype=object)
    return pd.Series([cell.strip() if cell else "" for cell in c.table[column]], dtype=object)


def joined(c: Columns, columns: Sequence[str]) -> "pd.Series[str]":
    """Several columns as one name; "" where a part of it is missing."""
    parts = [text(c, column) for column in columns]
    if len(parts) == 1:
        return parts[0]
    return pd.Series(
        [" ".join(cells) if all(cells) else "" for cells in zip(*parts, strict=True)], dtype=object
    )


def unused(c: Columns, used: Sequence[str]) -> dict[str, Kind]:
    """What the other columns hold."""
    return {n: kind(n, c.table[n].tolist()) for n in c.table.columns if n not in used and n}


def rating_columns(c: Columns, taken: Sequence[str]) -> list[str]:
    """Columns that may hold ratings: not what has a role already, nor comments, clocks, durations, confidences."""
    names = ROW_NAMES - {"1", "x"}
    return [
        n
        for n in c.table.columns
        if n not in taken and plain(n) not in names and kind(n, c.table[n].tolist()) == "rating"
    ]


def check_cells(c: Columns, used: Sequence[str], name: str) -> None:
    """Every row is long enough for the columns that are used.

    Raises:
        DataError: the first that is not.
    """
    short = c.table[list(used)].isna().any(axis=1).to_numpy()
    if short.any():
        raise DataError(
            f"{name}:{c.lines[int(np.argmax(short))]}: not as many cells as the header has columns."
        )


def check_names(names: "pd.Series[str]", role: str, places: Any, name: str) -> None:
    """Every row has an item, a rater.

    Raises:
        DataError: the first that has none.
    """
    empty = np.flatnonzero(names.to_numpy() == "")
    if len(empty):
        more = f" and in {len(empty) - 1} more rows" if len(empty) > 1 else ""
        raise DataError(
            f"{name}:{places[empty[0]]}: no {role}{more}. Fill the cell in (merged cells too), or remove "
            "rows such as "
            "totals and footnotes."
        )


def no_column(c: Columns, name: str, role: str) -> DataError:
    """The error for a role that no column has."""
    names = ", ".join(repr(n) for n in c.table.columns[:12]) or "none"
    return DataError(
        f"{name}: no column for {role} among {names}. Call one {ROLES[role][0][0]!r}, say which it is (--column "
        f"{role}=NAME), or say the shape: --wide (one column per rater), --transposed (one row per rater), "
        "--counts, --contingency."
    )
