"""SIGKILL at any moment of `wherefore run`, then the same command: it finishes, and nothing was paid for twice."""

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from wherefore.study.runs import manifest, sha256
from wherefore.synth.ledger.segment import LedgerSegment

from .conftest import QUICK, WHEREFORE, Whole, wherefore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KILLS = 6


def test_killed_and_run_again(quick: Whole, tmp_path: Path) -> None:
    """Killed at six seeded moments; each restart goes on; the outcome is that of the uninterrupted run."""
    rng = random.Random(2606)
    runs = tmp_path / "runs"
    for _ in range(KILLS):
        child = subprocess.Popen(
            [WHEREFORE, "run", str(QUICK), "--runs", str(runs)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            child.wait(timeout=rng.uniform(1.0, 12.0))
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGKILL)  # the process alone: what it started has to notice by itself
            child.wait()
        for path in runs.rglob("manifest.json"):
            made = manifest(path.parent)
            assert made is not None
            for name, digest in made.outputs.items():
                assert sha256(path.parent / name) == digest, "a folder with a manifest is incomplete"
    last = wherefore("run", QUICK, "--runs", runs)
    assert last.returncode == 0, last.stderr[-3000:]
    home = runs / "quick"
    answered: set[str] = set()
    for path in sorted((home / "synth" / "ledger").rglob("*.jsonl")):
        for entry in LedgerSegment(path).scan():
            assert entry["e"] != "sent" or entry["k"] not in answered, (
                "asked again after its answer was stored"
            )
            if entry["e"] == "answer":
                assert entry["k"] not in answered
                answered.add(entry["k"])
    assert len(answered) > 500
    for path in [
        *sorted(quick.home.glob("*/**/predictions.parquet")),
        quick.home / "synth" / "rationales.jsonl",
    ]:
        assert (home / path.relative_to(quick.home)).read_bytes() == path.read_bytes(), path.name
