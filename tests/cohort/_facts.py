"""A few people and dated facts about them, written in every format that is read.

A fact is a measurement of LOINC code with a value, a unit and a word, each of which may be missing, or a condition.
`WRITERS` has a writer a source; `SHAPES` names the column types and file kinds in which each is tried.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

BIRTH = dt.date(1940, 1, 1)
"""Of everybody."""
DAYS = 365.25


@dataclass(frozen=True)
class Fact:
    """One row of a record."""

    subject: str
    day: int
    """Days since birth."""
    code: str
    system: str = "LOINC"
    value: float | None = None
    unit: str | None = None
    word: str | None = None

    @property
    def date(self) -> str:
        return (BIRTH + dt.timedelta(days=self.day)).isoformat()


Facts = Sequence[Fact]
Options = dict[str, Any]


def subjects(facts: Facts) -> list[str]:
    return list(dict.fromkeys(f.subject for f in facts))


def _table(rows: list[dict[str, Any]], folder: Path, name: str, shape: str) -> None:
    """Rows as CSV, TSV or Parquet; of Parquet the type of the text columns is the rest of the shape."""
    frame = pd.DataFrame(rows)
    if not shape.startswith("parquet"):
        tab = shape == "tsv"
        frame.to_csv(folder / f"{name}.{shape}", index=False, sep="\t" if tab else ",")
        return
    text = {
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
        "large": pa.large_string(),
        "view": pa.string_view(),
    }
    kind = text.get(shape.partition("-")[2], pa.string())
    columns = {}
    for column in frame:
        cells = [None if pd.isna(v) else v for v in frame[column]]
        array = pa.array(cells)
        if pa.types.is_string(array.type) or pa.types.is_null(array.type):
            words = pa.array(cells, pa.string())
            array = words.dictionary_encode() if "dictionary" in shape else words.cast(kind)
        columns[str(column)] = array
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def meds(facts: Facts, folder: Path, shape: str) -> Options:
    rows: list[dict[str, Any]] = []
    for s in subjects(facts):
        empty = {"numeric_value": None, "unit": None, "text_value": None}
        rows.append({"subject_id": int(s), "time": None, "code": "SEX//F", **empty})
        rows.append({"subject_id": int(s), "time": pd.Timestamp(BIRTH), "code": "MEDS_BIRTH", **empty})
        rows += [
            {
                "subject_id": int(s),
                "time": pd.Timestamp(f.date),
                "code": f"{f.system}//{f.code}",
                "numeric_value": f.value,
                "unit": f.unit,
                "text_value": f.word,
            }
            for f in sorted(facts, key=lambda f: f.day)
            if f.subject == s
        ]
    (folder / "data").mkdir()
    _table(rows, folder / "data", "0", shape)
    return {"path": str(folder), "text": "text_value"}


def omop(facts: Facts, folder: Path, shape: str) -> Options:
    _table(
        [
            {"person_id": s, "year_of_birth": 1940, "month_of_birth": 1, "day_of_birth": 1}
            for s in subjects(facts)
        ],
        folder,
        "person",
        shape,
    )
    codes = {c: str(i) for i, c in enumerate(sorted({(f.system, f.code) for f in facts}), 1)}
    concept = [
        {"concept_id": i, "concept_name": f"{v} {c}", "vocabulary_id": v, "concept_code": c}
        for (v, c), i in codes.items()
    ]
    _table(concept, folder, "concept", shape)
    rows = [
        {
            "person_id": f.subject,
            "measurement_concept_id": codes[f.system, f.code],
            "measurement_date": f.date,
            "value_as_number": f.value,
            "unit_source_value": f.unit,
            "value_source_value": f.word,
        }
        for f in facts
        if f.system == "LOINC"
    ]
    _table(rows, folder, "measurement", shape)
    others = [
        {
            "person_id": f.subject,
            "condition_concept_id": codes[f.system, f.code],
            "condition_start_date": f.date,
        }
        for f in facts
        if f.system != "LOINC"
    ]
    _table(others, folder, "condition_occurrence", shape)
    return {"path": str(folder)}


_SYSTEMS = {"LOINC": "http://loinc.org", "ICD10": "http://hl7.org/fhir/sid/icd-10-cm"}


def _resources(facts: Facts) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for s in subjects(facts):
        out[s] = [{"resourceType": "Patient", "id": s, "gender": "female", "birthDate": BIRTH.isoformat()}]
    for i, f in enumerate(facts):
        code = {"coding": [{"system": _SYSTEMS[f.system], "code": f.code}]}
        about = {"id": str(i), "subject": {"reference": f"Patient/{f.subject}"}, "code": code}
        if f.system == "LOINC":
            said: dict[str, Any] = {"valueString": f.word} if f.word else {}
            if f.value is not None:
                said = {"valueQuantity": {"value": f.value} | ({"unit": f.unit} if f.unit else {})}
            row = {
                "resourceType": "Observation",
                "status": "final",
                "effectiveDateTime": f.date,
                **about,
                **said,
            }
        else:
            row = {"resourceType": "Condition", "recordedDate": f.date, **about}
        out[f.subject].append(row)
    return out


def fhir_bulk(facts: Facts, folder: Path, shape: str) -> Options:
    lines = [json.dumps(r) for rows in _resources(facts).values() for r in rows]
    (folder / "all.ndjson").write_text("\n".join(lines))
    return {"path": str(folder)}


def fhir_bundles(facts: Facts, folder: Path, shape: str) -> Options:
    for s, rows in _resources(facts).items():
        bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in rows]}
        (folder / f"{s}.json").write_text(json.dumps(bundle))
    return {"path": str(folder)}


def synthea_csv(facts: Facts, folder: Path, shape: str) -> Options:
    _table(
        [
            {"Id": s, "BIRTHDATE": BIRTH.isoformat(), "DEATHDATE": None, "GENDER": "F"}
            for s in subjects(facts)
        ],
        folder,
        "patients",
        shape,
    )
    _table(
        [
            {
                "DATE": f.date,
                "PATIENT": f.subject,
                "CODE": f.code,
                "DESCRIPTION": f.code,
                "VALUE": f.word if f.value is None else str(f.value),
                "UNITS": f.unit,
            }
            for f in facts
            if f.system == "LOINC"
        ],
        folder,
        "observations",
        shape,
    )
    _table(
        [
            {"START": f.date, "PATIENT": f.subject, "SYSTEM": f.system, "CODE": f.code, "DESCRIPTION": f.code}
            for f in facts
            if f.system != "LOINC"
        ],
        folder,
        "conditions",
        shape,
    )
    return {"path": str(folder)}


def long_csv(facts: Facts, folder: Path, shape: str) -> Options:
    rows = [
        {
            "who": f.subject,
            "born": BIRTH.isoformat(),
            "when": f.date,
            "what": f.code,
            "of": f.system,
            "n": f.value,
            "u": f.unit,
            "w": f.word,
        }
        for f in facts
    ]
    (folder / "in").mkdir()
    _table(rows, folder / "in", "long", shape)
    return {
        "path": str(folder / "in"),
        "subject": "who",
        "time": "when",
        "birth": "born",
        "code": "what",
        "system": "of",
        "value": "n",
        "unit": "u",
        "text": "w",
    }


def wide(facts: Facts, folder: Path, shape: str) -> Options:
    """A row a fact, so that each code's column is empty in the rows of all others."""
    codes = sorted({(f.system, f.code) for f in facts})
    rows = []
    for f in facts:
        said = f.word if f.value is None else f.value
        cell = said if f.system == "LOINC" else f.day / DAYS
        row = {"id": f.subject, "age": f.day / DAYS} | {c: None for _, c in codes} | {f.code: cell}
        rows.append({name: None if v is None else str(v) for name, v in row.items()})
    (folder / "in").mkdir()
    _table(rows, folder / "in", "wide", shape)
    measured = [{"column": c, "code": c, "system": s} for s, c in codes if s == "LOINC"]
    return {
        "path": str(next((folder / "in").iterdir())),
        "subject": "id",
        "at": "age",
        "measured": measured,
        "firsts": [{"column": c, "code": c, "system": s} for s, c in codes if s != "LOINC"],
    }


FLAT = ("csv", "tsv", "parquet", "parquet-dictionary", "parquet-large")
WRITERS: dict[str, tuple[Callable[[Facts, Path, str], Options], tuple[str, ...]]] = {
    "meds": (meds, ("parquet", "parquet-dictionary", "parquet-large", "parquet-view")),
    "omop": (omop, FLAT),
    "fhir_bulk": (fhir_bulk, ("ndjson",)),
    "fhir_bundles": (fhir_bundles, ("json",)),
    "synthea_csv": (synthea_csv, FLAT),
    "long_csv": (long_csv, FLAT),
    "wide": (wide, FLAT),
}
"""Source -> its writer and the shapes that it is tried in."""
