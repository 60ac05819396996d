"""Every number of the page cites a row, and the rows travel with the page: one zip of CSV files inside it."""

import base64
import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ...study.records import Record
from ..tables import TABLES, Tables

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The zip's date for all its files: the same rows give the same bytes."""


class RowIds:
    """Ids of the rows of all tables: `C12` is row 12 of the comparisons."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._ids = {
            id(row): f"{table.prefix}{number}"
            for name, table in TABLES.items()
            for number, row in enumerate(getattr(tables, name), 1)
        }

    def __call__(self, row: Record | None) -> str:
        """The id of a row; empty for None and for what is in no table."""
        return self._ids.get(id(row), "")

    def key(self) -> list[tuple[str, str]]:
        """Letter and title of every table that has rows."""
        return [(t.prefix, t.title) for name, t in TABLES.items() if getattr(self.tables, name)]

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and text of a CSV file a table that has rows, the id in front."""
        for name, table in TABLES.items():
            rows = getattr(self.tables, name)
            if rows:
                out = io.StringIO()
                writer = csv.writer(out, lineterminator="\n")
                fields = list(table.kind.model_fields)
                writer.writerow(["row", *fields])
                writer.writerows([self(r), *(getattr(r, f) for f in fields)] for r in rows)
                yield f"{name}.csv", out.getvalue()


class Archive(NamedTuple):
    """Files that travel inside a page."""

    address: str
    """Of a zip; it holds the zip itself."""
    size: int
    """Bytes of the zip."""
    files: int


def archive(rows: RowIds, figures: Mapping[str, str], beside: Mapping[str, str]) -> Archive:
    """The rows, the figures and whatever lies beside the page."""
    texts = {
        **dict(rows.files()),
        **beside,
        **{f"figures/{name}.svg": text for name, text in figures.items()},
    }
    data = zipped(texts)
    return Archive(address(data, "application/zip"), len(data), len(texts))


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip of text files; the same texts give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def address(data: bytes, kind: str) -> str:
    """Data as an address that holds it.

    >>> address(b"a,b", "text/csv")
    'data:text/csv;base64,YSxi'
    """
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
