"""The cells of a text file: encoding and delimiter found, every row with its line number."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ....study.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""Tried in this order; blanks only where none of them divides the lines."""

LOOK = 200
"""Rows from which the delimiter is found."""


class Sheet(NamedTuple):
    """Cells as they stand in a file, before anything is known of a header."""

    rows: list[list[str]]
    lines: list[int]
    """Line (or row) of the file where each row starts."""
    format: str
    """How the file was read, in words."""
    notes: tuple[str, ...] = ()
    labels: dict[str, dict[str, str]] = {}  # noqa: RUF012 - never changed
    """Value labels by column, where the file declares some: code -> label, in order."""


def text_sheet(path: Path, delimiter: str | None = None, encoding: str | None = None) -> Sheet:
    """The cells of a delimited text file.

    Args:
        path: of the file.
        delimiter: None finds it.
        encoding: None finds it.
    Raises:
        DataError: bytes that the encoding does not know, unbalanced quotes, or no delimiter.
    """
    text, charset, notes = decode(path, encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    skipped = 0
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        delimiter, text, skipped = delimiter or first[4], rest, 1
    if not text.strip():
        raise DataError(f"{path}: the file is empty.")
    delimiter = _named(delimiter) if delimiter else _delimiter(text, path)
    rows, lines = _rows(text, delimiter, path, skipped)
    name = DELIMITERS.get(delimiter, "blank" if delimiter == " " else repr(delimiter))
    return Sheet(rows, lines, f"{name}-separated text, {charset}", notes)


def decode(path: Path, encoding: str | None = None) -> tuple[str, str, tuple[str, ...]]:
    """The text of a file, the name of its encoding, and what must be said of it.

    Raises:
        DataError: the encoding asked for does not fit the bytes, or nobody knows it.
    """
    raw = path.read_bytes()
    if encoding is not None:
        try:
            return raw.decode(encoding).lstrip("\ufeff"), encoding, ()
        except (UnicodeDecodeError, LookupError) as e:
            raise DataError(f"{path}: --encoding {encoding}: {e}.") from e
    marks = (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32")
    for mark, name in (*marks, (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return _decoded(raw, name, path), name.upper().removesuffix("-SIG"), ()
    head = raw[:4000]
    if head.count(0) > len(head) / 4:  # UTF-16 without its mark: every other byte of plain letters is 0
        name = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return _decoded(raw, name, path), name.upper(), ()
    try:
        return raw.decode("utf-8"), "UTF-8", ()
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        note = f"line {line} is not UTF-8: read as Windows-1252; --encoding names another one"
        return raw.decode("cp1252", errors="replace"), "Windows-1252", (note,)


def _decoded(raw: bytes, encoding: str, path: Path) -> str:
    try:
        return raw.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as e:
        raise DataError(f"{path}: looks like {encoding}, but {e.reason} at byte {e.start}.") from e


def _named(delimiter: str) -> str:
    """The character that a delimiter's name or escape stands for."""
    by_name = {name: character for character, name in DELIMITERS.items()} | {"\\t": "\t", "blank": " "}
    character = by_name.get(delimiter, delimiter)
    if len(character) != 1:
        raise DataError(f"--delimiter {delimiter!r}: give one character, or {', '.join(by_name)}.")
    return character


def _delimiter(text: str, path: Path) -> str:
    """The character that divides the lines most evenly."""
    fits = {d: _fit(text, d) for d in DELIMITERS}
    best = max(fits, key=lambda d: fits[d])
    if fits[best][0] == 0:
        best = " "
        if _fit(text, best)[0] == 0:
            raise DataError(
                f"{path}: no comma, semicolon, tab or bar separates its columns. Name the delimiter: --delimiter."
            )
    return best


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """Share of the rows that have the commonest width, and that width; (0, 0) where it is one column."""
    head = "\n".join(text.split("\n", LOOK)[:LOOK])
    lines = (line.strip() for line in io.StringIO(head)) if delimiter == " " else io.StringIO(head)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " "))
    except csv.Error:
        return 0.0, 0
    widths = Counter(len(row) for row in rows if any(cell.strip() for cell in row))
    if not widths:
        return 0.0, 0
    width, times = widths.most_common(1)[0]
    if width < 2:
        return 0.0, 0
    return round(times / widths.total(), 2), width


def _rows(text: str, delimiter: str, path: Path, skipped: int) -> tuple[list[list[str]], list[int]]:
    padded = delimiter == " "  # printed by R
    if padded:
        text = "\n".join(line.strip() for line in text.split("\n"))
    lines = io.StringIO(text.rstrip("\n"), newline="")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=padded, strict=True)
    rows, numbers, before = [], [], 0
    try:
        for row in reader:
            rows.append(row)
            numbers.append(before + 1 + skipped)
            before = reader.line_num
    except csv.Error as e:
        raise DataError(
            f"{path}:{before + 1 + skipped}: {e}: a quotation mark is not closed, or stands inside a cell. "
            'Double it ("") or remove it.'
        ) from e
    return rows, numbers
