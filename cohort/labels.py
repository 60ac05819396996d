"""Prediction times, and labels, from elsewhere: MEDS label files, an ACES task, or any table of that form."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from ..study.errors import DataError
from . import aces
from .events import Place, Records
from .reading import dates, files, tables
from .reading.gather import ids
from .settings import Predict
from .task import Rows

_TRUTH = {"1": 1.0, "1.0": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0, "no": 0.0}
SUBJECTS = ("subject_id", "patient_id", "person_id")
"""Columns of the person that are found without being named: of MEDS, EHRSHOT, OMOP."""


def rows(predict: Predict, place: Place, records: Records) -> Rows | None:
    """The predictions that a file asks for; None where the rule is another.

    Args:
        predict: `file` is a CSV or Parquet, or a folder of them, with the person and the time or age of prediction;
            `labels` names the column of the labels. With the rule `aces`, the YAML of a task.
        place: finds the file.
        records: what an ACES task is laid over.
    Returns:
        In the order of person and time; rows that say the same twice are one.
    Raises:
        DataError: a column is missing, a label is neither 0 nor 1, a time cannot be read, or a person has two labels
            at one time.
    """
    if predict.rule == "aces":
        return _once(_of_task(predict, place, cast(aces.HasRows, records)), predict, place)
    if predict.rule != "per_row":
        return None
    root = files.opened(place.path(str(predict.file)), place, "cohort.predict.file")
    form = tables.TableFormat(date_format=predict.date_format)
    parts = []
    for file in files.listed(root, files.ENDINGS):
        columns, optional = _columns(predict, file, form), frozenset({"time", "age"})
        for part in tables.chunks(file, columns, place, "cohort.predict", form, optional, many=True):
            parts.append(_rows(file, part, predict))
    if not any(len(p) for p in parts):
        raise DataError(f"cohort.predict.file: {predict.file}: no rows. Give a label file with at least one.")
    return _once(pd.concat(parts, ignore_index=True), predict, place)


def task(predict: Predict, path: Callable[[str], Path]) -> aces.Task:
    """The ACES task that the study file names.

    Raises:
        DataError: a key of it is not understood.
    """
    more = None if predict.predicates is None else path(predict.predicates)
    return aces.read(path(str(predict.file)), more)


def _of_task(predict: Predict, place: Place, records: aces.HasRows) -> Rows:
    frame = aces.labels_of(task(predict, place.path), records)
    if frame.empty:
        raise DataError(
            f"cohort.predict.file: {predict.file}: no moment of the records fits the task. "
            "Do its predicates name codes that are there?"
        )
    moment = frame["prediction_time"]
    return pd.DataFrame(
        {
            "subject": ids(frame["subject_id"]),
            "said": moment.astype("str"),
            "moment": moment,
            "time": moment.dt.normalize().astype("datetime64[s]"),
            "age": np.nan,
            "label": frame["boolean_value"].astype(float),
        }
    )


def _columns(predict: Predict, file: Path, form: tables.TableFormat) -> dict[str, str]:
    """Our names -> the file's."""
    have = {tables.plain(c) for c in tables.columns_of(file, form)}
    subject = predict.subject or next((s for s in SUBJECTS if s in have), SUBJECTS[0])
    out = {"subject": subject, "time": predict.time, "age": "prediction_age"}
    return out | ({"label": predict.labels} if predict.labels else {})


def _rows(file: Path, part: pd.DataFrame, predict: Predict) -> Rows:
    time = dates.dates(part["time"], predict.date_format)
    age = dates.numbers(part["age"])
    unreadable = part.index[time.isna() & np.isnan(age)]
    if len(unreadable):
        at = unreadable[0]
        raise DataError(
            f"{file.name}: row {at}: {predict.time}: found {part.at[at, 'time']!r}; a date such as 2010-05-17 is "
            "needed (or cohort.predict.date_format), or an age in prediction_age."
        )
    label = np.full(len(part), np.nan)
    if predict.labels:
        words = part["label"].astype("str").str.strip().str.lower()
        label = words.map(_TRUTH).to_numpy(float)
        wrong = part.index[np.isnan(label)]
        if len(wrong):
            raise DataError(
                f"{file.name}: row {wrong[0]}: {predict.labels}: found {part.at[wrong[0], 'label']!r}; "
                f"a label is 0 or 1 ({len(wrong)} such rows). Correct the file."
            )
    return pd.DataFrame(
        {
            "subject": ids(part["subject"]),
            "said": part["time"].astype("str").where(part["time"].notna(), ""),
            "moment": _moment(part["time"], time, predict.date_format),
            "time": time,
            "age": age,
            "label": label,
        }
    )


def _moment(said: "pd.Series[str]", day: pd.Series, form: str | None) -> pd.Series:
    """The time of day as far as it is said, on the day that was read."""
    local = said.astype("str").str.replace(
        r"(?<=\d)(?:Z|[+-]\d{2}:?\d{2})$", "", regex=True
    )  # the day is local too
    full = pd.to_datetime(local, format=form or "ISO8601", errors="coerce").astype("datetime64[us]")
    return full.where(full.dt.normalize() == day, day.astype("datetime64[us]"))


def _once(frame: Rows, predict: Predict, place: Place) -> Rows:
    """The predictions, each once."""
    key = ["subject", "said", "age"]
    out = frame.drop_duplicates([*key, "label"])
    place.bad.note("predictions that are asked for twice, taken once", len(frame) - len(out))
    both = out.loc[out.duplicated(key), "subject"]
    if len(both):
        raise DataError(
            f"cohort.predict.file: {predict.file}: subject {both.iloc[0]!r} has two labels at one time "
            f"({len(both)} such). Correct the file."
        )
    return out.sort_values(key).drop(columns="said").reset_index(drop=True)
