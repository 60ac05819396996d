"""People and facts about them, written in every format that is read.

`WRITERS` has a writer a source, and the column types and kinds of file in which each is tried. A format that cannot
hold a fact leaves it out; `holds` says so.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

BIRTH = dt.date(1940, 1, 1)
"""Of everybody."""
DAYS = 365.25
PERIOD = (dt.date(1960, 1, 1), dt.date(2025, 1, 1))
"""Of observation, where a format has one and nothing else is said."""

VIEW = pa.string_view() if int(pa.__version__.split(".")[0]) >= 21 else pa.large_string()
"""Older pyarrow cannot write views to Parquet."""


@dataclass(frozen=True)
class Fact:
    """One row of a record."""

    subject: str
    day: int | None
    """Days since birth; None: without a date."""
    code: str
    system: str = "LOINC"
    value: float | None = None
    unit: str | None = None
    word: str | None = None
    """What was found, as text."""
    kind: str = ""
    """Empty: a measurement for LOINC, else a condition."""
    also: tuple[tuple[str, str], ...] = ()
    """Other codes of the same fact: (system, code)."""
    when: str | None = None
    """What stands where the date should be, instead of `day`."""

    @property
    def what(self) -> str:
        return self.kind or ("measurement" if self.system == "LOINC" else "condition")

    @property
    def date(self) -> str | None:
        if self.when is not None:
            return self.when
        return None if self.day is None else (BIRTH + dt.timedelta(days=self.day)).isoformat()

    @property
    def age(self) -> float | str | None:
        return self.when if self.when is not None else None if self.day is None else self.day / DAYS


@dataclass(frozen=True)
class Person:
    """Somebody, where there is more to say than that there are facts."""

    id: str
    died: int | None = None
    """Days since birth."""
    dead: bool = False
    """Known to have died, on a day that is not known."""
    periods: tuple[tuple[dt.date, dt.date], ...] = (PERIOD,)


@dataclass(frozen=True)
class Records:
    """What is written."""

    facts: Sequence[Fact]
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def persons(self) -> list[Person]:
        ids = dict.fromkeys([f.subject for f in self.facts] + list(self.people))
        return [self.people.get(i, Person(i)) for i in ids]


Options = dict[str, Any]


def _day(days: int) -> str:
    return (BIRTH + dt.timedelta(days=days)).isoformat()


def _table(rows: list[dict[str, Any]], folder: Path, name: str, shape: str) -> None:
    """Rows as CSV, TSV or Parquet; of Parquet the type of the text columns is the rest of the shape."""
    if not rows:
        return
    frame = pd.DataFrame(rows)
    if not shape.startswith("parquet"):
        separator = {"tsv": "\t", "semicolon": ";"}.get(shape, ",")
        ending = "csv" if shape == "semicolon" else shape
        frame.to_csv(folder / f"{name}.{ending}", index=False, sep=separator)
        return
    types = {"dictionary": pa.string(), "large": pa.large_string(), "view": VIEW}
    kind = types.get(shape.partition("-")[2], pa.string())
    columns = {}
    for column in frame:
        cells = [None if pd.isna(v) else v for v in frame[column]]
        array = pa.array(cells)
        if pa.types.is_string(array.type) or pa.types.is_null(array.type):
            words = pa.array(cells, pa.string())
            array = words.dictionary_encode() if "dictionary" in shape else words.cast(kind)
        columns[str(column)] = array
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def meds(records: Records, folder: Path, shape: str) -> Options:
    prefix = {"procedure": "PROCEDURE//", "allergy": "ALLERGY//"}
    empty = {"numeric_value": None, "unit": None, "text_value": None}
    rows: list[dict[str, Any]] = []
    parents = {}
    for p in records.persons:
        rows.append({"subject_id": int(p.id), "time": None, "code": "SEX//F", **empty})
        rows.append({"subject_id": int(p.id), "time": pd.Timestamp(BIRTH), "code": "MEDS_BIRTH", **empty})
        mine = [f for f in records.facts if f.subject == p.id and f.when is None]
        for f in sorted(mine, key=lambda f: -1 if f.day is None else f.day):
            code = f"{prefix.get(f.what, '')}{f.system}//{f.code}"
            parents[code] = [f"{s}//{c}" for s, c in f.also]
            time = None if f.day is None else pd.Timestamp(f.date)
            row = {"subject_id": int(p.id), "time": time, "code": code}
            rows.append({**row, "numeric_value": f.value, "unit": f.unit, "text_value": f.word})
        if p.dead or p.died is not None:
            time = None if p.died is None else pd.Timestamp(_day(p.died))
            rows.append({"subject_id": int(p.id), "time": time, "code": "MEDS_DEATH//HOSPITAL", **empty})
    (folder / "data").mkdir()
    (folder / "metadata").mkdir()
    _table(rows, folder / "data", "0", shape)
    codes = {"code": list(parents), "parent_codes": list(parents.values())}
    pq.write_table(pa.table(codes), folder / "metadata" / "codes.parquet")
    return {"path": str(folder)}


_OMOP = {
    "condition": ("condition_occurrence", "condition", "condition_start_date"),
    "drug": ("drug_exposure", "drug", "drug_exposure_start_date"),
    "procedure": ("procedure_occurrence", "procedure", "procedure_date"),
    "measurement": ("measurement", "measurement", "measurement_date"),
    "allergy": ("observation", "observation", "observation_date"),
}


def omop(records: Records, folder: Path, shape: str) -> Options:
    birth = {"year_of_birth": 1940, "month_of_birth": 1, "day_of_birth": 1, "gender_concept_id": 8532}
    _table([{"person_id": p.id, **birth} for p in records.persons], folder, "person", shape)
    codes = sorted({pair for f in records.facts for pair in ((f.system, f.code), *f.also)})
    ids = {pair: str(i) for i, pair in enumerate(codes, 1)}
    concept = [
        {"concept_id": ids[v, c], "concept_name": None, "vocabulary_id": v, "concept_code": c}
        for v, c in codes
    ]
    _table(concept, folder, "concept", shape)
    for kind, (name, prefix, date) in _OMOP.items():
        rows = []
        for f in records.facts:
            if f.what != kind:
                continue
            row = {"person_id": f.subject, f"{prefix}_concept_id": ids[f.system, f.code], date: f.date}
            row[f"{prefix}_source_concept_id"] = ids[f.also[0]] if f.also else "0"
            row[f"{prefix}_source_value"] = f.code
            if kind == "measurement":
                row |= {"value_as_number": f.value, "unit_source_value": f.unit, "value_source_value": f.word}
            rows.append(row)
        _table(rows, folder, name, shape)
    died = [
        {"person_id": p.id, "death_date": None if p.died is None else _day(p.died)}
        for p in records.persons
        if p.dead or p.died is not None
    ]
    _table(died, folder, "death", shape)
    periods = [
        {
            "person_id": p.id,
            "observation_period_start_date": a.isoformat(),
            "observation_period_end_date": b.isoformat(),
        }
        for p in records.persons
        for a, b in p.periods
    ]
    _table(periods, folder, "observation_period", shape)
    return {"path": str(folder)}


_SYSTEMS = {
    "LOINC": "http://loinc.org",
    "ICD10": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD9": "http://hl7.org/fhir/sid/icd-9-cm",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "SNOMED": "http://snomed.info/sct",
}
_FHIR = {
    "condition": ("Condition", "recordedDate", "subject", "code"),
    "drug": ("MedicationRequest", "authoredOn", "subject", "medicationCodeableConcept"),
    "procedure": ("Procedure", "performedDateTime", "subject", "code"),
    "measurement": ("Observation", "effectiveDateTime", "subject", "code"),
    "allergy": ("AllergyIntolerance", "recordedDate", "patient", "code"),
}


def _resources(records: Records) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for p in records.persons:
        patient = {"resourceType": "Patient", "id": p.id, "gender": "female", "birthDate": BIRTH.isoformat()}
        if p.dead:
            patient["deceasedBoolean"] = True  # type: ignore[assignment]
        if p.died is not None:
            patient["deceasedDateTime"] = _day(p.died)
        out[p.id] = [patient]
    for i, f in enumerate(records.facts):
        kind, date, who, what = _FHIR[f.what]
        pairs = [*reversed(f.also), (f.system, f.code)] if f.also else [(f.system, f.code)]
        codings = [{"system": _SYSTEMS.get(s, s), "code": c} for s, c in pairs]
        row: dict[str, Any] = {"resourceType": kind, "id": str(i), who: {"reference": f"Patient/{f.subject}"}}
        row[what] = {"coding": codings}
        if f.date is not None:
            row[date] = f.date
        if f.what == "measurement" and f.value is not None:
            row["valueQuantity"] = {"value": f.value} | ({"unit": f.unit} if f.unit else {})
        elif f.what == "measurement" and f.word:
            row["valueString"] = f.word
        out[f.subject].append(row)
    return out


def fhir_bulk(records: Records, folder: Path, shape: str) -> Options:
    lines = [json.dumps(r) for rows in _resources(records).values() for r in rows]
    (folder / "all.ndjson").write_text("\n".join(lines))
    return {"path": str(folder)}


def fhir_bundles(records: Records, folder: Path, shape: str) -> Options:
    for s, rows in _resources(records).items():
        bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in rows]}
        (folder / f"{s}.json").write_text(json.dumps(bundle))
    return {"path": str(folder)}


_SYNTHEA = {
    "condition": "conditions",
    "drug": "medications",
    "procedure": "procedures",
    "allergy": "allergies",
}


def synthea_csv(records: Records, folder: Path, shape: str) -> Options:
    patients = [
        {
            "Id": p.id,
            "BIRTHDATE": BIRTH.isoformat(),
            "DEATHDATE": None if p.died is None else _day(p.died),
            "GENDER": "F",
        }
        for p in records.persons
    ]
    _table(patients, folder, "patients", shape)
    seen = [f for f in records.facts if f.what == "measurement"]
    rows = [
        {
            "DATE": f.date,
            "PATIENT": f.subject,
            "CODE": f.code,
            "DESCRIPTION": None,
            "VALUE": f.word if f.value is None else str(f.value),
            "UNITS": f.unit,
        }
        for f in seen
    ]
    _table(rows, folder, "observations", shape)
    for kind, name in _SYNTHEA.items():
        rows = [
            {"START": f.date, "PATIENT": f.subject, "SYSTEM": f.system, "CODE": f.code, "DESCRIPTION": None}
            for f in records.facts
            if f.what == kind
        ]
        _table(rows, folder, name, shape)
    return {"path": str(folder)}


def long_csv(records: Records, folder: Path, shape: str) -> Options:
    decimal = (
        (lambda v: str(v).replace(".", ",") if v is not None else None)
        if shape == "semicolon"
        else lambda v: v
    )
    rows = [
        {
            "who": f.subject,
            "born": BIRTH.isoformat(),
            "when": f.date,
            "what": f.code,
            "of": f.system,
            "is": f.what,
            "n": decimal(f.value),
            "u": f.unit,
            "w": f.word,
        }
        for f in records.facts
    ]
    for p in records.persons:
        when = None if p.died is None else _day(p.died)
        if p.dead or p.died is not None:
            rows.append({"who": p.id, "born": BIRTH.isoformat(), "when": when, "what": "DIED", "of": "local"})
    (folder / "in").mkdir()
    _table(rows, folder / "in", "long", shape)
    ends = {"death_code": "DIED"} if any(r["what"] == "DIED" for r in rows) else {}
    return {
        "path": str(folder / "in"),
        "subject": "who",
        "time": "when",
        "birth": "born",
        "code": "what",
        "system": "of",
        "kind": "is",
        "value": "n",
        "unit": "u",
        "text": "w",
        **ends,
    }


def wide(records: Records, folder: Path, shape: str) -> Options:
    """A row a fact, so that each code's column is empty in the rows of all others."""
    codes = sorted({(f.system, f.code, f.what) for f in records.facts})
    rows = []
    for f in records.facts:
        person = records.people.get(f.subject, Person(f.subject))
        row: dict[str, Any] = {"id": f.subject, "age": f.age} | {_column(c, k): None for _, c, k in codes}
        if f.what == "measurement":
            row |= {f.code: f.word if f.value is None else f.value}
        else:
            column = _column(f.code, f.what)
            row |= {column: f.age, f"has {column}": "1"}
        row |= {"died": "1" if person.dead or person.died is not None else "0"}
        row |= {"end": None if person.died is None else person.died / DAYS}
        rows.append({name: None if v is None else str(v) for name, v in row.items()})
    (folder / "in").mkdir()
    _table(rows, folder / "in", "wide", shape)
    firsts = [_first(*code) for code in codes if code[2] != "measurement"]
    measured = [{"column": c, "code": c, "system": s} for s, c, k in codes if k == "measurement"]
    path = str(next((folder / "in").iterdir()))
    out = {"path": path, "subject": "id", "at": "age", "measured": measured, "firsts": firsts}
    return out | ({"death": {"column": "end", "when": "died"}} if any(r["died"] == "1" for r in rows) else {})


def _column(code: str, kind: str) -> str:
    return code if kind == "measurement" else f"{code} {kind}"


def _first(system: str, code: str, kind: str) -> Options:
    column, what = _column(code, kind), "observation" if kind == "allergy" else kind
    return {"column": column, "code": code, "system": system, "when": f"has {column}", "kind": what}


FLAT = ("csv", "tsv", "semicolon", "parquet", "parquet-dictionary", "parquet-large")
WRITERS: dict[str, tuple[Callable[[Records, Path, str], Options], tuple[str, ...]]] = {
    "meds": (meds, ("parquet", "parquet-dictionary", "parquet-large", "parquet-view")),
    "omop": (omop, FLAT),
    "fhir_bulk": (fhir_bulk, ("ndjson",)),
    "fhir_bundles": (fhir_bundles, ("json",)),
    "synthea_csv": (synthea_csv, FLAT),
    "long_csv": (long_csv, FLAT),
    "wide": (wide, FLAT),
}
"""Source -> its writer and the shapes that it is tried in."""
