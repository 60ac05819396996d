"""Synthea's CSV export: `patients.csv` and a table a kind of event. What is missing is left out."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from pydantic import Field

from ...study.errors import StudyError
from ...study.records import Record
from .. import codes, tables
from ..events import Place
from ..gather import Batch, Gathered
from ._people import People, shaped


class Options(Record):
    """Where the tables are and which names differ."""

    path: str
    """A folder with the tables, or a zip of one."""
    tables: dict[str, str] = Field(default_factory=dict)
    """Synthea's name of a table -> its name here, without the ending."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Synthea's name of a column -> its name here; `table.COLUMN` for one table only."""
    date_format: str | None = None


class _Table(NamedTuple):
    kind: str
    date: str
    system: str
    """Where the table has no column SYSTEM."""


TABLES = {
    "conditions": _Table("condition", "START", "SNOMED"),
    "medications": _Table("drug", "START", "RxNorm"),
    "procedures": _Table("procedure", "START", "SNOMED"),
    "observations": _Table("measurement", "DATE", "LOINC"),
    "encounters": _Table("visit", "START", "SNOMED"),
    "immunizations": _Table("drug", "DATE", "CVX"),
    "allergies": _Table("condition", "START", "SNOMED"),
    "careplans": _Table("procedure", "START", "SNOMED"),
    "devices": _Table("procedure", "START", "SNOMED"),
}


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there, or no `patients`.
        DataError: a column is missing.
    """
    return Gathered(_people(options, place), _batches(options, place), place)


def _rows(
    options: Options, place: Place, name: str, columns: dict[str, str], optional: set[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    root = tables.opened(place.path(options.path), place, "cohort.source.path")
    theirs = {o: options.columns.get(f"{name}.{c}", options.columns.get(c, c)) for o, c in columns.items()}
    for file in tables.find(root, options.tables.get(name, name)):
        for rows in tables.chunks(
            file, theirs, place, "cohort.source.columns", frozenset(optional), lists=True
        ):
            yield file.name, rows


def _people(options: Options, place: Place) -> pd.DataFrame:
    columns = {"subject": "Id", "birth": "BIRTHDATE", "death": "DEATHDATE", "sex": "GENDER"}
    parts = list(_rows(options, place, "patients", columns, {"death", "sex"}))
    if not parts:
        raise StudyError(
            f"cohort.source.path: {options.path}: no table 'patients' there. Name it in cohort.source.tables."
        )
    frame = pd.concat([p for _, p in parts], ignore_index=True)
    return shaped(
        frame, parts[0][0], People(path="", subject="Id", date_format=options.date_format), place, 1.0
    )


def _batches(options: Options, place: Place) -> Iterator[Batch]:
    for name, table in TABLES.items():
        columns = {"subject": "PATIENT", "date": table.date, "code": "CODE", "name": "DESCRIPTION",
                   "system": "SYSTEM", "value": "VALUE", "unit": "UNITS", "class": "ENCOUNTERCLASS"}  # fmt: skip
        optional = {"name", "system", "value", "unit", "class"}
        for file, rows in _rows(options, place, name, columns, optional):
            good = tables.dated(rows, file, "date", place, options.date_format)
            events = good[["subject", "time", "code", "unit"]].assign(
                kind=table.kind, name=good["name"].fillna(good["code"])
            )
            system = good["system"].fillna(table.system)
            events["system"] = system.map({s: codes.system(s) for s in system.unique()})
            if table.kind == "visit":
                events["system"], events["code"] = "VISIT", good["class"].fillna("visit")
                events["name"] = events["code"].str.capitalize() + " visit"
            events["value"] = tables.numbers(good["value"])
            events["text"] = good["value"].where(events["value"].isna())
            events["coded"] = True  # the generator's own words
            yield Batch(file, events)
