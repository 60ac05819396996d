"""Counts of raters: an item a row and a category a column, or two raters' categories against each other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .....study.errors import DataError
from ..header import Columns
from ..kinds import plain
from ..words import as_number, folded
from .shaped import ROW_NAMES, RoleColumns, ShapedRatings, check_names, text, unused
from .wide import raters_only

MOST = 2_000_000
"""Ratings that a table of counts may stand for."""

TOTALS = frozenset(("total", "sum", "all", "totals", "row_total", "summe", "gesamt", "sum_total", "n"))


def like_counts(c: Columns, items: str | None) -> bool:
    """Every row sums to the same number of raters: a table of counts, unless its columns are called like raters."""
    columns = [n for n in c.table.columns if n != items and plain(n) not in TOTALS]
    if len(columns) < 2 or len(c.table) < 4 or raters_only(columns):
        return False
    whole = [_whole(c.table[n].tolist()) for n in columns]
    counts = np.array([x for x in whole if x is not None]).T
    if len(counts) != len(c.table) or counts.shape[1] != len(columns):
        return False
    sums = counts.sum(1)
    return bool((sums == sums[0]).all() and sums[0] >= 2 and not (counts == counts[:, :1]).all())


def like_contingency(c: Columns) -> bool:
    """The first column holds the names of the others: a cross-table."""
    if abs(len(c.table) - len(c.table.columns) + 1) > 2:
        return False
    labels = [folded(cell or "") for cell in c.table.iloc[:, 0] if plain(cell or "") not in TOTALS]
    names = [folded(str(n)) for n in c.table.columns[1:] if plain(str(n)) not in TOTALS]
    return len(labels) >= 2 and len(labels) == len(set(labels)) and sorted(labels) == sorted(names)


def counts(c: Columns, name: str, items: str | None, by_role: RoleColumns) -> ShapedRatings:
    """The ratings that a table of counts stands for; who gave which is not known.

    Args:
        c: the columns.
        name: of the file, for messages.
        items: the column that names the rows; None counts them.
        by_role: role -> columns; those of `value` are the categories.
    Raises:
        DataError: a cell that is no count.
    """
    own = [n for role, columns in by_role.items() if role not in ("value", "item") for n in columns]
    names = ROW_NAMES - {"1", "x"}
    columns = list(by_role.get("value", ())) or [
        n for n in c.table.columns if n != items and n not in own and plain(n) not in TOTALS | names
    ]
    times = np.array([_counted(c, n, name) for n in columns]).T
    if times.sum() > MOST:
        raise DataError(
            f"{name}: {times.sum():,} ratings, more than {MOST:,}. Are the cells counts of raters?"
        )
    rows = text(c, items) if items else pd.Series([f"row {i + 1}" for i in range(len(c.table))], dtype=object)
    check_names(rows, "item", c.lines, name)
    clusters = text(c, by_role["cluster"][0]) if "cluster" in by_role else text(c, None)
    i, k = (np.repeat(at.ravel(), times.ravel()) for at in np.indices(times.shape))
    place = np.arange(len(i)) - np.searchsorted(i, i)  # of the rating within its item
    ratings = pd.DataFrame(
        {
            "item": rows.to_numpy()[i],
            "rater": [f"rating {p + 1}" for p in place],
            "value": np.array(columns, dtype=object)[k],
            "cluster": clusters.to_numpy()[i],
            "where": [f"{line}, {columns[n]}" for line, n in zip(c.lines[i], k, strict=True)],
        }
    )
    return ShapedRatings(
        _complete(ratings),
        "counts",
        {"item": items or "the rows, counted", "categories": ", ".join(columns)},
        unused(c, [*columns, *([items] if items else []), *own]),
        categories=tuple(columns),
        nameless=True,
    )


def contingency(c: Columns, name: str) -> ShapedRatings:
    """The pairs that a cross-table stands for; its margins are left out.

    Raises:
        DataError: a cell that is no count.
    """
    first = c.table.columns[0]
    columns = [n for n in c.table.columns[1:] if plain(n) not in TOTALS]
    kept = [i for i, cell in enumerate(c.table[first]) if plain(cell or "") not in TOTALS]
    whole = len(kept) == len(c.table) and len(columns) == len(c.table.columns) - 1
    times = np.array([_counted(c, n, name) for n in columns])[:, kept].T
    if not 2 <= times.sum() <= MOST:
        raise DataError(
            f"{name}: the counts of the cross-table sum to {times.sum():,}; 2 to {MOST:,} are read."
        )
    labels = [str(c.table[first].iloc[i]).strip() for i in kept]
    i, k = (np.repeat(at.ravel(), times.ravel()) for at in np.indices(times.shape))
    where = [f"{c.lines[kept[a]]}, {columns[b]}" for a, b in zip(i, k, strict=True)]
    sides = [
        pd.DataFrame(
            {
                "item": [f"pair {p + 1}" for p in range(len(i))],
                "rater": rater,
                "value": values,
                "where": where,
            }
        )
        for rater, values in (
            ("rows", np.array(labels, dtype=object)[i]),
            ("columns", np.array(columns, dtype=object)[k]),
        )
    ]
    return ShapedRatings(
        _complete(pd.concat(sides, ignore_index=True)),
        "contingency",
        {"rater": "the rows, the columns", "categories": ", ".join(columns)},
        {},
        () if whole else ("totals of the cross-table left out",),
        categories=tuple(columns),
    )


def _complete(ratings: pd.DataFrame) -> pd.DataFrame:
    """With the columns that counts say nothing of."""
    empty = {role: "" for role in ("cluster", "group", "order", "replicate") if role not in ratings}
    return ratings.assign(**empty, dimension="value")


def _counted(c: Columns, column: str, name: str) -> list[int]:
    """The counts of a column.

    Raises:
        DataError: a cell that is none.
    """
    whole = _whole(c.table[column].tolist())
    if whole is None:
        bad = next(i for i, cell in enumerate(c.table[column]) if _whole([cell]) is None)
        raise DataError(
            f"{name}:{c.lines[bad]}, {column}: {c.table[column].iloc[bad]!r} is not a count of raters. "
            "Give whole numbers."
        )
    return whole


def _whole(cells: Sequence[str | None]) -> list[int] | None:
    """Counts, an empty cell being 0; None where one is something else."""
    out = []
    for cell in cells:
        n = as_number(cell) if cell and cell.strip() else 0
        if not isinstance(n, int) or n < 0:
            return None
        out.append(n)
    return out
