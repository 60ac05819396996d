"""A small cohort and its rationales, written by hand: enough for every part of the annotate stage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.study.config import Study
from wherefore.study.records import to_frame, write_jsonl, write_table
from wherefore.synth.records import Check, Claim, Grounding, Rationale

LINES = (
    ("E001", 61.2, 8.8, "Hypertension"),
    ("E002", 64.0, 6.0, "Type 2 diabetes"),
    ("E003", 66.4, 3.6, "Stroke"),
    ("E004", 69.1, 0.9, "Memory complaint <MMSE 24/30 & falling>"),
)


def case(i: int) -> Case:
    """A case with four evidence lines; every third one has the outcome."""
    label = int(i % 3 == 0)
    shown = "\n".join(f"[{e}] age {a} ({b} y before): {name}" for e, a, b, name in LINES)
    return Case(
        id=f"c{i:03d}",
        subject=f"p{i:03d}",
        split="train" if i % 5 else "held_out",
        age=70.0,
        sex="female" if i % 2 else "male",
        day=25567,
        label=label,
        outcome="onset" if label else "event_free",
        followup_years=5.0,
        weight=1.0,
        timeline=f"Female, 70 years.\n{shown}\nSubject record {i}.",
        n_shown=4,
        n_total=4,
    )


def rationale(i: int, style: str) -> Rationale:
    """Three cited claims and an uncited conclusion."""
    return Rationale(
        id=f"r{i:03d}-{style}",
        case=f"c{i:03d}",
        style=style,
        teacher="reference",
        claims=(
            Claim(text="She has had hypertension since age 61.2.", cites=("E001",)),
            Claim(text="Diabetes followed at age 64.0, 6.0 years before.", cites=("E002",)),
            Claim(text="A stroke at 66.4 adds vascular risk.", cites=("E003", "E002")),
            Claim(text=f"Person {i} is therefore at raised risk of dementia."),
        ),
        verdict=int(i % 3 == 0),
        label_shown=True,
        key=f"k{i}",
    )


def grounding(i: int, style: str) -> Grounding:
    """Every fourth rationale has one wrong value."""
    bad = 1 if i % 4 == 0 else None
    checks = [Check(claim=k, supported=k != bad, fault="wrong_value" if k == bad else None) for k in range(4)]
    return Grounding(rationale=f"r{i:03d}-{style}", checks=tuple(checks))


def written(home: Path, n: int = 60) -> Path:
    """A run folder with cohort/ and synth/ of `n` cases in two styles."""
    (home / "synth").mkdir(parents=True)
    write_table(home / "cohort" / "cases.parquet", to_frame([case(i) for i in range(n)], Case), Case)
    pairs = [(i, style) for i in range(n) for style in ("free", "stepwise")]
    write_jsonl(home / "synth" / "rationales.jsonl", [rationale(*p) for p in pairs])
    write_jsonl(home / "synth" / "groundings.jsonl", [grounding(*p) for p in pairs])
    return home


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A run folder whose rationales wait to be graded."""
    return written(tmp_path / "runs" / "t")


@pytest.fixture
def study() -> Callable[..., Study]:
    """A study with this section `[annotate]`."""

    def make(**annotate: Any) -> Study:
        return Study(name="t", seed=7, cohort={}, annotate=annotate)

    return make
