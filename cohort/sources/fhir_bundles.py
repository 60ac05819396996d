"""FHIR R4 bundles: a JSON file a person, or more, packed or not, as Synthea and many servers write them."""

import gzip
from pathlib import Path
from typing import Any

import orjson

from ...study.errors import StudyError
from ...study.records import Record
from .. import tables
from ..events import Place
from ..gather import Gathered
from .fhir_bulk import Lines, dates, gathered


class Options(Record):
    """Where the bundles are."""

    path: str
    """A folder with `*.json` or `*.json.gz`, or a zip of one."""
    condition_date: str = "recorded"
    """`recorded`: the day a condition was written down, else its onset; `onset`: the other way round."""


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there.
    """
    root = tables.opened(place.path(options.path), place, "cohort.source.path")
    files = (
        [root]
        if root.is_file()
        else sorted(p for p in root.rglob("*") if p.name.endswith((".json", ".json.gz")))
    )
    if not files:
        raise StudyError(f"cohort.source.path: {options.path}: no *.json or *.json.gz there.")
    return gathered(_entries(files, place), dates(options.condition_date), place)


def _entries(files: list[Path], place: Place) -> Lines:
    for file in files:
        raw = gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()
        try:
            bundle = orjson.loads(raw)
        except orjson.JSONDecodeError:
            place.bad.read(file.name, 1)
            place.bad.add(file.name, "not JSON", [0], [raw[:60].decode(errors="replace")])
            continue
        entries = bundle.get("entry") or []
        place.bad.read(file.name, len(entries))
        for row, entry in enumerate(entries):
            yield file.name, row, _named(entry)


def _named(entry: dict[str, Any]) -> dict[str, Any]:
    """The resource, with an id from its full address where it has none of its own."""
    resource: dict[str, Any] = entry.get("resource") or {}
    if "id" not in resource and entry.get("fullUrl"):
        resource["id"] = str(entry["fullUrl"]).removeprefix("urn:uuid:").rsplit("/", 1)[-1]
    return resource
