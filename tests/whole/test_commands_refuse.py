"""Commands that cannot work say so in one line, before anything is written."""

import errno
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.cli.main import main

STUDY = """
name = "small"
data_use = { kind = "synthetic", name = "people made by a test" }
[cohort]
source = { name = "simulated", people = 300 }
[synth]
teacher = { name = "reference" }
[annotate]
raters = "simulated"
[bases.tiny]
make = "tiny"
[grid]
expect = 1
target = ["free_rationale"]
n = [50]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(STUDY)
    return path


def one_line(*words: object) -> str:
    done = CliRunner().invoke(main, [str(w) for w in words])
    assert done.exit_code == 1, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    (line,) = done.output.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("command", "stage"),
    [
        ("synth", "cohort"),
        ("train", "cohort"),
        ("annotate run", "cohort"),
        ("evaluate", "cohort"),
        ("report", "cohort"),
    ],
)
def test_a_stage_before_its_inputs(study: Path, tmp_path: Path, command: str, stage: str) -> None:
    line = one_line(*command.split(), study, "--runs", tmp_path / "runs")
    assert f"Run `wherefore {stage} {study}` first" in line
    assert not (tmp_path / "runs").exists()


def test_train_before_synth(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "small" / "cohort"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    line = one_line("train", study, "--runs", tmp_path / "runs")
    assert "small/synth: not found. Run `wherefore synth" in line
    assert not (tmp_path / "runs" / "small" / "train").exists()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left on the disk"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
    ],
)
def test_faults_of_the_machine_are_one_line(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    import os

    def fails(*args: Any, **more: Any) -> None:
        raise OSError(number, os.strerror(number), "runs/small")

    monkeypatch.setattr("wherefore.cli._common._describe", fails)
    line = one_line("cohort", study, "--runs", tmp_path / "runs")
    assert line.startswith(f"wherefore: runs/small: {said}")


def test_a_report_into_nowhere(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = tmp_path / "runs" / "small" / "cohort" / "cases.parquet"
    cases.parent.mkdir(parents=True)
    cases.touch()
    for option in ("--to", "--pdf"):
        line = one_line("report", study, "--runs", tmp_path / "runs", option, tmp_path / "no" / "r.html")
        assert "no folder" in line
    monkeypatch.setenv("WHEREFORE_CHROMIUM", "no-such-browser")
    line = one_line("report", study, "--runs", tmp_path / "runs", "--pdf", tmp_path / "r.pdf")
    assert "WHEREFORE_CHROMIUM: no-such-browser: program not found." in line
    assert not (tmp_path / "runs" / "small" / "analysis").exists()
