"""Predictions made elsewhere: read as people have them, refused by their row, the same numbers as anybody's code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from wherefore.analysis.outside import evaluate
from wherefore.analysis.outside.arrays import evaluated
from wherefore.analysis.outside.read import PredictionReadSettings, read
from wherefore.analysis.records import Comparison
from wherefore.analysis.run import run
from wherefore.analysis.settings import Settings
from wherefore.cli.main import main
from wherefore.cohort.records import Case
from wherefore.study.errors import DataError
from wherefore.study.records import from_frame, read_table
from wherefore.study.runs import manifest
from wherefore.train.records import Prediction

N = 200


def people(n: int = N) -> pd.DataFrame:
    """Cases with the risks of two models."""
    rng = np.random.default_rng(4)
    odds = rng.normal(-1.2, 1.3, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    risk = [1 / (1 + np.exp(-(odds + noise * rng.standard_normal(n)))) for noise in (0.4, 1.8)]
    return pd.DataFrame(
        {"case": [f"c{i}" for i in range(n)], "label": y, "good": risk[0].round(6), "poor": risk[1].round(6)}
    )


def long(table: pd.DataFrame) -> pd.DataFrame:
    """A row a case and model."""
    return table.melt(["case", "label"], ["good", "poor"], "model", "risk")


def auc(tables: Any, metric: str = "roc_auc") -> dict[str, float]:
    return {a.target: a.value for a in tables.averages if a.metric == metric and a.population == "sample"}


def written(folder: Path, name: str, frame: pd.DataFrame, **how: Any) -> Path:
    path = folder / name
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False, **how)
    return path


@pytest.mark.parametrize(
    ("name", "change", "how"),
    [
        ("plain.csv", lambda t: t, {}),
        ("plain.parquet", lambda t: t, {}),
        ("bom.csv", lambda t: t, {"encoding": "utf-8-sig"}),
        ("tabs.tsv", lambda t: t, {"sep": "\t"}),
        ("german.csv", lambda t: t, {"sep": ";", "decimal": ","}),
        (
            "capitals.csv",
            lambda t: t.rename(columns={"case": "Case ID", "risk": "Predicted.Risk", "label": "Y"}),
            {},
        ),
        ("words.csv", lambda t: t.assign(label=t["label"].map({1: "True", 0: "False"})), {}),
        ("floats.csv", lambda t: t.assign(label=t["label"].astype(float)), {}),
        ("shuffled.csv", lambda t: t.sample(frac=1, random_state=1), {}),
        ("indexed.parquet", lambda t: t.set_index("case"), {}),
    ],
)
def test_the_same_table_in_the_shapes_that_people_have(
    tmp_path: Path, name: str, change: Any, how: Any
) -> None:
    table = people()
    found = read([written(tmp_path, name, change(long(table)), **how)])
    tables = evaluated(found.predictions, None, Settings())
    for model in ("good", "poor"):
        assert auc(tables)[model] == pytest.approx(roc_auc_score(table["label"], table[model]), abs=1e-12)
        expected = average_precision_score(table["label"], table[model])
        assert auc(tables, "pr_auc")[model] == pytest.approx(expected, abs=1e-12)
        assert auc(tables, "brier")[model] == pytest.approx(
            brier_score_loss(table["label"], table[model]), abs=1e-12
        )


def test_a_column_a_model_a_file_a_model_and_cases_apart_are_one_result(tmp_path: Path) -> None:
    table = people()
    wide = read(
        [written(tmp_path, "wide.csv", table)], settings=PredictionReadSettings({"risk": ("good", "poor")})
    )
    files = [
        written(tmp_path, f"{m}.csv", table[["case", m]].rename(columns={m: "risk"}))
        for m in ("good", "poor")
    ]
    cases = written(tmp_path, "cases.csv", table[["case", "label"]])
    apart = read(files, cases)
    expected = auc(evaluated(wide.predictions, None, Settings()))
    assert auc(evaluated(apart.predictions, None, Settings())) == expected
    arrays = evaluate(table["label"].to_numpy(), {m: table[m].to_numpy() for m in ("good", "poor")})
    assert auc(arrays) == expected


def test_meds_evaluation_schema(tmp_path: Path) -> None:
    table = people(40)
    times = pd.Timestamp("2010-01-01") + pd.to_timedelta(np.arange(40) % 2 * 365, unit="D")
    meds = pd.DataFrame(
        {
            "subject_id": np.arange(40) // 2,
            "prediction_time": times,
            "boolean_value": table["label"] == 1,
            "predicted_boolean_value": table["good"] > 0.5,
            "predicted_boolean_probability": table["good"],
        }
    )
    found = read([written(tmp_path, "m.parquet", meds)])
    assert len(found.predictions.y) == 40
    assert len(set(found.predictions.person)) == 20
    assert auc(evaluated(found.predictions, None, Settings()))["m"] == pytest.approx(
        roc_auc_score(table["label"], table["good"]), abs=1e-12
    )


@pytest.mark.parametrize(
    ("row", "cells", "said"),
    [
        (3, {"risk": 1.2}, "t.csv:5: risk 1.2; risks are numbers in [0, 1]."),
        (3, {"risk": -0.1}, "t.csv:5: risk -0.1"),
        (3, {"risk": "high"}, "t.csv:5: risk high"),
        (3, {"risk": None}, "t.csv:5: no risk and no reason"),
        (3, {"label": 2}, "t.csv:5: label '2'; labels are 0 and 1"),
        (3, {"case": None}, "t.csv:5: no case"),
        (3, {"case": "c0"}, "case c0"),
        (3, {"weight": 0}, "t.csv:5: weight 0; weights are numbers above 0."),
        (3, {"weight": "inf"}, "t.csv:5: weight inf"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(
    tmp_path: Path, row: int, cells: dict[str, Any], said: str
) -> None:
    table = people(30).rename(columns={"good": "risk"}).drop(columns="poor").assign(weight=1.0).astype(object)
    for column, value in cells.items():
        table.loc[row, column] = value
    with pytest.raises(DataError, match=r".*") as refused:
        read([written(tmp_path, "t.csv", table)])
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    table = long(people(30)).astype(object)
    table.loc[31, "label"] = 1 - table.loc[31, "label"]
    with pytest.raises(DataError, match=r"t.csv:33: label \d of case c1; .*t.csv:3 has \d"):
        read([written(tmp_path, "t.csv", table)])
    both = pd.concat([long(people(30)), long(people(30)).iloc[[5]]])
    with pytest.raises(DataError, match=r"t.csv:62: case c5 is predicted twice by good; first at .*t.csv:7"):
        read([written(tmp_path, "t.csv", both)])


def test_what_nobody_can_know_is_asked(tmp_path: Path) -> None:
    table = people(30)
    with pytest.raises(DataError, match="no column for 'risk'"):
        read([written(tmp_path, "t.csv", table)])
    two = table.rename(columns={"good": "y_score", "poor": "proba"})
    with pytest.raises(DataError, match="y_score, proba: each could be the risk"):
        read([written(tmp_path, "t.csv", two)])
    assert read(
        [tmp_path / "t.csv"], settings=PredictionReadSettings({"risk": ("proba",)})
    ).predictions.models == ["t"]
    with pytest.raises(DataError, match="did you mean 'proba'"):
        read([tmp_path / "t.csv"], settings=PredictionReadSettings({"risk": ("prob",)}))
    nameless = [
        written(tmp_path, f"{m}.csv", table[["label", m]].rename(columns={m: "risk"}))
        for m in ("good", "poor")
    ]
    with pytest.raises(DataError, match="no column for 'case'"):
        read(nameless)
    weights = table.rename(columns={"good": "risk"}).assign(weight=1.0, ipw=2.0)
    with pytest.raises(DataError, match="each could be the weight"):
        read([written(tmp_path, "t.csv", weights)])


def test_rows_of_a_person_need_a_case_or_a_time(tmp_path: Path) -> None:
    table = people(30).rename(columns={"good": "risk"}).drop(columns=["poor", "case"])
    with pytest.raises(DataError, match=r"t.csv:3: person 0 has another row at .*t.csv:2"):
        read([written(tmp_path, "t.csv", table.assign(subject_id=np.arange(30) // 2))])
    lists = table.assign(case=range(30), risk=[[0.1, 0.9]] * 30)
    with pytest.raises(DataError, match=r"row 0: risk \[0.1 0.9\]; risks are numbers"):
        read([written(tmp_path, "t.parquet", lists)])


def test_a_missing_risk_has_a_reason_and_is_counted(tmp_path: Path) -> None:
    table = long(people(60)).astype(object).assign(why_missing=None)
    table.loc[4, ["risk", "why_missing"]] = None, "no label token"
    table = table.drop(index=70)
    tables = evaluated(read([written(tmp_path, "t.csv", table)]).predictions, None, Settings())
    missing = {a.target: a.n_missing for a in tables.averages if a.metric == "roc_auc"}
    assert missing == {"good": 1, "poor": 1}
    assert tables.comparisons[0].n == 58  # left out of both sides


def test_weights_that_undo_sampling_by_outcome_are_known_for_what_they_are(tmp_path: Path) -> None:
    table = people().rename(columns={"good": "risk"}).drop(columns="poor")
    drawn = table.assign(weight=np.where(table["label"] == 1, 1.0, 7.0))
    tables = evaluated(read([written(tmp_path, "t.csv", drawn)]).predictions, None, Settings())
    assert tables.evaluation is not None
    assert tables.evaluation.held.by_outcome
    rows = {(m.metric, m.population): m.value for m in tables.metrics}
    expected = brier_score_loss(drawn["label"], drawn["risk"], sample_weight=drawn["weight"])
    assert rows["brier", "source"] == pytest.approx(expected, abs=1e-12)


def test_training_runs_are_in_the_interval() -> None:
    table, rng = people(), np.random.default_rng(0)
    runs = [
        1 / (1 + np.exp(-(np.log(table["good"] / (1 - table["good"])) + rng.normal(0, 1, N))))
        for _ in range(3)
    ]
    three = evaluate(table["label"].to_numpy(), {"good": table["good"].to_numpy(), "tried": np.array(runs)})
    found = three.comparisons[0]
    assert (found.a, found.b, found.about, found.seeds) == ("tried", "good", "recipes", 3)
    one = evaluate(table["label"].to_numpy(), {"good": table["good"].to_numpy(), "tried": np.array(runs[:1])})
    assert one.comparisons[0].about == "fits"


def test_subgroups_are_columns_with_few_values(tmp_path: Path) -> None:
    table = people().rename(columns={"good": "risk"}).drop(columns="poor")
    table = table.assign(
        sex=["F", "M"] * (N // 2),
        age=np.linspace(60, 90, N),
        note=[f"x{i}" for i in range(N)],
        died=np.where(table["label"] == 1, "yes", "no"),
    )
    found = read([written(tmp_path, "t.csv", table)])
    assert list(found.predictions.groups) == ["sex", "age"]
    assert any("columns not used: note, died" in n for n in found.notes)
    groups = {m.group for m in evaluated(found.predictions, None, Settings()).metrics}
    assert {"sex F", "sex M", "age <70", "age 70-80", "age 80+"} <= groups
    with pytest.raises(DataError, match="--subgroup note: 200 different values"):
        read([tmp_path / "t.csv"], settings=PredictionReadSettings(subgroups=("note",)))
    with pytest.raises(DataError, match="--subgroup site: no such column"):
        read([tmp_path / "t.csv"], settings=PredictionReadSettings(subgroups=("site",)))


def test_command_prints_writes_and_refuses(tmp_path: Path) -> None:
    path = written(tmp_path, "t.csv", long(people()))
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["evaluate", str(path), "--reference", "poor", "--to", str(out)])
    assert done.exit_code == 0, done.output
    assert "ROC-AUC on 200 cases" in done.output
    page = (out / "report.html").read_text()
    assert "good ranks people better than poor" in page
    assert 'id="calibration"' in page
    assert 'id="subgroups"' not in page
    assert (out / "figures" / "net_benefit.svg").exists()
    data = json.loads(CliRunner().invoke(main, ["evaluate", str(path), "--json"]).output)
    assert {r["metric"] for r in data["metrics"]} >= {"roc_auc", "calibration_slope"}
    for words, said in (
        (["--to", str(out)], "exists and is not empty"),
        (["--to", str(tmp_path / "no" / "where")], "no folder"),
        (["--reference", "best"], "no model 'best'"),
        (["--column", "risk"], "write ROLE=NAME"),
        (["--column", "riks=good"], "did you mean 'risk'"),
    ):
        refused = CliRunner().invoke(main, ["evaluate", str(path), *words])
        assert refused.exit_code != 0
        assert said in refused.output
    one_class = written(tmp_path, "ones.csv", long(people()).assign(label=1))
    assert "all 200 labels are 1" in CliRunner().invoke(main, ["evaluate", str(one_class)]).output


def test_a_study_sets_an_outside_model_beside_its_own(trial: Any, tmp_path: Path) -> None:
    cell = trial.study.grid.cells()[0].id
    own = read_table(trial.home / "train" / cell / "predictions.parquet", Prediction)
    own = own[own["readout"] == "direct"]
    path = written(tmp_path, "xgb.parquet", pd.DataFrame({"case": own["case"], "risk": own["risk"]}))
    study = trial.study.model_copy(update={"folder": tmp_path, "analysis": {"outside": ["xgb.parquet"]}})
    assert run(study, trial.home)
    rows = from_frame(read_table(trial.home / "analysis" / "comparisons.parquet", Comparison), Comparison)
    row = next(c for c in rows if c.a == "xgb" and c.metric == "roc_auc")
    assert (row.unit, row.difference) == (
        "yardstick",
        pytest.approx(0.0, abs=1e-12),
    )  # it is the reference itself
    assert "xgb" in (trial.home / "analysis" / "report.html").read_text()
    made = manifest(trial.home / "analysis")
    assert made is not None
    assert any(name.endswith(path.name) for name in made.inputs)  # a changed file makes another page


def test_an_outside_model_about_others_is_refused(trial: Any, tmp_path: Path) -> None:
    written(tmp_path, "xgb.csv", pd.DataFrame({"case": ["x1", "x2"], "risk": [0.1, 0.2]}))
    study = trial.study.model_copy(
        update={"folder": tmp_path, "analysis": {"outside": [{"path": "xgb.csv"}]}}
    )
    with pytest.raises(DataError, match="none of its 2 cases is held out in this study"):
        run(study, trial.home)
    written(tmp_path, "xgb.csv", pd.DataFrame({"case": ["c0001"] * 2, "risk": [0.1, 0.2]}))
    with pytest.raises(DataError, match="predicted twice"):
        run(study, trial.home)
    held = read_table(
        trial.home / "cohort" / "cases.parquet",
        Case,
    )
    held = held[(held["split"] == "held_out") & held["label"].notna()]
    written(
        tmp_path,
        "xgb.csv",
        pd.DataFrame({"case": held["id"], "risk": 0.3, "label": 1 - held["label"].astype(int)}),
    )
    with pytest.raises(DataError, match=r"label \d of case c\d+, but \d in this study"):
        run(study, trial.home)


def test_ids_that_only_look_alike_are_refused_and_models_without_a_shared_case_are_spoken_of(
    tmp_path: Path,
) -> None:
    table = people().assign(case=[f"{i:04d}" for i in range(N)])[["case", "label", "good"]]
    a = written(tmp_path, "a.csv", table.rename(columns={"good": "risk"}))
    b = written(tmp_path, "b.csv", table.assign(case=range(N)).rename(columns={"good": "risk"}))
    with pytest.raises(
        DataError, match=r"a.csv:2 and .*b.csv:2: case '0000' of a and '0' of b look like one"
    ):
        read([a, b])
    halves = [
        written(tmp_path, f"{half}.csv", part.rename(columns={"good": "risk"}))
        for half, part in (("first", table.head(100)), ("last", table.tail(100)))
    ]
    assert any("first and last predict no case in common" in note for note in read(halves).notes)


def test_seeds_written_as_numbers_with_a_point_are_the_same_training_runs(tmp_path: Path) -> None:
    table = people()
    runs = [table.assign(model=m, seed=s, risk=table[m]) for m in ("good", "poor") for s in ("1", "2", "3")]
    runs[3:] = [run.assign(seed=run["seed"] + ".0") for run in runs[3:]]
    path = written(tmp_path, "t.csv", pd.concat(runs)[["case", "label", "model", "seed", "risk"]])
    assert sorted(read([path]).predictions.risk) == [(m, s) for m in ("good", "poor") for s in (1, 2, 3)]


def test_one_case_with_nearly_all_the_weight_is_spoken_of_and_breaks_nothing(tmp_path: Path) -> None:
    table = people().assign(weight=np.where(np.arange(N) == 5, 1e12, 1.0))
    path = written(
        tmp_path, "t.csv", table[["case", "label", "weight", "good"]].rename(columns={"good": "risk"})
    )
    found = read([path])
    assert any("one case has 100 % of all weight" in note for note in found.notes)
    done = CliRunner().invoke(main, ["evaluate", str(path)])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("start", "said"),
    [(b"PK\x03\x04", "an Excel workbook"), (b"\x1f\x8b\x08", "a gzip file"), (b"PAR1", "Parquet")],
)
def test_other_files_by_the_name_of_a_csv_are_named(tmp_path: Path, start: bytes, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(start + bytes(60))
    with pytest.raises(DataError, match=said):
        read([tmp_path / "t.csv"])
