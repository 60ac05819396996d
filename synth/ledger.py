"""Everything that was asked and answered, append-only: nothing is paid for twice and nothing is lost.

One line an entry, JSON and its CRC-32. A request is written down before it is sent and its raw answer before it
counts, each with its own write, so that the death of the process loses neither; `fdatasync` follows within a fraction
of a second against the death of the machine. One folder a writer; whoever opens a ledger reads all of them.
"""

import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from ..study.errors import DataError
from ..study.runs import locked
from .teaching import Body

Entry = dict[str, Any]
"""`k` key, `e` sent | answer | fault, `a` attempt, `t` unix time, `s` seconds, `b` body, `f` fault, `d` detail,
`u` why the body could not be read."""


class Ledger:
    """The entries of all writers, open for one of them. Use as a context manager.

    Raises:
        BusyError: another process writes under the same name.
        DataError: a line in the middle of a file is damaged.
    """

    def __init__(self, folder: Path, writer: str = "main") -> None:
        self.folder, self.writer = folder, writer
        self.unreadable: set[str] = set()
        """Keys whose answer could not be read when it came."""
        self.prompt_tokens = self.completion_tokens = 0
        self.unanswered: set[tuple[str, int]] = set()
        """Requests that were sent, and of which nothing came back: possibly paid, not received."""
        self._where: dict[str, tuple[Path, int, int]] = {}

    def __enter__(self) -> "Ledger":
        own = self.folder / self.writer
        self._lock = locked(own)
        self._lock.__enter__()
        mend(own)
        for path in segments(self.folder):
            offset = 0
            for entry, length in scan(path):
                self._note(entry, path, offset, length)
                offset += length
        path = max(own.glob("*.jsonl"), default=own / "0000.jsonl")
        self._path, self._file = path, path.open("ab", buffering=0)
        self._offset = self._file.seek(0, os.SEEK_END)
        self._dirty = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sync()
        self._file.close()
        self._lock.__exit__(kind, error, trace)

    def __contains__(self, key: str) -> bool:
        """Whether an answer to the request is stored."""
        return key in self._where

    def __len__(self) -> int:
        return len(self._where)

    def body(self, key: str) -> Body | None:
        """The stored raw answer; None where there is none."""
        where = self._where.get(key)
        if where is None:
            return None
        path, offset, length = where
        with path.open("rb") as f:
            f.seek(offset)
            entry = _entry(f.read(length))
        if entry is None or entry["k"] != key:
            raise DataError(f"{path}: the answer at byte {offset} is damaged. Restore the file from a copy.")
        body: Body = entry["b"]
        return body

    def sent(self, key: str, attempt: int) -> None:
        """Say that a request is about to be sent."""
        self._put({"k": key, "e": "sent", "a": attempt, "t": round(time.time(), 3)})

    def answer(
        self, key: str, attempt: int, seconds: float, body: Body, unreadable: str | None = None
    ) -> None:
        """Store a raw answer."""
        entry = {"k": key, "e": "answer", "a": attempt, "s": round(seconds, 4), "b": body}
        self._put({**entry, "u": unreadable} if unreadable else entry)

    def fault(self, key: str, attempt: int, seconds: float, kind: str, detail: str) -> None:
        """Store that a request had no answer, and why."""
        self._put({"k": key, "e": "fault", "a": attempt, "s": round(seconds, 4), "f": kind, "d": detail})

    def sync(self) -> None:
        """Wait until everything is on the disk."""
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._file.fileno())

    def _put(self, entry: Entry) -> None:
        data = orjson.dumps(entry)
        line = b"%s\t%08x\n" % (data, zlib.crc32(data))
        self._file.write(line)
        self._dirty = True
        self._note(entry, self._path, self._offset, len(line))
        self._offset += len(line)

    def _note(self, entry: Entry, path: Path, offset: int, length: int) -> None:
        key, attempt = entry["k"], entry["a"]
        if entry["e"] == "sent":
            self.unanswered.add((key, attempt))
            return
        self.unanswered.discard((key, attempt))
        if entry["e"] == "answer":
            self._where[key] = (path, offset, length)
            usage = entry["b"].get("usage") or {}
            self.prompt_tokens += usage.get("prompt_tokens") or 0
            self.completion_tokens += usage.get("completion_tokens") or 0
            if "u" in entry:
                self.unreadable.add(key)


def segments(folder: Path) -> list[Path]:
    """All files of all writers."""
    return sorted(folder.glob("*/*.jsonl"))


def scan(path: Path) -> Iterator[tuple[Entry, int]]:
    """Entries of a file with their length in bytes. An unfinished last line belongs to a writer that died.

    Raises:
        DataError: a line that is damaged and not the last.
    """
    with path.open("rb") as f:
        bad = None
        for number, line in enumerate(f, 1):
            if bad is not None:
                raise DataError(f"{path}:{bad}: the line is damaged. Restore the file from a copy.")
            entry = _entry(line)
            if entry is None:
                bad = number
                continue
            yield entry, len(line)


def mend(folder: Path) -> None:
    """Cut the unfinished last line off the last file of a writer that died."""
    for path in sorted(folder.glob("*.jsonl"))[-1:]:
        good = sum(length for _, length in scan(path))
        if path.stat().st_size != good:
            os.truncate(path, good)


def _entry(line: bytes) -> Entry | None:
    data, tab, crc = line.rpartition(b"\t")
    if not tab or len(crc) != 9 or crc[8:] != b"\n":
        return None
    try:
        if int(crc, 16) != zlib.crc32(data):
            return None
        found: Entry = orjson.loads(data)
    except ValueError:
        return None
    return found
