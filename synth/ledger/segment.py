"""One file of a ledger: lines of JSON while it grows, zstd Parquet once it is sealed. Entries are found by row."""

import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from ...study.errors import DataError

Entry = dict[str, Any]
"""`k` key, `e` sent | batch | answer | fault, `a` attempt, `t` unix time, `s` seconds, `b` body, `f` fault,
`d` detail, `u` why the body could not be read, `g` tokens guessed where none are counted, `m` mark of a batch."""

BLOCK = 256
"""Rows that are read together."""


class LedgerSegment:
    """A file of entries.

    Args:
        path: ending in `.jsonl` or `.parquet`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self.bytes = 0
        """Of whole lines."""
        self._marks: list[int] = []
        self._block = lru_cache(maxsize=8)(self._read_block)

    def scan(self) -> Iterator[Entry]:
        """All entries in order; afterwards rows can be read. A cut last line belongs to a writer that died.

        Raises:
            DataError: a damaged line that is not the last.
        """
        self.rows = self.bytes = 0
        self._marks.clear()
        self._look()
        if self.path.suffix == ".parquet":
            for batch in self._parquet().iter_batches(4096):
                for row in batch.to_pylist():
                    self.rows += 1
                    yield _from_row(row)
            return
        with self.path.open("rb") as f:
            for line in f:
                entry = unpacked(line)
                if entry is None:
                    if f.read(1):
                        raise DataError(
                            f"{self.path}:{self.rows + 1}: the line is damaged. Restore the file from a copy."
                        )
                    return
                self.grew(len(line))
                yield entry

    def grew(self, length: int) -> None:
        """Another line of so many bytes is in the file."""
        if self.rows % BLOCK == 0:
            self._marks.append(self.bytes)
        self.rows += 1
        self.bytes += length

    def mend(self) -> None:
        """Cut off what stands behind the last whole line; only its writer may."""
        if self.path.stat().st_size != self.bytes:
            os.truncate(self.path, self.bytes)

    def entry(self, row: int) -> Entry:
        """One entry by its row."""
        block = self._block(row // BLOCK)
        if row % BLOCK >= len(block):  # the file has grown since
            self._block.cache_clear()
            block = self._block(row // BLOCK)
        stored = block[row % BLOCK]
        entry = unpacked(stored) if isinstance(stored, bytes) else _from_row(stored)
        if entry is None:
            raise DataError(f"{self.path}:{row + 1}: the line is damaged. Restore the file from a copy.")
        return entry

    def _look(self) -> None:
        """Another process, or the last act of one that was killed, may have sealed the file meanwhile."""
        if not self.path.exists():
            self.path = self.path.with_suffix(".parquet")

    def _read_block(self, number: int) -> list[Any]:
        self._look()
        if self.path.suffix == ".parquet":
            rows: list[Any] = self._parquet().read_row_group(number).to_pylist()
            return rows
        with self.path.open("rb") as f:
            f.seek(self._marks[number])
            return [line for _, line in zip(range(BLOCK), f, strict=False)]

    def _parquet(self) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path)

    def seal(self) -> "LedgerSegment":
        """The same entries as zstd Parquet, a fifth of the size; the lines go once the table is in place.

        Done in a process of its own: the job's memory does not grow, and Ctrl-C does not reach it.

        Raises:
            DataError: it could not be done; the lines are still there.
        """
        command = [sys.executable, "-m", __name__, str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
        if done.returncode:
            raise DataError(f"{self.path}: not sealed: {done.stderr.strip().rpartition(chr(10))[2]}")
        sealed = LedgerSegment(self.path.with_suffix(".parquet"))
        sealed.rows = self.rows
        return sealed


def seal(path: Path) -> None:
    """Write the table beside the lines, then remove them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = path.with_suffix(".parquet")
    part = target.with_name(target.name + ".part")
    text = pa.string()
    schema = pa.schema(
        [
            ("k", text),
            ("e", text),
            ("a", pa.int32()),
            ("t", pa.float64()),
            ("s", pa.float64()),
            ("f", text),
            ("d", text),
            ("u", text),
            ("m", text),
            ("b", text),
            ("g", pa.list_(pa.int64())),
        ]
    )
    entries = LedgerSegment(path).scan()
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        while rows := [_to_row(entry) for entry in islice(entries, BLOCK)]:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    with part.open("rb") as f:
        os.fsync(f.fileno())
    part.replace(target)
    path.unlink()


def packed(entry: Entry) -> bytes:
    """An entry as a line: JSON, a tab, its CRC-32, a newline.

    >>> unpacked(packed({"k": "00", "e": "sent"}))
    {'k': '00', 'e': 'sent'}
    """
    data = orjson.dumps(entry)
    return b"%s\t%08x\n" % (data, zlib.crc32(data))


def unpacked(line: bytes) -> Entry | None:
    """The entry of a line; None where the line is damaged or cut."""
    data, tab, crc = line.rpartition(b"\t")
    if not tab or len(crc) != 9 or crc[8:] != b"\n":
        return None
    try:
        entry: Entry | None = orjson.loads(data) if int(crc, 16) == zlib.crc32(data) else None
    except ValueError:
        return None
    return entry


def _to_row(entry: Entry) -> Entry:
    return {**entry, "b": orjson.dumps(entry["b"]).decode()} if "b" in entry else entry


def _from_row(row: Entry) -> Entry:
    entry = {name: value for name, value in row.items() if value is not None}
    return {**entry, "b": orjson.loads(entry["b"])} if "b" in entry else entry


if __name__ == "__main__":
    seal(Path(sys.argv[1]))
