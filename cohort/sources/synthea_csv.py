"""Synthea's CSV export: `patients.csv` and a table a kind of event. Missing tables are left out and named."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
from pydantic import Field

from ...study.errors import StudyError
from .. import codes
from ..events import Place
from ..reading import dates, files
from ..reading.gather import EventBatch, Gathered
from ..reading.names import Names
from ..reading.systems import Systems
from ..reading.tables import TableFormat
from ._people import PeopleTable, shaped


class Options(TableFormat):
    """Where the tables are and which names differ."""

    path: str
    """A folder with the tables, or a zip of one."""
    tables: dict[str, str] = Field(default_factory=dict)
    """Synthea's name of a table -> its name here, without the ending."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Synthea's name of a column -> its name here; `table.COLUMN` for one table only; empty where there is none."""
    systems: dict[str, str] = Field(default_factory=dict)
    """Word in a column SYSTEM -> the common name of the coding system, where it is not recognised."""


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
PEOPLE = {"subject": "Id", "birth": "BIRTHDATE", "death": "DEATHDATE", "sex": "GENDER"}
EVENTS = {
    "subject": "PATIENT",
    "code": "CODE",
    "name": "DESCRIPTION",
    "system": "SYSTEM",
    "value": "VALUE",
    "unit": "UNITS",
    "class": "ENCOUNTERCLASS",
}
OPTIONAL = frozenset({"name", "system", "value", "unit", "class"})
"""Columns that a table of events may lack."""
EXPECTED = {"observations": frozenset({"value", "unit"}), "encounters": frozenset({"class"})}
FORM = "cohort.source.date_format"


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there, no `patients`, or a name of the study file that nothing has.
        DataError: a column is missing.
    """
    reader = _Reader(options, place)
    return Gathered(reader.people(), reader.batches(), place)


class _Reader:
    def __init__(self, options: Options, place: Place) -> None:
        self.options, self.place = options, place
        root = files.opened(place.path(options.path), place, "cohort.source.path")
        columns = {"patients": set(PEOPLE.values())}
        columns |= {name: {t.date, *EVENTS.values()} for name, t in TABLES.items()}
        self.names = Names(options.tables, options.columns, columns, files.Folder(root), place)
        self.systems = Systems(options.systems, place)

    def people(self) -> pd.DataFrame:
        """The people."""
        parts = list(self.names.rows("patients", PEOPLE, self.options, {"sex"}))
        if not parts:
            raise StudyError(
                f"cohort.source.path: {self.options.path}: no table 'patients' found. "
                "Name it in cohort.source.tables."
            )
        frame = pd.concat([p for _, p in parts], ignore_index=True)
        named = PeopleTable(path="", subject="Id", date_format=self.options.date_format)
        return shaped(frame, parts[0][0], named, self.place, 1.0, "cohort.source", PEOPLE)

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        for name, table in TABLES.items():
            for file, rows in self.names.rows(
                name, {**EVENTS, "date": table.date}, self.options, OPTIONAL, EXPECTED.get(name, frozenset())
            ):
                timed = dates.dated(
                    rows, file, "date", self.place, self.options.date_format, FORM, table.date
                )
                yield EventBatch(file, self._events(name, table, timed))

    def _events(self, name: str, table: _Table, rows: pd.DataFrame) -> pd.DataFrame:
        events = rows[["subject", "time", "code", "unit", "name"]].assign(kind=table.kind)
        if name == "allergies":
            events["name"] = events["name"].map(codes.of_allergy, na_action="ignore")
        system = rows["system"].fillna(table.system)
        events["system"] = system.map({s: self.systems(s) for s in system.unique()})
        if table.kind == "visit":
            events["system"], events["code"] = "VISIT", rows["class"].fillna("visit")
            events["name"] = events["code"].map(codes.visit)
        events["value"] = dates.numbers(rows["value"], rows.attrs.get("decimal", "."))
        events["text"] = rows["value"].where(events["value"].isna())
        events["coded"] = True  # the generator's own words
        return events
