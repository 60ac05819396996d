"""Comparisons over a grid, on risks made so that the answer is known."""

from pathlib import Path

import numpy as np
import pytest

from wherefore.analysis.cells import CellState
from wherefore.analysis.performance.averages import averages
from wherefore.analysis.performance.choice import Choice
from wherefore.analysis.performance.compare import Pair, contrast
from wherefore.analysis.performance.contrasts import Comparer
from wherefore.analysis.performance.errors import called
from wherefore.analysis.performance.evaluate import Evaluation
from wherefore.analysis.performance.scores import HeldOut, PredictionKey, Scores
from wherefore.analysis.records import Comparison
from wherefore.analysis.report.answer import TargetEffect, _headline, finding
from wherefore.analysis.settings import Settings
from wherefore.study.grid import Cell, Grid

N = 400
RNG = np.random.default_rng(0)
Y = (np.arange(N) % 4 == 0).astype(np.int64)
SIGNAL = Y + RNG.normal(0, 1, N)


def held() -> HeldOut:
    one = np.ones(N)
    return HeldOut(
        case=tuple(f"c{i}" for i in range(N)),
        person=np.arange(N),
        y=Y,
        observed=one,
        sampling=one,
        shift=0.0,
        attributes={},
        censored=0,
    )


def risk(noise: float, seed: int) -> np.ndarray:
    return 1 / (1 + np.exp(-(SIGNAL + noise * np.random.default_rng(seed).standard_normal(N))))


def comparer(
    cells: list[Cell], risks: dict[PredictionKey, np.ndarray], lost: frozenset[str] = frozenset()
) -> Comparer:
    evaluation = Evaluation(held(), Scores(risks, {}, 0.0), Settings(replicates=200), seed=1)
    return Comparer(evaluation, [CellState(c, "failed" if c.id in lost else "done", Path()) for c in cells])


GRID = Grid(expect=8, target=("label_only", "free_rationale"), n=(100, 200), seed=(0, 1)).cells()


def risks() -> dict[PredictionKey, np.ndarray]:
    """More cases help label_only alone; free_rationale is worse, and worse the same with any n."""
    noise = {("label_only", 100): 2.0, ("label_only", 200): 0.2}
    own = {"label_only": "direct", "free_rationale": "own_rationale"}
    return {
        PredictionKey(c.id, own[c.target]): risk(noise.get((c.target, c.n), 4.0), 10 * c.seed + c.n)
        for c in GRID
    }


def test_factor_effects_are_matched_on_everything_else() -> None:
    found = {c.a: c for c in comparer(GRID, risks()).all() if c.family == "n: roc_auc"}
    assert set(found) == {"label_only, n 200", "free_rationale, n 200"}
    better = found["label_only, n 200"]
    assert better.low is not None
    assert better.low > 0
    assert (better.pairs, better.pairs_expected) == (2, 2)
    same = found["free_rationale, n 200"]
    assert same.low is not None
    assert same.high is not None
    assert same.low < 0 < same.high


def test_mean_difference_is_the_difference_of_means_over_matched_cells() -> None:
    made = comparer(GRID, risks())
    rows = {a.target: a.value for a in averages(made, Choice(made.evaluation, None), ["roc_auc"])}
    gap = next(c for c in made.all() if c.family == "targets: roc_auc")
    assert rows["free_rationale"] is not None
    assert rows["label_only"] is not None
    assert gap.difference == pytest.approx(rows["free_rationale"] - rows["label_only"])
    assert gap.pairs == 4


def test_a_lost_cell_takes_its_partner_out_of_the_comparison() -> None:
    lost = next(c for c in GRID if c.target == "label_only" and c.n == 200 and c.seed == 1)
    made = comparer(GRID, risks(), frozenset({lost.id}))
    gap = next(c for c in made.all() if c.family == "targets: roc_auc")
    assert (gap.pairs, gap.pairs_expected) == (3, 4)
    ours = next(
        a for a in averages(made, Choice(made.evaluation, None), ["roc_auc"]) if a.target == "label_only"
    )
    assert (ours.cells, ours.expected) == (3, 4)


def test_a_pair_rests_on_the_cases_that_both_predict() -> None:
    first, second = PredictionKey("a", "direct"), PredictionKey("b", "direct")
    half = risk(1.0, 3)
    half[: N // 2] = np.nan
    made = comparer([], {first: risk(0.5, 1), second: half})
    found = contrast(made.evaluation, "roc_auc", [Pair(first, second)])
    assert found["n"] == N // 2
    back = contrast(made.evaluation, "roc_auc", [Pair(second, first)])
    assert back["difference"] == pytest.approx(-found["difference"])
    assert (back["low"], back["high"]) == (pytest.approx(-found["high"]), pytest.approx(-found["low"]))
    assert back["p"] == found["p"]
    empty = contrast(made.evaluation, "roc_auc", [])
    assert empty["difference"] is None
    assert empty["why_missing"] == "no pair of fits is finished"


def test_equal_specificity_gives_equal_false_alarms() -> None:
    reference, weak = PredictionKey("a", "direct"), PredictionKey("b", "direct")
    made = comparer([], {reference: risk(0.1, 1), weak: risk(5.0, 2)})
    rows = {c.model: c for c in called(made.evaluation, {"good": reference, "weak": weak}, reference)}
    assert rows["good"].false_positive == rows["weak"].false_positive == 30  # a tenth of 300 controls
    assert rows["good"].true_positive > rows["weak"].true_positive
    assert rows["good"].cases_gained == rows["good"].cases_lost == 0
    gained, lost = rows["weak"].cases_gained, rows["weak"].cases_lost
    assert rows["good"].true_positive - rows["weak"].true_positive == lost - gained


def test_the_first_sentence_names_targets_of_one_fate_together() -> None:
    def effect(target: str, low: float, high: float) -> TargetEffect:
        row = Comparison.model_construct(
            a=target, low_adjusted=low, high_adjusted=high, seeds=3, about="recipes"
        )
        return TargetEffect(row, finding(row))

    tested = [
        effect("free_rationale", -0.4, -0.1),
        effect("free_rationale, group_mean, weight 0.9", -0.2, 0.1),
        effect("stepwise_rationale", -0.1, 0.1),
    ]
    assert _headline("mixed", "recipes", tested) == (
        "Against the label alone it depends on the target: free rationale hurt; free rationale (group mean, weight "
        "0.9) and stepwise rationale made no difference that could be established. The intervals include people and "
        "3 training runs each."
    )
