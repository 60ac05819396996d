"""FHIR R4 bulk export: newline-delimited JSON, a resource a line, packed or not, one or more files a type."""

import gzip
from collections.abc import Iterable, Iterator
from itertools import chain
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

CHUNK = 500_000
"""Facts in memory."""


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
    return gathered(_lines(files, place), dates(options.condition_date), place)


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


def gathered(lines: Lines, places: dict[str, tuple[str, ...]], place: Place) -> Gathered:
    """People and events from resources in any order, gone through once.

    Raises:
        DataError: nobody among them.
    """
    people: list[dict[str, Any]] = []
    names: dict[str, tuple[tuple[str, str], str]] = {}
    held = _Held(place)
    for file, row, resource in lines:
        kind = resource.get("resourceType")
        if kind == "Patient":
            people.append(_fhir.patient(resource))
        elif kind == "Medication":
            names[str(resource.get("id"))] = _fhir.coding(resource.get("code"))
        elif kind in places:
            if (why := _fhir.void(resource)) is not None:
                place.bad.skip(file, why)
            else:
                held.add(file, row, _fhir.facts(resource, places))
    if not people:
        raise DataError(
            "cohort.source: no Patient among the resources. An export has them in Patient.*.ndjson."
        )
    return Gathered(_people(pd.DataFrame(people), place), held.batches(names), place)


class _Held:
    """Facts until it is known who there is; on disk where they are many."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._facts: list[tuple[Any, ...]] = []
        self._files: list[Path] = []

    def add(self, file: str, row: int, facts: Iterable[_fhir.Fact]) -> None:
        """The facts of one resource."""
        self._facts += [(file, row, *fact) for fact in facts]
        if len(self._facts) >= CHUNK:
            self._files.append(self._place.scratch / f"facts{len(self._files)}.parquet")
            self._frame().to_parquet(self._files[-1])
            self._facts = []

    def batches(self, names: dict[str, tuple[tuple[str, str], str]]) -> Iterator[Batch]:
        """All of them, with the names of the medications that were referred to."""
        frames = chain((pd.read_parquet(f) for f in self._files), [self._frame()])
        for frame in frames:
            at = frame["system"] == _fhir.REFERENCE
            if at.any():
                known = [names.get(c, (("", c), c)) for c in frame.loc[at, "code"]]
                frame.loc[at, ["system", "code", "name"]] = [(*pair, name) for pair, name in known]
            for file, part in frame.groupby("file", sort=False):
                rows = tables.dated(part.set_index("row"), str(file), "date", self._place)
                yield Batch(str(file), rows.assign(value=rows["value"].astype(np.float64)))

    def _frame(self) -> pd.DataFrame:
        return pd.DataFrame(self._facts, columns=["file", "row", *_fhir.Fact._fields]).rename(
            columns={"time": "date"}
        )


def _people(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    place.bad.read("Patient", len(frame))
    birth = tables.birthdays(frame, "Patient", "birth", place)
    death = tables.birthdays(frame, "Patient", "death", place)
    return frame.assign(sex=tables.sex(frame["sex"], {}), birth=birth, death=death)
