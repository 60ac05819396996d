"""Prediction times and labels of an ACES task configuration, read as it is and laid over MEDS records.

>>> import tempfile, datetime as dt
>>> from pathlib import Path
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "task.yaml").write_text('''
... predicates: {admission: {code: ADMISSION}, discharge: {code: DISCHARGE}}
... trigger: discharge
... windows:
...   input: {start: null, end: trigger, start_inclusive: true, end_inclusive: true, index_timestamp: end}
...   target: {start: trigger, end: start + 30d, start_inclusive: false, end_inclusive: true, label: admission}
... ''')
>>> days = [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 5), dt.datetime(2020, 1, 20), dt.datetime(2020, 1, 22)]
>>> codes = ["ADMISSION", "DISCHARGE", "ADMISSION", "DISCHARGE"]
>>> pd.DataFrame({"subject_id": 7, "time": days, "code": codes}).to_parquet(folder / "0.parquet")
>>> for row in labels(folder / "task.yaml", folder).itertuples(index=False): print(*row)
7 2020-01-05 00:00:00 True
7 2020-01-22 00:00:00 False
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from .reading import read
from .stream import Rows, stream
from .task import Plain, Task
from .windows import found

__all__ = ["HasRows", "Task", "labels", "labels_of", "read"]


def labels(task: Path, records: Path, predicates: Path | None = None) -> pd.DataFrame:
    """What a task gives on MEDS records, whoever may become a case later.

    Args:
        task: an ACES task configuration.
        records: a MEDS folder or file.
        predicates: a file of predicates that come before those of the task.
    Returns:
        Columns subject_id (text), prediction_time and boolean_value, sorted by the first two.
    Raises:
        DataError: a key that is not understood, or records that cannot be read.
    """
    from ..events import Place
    from ..sources import meds

    place = Place(Path, 0, records)
    return labels_of(read(task, predicates), meds.read(meds.Options(path=str(records)), place))


class HasRows(Protocol):
    """Records that can be gone through row by row, times of day included."""

    def rows(self, others: frozenset[str]) -> Iterator[tuple[str, Rows]]:
        """Each file's name and columns, those of `others` under their own names; a person stands in one file."""
        ...


def labels_of(task: Task, records: HasRows) -> pd.DataFrame:
    """The same of records that are already open."""
    plain = [p for p in task.predicates.values() if isinstance(p, Plain)]
    others = frozenset(column for p in plain for column in p.columns)
    parts = []
    for file, rows in records.rows(others):
        moments = stream(rows, task, file)
        hits = found(task, moments)
        parts.append(
            pd.DataFrame(
                {
                    "subject_id": np.array(moments.people, dtype=object)[hits.person],
                    "prediction_time": hits.time.astype("M8[us]"),
                    "boolean_value": hits.label,
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["subject_id", "prediction_time"], kind="stable").reset_index(drop=True)
