"""FHIR bundles: a JSON file a person, or more, packed or not, as Synthea and many servers write them."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from ...study.errors import DataError, StudyError
from ..events import Place
from ..reading import files, tables
from ..reading.gather import Gathered
from ._fhir_records import Lines, gathered, without_mark
from ._fhir_records import Options as Options
from ._fhir_values import node, nodes, word

ENDINGS = (".json", ".json.gz")
BUNDLES = "the bundles"
_NO_RECORDS = ("OperationOutcome", "Parameters", "CapabilityStatement")


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there.
        DataError: a file cannot be read, or nobody is in them.
    """
    root = files.opened(place.path(options.path), place, "cohort.source.path")
    paths = files.listed(root, ENDINGS)
    if not paths:
        raise StudyError(f"cohort.source.path: {options.path}: no *.json or *.json.gz files found.")
    return gathered(_entries(paths, place), options, place)


def _entries(paths: list[Path], place: Place) -> Lines:
    for file in paths:
        try:
            raw = file.read_bytes()
            raw = without_mark(gzip.decompress(raw) if file.name.endswith(".gz") else raw)
        except tables.READING as e:
            raise DataError(tables.unreadable(file.name, e)) from e
        try:
            whole = orjson.loads(raw)
        except orjson.JSONDecodeError:
            place.bad.read(file.name, 1, BUNDLES)
            place.bad.add(file.name, "not JSON", [0], [raw[:60].decode(errors="replace")])
            continue
        row = -1
        for row, resource in enumerate(_resources(whole, file.name, place)):
            yield file.name, row, resource, orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)
        place.bad.read(file.name, row + 1, BUNDLES)


def _resources(whole: Any, file: str, place: Place) -> Iterator[Any]:
    """The resources of a bundle, of a list, or the one that a file is; empty entries are counted."""
    if isinstance(whole, list):
        for one in whole:
            yield from _resources(one, file, place)
    elif node(whole).get("resourceType") != "Bundle":
        if node(whole).get("resourceType") not in _NO_RECORDS:
            yield whole
    else:
        entries = whole.get("entry")
        full = [e for e in nodes(entries) if e.get("resource") is not None]
        place.bad.note(f"{file}: empty entries of a bundle", len(entries or ()) - len(full))
        for entry in full:
            yield from _resources(_named(entry), file, place)


def _named(entry: dict[str, Any]) -> Any:
    """The resource, with an id from its full address where it has none of its own."""
    resource = entry["resource"]
    if isinstance(resource, dict) and "id" not in resource and entry.get("fullUrl"):
        return {**resource, "id": word(entry["fullUrl"]).removeprefix("urn:uuid:").rsplit("/", 1)[-1]}
    return resource
