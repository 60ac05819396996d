"""A Parquet table of records written a piece at a time, so that it need not fit in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args, get_origin

from .records import Record, labelled, part_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class TableWriter:
    """Writes rows of one kind of record; the file appears when all are written, or not at all.

    Use it in a `with` block: what raises inside leaves no file behind.
    """

    def __init__(self, path: Path, kind: type[Record]) -> None:
        """Open a file beside `path`.

        Raises:
            TypeError: a field of the record is neither text nor a number nor a time nor true or false.
        """
        import pyarrow.parquet as pq

        self._path, self._part = path, part_of(path)
        self._schema = schema(kind)
        self._writer = pq.ParquetWriter(self._part, self._schema, compression="zstd")

    def append(self, frame: "pd.DataFrame") -> None:
        """More rows; columns that the record does not have are left out."""
        import pyarrow as pa

        if len(frame):
            self._writer.write_table(
                pa.Table.from_pandas(frame[self._schema.names], self._schema, preserve_index=False)
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._writer.close()
        if error is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()


def pieces(path: Path, columns: Sequence[str] | None = None) -> Iterator["pd.DataFrame"]:
    """The rows of a table, as they were appended."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=None if columns is None else list(columns)).to_pandas()


def schema(kind: type[Record]) -> "pa.Schema":
    """The columns of a flat record, whatever the rows at hand: a column without a value has its type too.

    >>> class Pair(Record):
    ...     name: str
    ...     age: float | None
    >>> schema(Pair).field("age").type
    DataType(double)
    """
    import pyarrow as pa

    fields = [pa.field(name, _type(field.annotation)) for name, field in kind.model_fields.items()]
    return pa.schema(fields, metadata=labelled(kind))


def _type(annotation: Any) -> "pa.DataType":
    import pyarrow as pa

    options = {a for a in get_args(annotation) if a is not type(None)}
    if get_origin(annotation) is Literal:
        annotation = type(next(iter(options)))
    elif options:
        (annotation,) = options
        return _type(annotation)
    types = {
        str: pa.string(),
        float: pa.float64(),
        int: pa.int64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("us"),
    }
    if annotation not in types:
        raise TypeError(f"{annotation} is no cell of a table")
    return types[annotation]
