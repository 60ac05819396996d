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
    with io.TextIOWrapper(opened(file), encoding=encoding, newline="") as text:
        rows = _rows(_Lines(text), delimiter, quotes(file, delimiter))
        _, width, last, header = next(rows, (0, 0, False, ()))
        spare = last and width > 1  # the header ends with a mark
        width -= spare
        odd, n, ended = dict[int, Odd](), 0, None
        for n, (line, cells, last, _) in enumerate(rows, 1):
            marked = last and cells == width + 1
            ended = marked if ended is None else ended
            right = cells == width or marked if spare else marked if ended else cells == width
            if not right:
                odd[n - 1] = Odd(cells, line)
    return Shape(header, n, odd)


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


def _rows(lines: _Lines, delimiter: str, quoted: bool) -> Iterator[tuple[int, int, bool, tuple[str, ...]]]:
    """Of each row that is not blank: its line, how many cells, whether the last is empty; the cells of the first."""
    mark = delimiter if len(delimiter) == 1 else None
    first = True
    for line in lines:
        at = lines.read
        bare = line.rstrip("\r\n")
        if first or (quoted and '"' in bare) or mark is None:
            cells = _cells(line, lines, delimiter, quoted and '"' in bare)
            if not cells or (len(cells) == 1 and '"' not in bare and not bare.strip()):
                continue
            yield at, len(cells), cells[-1] == "", tuple(cells) if first else ()
            first = False
        elif mark in bare:
            yield at, bare.count(mark) + 1, bare.endswith(mark), ()
        elif bare.strip():
            yield at, 1, False, ()


def _cells(line: str, more: Iterator[str], delimiter: str, quoted: bool) -> list[str]:
    """The cells of the row that begins with a line; a quoted one may go on over `more`."""
    if not quoted:
        bare = line.rstrip("\r\n")
        return (
            bare.split()
            if delimiter == BLANKS
            else re.split(delimiter, bare)
            if len(delimiter) > 1
            else bare.split(delimiter)
        )
    blanks = delimiter == BLANKS
    if len(delimiter) > 1 and not blanks:
        return re.split(delimiter, line.rstrip("\r\n"))
    line = re.sub(r"[ \t]+(?=[\r\n]*$)", "", line.lstrip(" \t").replace("\t", " ")) if blanks else line
    before = csv.field_size_limit(1 << 30)  # a note may be long
    try:
        reader = csv.reader(
            chain([line], more), delimiter=" " if blanks else delimiter, skipinitialspace=blanks
        )
        return next(reader, [])
    finally:
        csv.field_size_limit(before)
