"""FHIR R4 bulk export: newline-delimited JSON, a resource a line, packed or not, one or more files a type."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from ...study.errors import DataError, StudyError
from ...study.records import Record
from .. import tables
from ..events import Place
from ..gather import Batch, Gathered
from . import _fhir

CHUNK = 100_000
"""Resources at a time."""


class Options(Record):
    """Where the export is."""

    path: str
    """A folder with `*.ndjson` or `*.ndjson.gz`, or a zip of one."""
    condition_date: str = "recorded"
    """`recorded`: the day a condition was written down, else its onset; `onset`: the other way round."""


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there.
        DataError: a file cannot be read.
    """
    root = tables.opened(place.path(options.path), place, "cohort.source.path")
    files = (
        [root]
        if root.is_file()
        else sorted(p for p in root.rglob("*") if ".ndjson" in p.name or p.name.endswith(".jsonl"))
    )
    if not files:
        raise StudyError(f"cohort.source.path: {options.path}: no *.ndjson or *.ndjson.gz there.")
    return gathered(lambda: _lines(files, place), dates(options.condition_date), place)


def dates(condition: str) -> dict[str, tuple[str, ...]]:
    """`_fhir.DATES`, with the choice of the study file for conditions.

    Raises:
        StudyError: neither `recorded` nor `onset`.
    """
    if condition == "recorded":
        return _fhir.DATES
    if condition == "onset":
        return {**_fhir.DATES, "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate", "assertedDate")}
    raise StudyError(f"cohort.source.condition_date: {condition!r} is neither 'recorded' nor 'onset'.")


Lines = Iterator[tuple[str, int, dict[str, Any]]]
"""(file, row, resource)."""


def _lines(files: list[Path], place: Place) -> Lines:
    for file in files:
        n, last = 0, -1
        with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as f:
            for last, line in enumerate(f):
                if not line.strip():
                    continue
                n += 1
                try:
                    resource = orjson.loads(line)
                except orjson.JSONDecodeError:
                    place.bad.add(file.name, "not JSON", [last], [line[:60].decode(errors="replace")])
                    continue
                yield file.name, last, resource
        place.bad.read(file.name, n)


def gathered(lines: Any, places: dict[str, tuple[str, ...]], place: Place) -> Gathered:
    """People and events from resources; `lines()` goes through them, twice: who there is, then what happened."""
    people, medications = [], {}
    place.bad.open = False  # rows are counted on the second way through
    for _, _, resource in lines():
        if resource.get("resourceType") == "Patient":
            people.append(_fhir.patient(resource))
        elif resource.get("resourceType") == "Medication":
            medications[str(resource.get("id"))] = resource.get("code") or {}
    place.bad.open = True
    if not people:
        raise DataError(
            "cohort.source: no Patient among the resources. A bulk export has a file Patient.*.ndjson."
        )
    return Gathered(
        _people(pd.DataFrame(people), place), _batches(lines(), places, medications, place), place
    )


def _people(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    place.bad.read("Patient", len(frame))
    birth = tables.birthdays(frame, "Patient", "birth", place)
    death = tables.birthdays(frame, "Patient", "death", place)
    return frame.assign(sex=tables.sex(frame["sex"], {}), birth=birth, death=death)


def _batches(
    lines: Lines, places: dict[str, tuple[str, ...]], medications: dict[str, Any], place: Place
) -> Iterator[Batch]:
    held: list[tuple[int, _fhir.Fact]] = []
    name = ""
    for file, row, resource in lines:
        if (file != name or len(held) >= CHUNK) and held:
            yield _batch(name, held, place)
            held = []
        name = file
        if resource.get("resourceType") not in places:
            continue
        if (why := _fhir.void(resource)) is not None:
            place.bad.skip(file, why)
            continue
        held += [(row, fact) for fact in _fhir.facts(resource, places, medications)]
    if held:
        yield _batch(name, held, place)


def _batch(file: str, held: list[tuple[int, _fhir.Fact]], place: Place) -> Batch:
    frame = pd.DataFrame([f for _, f in held], columns=list(_fhir.Fact._fields), index=[r for r, _ in held])
    rows = tables.dated(frame.rename(columns={"time": "date"}), file, "date", place)
    return Batch(file, rows.assign(value=rows["value"].astype(np.float64)))
