"""Raters with known parameters: what comes out is what the parameters imply."""

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import combinations
from math import erf, sqrt
from pathlib import Path

import krippendorff
import numpy as np
import pytest

from wherefore.annotate import rounds, rubric, simulated
from wherefore.annotate.answers import accept
from wherefore.annotate.design.items import Item
from wherefore.annotate.records import Rubric, Task, Verdict
from wherefore.annotate.run import resolve, run
from wherefore.annotate.settings import Criterion, Rule, SimulatedRater
from wherefore.annotate.verdicts.rules import verdicts
from wherefore.study.config import Study
from wherefore.study.records import read_jsonl
from wherefore.synth.records import Claim

Make = Callable[..., Study]
N = 2000


def graded(raters: list[SimulatedRater], scale: Rubric, spread: float, bad_share: float = 0.3):
    """Ratings of `N` items of four claims, some of them with one faulty claim."""
    claims = tuple(Claim(text=f"Claim {i}.", cites=("E001",)) for i in range(4))
    items = {
        f"i{n}": Item(id=f"i{n}", rationale=f"r{n}", case="c", round="main", claims=claims, stratum="x")
        for n in range(N)
    }
    rng = np.random.default_rng(1)
    faulty = {i: frozenset({2}) if rng.random() < bad_share else frozenset() for i in items}
    tasks = [
        Task(item=i, rater=r.name, rationale=items[i].rationale, case="c", order=n)
        for r in raters
        for n, i in enumerate(items)
    ]
    given = [a for r in raters for a in simulated.answers(r, tasks, items, faulty, scale, spread, 5)]
    return accept(given, tasks, items, scale).ratings, faulty, items


def implied_alpha(raters: list[SimulatedRater], k: int, spread: float, bad_share: float) -> float:
    """Ordinal alpha of the model by integration over the true place, without drawing a single grade."""

    def p(x: float) -> float:
        return 0.5 * (1 + erf(x / sqrt(2)))

    z, w = np.polynomial.hermite_e.hermegauss(61)
    true = ((k - 1, 1 - bad_share), ((k - 1) * 0.75, bad_share))
    places = [(t + spread * x, s * y / w.sum()) for t, s in true for x, y in zip(z, w, strict=True)]

    def grades(r: SimulatedRater, t: float) -> np.ndarray:
        cuts = [p((c + 0.5 - (t - r.severity)) / r.noise) for c in range(k - 1)]
        return np.diff([0.0, *cuts, 1.0])

    pairs = np.zeros((k, k))
    for t, weight in places:
        for a, b in combinations([grades(r, t) for r in raters], 2):
            pairs += weight * (np.outer(a, b) + np.outer(b, a))
    margin = pairs.sum(0) / pairs.sum()
    steps = np.array(
        [
            [(margin[min(c, d) : max(c, d) + 1].sum() - (margin[c] + margin[d]) / 2) ** 2 for d in range(k)]
            for c in range(k)
        ]
    )
    return float(1 - (pairs / pairs.sum() * steps).sum() / (np.outer(margin, margin) * steps).sum())


def measured_alpha(ratings, dimension: str, k: int) -> float:
    names = sorted({r.rater for r in ratings})
    table = defaultdict(lambda: [np.nan] * len(names))
    for r in ratings:
        if r.dimension == dimension:
            table[r.item][names.index(r.rater)] = float(r.value)
    return float(
        krippendorff.alpha(
            np.array(list(table.values())).T,
            level_of_measurement="ordinal",
            value_domain=[float(i) for i in range(1, k + 1)],
        )
    )


@pytest.mark.parametrize(("noise", "severity"), [(0.3, 0.0), (0.6, 0.4), (1.0, 0.8)])
def test_agreement_is_what_the_parameters_imply(study: Make, noise: float, severity: float) -> None:
    raters = [SimulatedRater(name=f"simulated_{i}", noise=noise, severity=severity * i) for i in range(3)]
    scale = rubric.load(study(), "paper")
    ratings, _, _ = graded(raters, scale, spread=0.9)
    assert measured_alpha(ratings, "accuracy", 5) == pytest.approx(
        implied_alpha(raters, 5, 0.9, 0.3), abs=0.03
    )


def test_severity_and_drift_move_the_mean_as_stated(study: Make) -> None:
    strict = SimulatedRater(name="simulated_a", severity=0.8, drift=1.0, noise=0.3)
    mild = SimulatedRater(name="simulated_b", noise=0.3)
    score = {
        "name": "score",
        "question": "?",
        "level": "ordinal",
        "categories": [str(i) for i in range(1, 16)],
    }
    scale = rubric.load(study(), {"name": "wide", "dimensions": [score]})
    ratings, _, items = graded([strict, mild], scale, spread=1.0, bad_share=1.0)
    place = {i: n for n, i in enumerate(items)}
    gap = defaultdict(dict)
    for r in ratings:
        gap[r.item][r.rater] = float(r.value)
    early = [g["simulated_b"] - g["simulated_a"] for i, g in gap.items() if place[i] < N / 3]
    late = [g["simulated_b"] - g["simulated_a"] for i, g in gap.items() if place[i] >= 2 * N / 3]
    assert np.mean(early) == pytest.approx(0.8 + 1 / 6, abs=0.1)
    assert np.mean(late) == pytest.approx(0.8 + 5 / 6, abs=0.1)


@pytest.mark.parametrize("accuracy", [0.7, 0.9])
def test_a_majority_of_three_is_right_as_often_as_the_binomial_says(study: Make, accuracy: float) -> None:
    scale = rubric.load(study(), "short")
    raters = [SimulatedRater(name=f"simulated_{i}", accuracy=accuracy) for i in range(3)]
    ratings, faulty, items = graded(raters, scale, spread=0.0)
    rule = Rule(criteria=(Criterion(dimension="sound", rule="majority", passes=("yes",)),))
    pairs = [(i.rationale, i.case) for i in items.values()]
    found = verdicts(ratings, pairs, scale, rule)
    right = [(v.state == "accepted") == (not faulty[i]) for v, i in zip(found, items, strict=True)]
    expected = accuracy**3 + 3 * accuracy**2 * (1 - accuracy)
    assert np.mean(right) == pytest.approx(expected, abs=3 * sqrt(expected * (1 - expected) / N))


def test_a_faulty_claim_is_found_as_often_as_accuracy_says(study: Make) -> None:
    scale = rubric.load(study(), "clinical")
    ratings, faulty, _ = graded([SimulatedRater(name="simulated_1", accuracy=0.8)], scale, 0.6)
    good = {"supported", "inference"}
    hits = Counter(
        r.value not in good for r in ratings if r.dimension == "support" and r.claim in faulty[r.item]
    )
    # A wrong answer is any of the four others with equal chance; two of them still say that something is wrong.
    assert hits[True] / hits.total() == pytest.approx(0.8 + 0.2 * 2 / 4, abs=0.04)


def test_all_rounds_with_an_adjudicator_leave_nothing_undecided(graded_home: Path, study: Make) -> None:
    s = study(
        simulated=[{"name": f"simulated_{i}", "accuracy": 0.6} for i in range(3)],
        rounds={"calibration": 8, "adjudicator": "simulated_2"},
        controls={"other_patient": 4, "wrong_value": 4},
        rubric="short",
        items=40,
        verdict={"criteria": [{"dimension": "sound", "rule": "unanimous", "passes": ["yes"]}]},
    )
    run(s, graded_home)
    state = rounds.programs(s, resolve(s), graded_home)
    found = list(read_jsonl(graded_home / "annotate" / "verdicts.jsonl", Verdict))
    assert {v.state for v in found} <= {"accepted", "rejected"}
    asked = [v for v in found if v.adjudicator]
    assert asked, "two raters of accuracy 0.6 disagree now and then"
    assert {v.adjudicator for v in asked} == {"simulated_2"}
    assert len(found) == 40
    assert {t.round for t in state.plan.tasks} == {"calibration", "main", "adjudication"}
    task = state.plan.of_round("adjudication")[0]
    seen = state.disagreements()[task.item]
    assert [o.name for o in seen.opinions] == ["Rater A", "Rater B"]
    assert [r.title for r in seen.rows if r.differ][:1] == ["Sound"]
    assert "simulated" not in seen.model_dump_json()
