"""The README's commands are run, in order, and its links lead somewhere."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT, WHEREFORE

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line[2:]
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 6
    assert {"make demo", "make test"} <= {c.split("#")[0].strip() for c in COMMANDS}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_commands_run_as_written(tmp_path: Path) -> None:
    """`wherefore ...` is run for real, in one folder, in the order of the page; `make ...` must be a known target."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for line in COMMANDS:
        words = shlex.split(line, comments=True)
        if words[0] == "git" or words[0] == "cd":
            continue
        if words[0] == "make":
            done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True)
        else:
            assert words[0] == "wherefore", f"the README shows a command that this test cannot run: {line}"
            done = subprocess.run(
                [WHEREFORE, *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=600
            )
        assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"


def test_links_and_pictures_exist() -> None:
    targets = [t for t in re.findall(r"\]\(([^)#]+)", README) if not t.startswith("http")]
    assert targets
    for target in targets:
        assert (ROOT / target).exists(), target
