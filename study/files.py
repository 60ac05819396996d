"""Files that are written row by row and appear whole."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .reads import exists, reading
from .records import SCHEMA_VERSION, Record, part_of, read_jsonl

R = TypeVar("R", bound=Record)


@contextmanager
def writing(path: Path) -> Iterator[Callable[[Record], None]]:
    """Rows go to `<path>.part`; the file is at `path` when the block ends well, and only then."""
    part = part_of(path)
    with part.open("w", encoding="utf-8") as f:

        def put(row: Record) -> None:
            f.write(row.model_dump_json() + "\n")

        yield put
        f.flush()
        os.fsync(f.fileno())
    part.replace(path)


@contextmanager
def writing_table(
    path: Path, kind: type[Record], schema: Any, rows: int = 65536
) -> Iterator[Callable[[Record], None]]:
    """The same for a Parquet table of `kind`, in row groups of `rows`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    label = {"wherefore.record": kind.__name__, "wherefore.schema": str(SCHEMA_VERSION)}
    schema = pa.schema(schema, metadata=label)
    part = part_of(path)
    held: list[dict[str, Any]] = []
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(held, schema=schema))
            held.clear()

        def put(row: Record) -> None:
            held.append(row.model_dump())
            if len(held) >= rows:
                flush()

        yield put
        if held:
            flush()
    part.replace(path)


def rows(path: Path, kind: type[R]) -> list[R]:
    """The rows of a JSONL file; none where the stage left no such file."""
    return list(read_jsonl(path, kind)) if exists(path) else []


def text(path: Path) -> str | None:
    """The text of a file; None where the stage left no such file."""
    return reading(path).read_text(encoding="utf-8") if exists(path) else None


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time inside the block; others wait. The lock goes with the process, however it ends."""
    with lock.open("w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield
