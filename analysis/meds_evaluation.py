"""Predictions of a study in the schema of MEDS-Evaluation, for its tools and for `wherefore evaluate`.

Source of the schema: meds-evaluation 0.0.6, `meds_evaluation/schema.py` (`PredictionSchema`).
"""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..cohort.records import Case
from ..study import layout
from ..study.config import Study
from ..study.errors import DataError
from ..study.reads import exists
from ..study.records import read_table
from ..train.records import Prediction
from .cells import states

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FORM = "meds-evaluation"
CUT = 0.5
"""The risk from which `predicted_boolean_value` is true."""


def schema() -> "pa.Schema":
    """Its columns, in its order."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("subject_id", pa.int64()),
            pa.field("prediction_time", pa.timestamp("us")),
            pa.field("boolean_value", pa.bool_()),
            pa.field("predicted_boolean_value", pa.bool_()),
            pa.field("predicted_boolean_probability", pa.float32()),
        ]
    )


def export(study: Study, run_folder: Path, target: Path) -> list[str]:
    """Write a file for each set of predictions: the held-out cases that have a risk.

    Args:
        study: whose grid names the cells.
        run_folder: with predictions.
        target: a folder that does not exist yet.
    Returns:
        A line a file: its name, how many cases, and how many have no risk, which the schema cannot say.
    Raises:
        DataError: no predictions, the records have no dates, ids are no whole numbers, or the target exists.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if target.exists():
        raise DataError(f"{target}: exists. Choose a folder that does not.")
    cases = _held_out(read_table(layout.CASES.at(run_folder), Case), layout.CASES.at(run_folder))
    found = list(_predictions(study, run_folder))
    if not found:
        raise DataError(f"{run_folder / 'train'}: no predictions. Run `wherefore train` first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as scratch:
        folder = Path(scratch) / target.name
        folder.mkdir()
        for name, rows in found:
            table, missing = _table(cases, rows)
            whole = pa.Table.from_pandas(table, schema(), preserve_index=False)
            pq.write_table(whole, folder / f"{name}.parquet")
            lost = f", {missing} without a risk left out" if missing else ""
            lines.append(f"{name}.parquet: {len(table)} cases{lost}")
        folder.replace(target)
    if cases["weighted"].any():
        lines.append("weights are not in this schema: what is computed from these files is about the sample")
    return lines


def _held_out(cases: "pd.DataFrame", path: Path) -> "pd.DataFrame":
    """subject_id, prediction_time, boolean_value and `weighted`, by case."""
    import numpy as np

    held = cases[(cases["split"] == "held_out") & cases["label"].notna()].set_index("id")
    if held.empty:
        raise DataError(f"{path}: nobody is held out.")
    if "prediction_time" not in held or (n := int(held["prediction_time"].isna().sum())):
        some = f"{n} of {len(held)}" if "prediction_time" in held else "all"
        raise DataError(
            f"{path}: {some} held-out cases have no prediction_time, and MEDS-Evaluation needs dates: "
            "the records have ages alone, or the folder was made by an earlier version."
        )
    wrong = held.loc[~held["subject"].str.fullmatch(r"[-+]?\d{1,18}"), "subject"]
    if len(wrong):
        raise DataError(
            f"{path}: subject {wrong.iloc[0]!r}: MEDS ids are whole numbers ({len(wrong)} are not)."
        )
    return held.assign(
        subject_id=held["subject"].astype(np.int64),
        boolean_value=held["label"] == 1,
        weighted=(held["weight"] != 1) | (held["sampling_weight"] != 1),
    )[["subject_id", "prediction_time", "boolean_value", "weighted"]]


def _predictions(study: Study, run_folder: Path) -> Iterator[tuple[str, "pd.DataFrame"]]:
    """The name and the rows of each set of predictions: the baselines', then those of the grid's finished cells."""
    paths = [p for p in [layout.BASELINE_PREDICTIONS.at(run_folder)] if exists(p)]
    paths += [s.predictions for s in states(study, run_folder) if s.state == "done"]
    for path in paths:
        for (cell, readout), rows in read_table(path, Prediction).groupby(["cell", "readout"], sort=False):
            yield re.sub(r"[^\w.-]+", "_", f"{cell}.{readout}"), rows


def _table(cases: "pd.DataFrame", rows: "pd.DataFrame") -> tuple["pd.DataFrame", int]:
    """The rows of a file, and how many cases have no risk."""
    import numpy as np

    risk = rows.set_index("case")["risk"].astype(float).reindex(cases.index).to_numpy()
    known = ~np.isnan(risk)
    table = cases[known].assign(
        predicted_boolean_value=risk[known] >= CUT, predicted_boolean_probability=risk[known]
    )
    return table[schema().names], len(cases) - len(table)
