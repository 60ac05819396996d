"""Lines of a text table before it is parsed: are cells quoted, and which lines have more cells than the header."""

import bz2
import csv
import gzip
import lzma
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


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


def longer(file: Path, delimiter: str, encoding: str) -> dict[int, int]:
    """Rows with more cells than the header -> how many they have. Cells moved there, so none of them can be believed.

    A mark at the end of every line is the form of some exports, and counts for nothing; the first line tells. Nothing
    is checked where bytes are not characters (UTF-16) or blanks separate the columns.
    """
    if len(delimiter) != 1 or encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        return {}
    mark, quoted, out = delimiter.encode(), quotes(file, delimiter), dict[int, int]()
    with opened(file) as raw:
        lines = (line for line in _records(raw, quoted) if line.strip())
        width = _cells(next(lines, b""), mark, quoted)
        ended = None
        for row, line in enumerate(lines):
            n = _cells(line, mark, quoted) if line.count(mark) >= width else width
            marked = n == width + 1 and line.rstrip(b"\r\n").endswith(mark)
            ended = marked if ended is None else ended
            if n > width and not (ended and marked):
                out[row] = n
    return out


def _records(lines: Any, quoted: bool) -> Iterator[bytes]:
    """Lines, those that a quoted cell goes on over joined."""
    for line in lines:
        while quoted and line.count(b'"') % 2 and (more := next(lines, b"")):
            line += more
        yield line


def _cells(line: bytes, mark: bytes, quoted: bool) -> int:
    bare = line.rstrip(b"\r\n")
    if quoted and b'"' in bare:
        row = next(csv.reader(bare.decode("latin-1").splitlines(keepends=True), delimiter=mark.decode()), [])
        return len(row)
    return bare.count(mark) + 1
