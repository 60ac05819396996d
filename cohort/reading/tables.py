"""Tables as they come: CSV or Parquet, packed or not, names in either case, every cell as text."""

import csv
import lzma
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from ...study.errors import DataError
from ...study.records import Record
from ..events import Place
from . import lines

CHUNK = 500_000
"""Rows at a time."""
NOTHING = (
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NULL",
    "null",
    "Null",
    "\\N",
    "NaN",
    "nan",
    "NAN",
    "NaT",
    ".",
)
"""Words that mean that a cell is empty."""
NO_CODE = tuple(w for w in NOTHING if w not in ("NA", "N/A", "n/a", "."))
"""The same for codes, where NA may be sodium."""
DELIMITERS = (",", "\t", ";", "|")


class TableFormat(Record):
    """How the tables of a source are written; keys of every source of tables."""

    delimiter: str | None = Field(default=None, min_length=1)
    """Between the columns of text files, such as `;`; `space` for blanks. None: found from the first line."""
    decimal: str | None = Field(default=None, pattern=r"^[.,]$")
    """The mark in numbers. None: a comma where columns are separated by semicolons, else a point."""
    encoding: str = "utf-8"
    """Of text files, such as `latin-1`."""
    missing: tuple[str, ...] | None = None
    """Words that mean that a cell is empty. None: nothing at all, NA, N/A, NULL, \\N, NaN and a lone point."""
    date_format: str | None = None
    """strptime format where dates are not `2010-05-17`, such as `%d/%m/%Y`."""


class DatabaseTable(Protocol):
    """A table that is no file: one of a database."""

    name: str

    def columns(self) -> list[str]: ...

    def chunks(self, columns: list[str]) -> Iterator[pd.DataFrame]:
        """Rows of these columns, a chunk at a time, every cell as text or None."""
        ...


def chunks(
    table: Path | DatabaseTable,
    columns: Mapping[str, str],
    place: Place,
    where: str,
    form: TableFormat,
    optional: frozenset[str] = frozenset(),
    many: bool = False,
    codes: frozenset[str] = frozenset({"code"}),
) -> Iterator[pd.DataFrame]:
    """Rows of a table as text, a chunk at a time, under our names.

    Args:
        table: CSV, TSV (packed or not) or Parquet, or a table of a database.
        columns: our name -> the table's, in any case.
        place: counts the rows.
        where: the part of the study file that names the columns, for errors.
        form: how it is written.
        optional: our names that may be absent; their column is then all missing.
        many: it is one of many tables, and may be empty.
        codes: our names of columns with codes.
    Yields:
        Frames of `str` or missing, indexed by row in the file from 0; `attrs["decimal"]` is the mark in numbers.
    Raises:
        DataError: a column is missing or stands there twice, or the file is empty or cannot be read.
    """
    theirs = {c.lower() for c in columns.values()}
    of_codes = {c.lower() for ours, c in columns.items() if ours in codes}
    first, shape = 0, _shape(table, form)
    _check_twice(table, shape.header, theirs)
    try:
        for raw, decimal in _raw(table, theirs, of_codes, form):
            by_case = {plain(c): c for c in raw.columns}
            lacking = [c for ours, c in columns.items() if c.lower() not in by_case and ours not in optional]
            if lacking:
                raise DataError(_no_column(table, lacking[0], where, form))
            out = {o: raw[by_case[c.lower()]] if c.lower() in by_case else None for o, c in columns.items()}
            frame = pd.DataFrame(out, index=pd.RangeIndex(first, first + len(raw))).astype("str")
            frame.attrs["decimal"] = decimal
            first += len(frame)
            place.bad.read(table.name, len(frame))
            yield _in_place(frame, shape.odd, table.name, place)
    except READING as e:
        raise DataError(unreadable(table.name, e)) from e
    if shape.header and first != shape.rows:
        raise DataError(
            f"{table.name}: {first} rows can be read, but its lines are {shape.rows}: quotation marks or line ends "
            "that cannot be told apart. Export it again."
        )
    if not first and not many:
        raise DataError(f"{table.name}: an empty table. Export it again, or take it out of the folder.")


def _shape(table: Path | DatabaseTable, form: TableFormat) -> lines.Shape:
    """What the lines of a text file are like; of other tables nothing is to be said."""
    if not isinstance(table, Path) or _is_parquet(table):
        return lines.Shape((), 0, {})
    try:
        return lines.shape(table, _delimiter(table, form), form.encoding)
    except READING as e:
        raise DataError(unreadable(table.name, e)) from e


def _check_twice(table: Path | DatabaseTable, header: tuple[str, ...], wanted: set[str]) -> None:
    """Refuse a header that names a wanted column twice: nobody knows which is meant."""
    names = [plain(c) for c in header]
    twice = next((c for c in names if c in wanted and names.count(c) > 1), None)
    if twice is not None:
        raise DataError(
            f"{table.name}: {names.count(twice)} columns are called {twice!r}. Rename all but one."
        )


def _in_place(frame: pd.DataFrame, odd: Mapping[int, lines.Odd], file: str, place: Place) -> pd.DataFrame:
    """The rows whose cells stand under their own columns; the others are counted as bad."""
    wrong = [row for row in odd if row in frame.index]
    if not wrong:
        return frame
    found = [f"{odd[row].cells} cells in line {odd[row].line}" for row in wrong]
    place.bad.add(file, "more or fewer cells than the header has", wrong, found)
    kept = frame.drop(index=wrong)
    kept.attrs = frame.attrs
    return kept


def columns_of(table: Path | DatabaseTable, form: TableFormat) -> list[str]:
    """Names of the columns of a table, as they stand there; none where it is empty.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        if not isinstance(table, Path):
            return table.columns()
        if _is_parquet(table):
            import pyarrow.parquet as pq

            return list(pq.read_schema(table).names)
        return [str(c).strip('"') for c in _opened(table, form, nrows=0).columns]
    except pd.errors.EmptyDataError:
        return []
    except READING as e:
        raise DataError(unreadable(table.name, e)) from e


def plain(name: object) -> str:
    """The name of a column as it is compared.

    >>> plain(' "Person_ID" ')
    'person_id'
    """
    return str(name).strip().strip('"').lower()


def _errors() -> tuple[type[Exception], ...]:
    import pyarrow as pa

    own = (pd.errors.ParserError, csv.Error, UnicodeDecodeError, LookupError)
    return (*own, EOFError, zlib.error, lzma.LZMAError, OSError, pa.lib.ArrowException)


READING = _errors()
"""What reading a damaged file raises."""


def unreadable(file: str, error: Exception) -> str:
    """One line about a file that cannot be read."""
    if isinstance(error, UnicodeDecodeError):
        return f"{file}: not {error.encoding}: {error.reason} at byte {error.start}. Name its `encoding`."
    reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
    return f"{file}: cannot be read: {reason}. Copy or export it again."


def _no_column(table: Path | DatabaseTable, lacking: str, where: str, form: TableFormat) -> str:
    have = columns_of(table, form)
    shown = ", ".join(have[:30]) + (f" and {len(have) - 30} more" if len(have) > 30 else "")
    return f"{table.name}: no column {lacking!r}; it has {shown}. Name the right one in {where}."


def _is_parquet(file: Path) -> bool:
    return file.name.lower().endswith(".parquet")


def _raw(
    table: Path | DatabaseTable, wanted: set[str], of_codes: set[str], form: TableFormat
) -> Iterator[tuple[pd.DataFrame, str]]:
    """Chunks of the wanted columns, and the mark in their numbers."""
    empty, no_code = (
        list(form.missing or ()) if form.missing is not None else list(w) for w in (NOTHING, NO_CODE)
    )
    if isinstance(table, Path) and not _is_parquet(table):
        yield from _text(table, wanted, form, lambda c: [*(no_code if plain(c) in of_codes else empty), ""])
        return
    frames = _parquet(table, wanted) if isinstance(table, Path) else _of_database(table, wanted)
    for frame in frames:
        cells = {
            c: frame[c].mask(frame[c].isin([*(no_code if plain(c) in of_codes else empty), ""]))
            for c in frame
        }
        yield pd.DataFrame(cells, index=frame.index), "."


def _of_database(table: DatabaseTable, wanted: set[str]) -> Iterator[pd.DataFrame]:
    return table.chunks([c for c in table.columns() if plain(c) in wanted])


def _parquet(file: Path, wanted: set[str]) -> Iterator[pd.DataFrame]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        some = [n for n in parquet.schema_arrow.names if plain(n) in wanted]
        for batch in parquet.iter_batches(CHUNK, columns=some):
            cells = {n: as_text(pa.chunked_array([batch.column(n)])) for n in some}
            yield pd.DataFrame(cells, index=range(batch.num_rows), dtype=object)


def as_text(column: Any) -> NDArray[np.object_]:
    """Cells of an Arrow column as a CSV would hold them: whole numbers without a point, dates as `2010-05-17`."""
    import pyarrow as pa

    from .columns import texts

    if not pa.types.is_floating(column.type):
        return texts(column)
    value = column.to_numpy().astype(np.float64)
    whole = np.isfinite(value) & (value == np.floor(value)) & (np.abs(value) < 1e15)
    single = pa.types.is_float32(column.type)
    cells = [
        None if v != v else str(int(v)) if w else str(np.float32(v)) if single else str(v)
        for v, w in zip(value.tolist(), whole.tolist(), strict=True)
    ]
    return np.array(cells, dtype=object)


def _text(
    file: Path, wanted: set[str], form: TableFormat, empty: Callable[[str], list[str]]
) -> Iterator[tuple[pd.DataFrame, str]]:
    try:
        head = _opened(file, form, nrows=0).columns
    except pd.errors.EmptyDataError:
        return
    some = [c for c in head if plain(c) in wanted]
    if not some:
        yield pd.DataFrame(), "."
        return
    delimiter = _delimiter(file, form)
    decimal = form.decimal or ("," if delimiter == ";" else ".")
    words = {c: empty(c) for c in some}
    with (
        warnings.catch_warnings(),
        _opened(file, form, usecols=some, chunksize=CHUNK, keep_default_na=False, na_values=words) as reader,
    ):
        warnings.simplefilter("ignore", pd.errors.ParserWarning)  # longer lines: `lines.shape` counts them
        for frame in reader:
            yield (frame if lines.quotes(file, delimiter) else _unquoted(frame)), decimal


def _opened(file: Path, form: TableFormat, **more: Any) -> Any:
    """The file in pandas."""
    delimiter = _delimiter(file, form)
    more |= {} if lines.quotes(file, delimiter) else {"quoting": csv.QUOTE_NONE}
    more |= {} if len(delimiter) == 1 or delimiter == lines.BLANKS else {"engine": "python"}
    return pd.read_csv(file, sep=delimiter, dtype=str, encoding=form.encoding, index_col=False, **more)


def _unquoted(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells without the quotation marks around them, where an export has them after all."""
    out = frame.rename(columns=lambda c: str(c).strip('"'))
    for column in out:
        quoted = out[column].str.fullmatch(r'".*"').fillna(False).astype(bool)
        if quoted.any():
            bare = out[column].str[1:-1]
            out[column] = out[column].mask(quoted, bare.mask(bare == ""))
    return out


def _delimiter(file: Path, form: TableFormat) -> str:
    """What stands between the columns: as named, or the commonest of the usual marks in the first line."""
    if form.delimiter is not None:
        plain = form.delimiter if len(form.delimiter) == 1 else re.escape(form.delimiter)
        return {"space": lines.BLANKS, "tab": "\t", "\\t": "\t"}.get(form.delimiter, plain)
    with lines.opened(file) as f:
        line = f.readline(1 << 20).decode(form.encoding, errors="replace")
    bare = "".join(line.split('"')[::2]).strip()
    counts = {d: bare.count(d) for d in DELIMITERS}
    best = max(counts, key=lambda d: counts[d])
    if counts[best]:
        return best
    return lines.BLANKS if len(bare.split()) > 1 else ","


def sex(text: "pd.Series[str]", words: Mapping[str, str]) -> NDArray[np.object_]:
    """`male`, `female` or None, by the words of the study file first; 1 and 1.0 are the same word.

    >>> sex(pd.Series(["M", "8532", "x", "1.0"]), {"1": "male"}).tolist()
    ['male', 'female', None, 'male']
    """
    known = {"m": "male", "male": "male", "8507": "male", "f": "female", "female": "female", "8532": "female"}
    known |= {_word(k): v for k, v in words.items()}
    return np.array([known.get(_word(t)) for t in text], dtype=object)


def word(cell: object, words: Mapping[str, str]) -> str | None:
    """The word that a study file gives for a cell; None where it gives none. 1 and 1.0 are the same cell.

    >>> word("1.0", {"1": "yes", "0": "no"}), word("7", {"1": "yes"})
    ('yes', None)
    """
    return None if cell is None or cell != cell else {_word(k): v for k, v in words.items()}.get(_word(cell))


def _word(cell: object) -> str:
    return str(cell).strip().lower().removesuffix(".0")
