"""A pack: packed with a network, installed and run in a network namespace that has none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wherefore.cli.main import main
from wherefore.cli.pack.contents import files_beside, study_text
from wherefore.cli.pack.wheels import pinned
from wherefore.study.config import load
from wherefore.study.errors import StudyError

from .conftest import Whole, wherefore

STUDY = """
name = "packed"
seed = 1
[cohort]
source = { name = "simulated", people = 3000, effect = 2.0 }
sampling = { case_share = 0.2, train = 60, tuning = 10, held_out = 40 }
[annotate]
raters = "simulated"
items = 12
[bases.tiny]
make = "tiny"
hidden = 32
layers = 2
heads = 2
passes = 1
[train]
epochs = 1
readouts = ["direct"]
baselines = ["age_sex"]
workers = 1
[grid]
expect = 1
target = ["label_only"]
n = [40]
[analysis]
replicates = 200
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(1800)
@pytest.mark.skipif(
    "WHEREFORE_PACK" not in os.environ, reason="fetches half a gigabyte of wheels: WHEREFORE_PACK=1 runs it"
)
def test_a_pack_installs_and_runs_without_a_network(tmp_path: Path) -> None:
    """Minutes, as half a gigabyte of wheels is fetched: nothing cheaper proves that none is missing."""
    unshare = ["unshare", "--net", "sh", "-c"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no network namespace may be made here (root only)")
    (tmp_path / "packed.toml").write_text(STUDY)
    done = wherefore("pack", tmp_path / "packed.toml", "--to", tmp_path / "pack")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "no patient data is in it" in done.stdout
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHON": sys.executable}
    script = "tail -n +3 /proc/net/dev; ./install.sh && .venv/bin/wherefore run study.toml"
    inside = subprocess.run(
        [*unshare, script], cwd=tmp_path / "pack", env=bare, capture_output=True, text=True
    )
    assert inside.returncode == 0, inside.stdout[-2000:] + inside.stderr[-2000:]
    interfaces = [line.split(":")[0].strip() for line in inside.stdout.splitlines() if ":" in line[:12]]
    assert interfaces[0] == "lo"
    assert (tmp_path / "pack" / "runs" / "packed" / "analysis" / "report.html").exists()
    (tmp_path / "pack" / "study.toml").write_text("damaged")
    again = subprocess.run(["./install.sh"], cwd=tmp_path / "pack", env=bare, capture_output=True, text=True)
    assert again.returncode == 1
    assert "a file is damaged or missing" in again.stderr


def test_what_is_packed_is_all_that_is_needed() -> None:
    light, train = pinned(()), pinned(("train",))
    assert {"wherefore-lab", "pandas", "numpy", "pydantic-core"} <= light.keys()
    assert {"torch", "transformers", "safetensors"} <= train.keys() - light.keys()
    assert not {"pytest", "ruff", "ray"} & train.keys()


BASES = """
name = "s"
[cohort]
source = { name = "long_csv", path = "people.csv" }
phenotype = { codes = "codes/mine.toml" }
[bases.mine]     # a comment
path = "models/mine"
chat = false
[bases.hub]
hub = "org/name"
revision = "abc"   # a commit
thinking = "native"
[train]
path_like = 1
"""


def test_bases_are_given_their_place_and_nothing_else_changes(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(BASES)
    study = load(tmp_path / "s.toml")
    text = study_text(study)
    assert text == BASES.replace('path = "models/mine"', "").replace(
        "[bases.mine]     # a comment\n", '[bases.mine]     # a comment\npath = "bases/mine"'
    ).replace('hub = "org/name"\nrevision = "abc"   # a commit', 'path = "bases/hub"')
    inline = tmp_path / "inline.toml"
    inline.write_text('name = "s"\ncohort = {}\nbases = { a = { path = "x" } }\n')
    with pytest.raises(StudyError, match="a section of its own"):
        study_text(load(inline))


def test_only_what_holds_no_patient_is_copied(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(BASES)
    (tmp_path / "people.csv").write_text("a person")
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "mine.toml").write_text("codes")
    (tmp_path / "pack").mkdir()
    here, elsewhere = files_beside(load(tmp_path / "s.toml"), tmp_path / "pack")
    assert (here, elsewhere) == (["codes/mine.toml"], ["cohort.source.path = people.csv"])
    assert [str(p.relative_to(tmp_path / "pack")) for p in (tmp_path / "pack").rglob("*.*")] == [
        "codes/mine.toml"
    ]


def test_patients_are_packed_only_when_asked_and_then_said(
    quick: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wheels are left out here: the first test has them."""
    from wherefore.cli.pack import wheels

    from .conftest import QUICK

    monkeypatch.setattr(wheels, "pack_wheels", lambda extras, part: {"wherefore-lab": "0"})

    def pack(*more: str) -> str:
        args = ["pack", str(QUICK), "--runs", str(quick.runs), "--to", str(tmp_path / "pack"), *more]
        done = CliRunner().invoke(main, args)
        assert done.exit_code == 0, done.output
        return done.output

    assert "no patient data is in it" in pack()
    assert "None is in this folder." in (tmp_path / "pack" / "README.md").read_text()
    assert not (tmp_path / "pack" / "runs").exists()
    shutil.rmtree(tmp_path / "pack")
    assert "it HOLDS PATIENT DATA: cohort, synth, annotate" in pack("--with-patients")
    assert "**This folder holds patient data**" in (tmp_path / "pack" / "README.md").read_text()
    kept = tmp_path / "pack" / "runs" / "quick" / "cohort" / "cases.parquet"
    assert kept.read_bytes() == (quick.home / "cohort" / "cases.parquet").read_bytes()
    refused = CliRunner().invoke(main, ["pack", str(QUICK), "--to", str(tmp_path / "pack")])
    assert refused.exit_code == 1
    assert "exists. Choose a new folder" in refused.output
    assert os.access(tmp_path / "pack" / "install.sh", os.X_OK)
