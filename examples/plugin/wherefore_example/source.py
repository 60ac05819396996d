"""A source: a JSON object a line, a person each.

{"id": "p1", "sex": "female", "born": "1941-03-02", "last_seen": "2015-01-01",
 "events": [{"date": "2009-05-17", "code": "I10", "name": "Essential hypertension"}]}
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from wherefore.cohort.events import Place
from wherefore.cohort.reading.gather import EventBatch, Gathered
from wherefore.study.errors import StudyError
from wherefore.study.records import Record

SYSTEM, KIND = "ICD10", "condition"


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
    people = pd.read_json(path, lines=True, dtype=False, convert_dates=False)
    place.bad.read(path.name, len(people))
    return Gathered(_who(people), _events(people, path), place)


def _who(people: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject": people["id"].astype("str"),
            "sex": people["sex"],
            "site": None,
            "birth": pd.to_datetime(people["born"]),
            "death": pd.NaT,
            "last": pd.to_datetime(people["last_seen"]),
        }
    )


def _events(people: pd.DataFrame, path: Path) -> Iterator[EventBatch]:
    """Events in any order; `Gathered` sorts them. The index is the row that a timeline's line is traced to."""
    rows = people.explode("events").dropna(subset="events")
    events = pd.DataFrame(list(rows["events"]), index=rows.index)
    yield EventBatch(
        path.name,
        pd.DataFrame(
            {
                "subject": rows["id"].astype("str"),
                "time": pd.to_datetime(events["date"]),
                "system": SYSTEM,
                "code": events["code"],
                "kind": KIND,
                "name": events["name"],
            }
        ),
    )
