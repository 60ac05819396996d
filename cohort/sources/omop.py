"""OMOP Common Data Model 5.x: CSV or Parquet, packed or not, names in either case, in a folder, a zip, or DuckDB.

Only `person` must be there. A fact has the code of its standard concept (`concept.concept_code` in its vocabulary);
the source concept is kept beside it, so that a set of ICD codes finds what was coded in ICD. Where neither is known
the `*_source_value` is the code. With `concept_ancestor`, a code set finds the descendants of its concepts too.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from ...study.errors import DataError, StudyError
from ..events import Place
from ..reading import dates, files, tables
from ..reading.database import ENDINGS, Database
from ..reading.gather import EventBatch, Gathered
from ..reading.names import COLUMNS, Names
from ..reading.tables import TableFormat
from ._omop_concepts import Concepts


class Options(TableFormat):
    """Where the tables are and which names differ from the standard's."""

    path: str
    """A folder with the tables, a zip of one, or a DuckDB file."""
    schema_: str | None = Field(default=None, alias="schema")
    """Schema of a DuckDB file, where the tables are in more than one."""
    tables: dict[str, str] = Field(default_factory=dict)
    """Standard name of a table -> its name here, without the ending."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Standard name of a column -> its name here; `table.column` for one table only; empty where there is none."""
    systems: dict[str, str] = Field(default_factory=dict)
    """`vocabulary_id` -> the common name of the coding system, where it is not recognised."""
    site: str | None = None
    """Column of `person` that names the site, such as `care_site_id`."""
    guess_icd: bool = True
    """Whether a bare `*_source_value` that looks like ICD-9 or ICD-10 is one where its concept is unknown."""


class _Table(NamedTuple):
    kind: str
    concept: str
    date: str
    source: str
    valued: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """Our name -> the standard's."""
        own = {
            "subject": "person_id",
            "concept": self.concept,
            "date": f"{self.date}date",
            "datetime": f"{self.date}datetime",
            "source": f"{self.source}_value",
            "source_concept": f"{self.source}_concept_id",
        }
        return own | (VALUES if self.valued else {})


VALUES = {
    "value": "value_as_number",
    "value_concept": "value_as_concept_id",
    "value_text": "value_as_string",
    "value_source": "value_source_value",
    "operator": "operator_concept_id",
    "unit": "unit_source_value",
    "unit_concept": "unit_concept_id",
}
TABLES = {
    "condition_occurrence": _Table(
        "condition", "condition_concept_id", "condition_start_", "condition_source"
    ),
    "drug_exposure": _Table("drug", "drug_concept_id", "drug_exposure_start_", "drug_source"),
    "procedure_occurrence": _Table("procedure", "procedure_concept_id", "procedure_", "procedure_source"),
    "device_exposure": _Table("procedure", "device_concept_id", "device_exposure_start_", "device_source"),
    "measurement": _Table(
        "measurement", "measurement_concept_id", "measurement_", "measurement_source", True
    ),
    "observation": _Table(
        "observation", "observation_concept_id", "observation_", "observation_source", True
    ),
    "visit_occurrence": _Table("visit", "visit_concept_id", "visit_start_", "visit_source"),
}
PERSON = {
    "subject": "person_id",
    "gender": "gender_concept_id",
    "year": "year_of_birth",
    "month": "month_of_birth",
    "day": "day_of_birth",
    "birth": "birth_datetime",
    "gender_source": "gender_source_value",
    "death": "death_datetime",
}
"""`death_datetime` since version 6, which has no table `death`."""
DEATH = {"subject": "person_id", "death": "death_date", "moment": "death_datetime"}
PERIOD = {
    "subject": "person_id",
    "first": "observation_period_start_date",
    "last": "observation_period_end_date",
}
CONCEPT = {"id": "concept_id", "name": "concept_name", "vocabulary": "vocabulary_id", "code": "concept_code"}
ANCESTOR = {"ancestor": "ancestor_concept_id", "descendant": "descendant_concept_id"}
EXPECTED = frozenset({"concept", "source", "value", "unit"})
"""Columns of a table of events whose absence is said."""
COMPARED = {"4171756": "<", "4171754": "<=", "4172704": ">", "4171755": ">="}
"""Concepts of the operator of a measurement."""
FORM = "cohort.source.date_format"


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there, no `person` table, or a name of the study file that nothing has.
        DataError: a column is missing.
    """
    reader = _Reader(options, place)
    people, periods = reader.people(), reader.periods()
    if len(periods):
        span = periods.groupby("subject", as_index=False).agg({"first": "min", "last": "max"})
        goes_on = span["subject"].isin(periods.loc[periods["last"].isna(), "subject"])
        people = people.merge(span.assign(last=span["last"].mask(goes_on)), how="left", on="subject")
    return Gathered(people, reader.batches(), place, periods, reader.concepts.with_parents)


class _Reader:
    def __init__(self, options: Options, place: Place) -> None:
        self.options, self.place = options, place
        path = place.path(options.path)
        if path.suffix.lower() in ENDINGS and path.is_file():
            folder: Database | files.Folder = Database(path, options.schema_)
        else:
            folder = files.Folder(files.opened(path, place, "cohort.source.path"))
        standard = {name: set(t.columns.values()) for name, t in TABLES.items()}
        standard |= {
            "person": {*PERSON.values(), *filter(None, [options.site])},
            "death": set(DEATH.values()),
            "observation_period": set(PERIOD.values()),
            "concept": set(CONCEPT.values()),
            "concept_ancestor": set(ANCESTOR.values()),
        }
        self.names = Names(options.tables, options.columns, standard, folder, place)
        if not self.names.files("person"):
            raise StudyError(
                f"cohort.source.path: {options.path}: no table 'person', which every OMOP export has. "
                f"There is: {', '.join(folder.names()[:20]) or 'nothing'}. Name it in cohort.source.tables."
            )
        self.concepts = Concepts(self.names, options, self._used(), place)

    def _used(self) -> set[str]:
        """Concepts that occur in the tables of events."""
        used: set[str] = set()
        if not self.names.files("concept"):
            return used
        self.place.bad.open = False  # rows are counted when the events are read
        for name, table in TABLES.items():
            ids = {o: c for o, c in table.columns.items() if "concept" in o or o == "operator"}
            for _, rows in self._rows(name, {"subject": "person_id", **ids}, set(ids)):
                for ours in ids:
                    used |= set(rows[ours].dropna().unique())
        self.place.bad.open = True
        return {_id(i) for i in used}

    def _rows(
        self, name: str, wanted: dict[str, str], optional: set[str], expected: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        return self.names.rows(name, wanted, self.options, optional, expected)

    def people(self) -> pd.DataFrame:
        """The people, with their deaths."""
        site = {"site": self.options.site} if self.options.site else {}
        optional = set(PERSON) - {"subject"}
        parts = [p for _, p in self._rows("person", {**PERSON, **site}, optional)]
        person = pd.concat(parts, ignore_index=True)
        if person["year"].isna().all() and person["birth"].isna().all():
            raise self._nothing_in("person", "year_of_birth", "birth_datetime")
        sex = tables.sex(person["gender"], {})
        sex = np.where(sex == None, tables.sex(person["gender_source"], {}), sex)  # noqa: E711
        self.place.bad.note("people of whom the sex is not known", int(pd.isna(sex).sum()))
        out = pd.DataFrame({"subject": person["subject"].map(_id), "sex": sex, "birth": self._births(person)})
        out["site"] = person["site"] if site else None
        return out.merge(self._deaths(person), how="left", on="subject")

    def _births(self, person: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
        """From the date, else from year, month and day; the middle of what is not known."""
        given = dates.birthdays(
            person, "person", "birth", self.place, self.options.date_format, FORM, "birth_datetime"
        )
        month, day = (dates.numbers(person[c]).tolist() for c in ("month", "day"))
        parts = dates.middle(person["year"].tolist(), month, day).set_axis(person.index)
        wrong = parts.isna() & given.isna()
        self.place.bad.add(
            "person", "year_of_birth is no year", person.index[wrong].tolist(), person["year"][wrong].tolist()
        )
        return given.where(given.notna(), parts)

    def _deaths(self, person: pd.DataFrame) -> pd.DataFrame:
        """subject, death, dead: everybody in the table has died, whether or not the day can be read."""
        known = set(person["subject"].map(_id))
        deceased = person[dates.there(person["death"])].assign(moment=None)
        parts = [self._died("person", deceased)] if len(deceased) else []
        for file, rows in self._rows("death", DEATH, {"death", "moment"}):
            if rows["death"].isna().all() and rows["moment"].isna().all() and len(rows):
                raise self._nothing_in("death", "death_date", "death_datetime")
            parts.append(self._died(file, self._of_people(file, rows, known)))
        if not parts:
            return pd.DataFrame(
                {"subject": pd.Series(dtype="str"), "death": pd.Series(dtype="datetime64[s]")}
            )
        return pd.concat(parts).groupby("subject", as_index=False).agg({"death": "min", "dead": "any"})

    def _died(self, file: str, rows: pd.DataFrame) -> pd.DataFrame:
        text = rows.assign(death=rows["death"].fillna(rows["moment"]))
        day = dates.birthdays(text, file, "death", self.place, self.options.date_format, FORM, "death_date")
        return pd.DataFrame({"subject": rows["subject"].map(_id), "death": day, "dead": True})

    def _of_people(self, file: str, rows: pd.DataFrame, known: set[str]) -> pd.DataFrame:
        """The rows about people who are there; the others are counted as bad."""
        nobody = ~rows["subject"].map(_id).isin(known)
        ids = rows.loc[nobody, "subject"].tolist()
        self.place.bad.add(file, "nobody of that id among the people", rows.index[nobody].tolist(), ids)
        return rows[~nobody]

    def periods(self) -> pd.DataFrame:
        """subject, first, last: every period of observation; one that ends before it begins is counted as bad."""
        parts = []
        for file, rows in self._rows("observation_period", PERIOD, set()):
            part = pd.DataFrame({"subject": rows["subject"].map(_id)})
            for name in ("first", "last"):
                form, early = self.options.date_format, name == "first"
                part[name] = dates.birthdays(
                    rows, file, name, self.place, form, FORM, PERIOD[name], early, end=not early
                )
            wrong = part["last"] < part["first"]
            values = rows.loc[wrong, "last"].tolist()
            self.place.bad.add(
                file, "a period that ends before it begins", rows.index[wrong].tolist(), values
            )
            parts.append(part[~wrong])
        columns = ["subject", "first", "last"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def _has(self, table: str, *columns: str) -> bool:
        """Whether a table has one of these columns of the standard, under whatever name."""
        return any(self.names.has(table, column, self.options) for column in columns)

    def _nothing_in(self, table: str, *columns: str) -> DataError:
        """The error for a table of which what matters most is missing."""
        file = self.names.files(table)[0]
        have, named = ", ".join(tables.columns_of(file, self.options)), " or ".join(map(repr, columns))
        return DataError(
            f"{file.name}: no column {named} with anything in it; it has {have}. Name the right one in {COLUMNS}, "
            f'such as columns = {{ "{table}.{columns[0]}" = "..." }}.'
        )

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        for name, table in TABLES.items():
            optional, expected = set(table.columns) - {"subject"}, EXPECTED & table.columns.keys()
            expected -= {"source"} if table.kind == "visit" else set()
            for file, rows in self._rows(name, table.columns, optional, expected):
                nothing = (rows["concept"].map(_id) == "0") & rows["source"].isna() & (table.kind != "visit")
                self.place.bad.note(f"{file}: rows without a concept or a source value", int(nothing.sum()))
                yield EventBatch(file, self._events(file, rows[~nothing], name, table))

    def _events(self, file: str, rows: pd.DataFrame, name: str, table: _Table) -> pd.DataFrame:
        when = rows.assign(date=rows["date"].fillna(rows["datetime"]))
        if when["date"].isna().all() and not self._has(name, f"{table.date}date", f"{table.date}datetime"):
            raise self._nothing_in(name, f"{table.date}date")
        timed = dates.dated(
            when, file, "date", self.place, self.options.date_format, FORM, f"{table.date}date"
        )
        events = self._coded(timed, table.kind).assign(subject=rows["subject"].map(_id), time=timed["time"])
        return events.assign(**self._found(rows)) if table.valued else events

    def _coded(self, rows: pd.DataFrame, kind: str) -> pd.DataFrame:
        """system, code, kind, name, also of each row."""
        concept, source = (rows[c].map(_id).tolist() for c in ("concept", "source_concept"))
        text = [s if isinstance(s, str) else "" for s in rows["source"]]
        triples = list(zip(concept, source, text, strict=True))
        known = {(c, s, t): self.concepts.code(c, s, t, kind) for c, s, t in set(triples)}
        cells = [known[t] for t in triples]
        frame = pd.DataFrame(index=rows.index)
        for i, column in enumerate(("system", "code", "kind", "name", "also")):
            frame[column] = pd.Series([c[i] for c in cells], index=rows.index, dtype=object)
        return frame

    def _found(self, rows: pd.DataFrame) -> dict[str, Any]:
        """value, unit, text, coded of each row."""
        value = dates.numbers(rows["value"], rows.attrs.get("decimal", "."))
        word = rows["value_concept"].map(_id).map(self.concepts.name)
        free = rows["value_text"].fillna(rows["value_source"].where(np.isnan(value)))  # else the number again
        compared = rows["operator"].map(_id).map(COMPARED)
        limits = (compared.astype("str") + rows["value"].astype("str")).where(
            compared.notna() & ~np.isnan(value)
        )
        unit = rows["unit_concept"].map(_id).map(self.concepts.unit)
        return {
            "value": value,
            "unit": unit.where(unit.notna(), rows["unit"]),
            "text": limits.where(limits.notna(), word.where(word.notna(), free)),
            "coded": word.notna() & limits.isna(),
        }


def _id(value: object) -> str:
    """An id as text; 0 where there is none. Exports write 8507, 8507.0 or nothing."""
    text = "" if value is None or value != value else str(value).strip()
    return text.removesuffix(".0") or "0"
