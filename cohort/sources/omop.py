"""OMOP Common Data Model 5.x: CSV or Parquet, packed or not, names in either case, in a folder or a zip.

Only `person` must be there. Codes are those of the concept (`concept.concept_code` in its vocabulary); where the
concept is 0 or unknown, the `*_source_value` is the code. A diagnosis keeps the source code where the source concept
is known, because a set of ICD codes would not find its SNOMED translation.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from ...study.errors import StudyError
from ...study.records import Record
from .. import codes, tables
from ..events import Place
from ..gather import Batch, Gathered


class Options(Record):
    """Where the tables are and which names differ from the standard's."""

    path: str
    """A folder with the tables, or a zip of one."""
    tables: dict[str, str] = Field(default_factory=dict)
    """Standard name of a table -> its name here, without the ending."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Standard name of a column -> its name here; `table.column` for one table only."""
    date_format: str | None = None
    """strptime format where dates are not `2010-05-17`."""
    site: str | None = None
    """Column of `person` that names the site, such as `care_site_id`."""
    guess_icd: bool = True
    """Whether a bare `*_source_value` that looks like ICD-9 or ICD-10 is one where its concept is unknown."""


class _Table(NamedTuple):
    kind: str
    concept: str
    date: str
    source: str
    value: str | None = None
    unit: str | None = None


TABLES = {
    "condition_occurrence": _Table("condition", "condition_concept_id", "condition_start_date", "condition_source"),
    "drug_exposure": _Table("drug", "drug_concept_id", "drug_exposure_start_date", "drug_source"),
    "procedure_occurrence": _Table("procedure", "procedure_concept_id", "procedure_date", "procedure_source"),
    "measurement": _Table("measurement", "measurement_concept_id", "measurement_date", "measurement_source",
                          "value_as_number", "unit_source_value"),
    "observation": _Table("observation", "observation_concept_id", "observation_date", "observation_source",
                          "value_as_number", "unit_source_value"),
    "visit_occurrence": _Table("visit", "visit_concept_id", "visit_start_date", "visit_source"),
}  # fmt: skip
VISITS = {"9201": "Inpatient visit", "9202": "Outpatient visit", "9203": "Emergency room visit",
          "262": "Emergency room and inpatient visit", "42898160": "Non-hospital institution visit",
          "581477": "Home visit", "5083": "Telehealth", "0": "Visit"}  # fmt: skip


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there, or no `person` table.
        DataError: a column is missing.
    """
    root = tables.opened(place.path(options.path), place, "cohort.source.path")
    reader = _Reader(options, place, root)
    return Gathered(reader.people(), reader.batches(), place)


class _Reader:
    def __init__(self, options: Options, place: Place, root: Path) -> None:
        unknown = set(options.tables) - {*TABLES, "person", "death", "observation_period", "concept"}
        if unknown:
            known = ", ".join([*TABLES, "person", "death", "observation_period", "concept"])
            raise StudyError(f"cohort.source.tables: {min(unknown)!r} is no table of OMOP. Known: {known}.")
        self.options, self.place, self.root = options, place, root
        self.concepts = self._concepts()

    def people(self) -> pd.DataFrame:
        wanted = ["person_id", "gender_concept_id", "year_of_birth", "month_of_birth", "day_of_birth",
                  "birth_datetime", "gender_source_value"]  # fmt: skip
        site = [self.options.site] if self.options.site else []
        files = self._files("person")
        if not files:
            raise StudyError(
                f"cohort.source.path: {self.root}: no table 'person' there, which every OMOP export has."
            )
        parts = [
            p
            for f in files
            for p in self._rows(f, "person", wanted + site, required={"person_id", "year_of_birth"})
        ]
        person = pd.concat(parts, ignore_index=True)
        sex = tables.sex(person["gender_concept_id"], {})
        sex = np.where(sex == None, tables.sex(person["gender_source_value"], {}), sex)  # noqa: E711
        out = pd.DataFrame(
            {
                "subject": person["person_id"].map(_id),
                "sex": sex,
                "birth": self._births(person, files[0].name),
            }
        )
        out["site"] = person[self.options.site] if self.options.site else None
        out = out.merge(self._dates("death", {"death": "death_date"}, "min"), how="left", on="subject")
        span = {"first": "observation_period_start_date", "last": "observation_period_end_date"}
        return out.merge(self._dates("observation_period", span, "min"), how="left", on="subject")

    def batches(self) -> Iterator[Batch]:
        for name, table in TABLES.items():
            for file in self._files(name):
                yield from self._batches(file, name, table)

    def _batches(self, file: Path, name: str, table: _Table) -> Iterator[Batch]:
        value, unit = table.value, table.unit
        wanted = [
            "person_id",
            table.concept,
            table.date,
            f"{table.source}_value",
            f"{table.source}_concept_id",
        ]
        wanted += [c for c in (value, unit) if c]
        for frame in self._rows(file, name, wanted, required={"person_id", table.date}, many=True):
            rows = tables.dated(frame, file.name, table.date, self.place, self.options.date_format)
            coded = self._coded(rows, table)
            events = coded.assign(subject=rows["person_id"].map(_id), time=rows["time"])
            if value and unit:
                events = events.assign(value=tables.numbers(rows[value]), unit=rows[unit])
            yield Batch(file.name, events)

    def _coded(self, rows: pd.DataFrame, table: _Table) -> pd.DataFrame:
        """system, code, kind, name of each row."""
        triples = list(zip(rows[table.concept].map(_id), rows[f"{table.source}_concept_id"].map(_id),
                           rows[f"{table.source}_value"], strict=True))  # fmt: skip
        known: dict[tuple[object, ...], tuple[str, str, str, str]] = {}
        found = [
            known.setdefault(t, self._code(*t, table.kind)) if t not in known else known[t] for t in triples
        ]
        return pd.DataFrame(found, columns=["system", "code", "kind", "name"], index=rows.index)

    def _code(
        self, concept: str, source_concept: str, source: object, kind: str
    ) -> tuple[str, str, str, str]:
        if kind == "visit":
            return "VISIT", concept, kind, VISITS.get(concept, "Visit")
        standard, original = self.concepts.get(concept), self.concepts.get(source_concept)
        name = (standard or original or ("", "", ""))[2]
        text = "" if source is None or source != source else str(source).strip()
        if kind == "condition" and original and original[0] in ("ICD10", "ICD9"):
            return original[0], original[1], kind, name or original[2]
        if (
            kind == "condition"
            and text
            and not original
            and self.options.guess_icd
            and (guess := looks_like(text))
        ):
            return guess, text, kind, name or f"{guess} {text}"
        if standard or original:
            system, code, _ = standard or original or ("", "", "")
            return system, code, kind, name
        return (
            ("OMOP", concept, kind, f"OMOP concept {concept}") if not text else ("source", text, kind, text)
        )

    def _births(self, person: pd.DataFrame, file: str) -> "pd.Series[pd.Timestamp]":
        """From the date, else from year, month and day; the middle of what is not known."""
        given = tables.birthdays(person, file, "birth_datetime", self.place, self.options.date_format)
        year = person["year_of_birth"].astype("str").str.strip()
        month, day = (pd.to_numeric(person[c], errors="coerce") for c in ("month_of_birth", "day_of_birth"))
        text = [_day(y, m, d) for y, m, d in zip(year, month, day, strict=True)]
        parts = pd.Series(
            pd.to_datetime(pd.Series(text), format="%Y-%m-%d", errors="coerce").to_numpy(), index=person.index
        )
        wrong = parts.isna() & given.isna()
        self.place.bad.add(
            file, "year_of_birth is no year", person.index[wrong].tolist(), year[wrong].tolist()
        )
        return given.where(given.notna(), parts.astype("datetime64[s]"))

    def _dates(self, name: str, columns: dict[str, str], keep: str) -> pd.DataFrame:
        """subject and its dates from a table of people; the first start, the last end; empty without a table."""
        wanted = ["person_id", *columns.values()]
        parts = [p for f in self._files(name) for p in self._rows(f, name, wanted, {"person_id"}, many=True)]
        if not parts:
            return pd.DataFrame(
                {"subject": pd.Series(dtype="str"), **{c: pd.Series(dtype="datetime64[s]") for c in columns}}
            )
        frame = pd.concat(parts, ignore_index=True)
        out = {
            ours: tables.birthdays(frame, f"{name}", theirs, self.place, self.options.date_format)
            for ours, theirs in columns.items()
        }
        dates = pd.DataFrame({"subject": frame["person_id"].map(_id), **out})
        return dates.groupby("subject", as_index=False).agg(
            {c: "max" if c == "last" else keep for c in columns}
        )

    def _concepts(self) -> dict[str, tuple[str, str, str]]:
        """concept_id -> system, code, name."""
        wanted = ["concept_id", "concept_name", "vocabulary_id", "concept_code"]
        return {
            _id(i): (codes.system(str(v)), str(c), str(n))
            for f in self._files("concept")
            for part in self._rows(f, "concept", wanted, required=set(wanted), many=True)
            for i, n, v, c in part.itertuples(index=False)
            if _id(i) != "0"
        }

    def _files(self, name: str) -> list[Path]:
        return tables.find(self.root, self.options.tables.get(name, name))

    def _rows(
        self, file: Path, name: str, wanted: list[str], required: set[str], many: bool = False
    ) -> Iterator[pd.DataFrame]:
        theirs = {c: self.options.columns.get(f"{name}.{c}", self.options.columns.get(c, c)) for c in wanted}
        optional = frozenset(set(wanted) - required)
        return tables.chunks(file, theirs, self.place, "cohort.source.columns", optional, lists=many)


def looks_like(code: str) -> str | None:
    """ICD9 or ICD10 by the form of a bare code; None for anything else.

    >>> looks_like("3310"), looks_like("F03.90"), looks_like("V5867"), looks_like("26929004")
    ('ICD9', 'ICD10', 'ICD9', None)
    """
    plain = code.replace(".", "").upper()
    if 3 <= len(plain) <= 5 and (plain.isdigit() or (plain[0] in "VE" and plain[1:].isdigit())):
        return "ICD9"
    if 3 <= len(plain) <= 7 and plain[0].isalpha() and plain[1].isdigit() and plain[1:3].isalnum():
        return "ICD10"
    return None


def _id(value: object) -> str:
    """An id as text; 0 where there is none. Exports write 8507, 8507.0 or nothing."""
    text = "" if value is None or value != value else str(value).strip()
    return text.removesuffix(".0") or "0"


def _day(year: str, month: float, day: float) -> str:
    year = year.removesuffix(".0")
    if not 1 <= month <= 12:
        return f"{year}-07-01"
    return f"{year}-{int(month):02d}-{int(day) if 1 <= day <= 31 else 15:02d}"
