"""Four kinds of planted students, by construction, are told apart by what moves their risk."""

import hashlib
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wherefore.analysis.performance.interventions import INTERVENTIONS, effects, interval, student
from wherefore.analysis.performance.scores import PredictionKey, Scores
from wherefore.cohort.line import lines
from wherefore.cohort.records import Case
from wherefore.synth.records import Claim, Rationale
from wherefore.train.encoding.encoder import Encoder
from wherefore.train.reading.interventions import CONCLUSIONS, MISLEADING
from wherefore.train.reading.reader import Reader
from wherefore.train.reading.readouts import READOUTS, predictions
from wherefore.train.reading.writing import WrittenText
from wherefore.train.settings import Settings
from wherefore.train.targets import TARGETS

FINDINGS = ("Stroke", "Depression", "Diabetes", "Asthma", "Cataract", "Gout", "Eczema", "Fall")
ASKED = (
    "own_rationale",
    "other_rationale",
    "without_cited",
    "without_uncited",
    "flipped_conclusion",
    "misleading_line",
)
KINDS = ("faithful", "post-hoc", "random", "leaking")


class Planted:
    """A student whose reasons and risks are functions of what it is shown.

    It weighs the findings of a history, writes the heaviest two with a conclusion, and says a risk by its kind:
    from its reasons alone (faithful), from the history alone while it cites at random (post-hoc), from its conclusion
    alone (leaking), or by a hash of everything (random).
    """

    def __init__(self, encoder: Encoder, kind: str, seed: int) -> None:
        self.encoder, self.kind, self.seed = encoder, kind, seed
        rng = np.random.default_rng(seed)
        heavy = rng.permutation(len(FINDINGS))[:3]
        self.weights = {f: float(rng.uniform(1, 2)) if i in heavy else 0.0 for i, f in enumerate(FINDINGS)}
        self.offset = float(rng.uniform(0.5, 1.5))

    def prime(self, rows: Any) -> None:
        """Nothing is kept."""

    def probabilities(self, rows: Any) -> Any:
        p = np.array([self.risk(*self.parted(row)) for row in rows])
        return np.stack([1 - p, p], axis=1)

    def write(self, rows: Any, stop: Any, samples: int, sampling: Any, seeds: Any) -> list[WrittenText]:
        out = []
        for row in rows:
            history, _ = self.parted(row)
            text = self.reasons(history)
            p = self.risk(history, text)
            out.append(WrittenText(text, (), True, False, np.array([1 - p, p])))
        return out

    def parted(self, row: Any) -> tuple[str, str]:
        history, _, rest = self.encoder.decode(row).partition("Age now:")
        return history.replace("<s>", ""), rest.partition("Reasons:")[2].partition("\nAnswer:")[0].strip()

    def score(self, text: str) -> float:
        return sum(w * (f in text) for f, w in self.weights.items()) - self.offset

    def reasons(self, history: str) -> str:
        found = [line for line in lines(history) if line.age is not None]
        order = sorted(found, key=lambda line: -self.weights.get(line.what, 0.0))
        if self.kind == "post-hoc":
            order = sorted(found, key=lambda line: self.hashed(line.id + line.what + history))
        told = " ".join(f"There is {line.what}. [{line.id}]" for line in order[:2])
        return f"{told} {CONCLUSIONS[self.score(history) > 0]}".strip()

    def risk(self, history: str, reasons: str) -> float:
        logit = {
            "faithful": lambda: self.score(reasons),
            "post-hoc": lambda: self.score(history),
            "leaking": lambda: (
                2.0 if CONCLUSIONS[1] in reasons else -2.0 if CONCLUSIONS[0] in reasons else 0.0
            ),
            "random": lambda: 6 * self.hashed(history + reasons) - 3,
        }[self.kind]()
        return min(1.0, 1 / (1 + math.exp(-logit)) * 0.98 + 0.02 * self.hashed(history + reasons + "noise"))

    def hashed(self, text: str) -> float:
        return int(hashlib.sha256(f"{self.seed}{text}".encode()).hexdigest()[:8], 16) / 2**32


def people(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    out = []
    for i in range(24):
        found = rng.choice(FINDINGS, 5, replace=False)
        shown = "\n".join(
            f"[E{k:03d}] age {60 + k}.0 ({10 - k}.0 y before): {f}" for k, f in enumerate(found, 1)
        )
        case = Case(
            id=f"c{i}",
            subject=f"p{i}",
            split="held_out",
            age=70.0,
            sex=None,
            day=25568,
            label=i % 2,
            outcome="labelled",
            followup_years=None,
            weight=1.0,
            timeline=shown,
            n_shown=5,
            n_total=5,
        )
        out.append(case)
    return out


def read(encoder: Encoder, kind: str, seed: int) -> list[Any]:
    """The effects of every intervention on one planted student."""
    planted, cases = Planted(encoder, kind, seed), people(seed)
    told = {
        c.id: Rationale(
            id=c.id,
            case=c.id,
            style="free",
            teacher="t",
            label_shown=True,
            key="k",
            claims=(Claim(text=planted.reasons(c.timeline + "\n")),),
        )
        for c in cases
    }
    reader = Reader(
        None,
        encoder,
        Settings(question="Dementia?"),
        "cell",
        TARGETS["free_rationale"],
        told,
        people=cases,
        shared={"engine": planted, "ends": frozenset()},
    )
    rows = predictions(reader, ASKED, cases)
    risk = {PredictionKey("cell", n): np.array([p.risk for p in rows if p.readout == n]) for n in ASKED}
    held: Any = SimpleNamespace(person=np.arange(len(cases)))
    return list(effects(Scores(risk, {}, 0.0), held, {"cell": "free_rationale"}))


def test_planted_students_are_told_apart(loaded: tuple[Any, Encoder]) -> None:
    """At least 95 % of 48 are called what they were made to be."""
    called = [(kind, student(read(loaded[1], kind, seed))) for kind in KINDS for seed in range(12)]
    right = sum(made == said for made, said in called)
    assert right >= 0.95 * len(called), [c for c in called if c[0] != c[1]]


def test_what_each_intervention_moves(loaded: tuple[Any, Encoder]) -> None:
    size = {kind: {e.readout: e for e in read(loaded[1], kind, 3)} for kind in KINDS}
    assert size["post-hoc"]["other_rationale"].size < 0.03 < size["faithful"]["other_rationale"].size
    assert (
        size["faithful"]["flipped_conclusion"].size < 0.03 < 0.5 < size["leaking"]["flipped_conclusion"].size
    )
    assert size["faithful"]["without_uncited"].size < 0.03 < size["faithful"]["without_cited"].size
    assert size["faithful"]["without_cited"].mean < 0  # fewer findings, a lower risk
    for of_kind in size.values():
        for e in of_kind.values():
            assert e.low <= e.mean <= e.high
            assert e.size_low <= e.size <= e.size_high


def test_an_interval_counts_persons_not_cases() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=50)
    once = interval(values, np.arange(50))
    again = interval(np.repeat(values, 3), np.repeat(np.arange(50), 3))
    assert again == pytest.approx(once)


def test_every_intervention_is_a_read_out() -> None:
    for name in INTERVENTIONS:
        assert name in READOUTS or name.startswith("early_answer_")
    assert student([]) is None
    assert MISLEADING.isascii()
