"""The same few people written in every format that is read; each event's code is `Z` and its day."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

People = dict[str, dict[str, Any]]
"""id -> birth (a date), sex, events (days since birth), ill (a day or None), death (a day or None)."""


CONDITION = ["person_id", "condition_start_date", "condition_source_value", "condition_concept_id"]


def date(person: dict[str, Any], day: int) -> str:
    return (person["birth"] + dt.timedelta(days=day)).isoformat()


def events(person: dict[str, Any]) -> list[tuple[int, str]]:
    out = [(day, f"Z{day}") for day in person["events"]]
    return sorted(out + ([(person["ill"], "G30")] if person["ill"] is not None else []))


def meds(people: People, folder: Path) -> dict[str, Any]:
    rows: list[tuple[int, str | None, str]] = []
    for id, p in people.items():
        rows += [(int(id), None, f"SEX//{p['sex']}"), (int(id), date(p, 0), "MEDS_BIRTH")]
        rows += [(int(id), date(p, d), f"ICD10//{c}") for d, c in events(p)]
        rows += [(int(id), date(p, p["death"]), "MEDS_DEATH")] if p["death"] is not None else []
    frame = pd.DataFrame(rows, columns=["subject_id", "time", "code"]).astype({"time": "datetime64[us]"})
    frame.to_parquet(folder / "data.parquet")
    return {"path": str(folder)}


def omop(people: People, folder: Path) -> dict[str, Any]:
    person = [(i, p["birth"].year, p["birth"].month, p["birth"].day, 8507) for i, p in people.items()]
    condition = [(i, date(p, d), c, 0) for i, p in people.items() for d, c in events(p)]
    death = [(i, date(p, p["death"])) for i, p in people.items() if p["death"] is not None]
    pd.DataFrame(
        person, columns=["PERSON_ID", "YEAR_OF_BIRTH", "MONTH_OF_BIRTH", "DAY_OF_BIRTH", "GENDER_CONCEPT_ID"]
    ).to_csv(folder / "PERSON.csv", index=False)
    pd.DataFrame(condition, columns=CONDITION).to_csv(folder / "condition_occurrence.csv.gz", index=False)
    pd.DataFrame(death, columns=["person_id", "death_date"]).to_csv(folder / "death.csv", index=False)
    return {"path": str(folder)}


def _resources(id: str, p: dict[str, Any], refers: str) -> list[dict[str, Any]]:
    patient = {"resourceType": "Patient", "id": id, "gender": p["sex"].lower(), "birthDate": date(p, 0)}
    if p["death"] is not None:
        patient["deceasedDateTime"] = date(p, p["death"]) + "T10:00:00Z"
    system = "http://hl7.org/fhir/sid/icd-10-cm"
    return [patient] + [
        {
            "resourceType": "Condition",
            "id": f"{id}-{d}",
            "subject": {"reference": f"{refers}{id}"},
            "code": {"coding": [{"system": system, "code": c}]},
            "recordedDate": date(p, d) + "T23:59:59+02:00",
        }
        for d, c in events(p)
    ]


def fhir_bulk(people: People, folder: Path) -> dict[str, Any]:
    lines = [json.dumps(r) for i, p in people.items() for r in _resources(i, p, "Patient/")]
    (folder / "all.ndjson").write_text("\n".join(reversed(lines)))
    return {"path": str(folder)}


def fhir_bundles(people: People, folder: Path) -> dict[str, Any]:
    for i, p in people.items():
        entry = [{"resource": r} for r in _resources(i, p, "urn:uuid:")]
        (folder / f"{i}.json").write_text(json.dumps({"resourceType": "Bundle", "entry": entry}))
    return {"path": str(folder)}


def synthea_csv(people: People, folder: Path) -> dict[str, Any]:
    patients = [
        (i, date(p, 0), date(p, p["death"]) if p["death"] is not None else "", "M") for i, p in people.items()
    ]
    pd.DataFrame(patients, columns=["Id", "BIRTHDATE", "DEATHDATE", "GENDER"]).to_csv(
        folder / "patients.csv", index=False
    )
    rows = [(date(p, d), i, "ICD10", c, c) for i, p in people.items() for d, c in events(p)]
    pd.DataFrame(rows, columns=["START", "PATIENT", "SYSTEM", "CODE", "DESCRIPTION"]).to_csv(
        folder / "conditions.csv", index=False
    )
    return {"path": str(folder)}


def long_csv(people: People, folder: Path) -> dict[str, Any]:
    rows = [
        (i, date(p, d), f"ICD10//{c}", date(p, 0), p["sex"]) for i, p in people.items() for d, c in events(p)
    ]
    rows += [
        (i, date(p, p["death"]), "DIED", date(p, 0), p["sex"])
        for i, p in people.items()
        if p["death"] is not None
    ]
    pd.DataFrame(rows, columns=["who", "when", "what", "born", "sex"]).to_csv(
        folder / "long.tsv", sep="\t", index=False
    )
    return {
        "path": str(folder / "long.tsv"),
        "subject": "who",
        "time": "when",
        "code": "what",
        "birth": "born",
        "sex": "sex",
        "death_code": "DIED",
    }


def wide(people: People, folder: Path) -> dict[str, Any]:
    days = sorted({d for p in people.values() for d in p["events"]})
    rows = []
    for i, p in people.items():
        row = {"id": i, "born": date(p, 0), "sex": p["sex"]} | {
            f"c{d}": date(p, d) if d in p["events"] else "" for d in days
        }
        row |= {"G30": "" if p["ill"] is None else date(p, p["ill"])}
        rows.append(row | {"died": "" if p["death"] is None else date(p, p["death"])})
    pd.DataFrame(rows).to_csv(folder / "wide.csv", index=False)
    firsts = [{"column": f"c{d}", "code": f"Z{d}", "system": "ICD10"} for d in days]
    firsts.append({"column": "G30", "code": "G30", "system": "ICD10"})
    return {
        "path": str(folder / "wide.csv"),
        "subject": "id",
        "birth": "born",
        "sex": "sex",
        "death": "died",
        "values": "date",
        "firsts": firsts,
    }


WRITERS: dict[str, Callable[[People, Path], dict[str, Any]]] = {
    "meds": meds,
    "omop": omop,
    "fhir_bulk": fhir_bulk,
    "fhir_bundles": fhir_bundles,
    "synthea_csv": synthea_csv,
    "long_csv": long_csv,
    "wide": wide,
}
