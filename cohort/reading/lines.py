"""Lines of a text table before it is parsed: are cells quoted, and which lines have another number of cells."""

import bz2
import csv
import gzip
import io
import lzma
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BLANKS = r"\s+"
"""The delimiter of columns that blanks separate."""


def opened(file: Path) -> Any:
    """The file, unpacked, as bytes."""
    opener = next((o for end, o in _OPENERS.items() if file.name.lower().endswith(end)), Path.open)
    return opener(file, "rb")


def quotes(file: Path, delimiter: str) -> bool:
    """Whether cells are wrapped in quotation marks, so that one may hold the delimiter or go on over several lines.

    Tab-separated exports (OHDSI Athena's vocabularies) hold lone marks in their names and wrap nothing. One that
    wraps has lines with another number of tabs than the first, and marks at the beginning of cells.
    """
    return delimiter != "\t" or _wraps(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _wraps(file: Path, changed: int) -> bool:
    other = begins = False
    with opened(file) as lines:
        tabs = next(lines, b"").count(b"\t")
        for line in lines:
            other |= line.count(b"\t") != tabs and bool(line.strip())
            begins |= line.startswith(b'"') or b'\t"' in line
            if other and begins:
                return True
    return False


class Odd(NamedTuple):
    """A row whose cells may stand under the wrong names."""

    cells: int
    line: int
    """Of the file, from 1; where it begins."""


class Shape(NamedTuple):
    """What the lines of a table are like."""

    header: tuple[str, ...]
    rows: int
    odd: dict[int, Odd]
    """Rows, from 0, that have fewer or more cells than the header."""


def shape(file: Path, delimiter: str, encoding: str) -> Shape:
    """Count the cells of every row.

    A line ends with any of \\n, \\r\\n and \\r; blank lines are none. A mark at the end of every line, or of the
    header alone, is the form of some exports and counts for nothing; the first row tells.

    Args:
        file: packed or not.
        delimiter: one character, or an expression.
        encoding: of the text.
    """
    encoding = "utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding
    before = csv.field_size_limit(1 << 30)  # a note may be long
    try:
        with io.TextIOWrapper(opened(file), encoding=encoding, newline="") as text:
            return _counted(_rows(_Lines(text), delimiter, quotes(file, delimiter)))
    finally:
        csv.field_size_limit(before)


class _Row(NamedTuple):
    """A row that is not blank."""

    line: int
    cells: int
    ended: bool
    """Its last cell is empty."""
    said: tuple[str, ...] = ()
    """The cells of the header."""


def _counted(rows: Iterator[_Row]) -> Shape:
    header = next(rows, _Row(0, 0, False))
    spare = header.ended and header.cells > 1  # the header ends with a mark
    width = header.cells - spare
    odd, n, ended = dict[int, Odd](), 0, None
    for n, row in enumerate(rows, 1):
        marked = row.ended and row.cells == width + 1
        ended = marked if ended is None else ended
        right = row.cells == width or marked if spare else marked if ended else row.cells == width
        if not right:
            odd[n - 1] = Odd(row.cells, row.line)
    return Shape(header.said, n, odd)


class _Lines:
    """Lines, and how many there were so far."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self.read = lines, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.read += 1
        return line


def _rows(lines: _Lines, delimiter: str, quoted: bool) -> Iterator[_Row]:
    """The header with its cells, and the rows; line by line as long as no cell is quoted."""
    mark = delimiter if len(delimiter) == 1 else None
    begun = False
    for line in lines:
        if quoted and '"' in line and (mark or delimiter == BLANKS):
            yield from _parsed(chain([line], lines), lines, delimiter, not begun)
            return
        bare = line.rstrip("\r\n")
        if not bare.strip() and not (mark and mark in bare):
            continue
        if mark and begun:
            yield _Row(lines.read, bare.count(mark) + 1, bare.endswith(mark))
        else:
            cells = (
                bare.split(mark)
                if mark
                else bare.split()
                if delimiter == BLANKS
                else re.split(delimiter, bare)
            )
            yield _Row(lines.read, len(cells), cells[-1] == "", () if begun else tuple(cells))
            begun = True


def _parsed(rest: Iterator[str], lines: _Lines, delimiter: str, first: bool) -> Iterator[_Row]:
    """Rows of which cells may be quoted, and go on over several lines; `first`: the header is the first of them."""
    if delimiter == BLANKS:
        rest = (re.sub(r"[ \t]+(?=[\r\n]*$)", "", x.lstrip(" \t").replace("\t", " ")) for x in rest)
    mark, blanks = (" ", True) if delimiter == BLANKS else (delimiter, False)
    reader, line = csv.reader(rest, delimiter=mark, skipinitialspace=blanks), lines.read
    for cells in reader:
        if cells and (len(cells) > 1 or cells[0] == "" or cells[0].strip()):
            yield _Row(line, len(cells), not cells[-1], tuple(cells) if first else ())
            first = False
        line = lines.read + 1
