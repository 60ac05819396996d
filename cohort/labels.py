"""Prediction times, and labels, from elsewhere: MEDS label files, the output of ACES, or any table of that form."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..study.errors import DataError
from . import tables
from .events import Place
from .settings import Predict
from .task import Rows

_TRUTH = {"1": 1.0, "1.0": 1.0, "true": 1.0, "0": 0.0, "0.0": 0.0, "false": 0.0}


def rows(predict: Predict, place: Place) -> Rows | None:
    """The predictions that a file asks for; None where the rule is another.

    Args:
        predict: `file` is a CSV or Parquet, or a folder of them, with `subject_id` and `prediction_time` or
            `prediction_age`; `labels` names the column of the labels.
        place: finds the file.
    Raises:
        DataError: a column is missing, a label is neither 0 nor 1, a time cannot be read.
    """
    if predict.rule != "per_row":
        return None
    root = tables.opened(place.path(str(predict.file)), place, "cohort.predict.file")
    files = (
        [root]
        if root.is_file()
        else sorted(p for p in root.rglob("*") if p.name.lower().endswith(tables.ENDINGS))
    )
    parts = [_rows(f, part, predict) for f in files for part in tables.chunks(f, _columns(predict), place,
             "cohort.predict.file", frozenset({"time", "age"}), lists=True)]  # fmt: skip
    if not parts:
        raise DataError(f"cohort.predict.file: {predict.file}: no rows. Give a label file with at least one.")
    return pd.concat(parts, ignore_index=True)


def _columns(predict: Predict) -> dict[str, str]:
    out = {"subject": "subject_id", "time": "prediction_time", "age": "prediction_age"}
    return out | ({"label": predict.labels} if predict.labels else {})


def _rows(file: Path, part: pd.DataFrame, predict: Predict) -> Rows:
    time = tables.dates(part["time"]) if part["time"].notna().any() else pd.Series(pd.NaT, index=part.index)
    age = tables.numbers(part["age"])
    unreadable = part.index[time.isna() & np.isnan(age)]
    if len(unreadable):
        at = unreadable[0]
        raise DataError(f"{file.name}: row {at}: prediction_time: found {part.at[at, 'time']!r}; a date such as "
                        "2010-05-17 is needed, or an age in prediction_age.")  # fmt: skip
    label = np.full(len(part), np.nan)
    if predict.labels:
        words = part["label"].astype("str").str.strip().str.lower()
        label = words.map(_TRUTH).to_numpy(float)
        wrong = part.index[np.isnan(label)]
        if len(wrong):
            raise DataError(f"{file.name}: row {wrong[0]}: {predict.labels}: found {part.at[wrong[0], 'label']!r}; "
                            f"a label is 0 or 1 ({len(wrong)} such rows). Correct the file.")  # fmt: skip
    return pd.DataFrame(
        {
            "subject": part["subject"].astype("str"),
            "time": time.astype("datetime64[s]"),
            "age": age,
            "label": label,
        }
    )
