"""What the simulator promises: its risk is the true one, and what censoring does to those who ignore it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from wherefore.cohort.build import first_pass, reading
from wherefore.cohort.events import Place
from wherefore.cohort.flow import auc
from wherefore.cohort.phenotype import code_set
from wherefore.cohort.risk_scores import UKBDRS, ukbdrs
from wherefore.cohort.settings import Settings
from wherefore.cohort.sources import simulated
from wherefore.cohort.weights import ipcw

Floats = NDArray[np.float64]


def asked(people: int, loss: float, seed: int = 3) -> tuple[pd.DataFrame, Floats]:
    """Everybody eligible, and the true risk of each."""
    place = Place(Path, seed, Path())
    source = simulated.read(simulated.Options(people=people, loss_per_year=loss), place)
    s = Settings.model_validate(
        {"source": {"name": "simulated"}, "predict": {"rule": "fixed_age", "age": 74}}
    )
    frame, _ = first_pass(reading(source, s, place.bad), s, code_set("adrd", Path()), seed, None)
    frame = frame[frame["reason"].isna()]
    return frame, source.true_risk(frame["subject"].tolist(), frame["day"].to_numpy(np.int64), 5.0)


@pytest.fixture(scope="module")
def whole() -> tuple[pd.DataFrame, Floats]:
    return asked(40_000, loss=0.0)


def test_the_true_risk_is_calibrated_in_every_fifth(whole: tuple[pd.DataFrame, Floats]) -> None:
    frame, risk = whole
    label = (frame["outcome"] == "onset").to_numpy()
    for part in np.array_split(np.argsort(risk), 5):
        error = np.sqrt(risk[part].mean() * (1 - risk[part].mean()) / len(part))
        assert abs(label[part].mean() - risk[part].mean()) < 4 * error


def test_the_auc_of_the_true_risk_is_its_closed_value(whole: tuple[pd.DataFrame, Floats]) -> None:
    """P(r_case > r_control) when labels are drawn with the risks themselves: a ratio of sums, no label needed."""
    frame, risk = whole
    label = (frame["outcome"] == "onset").to_numpy()
    r = np.sort(risk)
    controls_below = np.cumsum(1 - r) - (1 - r)
    closed = (r * controls_below).sum() / (r.sum() * (1 - r).sum() - (r * (1 - r)).sum())
    n1, n0 = label.sum(), (~label).sum()
    error = np.sqrt(closed * (1 - closed) / min(n1, n0))  # above Hanley and McNeil's for any risk
    assert abs(roc_auc_score(label, risk) - closed) < 3 * error
    assert auc(label.astype(int), risk, np.ones(len(risk))) == pytest.approx(
        roc_auc_score(label, risk), abs=1e-12
    )


def test_ipcw_recovers_the_risk_where_censored_as_negative_does_not() -> None:
    frame, risk = asked(60_000, loss=0.12)
    followup, lost = frame["followup"].to_numpy(float), (frame["outcome"] == "censored").to_numpy()
    label = (frame["outcome"] == "onset").to_numpy(float)
    weight = ipcw(followup, lost)
    assert 0.2 < lost.mean() < 0.5
    truth, n = risk.mean(), len(label)
    error = np.sqrt(((weight * (label - truth)) ** 2).sum()) / weight.sum()
    assert abs(np.average(label, weights=weight) - truth) < 3 * error
    assert truth - label.mean() > 4 * np.sqrt(truth * (1 - truth) / n)  # lost people counted as negatives
    assert label[~lost].mean() - truth > 3 * error  # lost people left out


def test_persons_stay_when_people_are_added() -> None:
    few, _ = asked(6_000, loss=0.03)
    more, _ = asked(12_000, loss=0.03)
    few, more = (f.set_index("subject")[["day", "outcome", "followup"]] for f in (few, more))
    pd.testing.assert_frame_equal(few, more.loc[few.index])


def test_no_effect_leaves_age_and_sex_alone() -> None:
    source = simulated.read(simulated.Options(people=4000, effect=0.0), Place(Path, 1, Path()))
    w = source.world(0)
    alive = np.flatnonzero((w.death > 70) & (w.dementia > 70))
    risk = source.true_risk([f"S{i:06d}" for i in alive], np.full(len(alive), int(70 * 365.25)), 5.0)
    # only death, which competes, still knows who smokes or has diabetes
    assert risk.std() < 0.05 * risk.mean()


def test_ukbdrs_golden_example() -> None:
    woman = {
        "age": 60,
        "male": False,
        "education": 14,
        "diabetes": True,
        "depression": True,
        "hypertension": True,
    }
    assert round(100 * ukbdrs(UKBDRS(**woman)), 8) == 2.85918952
    assert round(100 * ukbdrs(UKBDRS(**woman, apoe4_carrier=False)), 8) == 1.92835995
