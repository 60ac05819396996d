"""What every record on disk shares: frozen, closed, versioned; JSONL for people, Parquet for machines."""

import hashlib
import json
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import DataError, did_you_mean
from .reads import reading

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
"""Written into every file; raised when a field changes its meaning or goes."""

R = TypeVar("R", bound="Record")


class Record(BaseModel):
    """A row. Unknown fields are refused, and so are NaN and infinity (say `None` and why)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def digest(value: object) -> str:
    """Twelve hex digits that depend on the JSON of `value` and not on the order of its keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def first_fault(error: ValidationError, kind: type[BaseModel]) -> str:
    """What pydantic found wrong first, in one line: which key, what was found, what is allowed.

    An unknown key comes before a missing one: it is most often that very key, misspelt.
    """
    faults = error.errors()
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    where = ".".join(str(part) for part in fault["loc"]) or "the row"
    if fault["type"] == "extra_forbidden":
        return f"{where}: unknown key; {did_you_mean(str(fault['loc'][-1]), _fields_at(kind, fault['loc'][:-1]))}"
    if fault["type"] == "missing":
        return f"{where}: missing, and it has no default."
    value = json.dumps(fault["input"], default=str)
    value = value if len(value) <= 80 else value[:77] + "..."
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
    return f"{where}: {message[0].lower() + message[1:]} (found {value})."


def _fields_at(kind: Any, path: tuple[int | str, ...]) -> list[str]:
    """The names allowed at a place inside a record; empty where the place is no record."""
    for part in path:
        fields: dict[str, Any] = getattr(kind, "model_fields", {})
        if isinstance(part, str) and part in fields:
            kind = fields[part].annotation
        while get_origin(kind) is not None:  # tuple[Kind, ...], Kind | None
            inner = [a for a in get_args(kind) if hasattr(a, "model_fields") or get_origin(a)]
            kind = inner[0] if inner else None
    return list(getattr(kind, "model_fields", {}))


def part_of(path: Path) -> Path:
    """An empty file beside `path`, to be filled and moved into its place; its owner alone may read it.

    What is written here may be patient text.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    part.chmod(0o600)
    return part


def write_text(path: Path, text: str, shared: bool = False) -> None:
    """Write beside `path`, then move into place: a reader never sees half a file.

    Args:
        path: of the file.
        text: all of it.
        shared: whether several processes may write this file at the same time; the last one stands.
    """
    part = part_of(path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}") if shared else path)
    with part.open("w", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    part.replace(path)


def read_record(path: Path, kind: type[R], remedy: str = "Run its stage again.") -> R:
    """The one record of a JSON file.

    Raises:
        DataError: damaged, or another record; `remedy` says what to do.
    """
    try:
        return kind.model_validate_json(reading(path).read_text(encoding="utf-8"))
    except ValidationError as e:
        raise DataError(f"{path}: not a valid {kind.__name__}: {first_fault(e, kind)} {remedy}") from e


def write_jsonl(path: Path, rows: Iterable[Record]) -> int:
    """Write rows, one JSON object a line, atomically; return how many."""
    part = part_of(path)
    n = 0
    with part.open("w", encoding="utf-8") as f:
        for row in rows:
            f.write(row.model_dump_json() + "\n")
            n += 1
        f.flush()
        os.fsync(f.fileno())
    part.replace(path)
    return n


def read_jsonl(path: Path, kind: type[R]) -> Iterator[R]:
    """Yield the rows of `path`.

    Raises:
        DataError: a bad line, by file and line number; never a skip.
    """
    with reading(path).open(encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            try:
                yield kind.model_validate_json(line)
            except ValidationError as e:
                raise DataError(
                    f"{path}:{number}: {first_fault(e, kind)} Each row here is one {kind.__name__}."
                ) from e


def to_frame(rows: Iterable[Record], kind: type[Record]) -> "pd.DataFrame":
    """Records as a data frame, one column a field, also when there is no row."""
    import pandas as pd

    return pd.DataFrame([row.model_dump() for row in rows], columns=list(kind.model_fields))


def from_frame(frame: "pd.DataFrame", kind: type[R]) -> list[R]:
    """Rows of a data frame as records; missing cells become None.

    Raises:
        DataError: a row that is not a `kind`, by its position.
    """
    out: list[R] = []
    columns = {name: frame[name].tolist() for name in frame.columns}
    for i in range(len(frame)):
        row = {name: _plain(values[i]) for name, values in columns.items()}
        try:
            out.append(kind.model_validate(row))
        except ValidationError as e:
            raise DataError(f"{kind.__name__} table, row {i}: {first_fault(e, kind)}") from e
    return out


def _plain(value: object) -> object:
    """A cell as Python knows it: NaN, NaT and pandas' NA are None; arrays are tuples."""
    if value is None or value is ...:
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return tuple(value)
    return None if value != value or type(value).__name__ == "NAType" else value


def labelled(kind: type[Record]) -> dict[str, str]:
    """What a Parquet file says of the records in it."""
    return {"wherefore.record": kind.__name__, "wherefore.schema": str(SCHEMA_VERSION)}


def write_table(path: Path, frame: "pd.DataFrame", kind: type[Record]) -> int:
    """Write a data frame of `kind` rows as Parquet, atomically, with record name and schema version.

    Raises:
        DataError: the columns are not the fields of `kind`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = list(kind.model_fields)
    if set(frame.columns) != set(fields):
        extra, lacking = set(frame.columns) - set(fields), set(fields) - set(frame.columns)
        raise DataError(
            f"{path}: not a {kind.__name__} table: lacking {sorted(lacking)}, unknown {sorted(extra)}."
        )
    table = pa.Table.from_pandas(frame[fields], preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **labelled(kind)})
    part = part_of(path)
    pq.write_table(table, part, compression="zstd")
    part.replace(path)
    return len(frame)


def read_table(path: Path, kind: type[Record], columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Read a Parquet table written by `write_table`.

    Args:
        path: of the file.
        kind: what a row is.
        columns: the fields that are wanted; None: all.
    Raises:
        DataError: the file is missing, holds another record, or has another schema version.
    """
    import pyarrow.parquet as pq

    if not reading(path).exists():
        raise DataError(f"{path}: missing. Run the stage that writes it first.")
    table = pq.read_table(path, columns=list(columns) if columns is not None else None)
    label = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
    schema = (label.get("wherefore.record"), label.get("wherefore.schema"))
    if schema != (kind.__name__, str(SCHEMA_VERSION)):
        raise DataError(
            f"{path}: holds {schema[0] or 'no named record'} version {schema[1] or 'none'}, "
            f"not {kind.__name__} version {SCHEMA_VERSION}. Run the stage that writes it again in a new run folder."
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame


Level = Literal["nominal", "ordinal", "interval", "ratio"]
"""How far apart two categories of a scale are."""
