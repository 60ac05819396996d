"""A toy study on disk: what the cohort and synth stages would have written, small enough to fit in seconds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wherefore.cohort.records import Case, Evidence, Split
from wherefore.study.config import Study
from wherefore.study.grid import Grid
from wherefore.study.records import to_frame, write_jsonl, write_table
from wherefore.synth.records import Check, Claim, Grounding, Rationale
from wherefore.train.bases.models import load
from wherefore.train.encoding.encoder import Encoder
from wherefore.train.settings import Made, Settings


def toy_case(i: int, split: Split = "train") -> Case:
    """A case whose label hangs on one line of its history."""
    rng = np.random.default_rng(i)
    stroke = bool(rng.random() < 0.5)
    age = round(60 + 20 * rng.random(), 1)
    lines = [f"[E001] age {age - 3:.1f} (3.0 y before): {'Stroke' if stroke else 'Cataract'}"]
    if rng.random() < 0.5:
        lines.append(f"[E002] age {age - 1:.1f} (1.0 y before): Asthma")
    return Case(
        id=f"c{i:03d}",
        subject=f"p{i:03d}",
        split=split,
        age=age,
        sex="female" if i % 2 else "male",
        day=int(age * 365),
        label=int(stroke),
        outcome="onset" if stroke else "event_free",
        followup_years=5.0,
        weight=1.0,
        true_risk=0.9 if stroke else 0.1,
        timeline=f"{'Female' if i % 2 else 'Male'}, age {age}\n" + "\n".join(lines),
        n_shown=len(lines),
        n_total=len(lines),
    )


def toy_evidence(case: Case) -> list[Evidence]:
    """The lines of a case's timeline as records."""
    out = []
    for line in case.timeline.splitlines()[1:]:
        before = 3.0 if "E001" in line else 1.0
        out.append(
            Evidence(
                case=case.id,
                id=line[1:5],
                kind="condition",
                age=case.age - before,
                years_before=before,
                code=line.split(": ")[1].lower(),
                system="TOY",
                name=line.split(": ")[1],
                shown=True,
                line=line,
                source="toy",
            )
        )
    return out


def toy_rationale(case: Case, style: str) -> Rationale:
    """Argues for the label."""
    what = case.timeline.splitlines()[1].split(": ")[1].lower()
    first = Claim(text=f"There is {what}.", cites=("E001",), section="Step 1" if style == "stepwise" else "")
    last = Claim(
        text="Risk is high." if case.label else "Risk is low.",
        section="Step 2" if style == "stepwise" else "",
    )
    return Rationale(
        id=f"{case.id}-{style}",
        case=case.id,
        style=style,
        teacher="reference",
        claims=(first, last),
        verdict=case.label,
        label_shown=True,
        key="k",
    )


def toy_study(**changes: object) -> Study:
    """Five cells on a base of a few thousand parameters."""
    return Study.model_validate(
        {
            "name": "toy",
            "seed": 1,
            "cohort": {},
            "bases": {
                "tiny": {
                    "make": "tiny",
                    "hidden": 16,
                    "layers": 1,
                    "heads": 2,
                    "vocabulary": 320,
                    "passes": 1,
                    "learning_rate": 1e-2,
                }
            },
            "train": {
                "epochs": 1,
                "batch": 8,
                "lora": {"rank": 2, "alpha": 4},
                "max_new_tokens": 12,
                "question": "Dementia?",
                "precision": "float32",
            },
            "grid": Grid(
                expect=5,
                n=(24,),
                learning_rate=(1e-2,),
                target=("label_only", "free_rationale", "stepwise_rationale", "label_then_rationale"),
                also=({"target": "label_then_rationale", "loss": "group_mean"},),
            ).model_dump(),
            **changes,
        }
    )


def write_toy(home: Path, train: int = 40, held_out: int = 12) -> list[Case]:
    """Write what the stages before would have written."""
    cases = [toy_case(i, "train" if i < train else "held_out") for i in range(train + held_out)]
    evidence = [e for c in cases for e in toy_evidence(c)]
    write_table(home / "cohort" / "cases.parquet", to_frame(cases, Case), Case)
    write_table(home / "cohort" / "evidence.parquet", to_frame(evidence, Evidence), Evidence)
    rationales = [toy_rationale(c, s) for c in cases for s in ("free", "stepwise")]
    write_jsonl(home / "synth" / "rationales.jsonl", rationales)
    write_jsonl(
        home / "synth" / "groundings.jsonl",
        [
            Grounding(
                rationale=r.id,
                checks=tuple(Check(claim=i, verdict="supported", facts=1) for i in range(len(r.claims))),
            )
            for r in rationales
        ],
    )
    return cases


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The run folder of a toy study."""
    write_toy(tmp_path)
    return tmp_path


@pytest.fixture
def study() -> Study:
    """The toy study."""
    return toy_study()


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    """Forty toy cases."""
    return [toy_case(i) for i in range(40)]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, cases: list[Case]) -> Path:
    """A made base model of a few thousand parameters."""
    from wherefore.train.made.base import make

    folder = tmp_path_factory.mktemp("base")
    made = Made(make="tiny", hidden=16, layers=2, heads=2, vocabulary=320, passes=1, learning_rate=1e-2)
    make(made, cases, [toy_rationale(c, "free").text for c in cases], "Dementia?", 1, folder)
    return folder / "model"


@pytest.fixture
def loaded(base: Path) -> tuple[Any, Encoder]:
    """That model, fresh, and its encoder."""
    return load(Made(make="tiny"), base, Settings())


@pytest.fixture(scope="session")
def reasons(cases: list[Case]) -> dict[str, Rationale]:
    """The toy teacher's free rationales, by case."""
    return {c.id: toy_rationale(c, "free") for c in cases}
