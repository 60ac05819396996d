"""Predictions in the schema of MEDS-Evaluation: written from a run folder, read back by `wherefore evaluate`."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from wherefore.analysis.meds_evaluation import export
from wherefore.analysis.outside.read import read
from wherefore.cli.main import main
from wherefore.cohort.records import Case
from wherefore.study.errors import DataError
from wherefore.study.records import read_table, write_table
from wherefore.train.records import Prediction

SCHEMA = {
    "subject_id": pa.int64(),
    "prediction_time": pa.timestamp("us"),
    "boolean_value": pa.bool_(),
    "predicted_boolean_value": pa.bool_(),
    "predicted_boolean_probability": pa.float32(),
}
"""Of meds-evaluation 0.0.6; its `PredictionSchema.validate` takes such a file."""


def dated(home: Path, **change: Any) -> pd.DataFrame:
    """The cases of a laid run folder, with MEDS ids and a time each; `change` replaces columns."""
    path = home / "cohort" / "cases.parquet"
    cases = read_table(path, Case)
    days = pd.to_timedelta(np.arange(len(cases)), unit="D")
    times = (pd.Timestamp("2015-03-01 13:30") + days).as_unit("us")
    cases = cases.assign(subject=cases["subject"].str[1:].astype(int).astype(str), prediction_time=times)
    write_table(path, cases.assign(**change), Case)
    return cases


def test_what_goes_out_comes_back(trial: Any, tmp_path: Path) -> None:
    cases = dated(trial.home).set_index("id")
    told = export(trial.study, trial.home, tmp_path / "out")
    path = tmp_path / "out" / "logistic_regression.baseline.parquet"
    assert {f.name: f.type for f in pq.read_schema(path)} == SCHEMA
    rows = read_table(trial.home / "train" / "baselines" / "predictions.parquet", Prediction)
    rows = rows[(rows["cell"] == "logistic_regression") & rows["case"].map(cases["label"]).notna()]
    back = read([path]).predictions
    ours = pd.DataFrame({"y": rows["case"].map(cases["label"]), "risk": rows["risk"]}).sort_values("risk")
    theirs = pd.DataFrame({"y": back.y, "risk": next(iter(back.risk.values()))}).sort_values("risk")
    assert theirs["y"].tolist() == ours["y"].astype(int).tolist()
    np.testing.assert_allclose(theirs["risk"], ours["risk"].astype(float), rtol=1e-7)
    table = pd.read_parquet(path)
    assert (table["predicted_boolean_value"] == (table["predicted_boolean_probability"] >= 0.5)).all()
    assert table["prediction_time"].dt.strftime("%H:%M").eq("13:30").all()
    assert any("without a risk left out" in line for line in told)
    assert told[-1].startswith("weights are not in this schema")


def test_the_command_writes_and_evaluates(trial: Any, tmp_path: Path) -> None:
    dated(trial.home)
    study = tmp_path / "trial.toml"
    study.write_text(
        'name = "trial"\ntitle = "x"\nseed = 3\ndata_use = { kind = "synthetic", name = "x" }\n'
        '[cohort]\nsource = { name = "simulated" }\n'
    )
    run, out = CliRunner(), tmp_path / "out"
    asked = [
        "export",
        str(study),
        "--runs",
        str(trial.home.parent),
        "--to",
        str(out),
        "--form",
        "meds-evaluation",
    ]
    done = run.invoke(main, asked)
    assert done.exit_code == 0, done.output
    files = sorted(str(p) for p in out.glob("*.parquet"))
    assert [Path(f).name for f in files] == ["bayes.baseline.parquet", "logistic_regression.baseline.parquet"]
    shown = run.invoke(main, ["evaluate", *files])
    assert shown.exit_code == 0, shown.output
    assert "logistic_regression" in shown.output


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"prediction_time": pd.NaT},
            "held-out cases have no prediction_time, and MEDS-Evaluation needs dates",
        ),
        ({"subject": "p12"}, "subject 'p12': MEDS ids are whole numbers"),
        ({"split": "train"}, "nobody is held out"),
    ],
)
def test_what_the_schema_cannot_hold_is_refused(
    change: dict[str, Any], says: str, trial: Any, tmp_path: Path
) -> None:
    dated(trial.home, **change)
    with pytest.raises(DataError, match=says):
        export(trial.study, trial.home, tmp_path / "out")
    assert not (tmp_path / "out").exists()
