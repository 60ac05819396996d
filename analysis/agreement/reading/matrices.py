"""Weights between categories from a file: a square table of numbers, with or without the names of the categories."""

from pathlib import Path

from ....study.errors import DataError
from ..settings import WeightMatrix
from .cells import text_sheet
from .words import as_number, tidy


def weight_matrix(path: Path) -> WeightMatrix:
    """A matrix of agreement (diagonal 1) or of disagreement (diagonal 0).

    Args:
        path: of delimited text; categories as first row and column, or numbers alone in the order of the scale.
    Raises:
        DataError: not a square table of numbers; with the cell.
    """
    if not path.is_file():
        raise DataError(f"{path}: not found. Give a name of weights, or a CSV file with a matrix.")
    rows = [row for row in text_sheet(path).rows if any(cell.strip() for cell in row)]
    labels: tuple[str, ...] = ()
    if any(as_number(cell, comma=True) is None for cell in rows[0]):
        labels, rows = _labels(rows, path)
    values = []
    for i, row in enumerate(rows):
        if len(row) != len(rows):
            raise DataError(
                f"{path}: row {i + 1} of {len(rows)} has {len(row)} weights; the matrix is not square."
            )
        numbers = [as_number(cell, comma=True) for cell in row]
        if None in numbers:
            bad = row[numbers.index(None)]
            raise DataError(
                f"{path}: row {i + 1}, column {numbers.index(None) + 1}: {bad!r} is not a number."
            )
        values.append(tuple(float(n) for n in numbers if n is not None))
    return WeightMatrix(path.name, labels, tuple(values))


def _labels(rows: list[list[str]], path: Path) -> tuple[tuple[str, ...], list[list[str]]]:
    """The names of the categories, and the rows without them."""
    header, body = [tidy(cell) for cell in rows[0]], rows[1:]
    if len(body) == len(header):
        return tuple(header), body
    sides = [tidy(row[0]) for row in body]
    if header[1:] != sides:
        raise DataError(
            f"{path}: the first row names {', '.join(header[1:9])} and the first column {', '.join(sides[:8])}; "
            "both name the categories, in one order."
        )
    return tuple(sides), [row[1:] for row in body]
