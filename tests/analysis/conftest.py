"""A run folder as the other stages leave it, made from known risks: what the analysis must find is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from wherefore.analysis.run import run
from wherefore.annotate.records import Dimension, Rating, Rubric, Verdict
from wherefore.cohort.records import Case, Evidence
from wherefore.study.config import DataUse, Study
from wherefore.study.grid import Grid
from wherefore.study.records import to_frame, write_jsonl, write_table, write_text
from wherefore.study.runs import Manifest
from wherefore.synth.records import Check, Claim, Grounding, Rationale, Refusal
from wherefore.train.records import Baseline, Fit, Prediction

TARGETS = ("label_only", "free_rationale", "label_then_rationale")
NAMES = ("Hypertension", "Stroke", "Depressive episode", "Hearing loss")


def study(seeds: tuple[int, ...] = (0,), name: str = "trial") -> Study:
    """A study with one fit a target and seed."""
    return Study(
        name=name,
        title="Does teaching a model why help it foresee dementia?",
        seed=3,
        data_use=DataUse(kind="synthetic", name="people made by a test"),
        cohort={"source": {"name": "simulated"}},
        grid=Grid(expect=3 * len(seeds), target=TARGETS, n=(400,), seed=seeds),
        analysis={"replicates": 200},
    )


def cases(n: int = 700, seed: int = 1) -> list[Case]:
    """Cases of a case-control sample: every case, one control in four; risk rises with the latent that ids carry."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        risk = float(1 / (1 + np.exp(2.6 - 1.5 * rng.standard_normal())))
        y = int(rng.random() < min(1.0, 4 * risk / (1 + 3 * risk)))
        lost = rng.random() < 0.03
        outcome: Any = "censored" if lost else "onset" if y else "event_free"
        shown = tuple(
            f"[E{k + 1:03d}] age {60 + k}.0 ({8 - k}.0 y before): {NAMES[k]}"
            for k in range(4)
            if (i >> k) % 3
        )
        out.append(
            Case(
                id=f"c{i:04d}",
                subject=f"p{i // 2:04d}" if i < 40 else f"q{i:04d}",
                split="held_out" if i % 2 else "tuning" if i % 10 == 6 else "train",
                age=float(55 + 30 * rng.random()),
                sex="female" if rng.random() < 0.55 else "male",
                day=25000,
                label=None if lost else y,
                outcome=outcome,
                followup_years=2.0 if lost else 5.0,
                weight=0.0 if lost else 1.0,
                sampling_weight=1.0 if y else 4.0,
                true_risk=risk,
                timeline="\n".join(shown),
                n_shown=len(shown),
                n_total=len(shown),
            )
        )
    return out


def evidence(of: list[Case]) -> list[Evidence]:
    """The lines of the timelines."""
    out = []
    for case in of:
        for line in case.timeline.splitlines():
            k = int(line[2:5]) - 1
            out.append(
                Evidence(
                    case=case.id,
                    id=f"E{k + 1:03d}",
                    kind="condition",
                    age=60.0 + k,
                    years_before=8.0 - k,
                    code=f"I{k}",
                    system="ICD10",
                    name=NAMES[k],
                    shown=True,
                    line=line,
                    source="test:1",
                )
            )
    return out


def noisy(of: list[Case], noise: float, seed: int) -> list[float | None]:
    """Risks as a model that sees the latent through noise would give them; every fiftieth is missing."""
    rng = np.random.default_rng(seed)
    known = [c.true_risk or 0.5 for c in of]
    logits = [np.log(p / (1 - p)) + noise * rng.standard_normal() for p in known]
    return [None if noise > 2 and i % 50 == 7 else float(1 / (1 + np.exp(-x))) for i, x in enumerate(logits)]


def predictions(cell: str, readout: str, of: list[Case], noise: float, seed: int = 0) -> list[Prediction]:
    return [
        Prediction(
            cell=cell,
            readout=readout,
            case=c.id,
            risk=r,
            why_missing=None if r is not None else "no_label",
            written="There is stroke [E002, E099]." if readout == "own_rationale" else None,
        )
        for c, r in zip(of, noisy(of, noise, seed), strict=True)
    ]


def manifest(folder: Path) -> None:
    made = Manifest(key="k" * 12, settings={}, inputs={}, outputs={}, seconds=1.5, provenance={})
    write_text(folder / "manifest.json", made.model_dump_json())


def lay(home: Path, a_study: Study) -> Path:
    """Write every stage's files."""
    people = cases()
    held = [c for c in people if c.split == "held_out"]
    write_table(home / "cohort" / "cases.parquet", to_frame(people, Case), Case)
    write_table(home / "cohort" / "evidence.parquet", to_frame(evidence(people), Evidence), Evidence)
    write_text(
        home / "cohort" / "flow.csv", "step,reason,people,left\nread,,900,900\nexcluded,prevalent,200,700\n"
    )
    write_text(home / "cohort" / "table1.csv", "characteristic,train,held_out\nage,70,70\n")
    _synth(home / "synth", [c for c in people if c.label is not None and c.timeline])
    _annotate(home / "annotate", [c for c in people if c.label is not None and c.timeline][:30])
    tuning = [c for c in people if c.split == "tuning"]
    for cell in a_study.grid.cells() if a_study.grid else []:
        folder = home / "train" / cell.id
        for name, of in (("predictions.parquet", held), ("tuning.parquet", tuning)):
            rows = predictions(
                cell.id, "direct", of, {"free_rationale": 4.0}.get(cell.target, 0.6), cell.seed
            )
            if cell.target == "free_rationale":
                rows += predictions(cell.id, "own_rationale", of, 3.5, cell.seed + 10)
                rows += (
                    predictions(cell.id, "teacher_rationale", of, 0.1, cell.seed + 20) if of is held else []
                )
            write_table(folder / name, to_frame(rows, Prediction), Prediction)
        _fit(folder, cell.id, cell.target)
        manifest(folder)
    for name, of in (("predictions.parquet", held), ("tuning.parquet", tuning)):
        rows = predictions("logistic_regression", "baseline", of, 0.8, 5)
        rows += [Prediction(cell="bayes", readout="baseline", case=c.id, risk=c.true_risk) for c in of]
        write_table(home / "train" / "baselines" / name, to_frame(rows, Prediction), Prediction)
    fitted = [
        Baseline(cell="logistic_regression", name="logistic_regression", n=400),
        Baseline(cell="bayes", name="bayes", n=None, optimum=True),
    ]
    write_jsonl(home / "train" / "baselines" / "baselines.jsonl", fitted)
    for stage in ("cohort", "synth", "annotate", "train"):
        manifest(home / stage)
    return home


def _fit(folder: Path, cell: str, target: str) -> None:
    tokens = {"prompt": 9000, "label": 400} | ({} if target == "label_only" else {"rationale": 20000})
    loss = {g: 0.4 for g in tokens if g != "prompt"}
    fit = Fit(
        cell=cell,
        base="tiny",
        parameters=1_900_000,
        trained_parameters=120_000,
        examples=400,
        epochs=4.0,
        steps=100,
        tokens=tokens,
        final_loss=loss,
        seconds=30.0,
    )
    write_text(folder / "fit.json", fit.model_dump_json())


def _synth(folder: Path, of: list[Case]) -> None:
    made, checks = [], []
    for c in of:
        ids = [line[1:5] for line in c.timeline.splitlines()]
        claims = (
            Claim(text="The person has a history of note.", cites=tuple(ids[:2])),
            Claim(text="Risk follows."),
        )
        made.append(
            Rationale(
                id=f"r{c.id}",
                case=c.id,
                style="free",
                teacher="reference",
                claims=claims,
                verdict=c.label,
                label_shown=True,
                key="k",
            )
        )
        wrong = c.id.endswith("3")
        first = Check(
            claim=0,
            verdict="fault" if wrong else "supported",
            fault="wrong_value" if wrong else None,
            facts=0 if wrong else 2,
            why="says 3, is 4" if wrong else "",
        )
        checks.append(
            Grounding(
                rationale=f"r{c.id}", checks=(first, Check(claim=1, verdict="undecided", doubt="no_fact"))
            )
        )
    write_jsonl(folder / "rationales.jsonl", made)
    write_jsonl(folder / "groundings.jsonl", checks)
    write_jsonl(folder / "refusals.jsonl", [Refusal(case="c0001", style="free", reason="not_json")])
    write_text(folder / "summary.json", json.dumps({"rationales": len(made)}))


def _annotate(folder: Path, of: list[Case]) -> None:
    scale = ("1", "2", "3")
    rubric = Rubric(
        name="test",
        dimensions=(
            Dimension(
                name="accuracy",
                question="?",
                level="ordinal",
                categories=scale,
                anchors=("no", "in part", "yes"),
            ),
            Dimension(name="accept", question="Accept?", level="nominal", categories=("no", "yes")),
        ),
    )
    rng = np.random.default_rng(0)
    rows = []
    for i, c in enumerate(of):
        truth = int(rng.integers(0, 3))
        for rater in ("a", "b", "c"):
            seen = truth if rng.random() < 0.8 else int(rng.integers(0, 3))
            for dimension, value in (("accuracy", scale[seen]), ("accept", "yes" if seen else "no")):
                row = Rating(
                    item=f"i{i}",
                    rationale=f"r{c.id}",
                    case=c.id,
                    rater=rater,
                    simulated=True,
                    dimension=dimension,
                    value=value,
                )
                rows.append(row)
    write_text(folder / "rubric.json", rubric.model_dump_json())
    write_jsonl(folder / "ratings.jsonl", rows)
    verdicts = [
        Verdict(
            rationale=f"r{c.id}",
            case=c.id,
            state="accepted",
            rule="majority",
            n_raters=3,
            consensus={},
            why="2 of 3",
        )
        for c in of
    ]
    write_jsonl(folder / "verdicts.jsonl", verdicts)


class Trial(NamedTuple):
    """A study and its run folder."""

    study: Study
    home: Path


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """A complete run folder with one fit a target, to be changed by a test."""
    return Trial(study(), lay(tmp_path / "trial", study()))


@pytest.fixture(scope="session")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """The same with three seeds, analysed; to be read only."""
    one = study(seeds=(0, 1, 2))
    home = lay(tmp_path_factory.mktemp("runs") / "trial", one)
    assert run(one, home)
    return Trial(one, home)


@pytest.fixture
def lay_out() -> Callable[[Path, Study], Path]:
    """Writes a run folder for any study."""
    return lay


@pytest.fixture
def seeds() -> Callable[[Path], Study]:
    """Adds fits of seeds 1 and 2 to a run folder of the trial; returns the study that has all three."""

    def add(home: Path) -> Study:
        three = study(seeds=(0, 1, 2))
        lay(home, three)
        return three

    return add
