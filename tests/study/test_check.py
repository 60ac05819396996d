"""`wherefore check` compares a study with what is there, and answers a script in numbers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wherefore.cli.main import main

STUDY = """
name = "small"
data_use = { kind = "synthetic", name = "people made by a test" }
[cohort]
source = { name = "simulated", people = 500 }
sampling = { train = 200, held_out = 100 }
[synth]
teacher = { name = "reference" }
[bases.tiny]
make = "tiny"
[grid]
expect = 2
target = ["label_only", "free_rationale"]
n = [N]
[analysis]
outside = [OUTSIDE]
"""


def check(folder: Path, n: int, outside: str = "", *options: str) -> tuple[int, str]:
    path = folder / "small.toml"
    path.write_text(STUDY.replace("N]", f"{n}]").replace("OUTSIDE", outside))
    done = CliRunner().invoke(main, ["check", str(path), "--runs", str(folder / "runs"), *options])
    return done.exit_code, done.output


def test_a_study_that_fits_is_fine_and_leaves_nothing(tmp_path: Path) -> None:
    code, said = check(tmp_path, 200)
    assert code == 0, said
    assert "no problems found" in said
    assert not (tmp_path / "runs").exists()


def test_more_training_cases_than_there_are_and_a_lost_file(tmp_path: Path) -> None:
    code, said = check(tmp_path, 400, '"xgb.csv"')
    assert code == 1
    assert "grid.n: 400 training cases are asked for, and cohort.sampling.train draws at most 200." in said
    assert f"analysis.outside: {tmp_path / 'xgb.csv'}: not found." in said


def test_json_is_data(tmp_path: Path) -> None:
    code, said = check(tmp_path, 400, "", "--json")
    data = json.loads(said)
    assert code == 1
    assert data["fits"]["total"] == 2
    assert data["fits"]["largest_n"] == 400
    assert data["cohort"]["training_cases"] == 200
    assert data["synth"]["requests_a_case"] == 2
    assert len(data["problems"]) == 1


ASKED = """
name = "small"
data_use = { kind = "synthetic", name = "people made by a test" }
[cohort]
source = { name = "simulated", people = 500 }
sampling = { train = 60, held_out = 20 }
[synth]
teacher = { name = "openai", model = "gpt-5", base_url = "http://127.0.0.1:9/v1" }
styles = ["free"]
prices = { prompt = 1.0, completion = 10.0 }
thinking_tokens = 300
job = { budget = 0.1 }
[synth.verifier]
teacher = { name = "openai", model = "plain", base_url = "http://127.0.0.1:9/v1" }
prices = { prompt = 1.0, completion = 10.0 }
[annotate]
raters = "simulated"
items = 20
[annotate.judge]
model = "judge"
base_url = "http://127.0.0.1:9/v1"
"""
PRICES = "prices = { prompt = 1.0, completion = 10.0 }\n"


def test_money_is_data_by_who_is_asked(tmp_path: Path) -> None:
    path, runs = tmp_path / "small.toml", str(tmp_path / "runs")

    def asked(text: str, *options: str) -> str:
        path.write_text(text)
        done = CliRunner().invoke(main, ["check", str(path), "--runs", runs, *options])
        assert done.exit_code == 0, done.output
        return done.output

    before = json.loads(asked(ASKED, "--json"))["money"]
    assert (before["teacher"], before["total"]) == (None, None)
    assert before["why_missing"] == "the cohort is not made yet"
    assert CliRunner().invoke(main, ["cohort", str(path), "--runs", runs]).exit_code == 0
    money = json.loads(asked(ASKED, "--json"))["money"]
    assert (money["judge"], money["total"], money["without_prices"]) == (None, None, ["judge"])
    said = asked(ASKED)
    assert "the teacher's budget is 0.1: its job stops there" in said
    assert "no prices are set for the judge" in said
    money = json.loads(asked(ASKED + PRICES, "--json"))["money"]
    teacher, _, judge = money["asked"]
    assert [row["role"] for row in money["asked"]] == ["teacher", "verifier", "judge"]
    assert teacher["thinking_tokens"] == 300 * teacher["requests"]
    assert money["thinking"] == pytest.approx(10 * 300 * teacher["requests"] / 1e6)
    spent = teacher["prompt_tokens"] + 10 * (teacher["answer_tokens"] + teacher["thinking_tokens"])
    assert money["teacher"] == pytest.approx(spent / 1e6, rel=1e-4)
    assert (judge["requests"], judge["thinking_tokens"]) == (20, 0)
    assert 0 < money["judge"] < money["verifier"] < money["teacher"]
    assert money["total"] == pytest.approx(money["teacher"] + money["verifier"] + money["judge"])
    assert f"money    about {money['total']:.2f}: teacher {money['teacher']:.2f} (thinking" in asked(
        ASKED + PRICES
    )
