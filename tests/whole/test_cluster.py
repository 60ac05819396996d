"""The files of `examples/cluster/`: an array of two jobs at once, and a Ray cluster in a job, as under Slurm."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import load

from .conftest import QUICK, ROOT, WHEREFORE, Whole

CLUSTER = ROOT / "examples" / "cluster"
GRID = """[grid]
expect = 2
target = ["label_only", "free_rationale"]
n = [120]

"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two of the five cells of quick.toml."""
    text = re.sub(r"(?s)\[grid\].*?(?=\[analysis\])", GRID, QUICK.read_text())
    path = tmp_path / "quick.toml"
    path.write_text(text)
    return path


@pytest.fixture
def runs(quick: Whole, tmp_path: Path) -> Path:
    """A run of quick.toml whose cells are yet to be done."""
    for stage in ("cohort", "synth", "annotate"):
        shutil.copytree(quick.home / stage, tmp_path / "quick" / stage)
    return tmp_path


def job(script: str, study: Path, runs: Path, **slurm: object) -> subprocess.Popen[str]:
    path = f"{WHEREFORE.parent}:{os.environ['PATH']}"
    names: dict[str, Any] = {"STUDY": study, "RUNS": runs, "PATH": path, **slurm}
    env = {**os.environ, **{name: str(value) for name, value in names.items()}}
    return subprocess.Popen(
        ["bash", CLUSTER / script], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finished(jobs: list[subprocess.Popen[str]]) -> list[str]:
    said = [j.communicate()[0] for j in jobs]
    assert [j.returncode for j in jobs] == [0] * len(jobs), said
    return said


def test_two_jobs_of_an_array_at_once_do_every_cell_once(quick: Whole, study: Path, runs: Path) -> None:
    array = [
        job("slurm_array.sh", study, runs, SLURM_ARRAY_TASK_ID=i, SLURM_ARRAY_TASK_COUNT=2) for i in (1, 2)
    ]
    said = finished(array)
    for text in said:
        assert "1 of 1 cells done (1 now" in text
    made = [s for s in said if "base tiny made in" in s]
    assert len(made) == 1, "the other one waited for it"
    tables = sorted(p.relative_to(runs / "quick") for p in runs.glob("quick/train/*/predictions.parquet"))
    assert len(tables) == 3  # of the baselines too
    for name in tables:
        assert (runs / "quick" / name).read_bytes() == (quick.home / name).read_bytes(), name


def test_a_ray_cluster_in_a_job_ends_with_it(study: Path, runs: Path) -> None:
    pytest.importorskip("ray")
    study.write_text(study.read_text().replace("[train]", "[train]\nray = 2"))
    with socket.socket() as s:
        s.bind(("", 0))
        port = s.getsockname()[1]
    said = finished([job("ray_on_slurm.sh", study, runs, SLURM_NNODES=1, SLURM_CPUS_PER_TASK=2, PORT=port)])
    assert "2 of 2 cells done (2 now" in said[0]
    with socket.socket() as s:
        assert s.connect_ex((socket.gethostname(), port)) != 0, "the head is still there"


def test_the_study_files_are_two_ways_to_run_one_grid() -> None:
    processes, ray = load(CLUSTER / "processes.toml"), load(CLUSTER / "ray.toml")
    assert processes.grid
    assert ray.grid == processes.grid
    assert {k: v for k, v in ray.train.items() if k != "ray"} == {
        k: v for k, v in processes.train.items() if k != "workers"
    }
