"""`wherefore cohort` and `wherefore inspect` in the terminal."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wherefore.cli.main import main
from wherefore.study.records import write_jsonl
from wherefore.synth.records import Check, Claim, Grounding, Rationale


@pytest.fixture
def study(meds: Path, tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(
        f'name = "three"\n[cohort]\nsource = {{ name = "meds", path = "{meds}" }}\n'
        'predict = { rule = "fixed_age", age = 70 }\nfollowup = { until_age = 80 }\n'
    )
    return path


def ran(*args: object) -> str:
    result = CliRunner().invoke(main, [str(a) for a in args])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_flow_is_shown_and_records_are_counted(study: Path, tmp_path: Path) -> None:
    out = ran("cohort", study, "--runs", tmp_path / "runs")
    assert out.splitlines()[0].startswith("cohort: 3 cases, 1 with onset; wrote")
    assert out.splitlines()[1].split() == ["3", "people", "in", "the", "records"]
    assert json.loads(ran("cohort", study, "--count", "--json"))["events_by_kind"] == {
        "condition": 7,
        "demographic": 3,
    }


def test_a_case_with_its_label_lines_and_rationale(study: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    ran("cohort", study, "--runs", runs)
    claims = (
        Claim(text="Hypertension speaks for it", cites=("E002",)),
        Claim(text="Nothing else", cites=("E009",)),
    )
    told = Rationale(
        id="r",
        case="1@25568",
        style="free",
        teacher="reference",
        claims=claims,
        verdict=1,
        label_shown=True,
        key="k",
    )
    write_jsonl(runs / "three/synth/rationales.jsonl", [told])
    checks = (
        Check(claim=0, verdict="supported", facts=1),
        Check(claim=1, verdict="fault", fault="unknown_id", why="E009 is not there"),
    )
    write_jsonl(runs / "three/synth/groundings.jsonl", [Grounding(rationale="r", checks=checks)])
    out = ran("inspect", study, "1", "--runs", runs)
    assert "1@25568  female, 70.0 years" in out
    assert "label within 5 years: yes: onset 3.0 years after the prediction time" in out
    assert "[E002] age 60.0 (10.0 y before): ICD10 I10   condition ICD10 I10 0.parquet:2" in out
    assert "+ Hypertension speaks for it" in out
    assert "- Nothing else  [unknown_id: E009 is not there]" in out
    assert json.loads(ran("inspect", study, "1", "--json", "--runs", runs))["case"]["label"] == 1
    assert "3@25568" in ran("inspect", study, "--runs", runs)


def test_nobody_of_that_name(study: Path, tmp_path: Path) -> None:
    ran("cohort", study, "--runs", tmp_path / "runs")
    result = CliRunner().invoke(main, ["inspect", str(study), "x", "--runs", str(tmp_path / "runs")])
    assert result.exit_code == 1
    assert "'x' is not a case; known: 1@25568, 2@25568, 3@25568." in result.output
