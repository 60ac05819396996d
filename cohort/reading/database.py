"""Tables of a DuckDB file, read as they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ...study.errors import DataError, StudyError, not_installed
from .tables import CHUNK, as_text

ENDINGS = (".duckdb", ".db", ".ddb")


class Database:
    """The tables of a schema, by name whatever their case."""

    def __init__(self, path: Path, schema: str | None) -> None:
        """Open the file for reading.

        Args:
            path: of the file.
            schema: None: of all schemas; then a name may occur in one of them only.
        Raises:
            MissingPartError: the package duckdb is not installed.
            DataError: not a DuckDB file.
            StudyError: no such schema.
        """
        try:
            import duckdb
        except ImportError as e:
            raise not_installed("cohort.source.path", "the package duckdb", "duckdb") from e
        self.root = path
        try:
            self._connection = duckdb.connect(str(path), read_only=True)
        except duckdb.Error as e:
            raise DataError(f"{path.name}: cannot be opened as DuckDB: {str(e).splitlines()[0]}.") from e
        query = (
            "SELECT table_schema, table_name, table_catalog FROM information_schema.tables "
            "WHERE table_catalog = current_database()"
        )
        tables = self._connection.execute(query).fetchall()
        self._tables = [(schema, table) for schema, table, _ in tables]
        self._catalog = next((catalog for _, _, catalog in tables), "")
        schemas = sorted({s for s, _ in self._tables})
        if schema is not None and schema not in schemas:
            raise StudyError(f"cohort.source.schema: no schema {schema!r}; there is: {', '.join(schemas)}.")
        self._schema = schema

    def table(self, name: str) -> "list[DuckTable]":
        """The table of that name; empty: none.

        Raises:
            StudyError: several schemas have one.
        """
        tables = [(s, t) for s, t in self._tables if t.lower() == name.lower() and self._schema in (None, s)]
        if len(tables) > 1:
            schemas = ", ".join(sorted(s for s, _ in tables))
            raise StudyError(
                f"cohort.source.schema: {name!r} is in {schemas}. Name the one that holds the records."
            )
        return [DuckTable(self._connection, self._catalog, *tables[0])] if tables else []

    def names(self) -> list[str]:
        """What the tables that are there are called, for an error."""
        return sorted({t.lower() for s, t in self._tables if self._schema in (None, s)})


class DuckTable:
    """One table."""

    def __init__(self, connection: Any, catalog: str, schema: str, table: str) -> None:
        self._connection, self.name = connection, table
        # with the catalog in front: a file cdm.duckdb with a schema cdm is ambiguous without it
        self._quoted = ".".join(map(_quoted, (catalog, schema, table)))

    def columns(self) -> list[str]:
        """Names of the columns."""
        return [row[0] for row in self._connection.execute(f"DESCRIBE {self._quoted}").fetchall()]

    def chunks(self, columns: list[str]) -> Iterator[pd.DataFrame]:
        """Rows of these columns, a chunk at a time, every cell as text or None."""
        import pyarrow as pa

        if not columns:
            return
        query = f"SELECT {', '.join(map(_quoted, columns))} FROM {self._quoted}"
        for batch in self._connection.cursor().sql(query).to_arrow_reader(CHUNK):
            cells = {c: as_text(pa.chunked_array([batch.column(i)])) for i, c in enumerate(columns)}
            yield pd.DataFrame(cells, index=range(batch.num_rows), dtype=object)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
