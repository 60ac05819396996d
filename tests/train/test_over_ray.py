"""Cells on Ray workers: a killed worker or head costs what was in flight; a folder that is not shared is refused."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from wherefore.study.config import Study
from wherefore.study.errors import DataError, StudyError
from wherefore.study.runs import LOCK, MANIFEST, held, locked
from wherefore.train.over_ray import SIGN, one
from wherefore.train.run import run

SCRIPT = """
import pathlib, sys
from wherefore.study.config import Study
from wherefore.train.run import run
run(Study.model_validate_json(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2]))
"""


def on_ray(study: Study, workers: int, **train: object) -> Study:
    train = {**study.train, "baselines": [], "readouts": ["direct"], "ray": workers, **train}
    return study.model_copy(update={"train": train})


def until(true: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def head_of(driver: int) -> int:
    """The process of Ray's that keeps its books, started by the driver."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = path.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name == "gcs_server" and int(rest.split()[1]) == driver:
            return int(path.parent.name)
    raise AssertionError("Ray has no head")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_and_a_killed_head_cost_what_was_in_flight(
    toy: Path, study: Study, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    study = on_ray(study, 2)
    assert study.grid
    folders = [toy / "train" / c.id for c in study.grid.cells()]
    (tmp_path / "study.json").write_text(study.model_dump_json())
    (tmp_path / "go.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "go.py"), str(tmp_path / "study.json"), str(toy)]

    def done() -> dict[Path, int]:
        return {f: (f / MANIFEST).stat().st_mtime_ns for f in folders if (f / MANIFEST).exists()}

    with (tmp_path / "said").open("w") as said, subprocess.Popen(command, stdout=said, stderr=said) as driver:
        until(lambda: any(held(f) for f in folders))
        victim = next(f for f in folders if held(f))
        os.kill(int((victim / LOCK).read_text().split()[1]), signal.SIGKILL)  # a worker
        until(lambda: len(done()) >= 2)
        os.kill(head_of(driver.pid), signal.SIGKILL)
        before = done()
        time.sleep(1)
        driver.kill()  # a minute later it would give up by itself
    until(lambda: not any(held(f) for f in folders))
    before |= done()
    assert len(before) < len(folders), "nothing was left for the second run"
    assert run(study, toy) is True
    assert pd.read_csv(toy / "train" / "cells.csv")["state"].tolist() == ["done"] * 5
    assert before.items() <= done().items()  # none is done twice
    said_done = re.findall(r"\(([0-9a-f]{12})\) in \d+ s", (tmp_path / "said").read_text())
    assert 2 <= len(said_done) == len(set(said_done)) <= len(before)


def test_a_machine_that_does_not_share_the_folder_is_refused(toy: Path, study: Study) -> None:
    assert study.grid
    task = (study.model_dump_json(), ".", str(toy), study.grid.cells()[0].model_dump_json())
    with pytest.raises(DataError, match="not seen by"):
        one(*task)
    with locked(toy / "train" / SIGN):
        pass  # a lock file that nobody here holds: another machine's, on a file system without locks
    with pytest.raises(DataError, match="does not see the locks of the other machines"):
        one(*task)


@pytest.mark.slow
def test_a_gpu_that_no_machine_has_is_refused(toy: Path, study: Study) -> None:
    pytest.importorskip("ray")
    with pytest.raises(StudyError, match=r"train\.gpus: each worker is to hold 1000 GPU"):
        run(on_ray(study, 1, gpus=1000), toy)
