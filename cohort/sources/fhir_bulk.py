"""FHIR bulk export: newline-delimited JSON, a resource a line, packed or not, one or more files a type."""

import gzip
from pathlib import Path

import orjson

from ...study.errors import DataError, StudyError
from ..events import Place
from ..reading import files, tables
from ..reading.gather import Gathered
from ._fhir_records import Lines, gathered, without_mark
from ._fhir_records import Options as Options

ENDINGS = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Raises:
        StudyError: nothing there.
        DataError: a file cannot be read, or holds nobody.
    """
    root = files.opened(place.path(options.path), place, "cohort.source.path")
    paths = files.listed(root, ENDINGS)
    if not paths:
        raise StudyError(f"cohort.source.path: {options.path}: no *.ndjson or *.ndjson.gz files found.")
    return gathered(_lines(paths, place), options, place)


def _lines(paths: list[Path], place: Place) -> Lines:
    for file in paths:
        n, last = 0, -1
        try:
            with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as f:
                for last, line in enumerate(f):
                    bare = without_mark(line).strip()
                    if not bare:
                        continue
                    n += 1
                    try:
                        resource = orjson.loads(bare)
                    except orjson.JSONDecodeError:
                        place.bad.add(file.name, "not JSON", [last], [bare[:60].decode(errors="replace")])
                        continue
                    yield file.name, last, resource, bare
        except tables.READING as e:
            raise DataError(tables.unreadable(file.name, e)) from e
        place.bad.read(file.name, n)
