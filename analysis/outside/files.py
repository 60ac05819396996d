"""Tables of predictions from CSV and Parquet, every row with its place."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...study.errors import DataError
from ...study.reads import reading

if TYPE_CHECKING:
    import pandas as pd

TEXT, PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")
DELIMITERS = (",", "\t", ";", "|")
NOTHING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", ".")
"""Cells that are empty."""
PACKED = {
    b"PK\x03\x04": "an Excel workbook or another zip",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
}
"""What goes by the name of a text file, by its first bytes."""


def table(path: Path) -> "pd.DataFrame":
    """A file as a table. Its index is the place of each row: the line of a text file, the row of a Parquet file.

    Text files may start with a byte order mark, and have commas, tabs, semicolons or bars between their columns;
    where it is semicolons, a comma may be the decimal mark.

    Raises:
        DataError: not there, of another kind, damaged, empty, or with a column that occurs twice.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder. Name the files of predictions in it.")
    if not path.is_file():
        raise DataError(f"{path}: not found. Give a CSV or Parquet file of predictions, or a study file.")
    ending = path.suffix.lower()
    if ending not in (*TEXT, *PARQUET):
        raise DataError(f"{path}: ends in {path.suffix!r}. Allowed: {', '.join((*TEXT, *PARQUET))}.")
    frame = _parquet(reading(path)) if ending in PARQUET else _text(reading(path))
    if frame.empty:
        raise DataError(f"{path}: no rows.")
    return frame


def _parquet(path: Path) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    except (OSError, pa.ArrowException, ValueError) as e:
        raise DataError(f"{path}: not a Parquet file that can be read: {str(e).splitlines()[0]}") from e
    named = [n for n in frame.index.names if n is not None]
    frame = frame.reset_index() if named else frame.reset_index(drop=True)
    return frame.rename(columns=str)


def _text(path: Path) -> "pd.DataFrame":
    import pandas as pd

    with path.open("rb") as f:
        if (start := f.read(4)).startswith(tuple(PACKED)):
            kind = next(name for sign, name in PACKED.items() if start.startswith(sign))
            raise DataError(f"{path}: {kind}, not text. Save it as CSV in UTF-8.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as e:
        raise DataError(f"{path}: not UTF-8 (byte {e.start}). Save it as CSV in UTF-8.") from e
    if not lines or not lines[0].strip():
        raise DataError(f"{path}: no header. The first line names the columns.")
    delimiter = max(DELIMITERS, key=lines[0].count)
    rows = csv.reader(lines, delimiter=delimiter)
    header = [c.strip() for c in next(rows)]
    twice = sorted({c for c in header if header.count(c) > 1})
    if twice:
        raise DataError(
            f"{path}: column {twice[0]!r} occurs {header.count(twice[0])} times; once is allowed."
        )
    cells: list[list[str | None]] = []
    places = []
    for row in rows:
        if not any(c.strip() for c in row):
            continue
        if len(row) != len(header):
            raise DataError(f"{path}:{rows.line_num}: {len(row)} cells, but the header has {len(header)}.")
        cells.append([None if c.strip() in NOTHING else c.strip() for c in row])
        places.append(rows.line_num)
    frame = pd.DataFrame(cells, columns=header, index=places, dtype=object)
    return frame.apply(_decimal_commas) if delimiter == ";" else frame


def _decimal_commas(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Points for decimal commas, in a column that has nothing but such numbers."""
    known = column.dropna().astype(str)
    numeric = known.str.fullmatch(r"[-+]?\d*,?\d+([eE][-+]?\d+)?").all()
    return column.str.replace(",", ".", regex=False) if len(known) and numeric else column
