"""`wherefore check` compares a study with what is there, and answers a script in numbers."""

import json
from pathlib import Path

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
