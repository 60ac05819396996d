"""The studies of the literature's claims: each resolves, and compares what its claim stands or falls by."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wherefore.analysis.records import Comparison
from wherefore.analysis.run import resolve as analysed
from wherefore.cohort.run import resolve as drawn
from wherefore.study.config import load
from wherefore.study.errors import DataError
from wherefore.synth.run import resolve as explained
from wherefore.train.reading.readouts import expanded
from wherefore.train.run import resolve as taught
from wherefore.train.targets import TARGETS

FOLDER = Path(__file__).parents[2] / "examples" / "refutations"
_spec = importlib.util.spec_from_file_location("refutations", FOLDER / "run.py")
assert _spec
assert _spec.loader
runner = importlib.util.module_from_spec(_spec)
sys.modules["refutations"] = runner
_spec.loader.exec_module(runner)
CLAIMS = runner.claims()


def test_every_study_has_its_claim() -> None:
    assert sorted(c.study for c in CLAIMS) == sorted(
        p.stem for p in FOLDER.glob("*.toml") if p.stem != "claims"
    )
    assert len(CLAIMS) >= 10


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.study)
def test_a_study_resolves_and_holds_both_sides_of_its_claim(claim: Any) -> None:
    study = load(claim.file)
    for resolve in (drawn, explained, analysed):
        resolve(study)
    settings = taught(study)
    assert study.grid is not None
    assert study.name == claim.study
    assert claim.metric in analysed(study).compared
    for target, readout in (claim.a, claim.b):
        assert target in study.grid.target
        assert readout in expanded(settings.readouts, TARGETS[target], study.grid.decoding)
    fitted = TARGETS[claim.a[0]].fitted
    assert len(study.grid.seed) == (5 if fitted else 1)


def row(a: Any, b: Any, **more: Any) -> Comparison:
    fields = {
        "metric": "roc_auc",
        "unit": "target",
        "difference": 0.1,
        "low": 0.05,
        "high": 0.2,
        "n": 9,
        "seeds": 5,
    }
    return Comparison(a=a[0], a_readout=a[1], b=b[0], b_readout=b[1], **{**fields, **more})


def test_a_difference_is_read_the_way_the_claim_goes() -> None:
    claim = CLAIMS[0]
    other = row(claim.a, ("label_only", "zero_shot"))
    assert runner.difference(claim, [other, row(claim.a, claim.b)]) == (0.1, 0.05, 0.2, 5)
    assert runner.difference(claim, [row(claim.b, claim.a)]) == (-0.1, -0.2, -0.05, 5)
    for rows in ([other], [row(claim.a, claim.b, low=None)], [row(claim.a, claim.b, metric="brier")]):
        with pytest.raises(DataError, match="no comparison of"):
            runner.difference(claim, rows)


def test_an_unknown_study_is_refused() -> None:
    command = [sys.executable, str(FOLDER / "run.py"), "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "'nonsense' is not a study here" in done.stderr
