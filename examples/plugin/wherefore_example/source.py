"""A source: a JSON object a line, a person each.

{"id": "p1", "sex": "female", "born": "1941-03-02", "last_seen": "2015-01-01",
 "events": [{"date": "2009-05-17", "code": "I10", "name": "Essential hypertension"}]}
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from wherefore.cohort.events import Place
from wherefore.cohort.reading import dates
from wherefore.cohort.reading.gather import EventBatch, Gathered
from wherefore.study.errors import StudyError
from wherefore.study.records import Record

SYSTEM, KIND = "ICD10", "condition"
FIELDS = ("id", "sex", "born", "last_seen", "events")
DATES = "cohort.source: dates are written as 2009-05-17"


class Options(Record):
    """`[cohort] source = { name = "json_lines", path = "people.jsonl" }`."""

    path: str
    """The file, relative to the study file."""


def read(options: Options, place: Place) -> Gathered:
    """The records.

    Args:
        options: the keys beside `name` in the study file.
        place: turns a path of the study file into a path, and counts the rows that cannot be used.
    Raises:
        StudyError: no such file.
    """
    path = place.path(options.path)
    if not path.is_file():
        raise StudyError(f"cohort.source.path: no file {options.path}.")
    people = _lines(path, place)
    return Gathered(_who(people, path.name, place), _events(people, path.name, place), place)


def _lines(path: Path, place: Place) -> pd.DataFrame:
    """One row per person; the index is the line of the file. A line that cannot be read is counted as bad."""
    people: dict[int, dict[str, Any]] = {}
    bad: dict[int, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            person = json.loads(line)
            people[number] = {field: person[field] for field in FIELDS}
        except (ValueError, TypeError, KeyError):
            bad[number] = line
    place.bad.read(path.name, len(people) + len(bad))
    place.bad.add(path.name, "not a person in JSON", list(bad), list(bad.values()))
    return pd.DataFrame.from_dict(people, orient="index", columns=list(FIELDS))


def _who(people: pd.DataFrame, file: str, place: Place) -> pd.DataFrame:
    text = people.astype({"born": "str", "last_seen": "str"})
    return pd.DataFrame(
        {
            "subject": people["id"].astype("str"),
            "sex": people["sex"],
            "site": None,
            "birth": dates.birthdays(text, file, "born", place, None, DATES),
            "death": pd.NaT,
            "last": dates.birthdays(text, file, "last_seen", place, None, DATES, early=False),
        }
    )


def _events(people: pd.DataFrame, file: str, place: Place) -> Iterator[EventBatch]:
    """Events in any order; `Gathered` sorts them. The index is the row that a timeline's line is traced to."""
    rows = people.explode("events").dropna(subset="events")
    events = pd.DataFrame(
        list(rows["events"]), index=rows.index, columns=["date", "code", "name"], dtype="str"
    )
    timed = dates.dated(events, file, "date", place, None, DATES)
    yield EventBatch(
        file,
        pd.DataFrame(
            {
                "subject": rows["id"].astype("str"),
                "time": timed["time"],
                "system": SYSTEM,
                "code": events["code"],
                "kind": KIND,
                "name": events["name"],
            }
        ),
    )
