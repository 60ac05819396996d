"""A folder is done when its manifest is there; it is never half done and never silently replaced."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from wherefore.study.errors import BusyError, DataError, StaleError
from wherefore.study.runs import locked, manifest, run_once, sha256


def write(text: str) -> "callable":  # type: ignore[valid-type]
    def work(folder: Path) -> None:
        (folder / "out.txt").write_text(text)

    return work


def test_done_once(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("x")
    folder, inputs = tmp_path / "stage", [tmp_path / "in.txt"]
    assert run_once(folder, {"a": 1}, inputs, write("1")) is True
    assert run_once(folder, {"a": 1}, inputs, write("2")) is False
    made = manifest(folder)
    assert made is not None
    assert made.inputs == {"in.txt": sha256(tmp_path / "in.txt")}
    assert made.outputs == {"out.txt": sha256(folder / "out.txt")}
    assert (folder / "out.txt").read_text() == "1"


def test_other_settings_are_stale_and_named(tmp_path: Path) -> None:
    run_once(tmp_path / "s", {"a": {"b": 1}, "c": 2}, [], write("1"))
    with pytest.raises(StaleError, match=r"settings: a\.b 1 -> 5\. Move the folder away"):
        run_once(tmp_path / "s", {"a": {"b": 5}, "c": 2}, [], write("2"))
    assert (tmp_path / "s" / "out.txt").read_text() == "1"


def test_other_inputs_are_stale_and_named(tmp_path: Path) -> None:
    source = tmp_path / "cases.txt"
    source.write_text("x")
    run_once(tmp_path / "s", {}, [source], write("1"))
    source.write_text("y")
    with pytest.raises(StaleError, match=r"inputs: cases\.txt"):
        run_once(tmp_path / "s", {}, [source], write("2"))


def test_set_aside_keeps_the_old_folder(tmp_path: Path) -> None:
    run_once(tmp_path / "s", {"a": 1}, [], write("1"))
    assert run_once(tmp_path / "s", {"a": 2}, [], write("2"), set_aside=True)
    kept = [p for p in tmp_path.iterdir() if p.name.startswith("s-")]
    assert [(p / "out.txt").read_text() for p in kept] == ["1"]
    assert (tmp_path / "s" / "out.txt").read_text() == "2"


def test_tuples_and_lists_are_the_same_settings(tmp_path: Path) -> None:
    run_once(tmp_path / "s", {"a": (1, 2)}, [], write("1"))
    assert run_once(tmp_path / "s", {"a": [1, 2]}, [], write("2")) is False


def test_failed_work_leaves_no_manifest(tmp_path: Path) -> None:
    def work(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise DataError("no")

    with pytest.raises(DataError):
        run_once(tmp_path / "s", {}, [], work)
    assert manifest(tmp_path / "s") is None


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    with locked(tmp_path / "s"), pytest.raises(BusyError, match="another process"), locked(tmp_path / "s"):
        pass


def test_killed_work_is_done_again_and_the_lock_is_free(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from wherefore.study.runs import run_once
        def work(folder):
            (folder / "half.txt").write_text("half")
            time.sleep(60)
        run_once(Path(sys.argv[1]), {}, [], work)
    """)
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "s")])
    deadline = time.monotonic() + 60
    while not (tmp_path / "s" / "half.txt").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert manifest(tmp_path / "s") is None
    assert run_once(tmp_path / "s", {}, [], write("1")) is True
