"""Parts of another distribution: the example package of `examples/plugin`, installed beside ours, and bad ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
GROUPS = {
    "wherefore.sources": "json_lines",
    "wherefore.teachers": "risk_factors",
    "wherefore.targets": "label_then_latest",
    "wherefore.readouts": "without_history",
    "wherefore.metrics": "youden",
    "wherefore.sections": "how_much_was_shown",
    "wherefore.coefficients": "unanimity",
}


def _run(folder: Path, packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(packages)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "WHEREFORE_PROGRESS": "off"},
        capture_output=True,
        text=True,
        timeout=250,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put the example package."""
    folder = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("runs", "*.jsonl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(folder / "packages"), str(source)], check=True, timeout=200)
    return folder / "packages"


def test_the_example_has_a_part_of_every_kind(installed: Path) -> None:
    (file,) = installed.glob("*.dist-info/entry_points.txt")
    listed = file.read_text()
    for group, name in GROUPS.items():
        assert f"[{group}]\n{name} = " in listed


@pytest.mark.slow
def test_a_study_runs_on_parts_of_another_package(installed: Path, tmp_path: Path) -> None:
    for name in ("people.py", "study.toml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    assert _run(tmp_path, installed, "people.py").returncode == 0
    done = _run(tmp_path, installed, "-m", "wherefore", "run", "study.toml")
    assert done.returncode == 0, done.stderr
    assert "without history" in done.stdout
    report = (tmp_path / "runs" / "plugin" / "analysis" / "report.html").read_text()
    assert "risk factors by name" in report
    assert "Youden" in report
    assert 'id="how_much_was_shown"' in report
    manifest = (tmp_path / "runs" / "plugin" / "cohort" / "manifest.json").read_text()
    assert '"wherefore-example": "0.1.0"' in manifest
    asked = "from wherefore.analysis.agreement import coefficient"
    asked += "; print(coefficient([[1, 1], [1, 2], [2, 2]], 'unanimity', 'nominal'))"
    assert float(_run(tmp_path, installed, "-c", asked).stdout) == pytest.approx(2 / 3)


BAD = {
    "gone": ("", "No module named"),
    "raises": ("raise OSError('no licence')", "OSError: no licence"),
    "bare": ("Options = dict", "has no 'read'"),
    "narrow": ("Options = dict\ndef read(options): ...", "'read' does not take (options, place)"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_part_that_does_not_fit_is_one_line(name: str, tmp_path: Path) -> None:
    text, says = BAD[name]
    if text:
        (tmp_path / f"bad_{name}.py").write_text(text)
    info = tmp_path / "bad_parts-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-parts\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(f"[wherefore.sources]\n{name} = bad_{name}\n")
    study = (EXAMPLE / "study.toml").read_text().replace('"json_lines"', f'"{name}"')
    (tmp_path / "study.toml").write_text(study)
    done = _run(tmp_path, tmp_path, "-m", "wherefore", "check", "study.toml")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert f"source '{name}' of bad-parts 2.0: " in line
    assert says in line
