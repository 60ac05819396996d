"""Lining up predictions with cases; sampling, censoring and prevalence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wherefore.analysis.cells import arm, reference_of
from wherefore.analysis.measures.accuracy import brier, expected_observed
from wherefore.analysis.performance.scores import (
    PredictionKey,
    Scores,
    held_out,
    read_scores,
    sampling_shift,
    shifted,
)
from wherefore.cohort.records import Case
from wherefore.study.errors import DataError
from wherefore.study.grid import Cell
from wherefore.study.records import to_frame, write_table
from wherefore.train.records import Prediction


def case(i: int, label: int | None, **changes: object) -> Case:
    outcome = {1: "onset", 0: "event_free", None: "censored"}[label]
    row: dict[str, object] = {
        "id": f"c{i}",
        "subject": f"p{i}",
        "split": "held_out",
        "age": 70.0,
        "sex": "female",
        "day": 100,
        "label": label,
        "outcome": outcome,
        "followup_years": 5.0,
        "timeline": "",
        "weight": 0.0 if label is None else 1.0,
        "n_shown": 0,
        "n_total": 0,
    }
    return Case.model_validate(row | changes)


def frame(*rows: Case) -> pd.DataFrame:
    return to_frame(rows, Case)


def predicted(path: Path, *rows: tuple[str, str, float | None]) -> Path:
    made = [
        Prediction(
            cell=c, readout="direct", case=i, risk=r, why_missing=None if r is not None else "no_label"
        )
        for c, i, r in rows
    ]
    write_table(path, to_frame(made, Prediction), Prediction)
    return path


def test_censored_cases_are_counted_and_left_out() -> None:
    held = held_out(frame(case(1, 1), case(2, 0), case(3, None), case(4, 1, split="train")))
    assert held.case == ("c1", "c2")
    assert held.censored == 1
    assert held.populations == ("sample",)


def test_no_label_at_all_is_an_error() -> None:
    with pytest.raises(DataError, match="no case of the split 'held_out' has a label"):
        held_out(frame(case(1, None)))


def test_missing_predictions_keep_their_reasons(tmp_path: Path) -> None:
    held = held_out(frame(case(1, 1), case(2, 0), case(3, 0)))
    file = predicted(tmp_path / "p.parquet", ("a", "c1", 0.4), ("a", "c2", None), ("a", "elsewhere", 0.9))
    scores = read_scores([file], held)
    assert np.array_equal(scores.risk[PredictionKey("a", "direct")], [0.4, np.nan, np.nan], equal_nan=True)
    assert scores.missing[PredictionKey("a", "direct")] == {"no_label": 1, "no row": 1}


def test_two_risks_for_one_case_are_refused(tmp_path: Path) -> None:
    held = held_out(frame(case(1, 1), case(2, 0)))
    file = predicted(tmp_path / "p.parquet", ("a", "c1", 0.4), ("a", "c1", 0.5))
    with pytest.raises(DataError, match="case c1 is predicted twice"):
        read_scores([file], held)


@pytest.mark.parametrize(
    ("risk", "why", "said"),
    [
        (1.3, None, "row 1: risk 1.3; risks are in [0, 1]."),
        (-0.2, None, "row 1: risk -0.2; risks are in [0, 1]."),
        (None, None, "row 1: neither a risk nor why it is missing."),
    ],
)
def test_what_cannot_be_a_prediction_is_refused_by_its_row(
    tmp_path: Path, risk: float | None, why: str | None, said: str
) -> None:
    """Written by something else than our own records, which could not be built."""
    held = held_out(frame(case(1, 1), case(2, 0)))
    file = predicted(tmp_path / "p.parquet", ("a", "c1", 0.4), ("a", "c2", 0.5))
    table = pd.read_parquet(file)
    table.loc[1, ["risk", "why_missing"]] = [risk, why]
    write_table(file, table, Prediction)
    with pytest.raises(DataError) as caught:
        read_scores([file], held)
    assert said in str(caught.value)


def test_shift_by_hand() -> None:
    """Two cases of weight 1 and two controls of weight 9: prevalence 1/2 in the sample, 1/10 in the source."""
    rows = [case(i, i % 2, split="train", sampling_weight=1.0 if i % 2 else 9.0) for i in range(4)]
    shift = sampling_shift(frame(*rows))
    assert shift == pytest.approx(-np.log(9))
    assert shifted(np.array([0.5]), shift)[0] == pytest.approx(0.1)
    assert sampling_shift(frame(rows[0], rows[2])) == 0.0  # one class: nothing to learn the shift from


def test_calibration_in_the_source_is_recovered_from_a_case_control_sample() -> None:
    """A perfect model of the sample, moved and weighted, is perfect in the source; unmoved it is far too high."""
    rng = np.random.default_rng(0)
    risk = 1 / (1 + np.exp(-rng.normal(-3, 1, 60_000)))
    ill = rng.random(60_000) < risk
    taken = ill | (rng.random(60_000) < 0.1)
    y, p = ill[taken].astype(int), risk[taken]
    weight = np.where(y == 1, 1.0, 10.0)[None, :]
    learned = shifted(p, float(np.log(10)))  # what is right among the cases as sampled
    rows = [
        case(i, int(v), split="train", sampling_weight=1.0 if v else 10.0) for i, v in enumerate(y[:3000])
    ]
    back = shifted(learned, sampling_shift(frame(*rows)))
    assert expected_observed(y, back, weight)[0] == pytest.approx(1, abs=0.03)
    assert expected_observed(y, learned, weight)[0] > 3
    assert brier(y, back, weight)[0] < brier(y, learned, weight)[0]


def test_the_optimum_is_about_the_source_and_models_about_the_sample() -> None:
    risk = {
        PredictionKey("bayes", "baseline"): np.array([0.1]),
        PredictionKey("m", "direct"): np.array([0.5]),
    }
    scores = Scores(risk, {}, shift=-float(np.log(9)), on_source=frozenset({"bayes"}))
    assert scores.on(PredictionKey("bayes", "baseline"), "source")[0] == pytest.approx(0.1)
    assert scores.on(PredictionKey("bayes", "baseline"), "sample")[0] == pytest.approx(0.5)
    assert scores.on(PredictionKey("m", "direct"), "source")[0] == pytest.approx(0.1)
    assert scores.on(PredictionKey("m", "direct"), "sample")[0] == pytest.approx(0.5)


def test_reference_of_an_arm() -> None:
    a = Cell(base="t", target="free_rationale", n=10, learning_rate=1e-3, seed=0, loss="group_mean")
    plain = a.model_copy(update={"target": "label_only", "loss": "token_mean"})
    same = a.model_copy(update={"target": "label_only"})
    assert arm(a) == "free_rationale, group_mean"
    assert reference_of(a, frozenset({a, plain}), "label_only") == plain
    assert reference_of(a, frozenset({a, plain, same}), "label_only") == same
    assert reference_of(a, frozenset({a, plain.model_copy(update={"n": 20})}), "label_only") is None
