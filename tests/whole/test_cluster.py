"""The files of `examples/cluster/`: an array of two jobs at once, and a Ray cluster in a job, as under Slurm."""

import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wherefore.study.config import load

from .conftest import QUICK, ROOT, WHEREFORE, Whole

CLUSTER = ROOT / "examples" / "cluster"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


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


def test_two_jobs_of_an_array_at_once_do_every_cell_once(quick: Whole, runs: Path) -> None:
    array = [
        job("slurm_array.sh", QUICK, runs, SLURM_ARRAY_TASK_ID=i, SLURM_ARRAY_TASK_COUNT=2) for i in (1, 2)
    ]
    said = finished(array)
    assert "3 of 3 cells done (3 now" in said[0]
    assert "2 of 2 cells done (2 now" in said[1]
    made = [s for s in said if "base tiny made in" in s]
    assert len(made) == 1, "the other one waited for it"
    tables = sorted(p.relative_to(quick.home) for p in quick.home.glob("train/*/predictions.parquet"))
    assert len(tables) == 6
    for name in tables:
        assert (runs / "quick" / name).read_bytes() == (quick.home / name).read_bytes(), name


def test_a_ray_cluster_in_a_job_ends_with_it(quick: Whole, runs: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    study = tmp_path / "quick.toml"
    study.write_text(QUICK.read_text().replace("[train]", "[train]\nray = 2"))
    with socket.socket() as s:
        s.bind(("", 0))
        port = s.getsockname()[1]
    said = finished([job("ray_on_slurm.sh", study, runs, SLURM_NNODES=1, SLURM_CPUS_PER_TASK=2, PORT=port)])
    assert "5 of 5 cells done (5 now" in said[0]
    with socket.socket() as s:
        assert s.connect_ex((socket.gethostname(), port)) != 0, "the head is still there"


def test_the_study_files_are_two_ways_to_run_one_grid() -> None:
    processes, ray = load(CLUSTER / "processes.toml"), load(CLUSTER / "ray.toml")
    assert processes.grid
    assert ray.grid == processes.grid
    assert {k: v for k, v in ray.train.items() if k != "ray"} == {
        k: v for k, v in processes.train.items() if k != "workers"
    }
