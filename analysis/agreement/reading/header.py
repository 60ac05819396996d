"""From cells to columns: title lines, header, blank rows, a survey's second and third header row."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ....study.errors import DataError
from ..coefficients.table import Ints
from .cells import Sheet
from .words import as_number


class Columns(NamedTuple):
    """A sheet with named columns."""

    table: pd.DataFrame
    """Cells as text; None where a row is too short to have one. Names are unique."""
    lines: Ints
    """(rows,) line of the file where each row starts."""
    format: str
    notes: tuple[str, ...] = ()
    twice: dict[str, tuple[int, ...]] = {}  # noqa: RUF012 - never changed
    """Names that several columns have, with the places of these columns, the first being 1."""
    labels: dict[str, dict[str, str]] = {}  # noqa: RUF012 - never changed


def columns(sheet: Sheet, name: str, header: bool | None = None) -> Columns:
    """Name the columns of a sheet.

    Args:
        sheet: the cells.
        name: of the file, for messages.
        header: whether the first row names the columns; None finds it.
    Raises:
        DataError: no rows, a row of more cells than the header, a header that may be a row of data.
    """
    notes = list(sheet.notes)
    rows, lines = _without_blank(sheet, notes)
    rows, lines = _without_titles(rows, lines, notes)
    if not rows:
        raise DataError(f"{name}: the file has no rows.")
    if header is False:
        names = ["", *map(str, range(1, len(rows[0])))] if _numbered(rows) else []
        names = names or [str(i + 1) for i in range(max(map(len, rows)))]
    else:
        names, rows, lines = rows[0], rows[1:], lines[1:]
        if _without_row_names(names, rows):
            names = ["", *names]
        if header is None:
            _check_header(names, rows, name, lines)
        rows, lines = _without_survey_rows(rows, lines, notes)
    names = [" ".join(n.replace("\ufeff", "").split()) for n in names]
    if not rows:
        raise DataError(f"{name}: a header and no rows below it.")
    table = _table(names, rows, lines, name)
    table, names = _without_empty(table, names, notes)
    places: dict[str, list[int]] = {}
    for i, n in enumerate(names):
        places.setdefault(n, []).append(i + 1)
    twice = {n: tuple(at) for n, at in places.items() if len(at) > 1 and n}
    table.columns = pd.Index([_unique(n, i, places) for i, n in enumerate(names)])
    return Columns(table, np.asarray(lines), sheet.format, tuple(notes), twice, sheet.labels)


def _unique(name: str, i: int, places: dict[str, list[int]]) -> str:
    if name and places[name][0] == i + 1:
        return name
    return f"{name} (column {i + 1})".strip() if name or i else ""


def _blank(row: Sequence[str]) -> bool:
    return not any(map(str.strip, row))


def _without_blank(sheet: Sheet, notes: list[str]) -> tuple[list[list[str]], list[int]]:
    blank = [_blank(row) for row in sheet.rows]
    if not any(blank):
        return sheet.rows, sheet.lines
    kept = [i for i, b in enumerate(blank) if not b]
    inside = [i for i, b in enumerate(blank) if b and kept and i > kept[0]]
    if inside:
        notes.append(f"{len(inside)} blank rows skipped, the first in line {sheet.lines[inside[0]]}")
    return [sheet.rows[i] for i in kept], [sheet.lines[i] for i in kept]


def _without_titles(
    rows: list[list[str]], lines: list[int], notes: list[str]
) -> tuple[list[list[str]], list[int]]:
    """Skip the lines above the header: a title in one cell, a comment."""
    skip = 0
    while skip < len(rows) - 1 and _title(rows[skip], rows[skip + 1 :]):
        skip += 1
    if skip:
        text = next(cell for cell in rows[skip - 1] if cell.strip()).strip()
        notes.append(f"{skip} lines above the header skipped, such as {text[:60]!r}")
    return rows[skip:], lines[skip:]


def _title(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    filled = sum(bool(cell.strip()) for cell in row)
    usual = int(np.median([sum(bool(cell.strip()) for cell in r) for r in below[:50]]))
    return usual >= 2 and (filled == 1 or row[0].lstrip().startswith("#"))


def _without_row_names(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """R's write.table: the column of row names has no name, so every row has one cell more than the header."""
    if len(rows) < 2 or any(len(row) != len(names) + 1 for row in rows):
        return False
    return len({row[0] for row in rows}) == len(rows) and any(row[-1].strip() for row in rows)


def _numbered(rows: Sequence[Sequence[str]]) -> bool:
    """The first column names the rows: text, or counts them."""
    first = [row[0] for row in rows]
    return len(set(first)) == len(first) > 1 and not all(as_number(cell) is not None for cell in first)


def _check_header(names: Sequence[str], rows: Sequence[Sequence[str]], name: str, lines: list[int]) -> None:
    """A header of numbers over columns of numbers may be a row of data, unless it counts 1, 2, 3, ..."""
    numbers = [as_number(n) for n in names[1:]]
    if len(numbers) < 1 or None in numbers or not rows:
        return
    steps = {b - a for a, b in itertools.pairwise(numbers) if a is not None and b is not None}
    if len(numbers) > 1 and steps == {1} and numbers[0] in (0, 1):
        return
    raise DataError(
        f"{name}: the first row holds numbers only ({', '.join(names[:6])}): is it a header or a row of data? "
        "Say --header or --no-header."
    )


def _without_survey_rows(
    rows: list[list[str]], lines: list[int], notes: list[str]
) -> tuple[list[list[str]], list[int]]:
    """Qualtrics repeats the header as questions and as import ids."""
    for i, row in enumerate(rows[:3]):
        if sum("ImportId" in cell for cell in row) > len(row) / 2:
            notes.append(f"{i + 1} further header rows skipped (Qualtrics: questions and import ids)")
            return rows[i + 1 :], lines[i + 1 :]
    return rows, lines


def _table(names: list[str], rows: list[list[str]], lines: list[int], name: str) -> pd.DataFrame:
    width = len(names)
    uneven = [i for i, row in enumerate(rows) if len(row) != width]
    for row, line in ((rows[i], lines[i]) for i in uneven):
        if any(cell.strip() for cell in row[width:]):
            raise DataError(
                f"{name}:{line}: {len(row)} cells where the header has {width}. Quote cells that hold the "
                "delimiter, or remove the extra cells."
            )
    if uneven:
        rows = [[*row[:width], *[None] * (width - len(row))] for row in rows]  # type: ignore[list-item]
    return pd.DataFrame({i: [row[i] for row in rows] for i in range(width)}, dtype=object)


def _without_empty(table: pd.DataFrame, names: list[str], notes: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Drop columns without a name and without content, as spreadsheets leave them at the right."""
    nameless = [i for i, n in enumerate(names) if not n and i]
    empty = [i for i in nameless if not any(c and c.strip() for c in table[i])]
    kept = [i for i in range(len(names)) if i not in empty]
    return table[kept], [names[i] for i in kept]
