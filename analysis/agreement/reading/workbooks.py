"""Cells of a workbook (.xlsx), of SPSS, Stata and SAS, and of Parquet, by the well-kept reader of each."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from importlib import import_module
from pathlib import Path
from typing import Any

from ....study.errors import DataError, MissingPartError, did_you_mean
from .cells import Sheet


def workbook(path: Path, sheet: str | None = None) -> Sheet:
    """The cells of a file that is not text.

    Args:
        path: of the file; its ending, in any case, says what it is.
        sheet: of a workbook; None takes the only one that has cells.
    Raises:
        DataError: a file that its reader does not understand; several sheets with cells.
        MissingPartError: the reader is not installed.
    """
    return WORKBOOKS[path.suffix.lower()](path, sheet)


def _reader(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as e:
        raise MissingPartError(
            f"{module}: not installed. pip install 'wherefore-lab[agreement]', or save the table as CSV."
        ) from e


def _excel(path: Path, sheet: str | None) -> Sheet:
    openpyxl = _reader("openpyxl")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as e:  # openpyxl lets errors of zipfile, XML and its own through
        raise DataError(
            f"{path}: not a workbook that openpyxl reads: {e}. Save it again as .xlsx, or as CSV."
        ) from e
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise DataError(f"{path}: no sheet {sheet!r}; {did_you_mean(sheet, book.sheetnames)}")
        names = [sheet] if sheet is not None else list(book.sheetnames)
        rows = {n: [[_text(v) for v in row] for row in book[n].iter_rows(values_only=True)] for n in names}
    finally:
        book.close()
    filled = [n for n in names if any(any(row) for row in rows[n])]
    if not filled:
        raise DataError(f"{path}: no sheet has cells.")
    if len(filled) > 1:
        raise DataError(
            f"{path}: {len(filled)} sheets have cells: {', '.join(filled[:8])}. Say which: --sheet '{filled[0]}'."
        )
    cells = rows[filled[0]]
    return Sheet(cells, list(range(1, len(cells) + 1)), f"workbook, sheet {filled[0]!r}")


def _text(value: object) -> str:
    """A typed cell as text."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)


def _statistics(read: str, program: str) -> Callable[[Path, str | None], Sheet]:
    """A reader of pyreadstat. Missing values of the user are empty; value labels are kept."""

    def sheet(path: Path, _: str | None) -> Sheet:
        pyreadstat = _reader("pyreadstat")
        try:
            table, meta = getattr(pyreadstat, read)(str(path))
        except Exception as e:  # pyreadstat raises errors of its own and of the C library
            raise DataError(
                f"{path}: not a {program} file that pyreadstat reads: {e}. Save it as CSV."
            ) from e
        labels = {
            column: {_text(code): str(label) for code, label in values.items()}
            for column, values in meta.variable_value_labels.items()
        }
        header = [str(n) for n in table.columns]
        cells = [[_text(v) for v in row] for row in table.astype(object).itertuples(index=False, name=None)]
        return Sheet([header, *cells], list(range(len(cells) + 1)), f"{program} file", labels=labels)

    return sheet


def _parquet(path: Path, _: str | None) -> Sheet:
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except Exception as e:  # pyarrow raises errors of its own
        raise DataError(f"{path}: not a Parquet file: {e}.") from e
    return frame_sheet(table, "Parquet file")


def frame_sheet(table: Any, format: str) -> Sheet:
    """The cells of a data frame; a named index is a column like the others."""
    if any(n is not None for n in table.index.names):
        table = table.reset_index()
    labels = {
        str(n): {_text(c): _text(c) for c in kind.categories}
        for n, kind in table.dtypes.items()
        if getattr(kind, "ordered", False)
    }
    rows: Iterable[Sequence[object]] = table.astype(object).itertuples(index=False, name=None)
    cells = [[_text(v) for v in row] for row in rows]
    return Sheet(
        [[str(n) for n in table.columns], *cells], list(range(len(cells) + 1)), format, labels=labels
    )


WORKBOOKS: dict[str, Callable[[Path, str | None], Sheet]] = {
    ".xlsx": _excel,
    ".xlsm": _excel,
    ".sav": _statistics("read_sav", "SPSS"),
    ".zsav": _statistics("read_sav", "SPSS"),
    ".por": _statistics("read_por", "SPSS"),
    ".dta": _statistics("read_dta", "Stata"),
    ".sas7bdat": _statistics("read_sas7bdat", "SAS"),
    ".xpt": _statistics("read_xport", "SAS"),
    ".parquet": _parquet,
}
"""By ending, in small letters."""
