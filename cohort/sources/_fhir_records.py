"""FHIR resources in any order, from whatever files, become people and events."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import orjson
import pandas as pd
from pydantic import Field

from ...study.errors import DataError
from ...study.records import Record
from ..events import Place
from ..reading import dates, tables
from ..reading.gather import EventBatch, Gathered
from ..reading.systems import Systems
from . import _fhir
from ._fhir_values import Resource, word

CHUNK = 200_000
"""Facts in memory."""
Certainty = Literal["confirmed", "unstated", "provisional", "differential", "unconfirmed"]
Lines = Iterator[tuple[str, int, Any, bytes]]
"""File, row, resource, and the bytes that are the same when the resource is."""


class Options(Record):
    """What is read of FHIR resources."""

    path: str
    """A folder with the files, or a zip of one, or one file."""
    condition_date: Literal["recorded", "onset"] = "recorded"
    """`recorded`: the day a condition was written down, else its onset; `onset`: the other way round."""
    certainty: tuple[Certainty, ...] = ("confirmed", "unstated")
    """Conditions that count, by their `verificationStatus`; `unstated`: they have none. Others are counted apart."""
    systems: dict[str, str] = Field(default_factory=dict)
    """Address of a coding system -> its common name (ICD10, SNOMED, ...), where it is not recognised."""


def places(condition: str) -> dict[str, tuple[str, ...]]:
    """`_fhir.DATES`, with the choice of the study file for conditions."""
    if condition == "recorded":
        return _fhir.DATES
    first = _fhir.DATES["Condition"]
    onset = tuple(p for p in first if p.startswith("onset"))
    return {**_fhir.DATES, "Condition": (*onset, *(p for p in first if p not in onset))}


def gathered(lines: Lines, options: Options, place: Place) -> Gathered:
    """People and events, gone through once.

    Raises:
        DataError: nobody among them.
    """
    held = _Held(options, place)
    for file, row, resource, whole in lines:
        try:
            held.add(file, row, resource, whole)
        except (AttributeError, TypeError, ValueError, KeyError, IndexError, OverflowError) as e:
            fault = f"{type(resource).__name__}: {e}"
            place.bad.add(file, "a resource that is not as FHIR has it", [row], [fault])
    return Gathered(held.people(), held.batches(), place, versions=True)


class _Held:
    """Facts until it is known who there is; on disk where they are many."""

    def __init__(self, options: Options, place: Place) -> None:
        self._options, self._place = options, place
        self._dates, self._systems = places(options.condition_date), Systems(options.systems, place)
        self._people: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self._medications: dict[str, Resource] = {}
        self._visits: dict[str, str] = {}
        self._void: dict[int, float] = {}
        """Resources that do not count -> their newest version."""
        self._facts: list[tuple[Any, ...]] = []
        self._files: list[Path] = []

    def add(self, file: str, row: int, resource: Any, whole: bytes) -> None:
        """One resource."""
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            self._place.bad.add(file, "not a FHIR resource", [row], [str(resource)])
            return
        kind, id = resource["resourceType"], word(resource.get("id"))
        if kind == "Patient":
            self._patient(file, row, resource, whole)
        elif kind == "Medication":
            self._medications[id] = resource
        elif kind in _fhir.KINDS:
            same = _number(f"{kind}/{id}/{_fhir.subject(resource)}") if id else 0
            version = _fhir.version(resource)
            if self._skipped(file, kind, resource):
                if same:
                    self._void[same] = max(version, self._void.get(same, 0.0))
                return
            if kind == "Encounter" and (over := _fhir.end(resource)):
                self._visits[id] = over[:10]
            facts = list(_fhir.facts(resource, self._dates, self._systems))
            if facts and not facts[0].subject and _fhir.of_others(resource):
                self._place.bad.skip(file, f"{kind}: about something else than a Patient")
                return
            mark = (file, row, same, version, _number(whole))
            self._facts += [(*mark, *self._flat(fact)) for fact in facts]
            if len(self._facts) >= CHUNK:
                self._spill()

    def _patient(self, file: str, row: int, resource: Resource, whole: bytes) -> None:
        person = _fhir.patient(resource)
        known = self._people.get(person["subject"])
        if not person["subject"]:
            self._place.bad.add(file, "a Patient without an id", [row], [""])
        elif known is None:
            self._people[person["subject"]] = whole, {**person, "file": file, "row": row}
        elif known[0] == whole:
            self._place.bad.note("copies of a Patient that was read already, left out")
        else:
            raise DataError(
                f"{file}: row {row}: Patient {person['subject']!r} appears twice with different contents "
                f"(first in {known[1]['file']}, row {known[1]['row']}). Export the current version only."
            )

    def _skipped(self, file: str, kind: str, resource: Resource) -> bool:
        """Whether a resource says of itself that it does not count, or is less sure than the study asks for."""
        why = _fhir.void(resource)
        if why is None and kind in ("Condition", "AllergyIntolerance"):
            sure = _fhir.certainty(resource)
            why = None if sure in self._options.certainty else sure
        if why is None and kind == "Observation" and _fhir.absent(resource) and not resource.get("component"):
            why = "no result"
        if why is not None:
            self._place.bad.skip(file, f"{kind}: {why}")
        return why is not None

    def _flat(self, fact: _fhir.FhirFact) -> tuple[Any, ...]:
        """A fact in plain cells; its codings as JSON."""
        return (*fact._replace(codings=orjson.dumps(fact.codings).decode()),)  # type: ignore[arg-type]

    def _frame(self) -> pd.DataFrame:
        marks = ["file", "row", "same", "version", "content"]
        frame = pd.DataFrame(self._facts, columns=[*marks, *_fhir.FhirFact._fields])
        kinds = {"age": "float64", "value": "float64", "coded": "bool"}
        kinds |= {"same": "uint64", "version": "float64", "content": "uint64"}
        return frame.rename(columns={"time": "date"}).astype(kinds)

    def _spill(self) -> None:
        self._files.append(self._place.scratch / f"facts{len(self._files)}.parquet")
        self._frame().to_parquet(self._files[-1])
        self._facts = []

    def people(self) -> pd.DataFrame:
        """The people.

        Raises:
            DataError: nobody.
        """
        if not self._people:
            raise DataError(
                "cohort.source: no Patient among the resources. An export has them in Patient.*.ndjson."
            )
        frame = pd.DataFrame([person for _, person in self._people.values()])
        self._place.bad.read("Patient", len(frame))
        for name in ("birth", "death"):
            text = frame[name].astype("str").where(frame[name].notna())
            column = {"birth": "birthDate", "death": "deceasedDateTime"}[name]
            key = "the Patients"
            frame[name] = dates.birthdays(
                frame.assign(**{name: text}), "Patient", name, self._place, None, key, column
            )
        sex = tables.sex(frame["sex"], {})
        self._place.bad.note("people of whom the sex is not known", int(pd.isna(sex).sum()))
        return frame.assign(sex=sex).drop(columns=["file", "row"])

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        for frame in chain((pd.read_parquet(f) for f in self._files), [self._frame()]):
            if len(frame):
                yield from self._finished(frame)

    def _finished(self, frame: pd.DataFrame) -> Iterator[EventBatch]:
        # ids of which no version is told may be anybody's: some servers number resources within a file
        gone = frame["same"].map(self._void).fillna(0.0) > frame["version"]
        self._place.bad.note("facts of which a newer version does not count, left out", int(gone.sum()))
        frame = frame[~gone].copy()
        lacking = frame["date"].isna() & (frame["encounter"] != "")
        frame["date"] = frame["date"].where(~lacking, frame["encounter"].map(self._visits))
        keys = list(zip(frame["codings"], frame["text"], frame["medication"], strict=True))
        known = {key: self._named(*key) for key in set(keys)}
        cells = [known[key] for key in keys]
        for i, name in enumerate(("system", "code", "name", "also")):
            frame[name] = pd.Series([c[i] for c in cells], index=frame.index, dtype=object)
        for file, part in frame.groupby("file", sort=False):
            rows = part.set_index("row")
            gone = rows["code"] == ""
            drugs = gone & (rows["medication"] != "")
            self._place.bad.note("drugs whose Medication is not among the resources", int(drugs.sum()))
            self._place.bad.note("resources without a code", int((gone & ~drugs).sum()))
            timed = dates.dated(rows[~gone], str(file), "date", self._place, None, "the resources")
            columns = [
                "subject",
                "time",
                "age",
                "system",
                "code",
                "kind",
                "name",
                "also",
                "value",
                "unit",
                "coded",
                "same",
                "version",
                "content",
            ]
            yield EventBatch(str(file), timed[columns].assign(text=timed["said"]))

    def _named(self, codings: str, text: str, medication: str) -> tuple[str, str, str, Any]:
        fact = _fhir.FhirFact("", None, None, "", "", tuple(tuple(c) for c in orjson.loads(codings)), text)
        if medication in self._medications:
            whole = _fhir.medication(fact, self._medications[medication], self._systems)
            fact = whole if whole.codings or whole.text else fact
        return _fhir.named(fact)


def _number(text: str | bytes) -> int:
    """A number that two texts share only when they are the same; never 0."""
    return (hash(text) & 0xFFFFFFFFFFFFFFFF) | 1


def without_mark(raw: bytes) -> bytes:
    """Bytes without the byte order mark that some editors write first."""
    return raw.removeprefix(b"\xef\xbb\xbf")
