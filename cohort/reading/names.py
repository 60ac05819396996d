"""Names of tables and columns that differ from a standard's, as the study file maps them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Protocol

import pandas as pd

from ...study.errors import StudyError, did_you_mean
from ..events import Place
from . import tables
from .tables import DatabaseTable, TableFormat

TABLES, COLUMNS = "cohort.source.tables", "cohort.source.columns"


class Finds(Protocol):
    """Where tables are found by name."""

    def table(self, name: str) -> Sequence[Path | DatabaseTable]: ...

    def names(self) -> list[str]: ...


class Names:
    """The tables and columns of a standard under the names that they have here."""

    def __init__(
        self,
        names: Mapping[str, str],
        columns: Mapping[str, str],
        standard: Mapping[str, Set[str]],
        folder: Finds,
        place: Place,
    ) -> None:
        """Look up what the study file names.

        Args:
            names: standard name of a table -> its name here.
            columns: standard name, or `table.column`, -> the name here; empty where there is none.
            standard: table -> its columns, as far as they are read.
            folder: where the tables are.
            place: told which tables are not there.
        Raises:
            StudyError: a name that the standard does not have, or a table that is not there.
        """
        self._tables, self._columns, self._standard = names, columns, standard
        self._folder, self._place = folder, place
        for name in names:
            if name not in standard:
                raise StudyError(
                    f"{TABLES}: {name!r} is not a table that is read; {did_you_mean(name, standard)}"
                )
        for name in columns:
            self._known(name)
        self._lower = {k.lower(): v for k, v in columns.items()}
        place.bad.expect(COLUMNS, columns)

    def _known(self, name: str) -> None:
        table, dot, column = name.rpartition(".")
        if dot and table not in self._standard:
            raise StudyError(
                f"{COLUMNS}: {table!r} is not a table that is read; {did_you_mean(table, self._standard)}"
            )
        have = self._standard[table] if dot else {c for columns in self._standard.values() for c in columns}
        if column.lower() not in {c.lower() for c in have}:
            raise StudyError(
                f"{COLUMNS}: {column!r} is not a column that is read; {did_you_mean(column, have)}"
            )

    def files(self, table: str) -> Sequence[Path | DatabaseTable]:
        """The files of a table; none where it is not there, which is noted.

        Raises:
            StudyError: the study file names it, and it is not there.
        """
        name = self._tables.get(table, table)
        tables = self._folder.table(name)
        if not tables and table in self._tables:
            have = ", ".join(self._folder.names()[:30]) or "nothing"
            raise StudyError(f"{TABLES}.{table}: no table {name!r} found; there is: {have}.")
        if not tables:
            self._place.bad.lacks(table)
        return tables

    def rows(
        self,
        table: str,
        wanted: Mapping[str, str],
        form: TableFormat,
        optional: Set[str] = frozenset(),
        expected: Set[str] = frozenset(),
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        """File and rows of a table, a chunk at a time, under our names.

        Args:
            table: standard name.
            wanted: our name -> the standard's.
            form: how the tables are written.
            optional: ours that a table may lack; one that the study file names for this table may not be absent.
            expected: those of them whose absence is said.
        Raises:
            StudyError: the study file names the table, and it is not there.
            DataError: a column is missing.
        """
        here = {ours: self._here(table, standard) for ours, standard in wanted.items()}
        absent = {ours for ours, name in here.items() if not name}
        named = {ours for ours, standard in wanted.items() if f"{table}.{standard}".lower() in self._lower}
        theirs = {ours: name or f"no {wanted[ours]}" for ours, name in here.items()}
        for file in self.files(table):
            have = {tables.plain(c) for c in tables.columns_of(file, form)}
            for ours, standard in wanted.items():
                if ours in absent or theirs[ours].lower() in have:
                    self._used(table, standard)
                elif ours in expected:
                    self._place.bad.say(f"{file.name}: no column {theirs[ours]!r}")
            may_lack = frozenset((set(optional) - named) | absent)
            codes = frozenset({"code", "source"})
            for chunk in tables.chunks(
                file, theirs, self._place, COLUMNS, form, may_lack, many=True, codes=codes
            ):
                yield file.name, chunk

    def has(self, table: str, column: str, form: TableFormat) -> bool:
        """Whether the table is there and has this column of the standard, under whatever name."""
        files = self.files(table)
        return any(
            self._here(table, column).lower() in map(tables.plain, tables.columns_of(f, form)) for f in files
        )

    def _used(self, table: str, column: str) -> None:
        for name in self._columns:
            if name.lower() in (f"{table}.{column}".lower(), column.lower()):
                self._place.bad.use(COLUMNS, name)

    def _here(self, table: str, column: str) -> str:
        return self._lower.get(f"{table}.{column}".lower(), self._lower.get(column.lower(), column))
