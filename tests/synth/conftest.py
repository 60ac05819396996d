"""A small cohort on disk, written as the cohort stage writes it, and a loopback endpoint with faults."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.study.records import to_frame, write_table

CODES = (
    ("I10", "Essential hypertension"), ("E11", "Type 2 diabetes mellitus"), ("I63", "Cerebral infarction"),
    ("F32", "Depressive episode"), ("H25", "Senile cataract"), ("M17", "Osteoarthritis of knee"),
    ("E78", "Pure hypercholesterolaemia"), ("H91", "Hearing loss"), ("K21", "Gastro-oesophageal reflux"),
    ("I48", "Atrial fibrillation"), ("J45", "Asthma"), ("N39", "Urinary tract infection"),
)  # fmt: skip


def people(n: int, seed: int = 7) -> tuple[list[Case], list[Evidence]]:
    """Cases with 3 to 14 lines each, measurements, repeats and hidden lines among them."""
    rng = np.random.default_rng(seed)
    cases: list[Case] = []
    evidence: list[Evidence] = []
    for i in range(n):
        age = float(np.round(rng.uniform(66, 84), 1))
        lines = history(f"c{i:05d}", age, rng)
        outcome = rng.choice(["onset", "event_free", "death", "censored"], p=[0.25, 0.6, 0.1, 0.05])
        shown = [e for e in lines if e.shown]
        cases.append(
            Case(
                id=f"c{i:05d}",
                subject=f"s{i:05d}",
                split="train" if rng.random() < 0.7 else "held_out",
                age=age,
                sex="female" if rng.random() < 0.5 else "male",
                day=int(age * 365.25),
                label={"onset": 1, "event_free": 0, "death": 0, "censored": None}[outcome],
                outcome=outcome,
                followup_years=5.0,
                weight=0.0 if outcome == "censored" else 1.0,
                timeline="\n".join(e.line for e in shown),
                n_shown=len(shown),
                n_total=len(lines),
            )
        )
        evidence += lines
    return cases, evidence


def history(case: str, age: float, rng: np.random.Generator) -> list[Evidence]:
    """Dated lines in order of age."""
    n = int(rng.integers(3, 15))
    picks = [CODES[i] for i in rng.permutation(len(CODES))[: min(n, len(CODES))]]
    ages = np.sort(np.round(rng.uniform(40, age - 0.5, size=len(picks)), 1))
    out = []
    for i, ((code, name), at) in enumerate(zip(picks, ages, strict=True), 1):
        before = round(age - float(at), 1)
        count = int(rng.choice([1, 1, 1, 3]))
        out.append(
            Evidence(
                case=case, id=f"E{i:03d}", kind="condition", age=float(at), years_before=before, code=code,
                system="ICD10", name=name, count=count, shown=i > 1 or len(picks) < 8,
                line=f"[E{i:03d}] age {at:.1f} ({before:.1f} y before): {name}" + (f"; {count} times" * (count > 1)),
                source="test",
            )
        )  # fmt: skip
    value = float(np.round(rng.uniform(105, 180)))
    out.append(
        Evidence(
            case=case, id=f"E{len(out) + 1:03d}", kind="measurement", age=age - 0.4, years_before=0.4, code="8480-6",
            system="LOINC", name="Systolic blood pressure", value=value, unit="mmHg", shown=True,
            line=f"[E{len(out) + 1:03d}] age {age - 0.4:.1f} (0.4 y before): Systolic blood pressure {value:g} mmHg",
            source="test",
        )
    )  # fmt: skip
    return out


@pytest.fixture
def cohort() -> Callable[[Path, int], Path]:
    """Writes a cohort of n people into a run folder and returns the folder."""

    def write(home: Path, n: int, seed: int = 7) -> Path:
        cases, evidence = people(n, seed)
        write_table(home / "cohort" / "cases.parquet", to_frame(cases, Case), Case)
        write_table(home / "cohort" / "evidence.parquet", to_frame(evidence, Evidence), Evidence)
        return home

    return write
