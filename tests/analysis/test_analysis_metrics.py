"""Metrics against scikit-learn and statsmodels, and by hand where a number can be had by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from wherefore.analysis.multiplicity import holm
from wherefore.analysis.performance import metrics as m
from wherefore.analysis.performance.delong import delong
from wherefore.analysis.performance.intervals import draws, interval, p_value, replicates
from wherefore.analysis.performance.metrics import METRICS


@st.composite
def weighted_risks(draw):  # type: ignore[no-untyped-def]
    """(y, risk, w) with both classes, ties in the risks, and zero weights, as a bootstrap has."""
    n = draw(st.integers(4, 30))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    y[0], y[1] = 0, 1
    risk = np.array(draw(st.lists(st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.9]), min_size=n, max_size=n)))
    w = np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=n, max_size=n)))
    w[:2] = 1.0
    return y, risk, w


@given(weighted_risks())
@settings(max_examples=60, deadline=None)
def test_against_scikit_learn(data) -> None:  # type: ignore[no-untyped-def]
    y, risk, w = data
    for ours, oracle in (
        (m.roc_auc, roc_auc_score),
        (m.pr_auc, average_precision_score),
        (m.brier, brier_score_loss),
        (m.log_loss, sklearn_log_loss),
    ):
        assert ours(y, risk, w[None, :])[0] == pytest.approx(oracle(y, risk, sample_weight=w), abs=1e-12)


@given(weighted_risks())
@settings(max_examples=25, deadline=None)
def test_a_weighting_of_counts_is_the_repeated_sample(data) -> None:  # type: ignore[no-untyped-def]
    y, risk, w = data
    counts = np.ceil(w).astype(int)
    again = np.repeat(np.arange(len(y)), counts)
    for metric in METRICS.values():
        weighted = metric(y, risk, counts[None, :].astype(float))
        repeated = metric(y[again], risk[again], np.ones((1, len(again))))
        assert np.allclose(weighted, repeated, equal_nan=True, rtol=1e-6)


def test_one_class_has_no_answer() -> None:
    y, risk = np.zeros(4, int), np.array([0.1, 0.2, 0.3, 0.4])
    for name in ("roc_auc", "pr_auc", "sensitivity_at_90", "calibration_slope", "calibration_in_the_large"):
        assert np.isnan(METRICS[name](y, risk, np.ones((2, 4)))).all(), name


def test_calibration_slope_and_intercept_against_maximum_likelihood() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    x = rng.normal(-1, 1.5, 400)
    y = (rng.random(400) < 1 / (1 + np.exp(0.3 - 0.6 * x))).astype(int)
    risk, w = 1 / (1 + np.exp(-x)), rng.choice([1.0, 4.0], 400)
    fit = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=w).fit()
    assert m.calibration_slope(y, risk, w[None, :])[0] == pytest.approx(fit.params[1], abs=1e-6)
    large = sm.GLM(y, np.ones(400), family=sm.families.Binomial(), freq_weights=w, offset=x).fit()
    assert m.calibration_in_the_large(y, risk, w[None, :])[0] == pytest.approx(large.params[0], abs=1e-6)


def test_calibration_slope_of_separated_and_of_constant_risks_is_missing() -> None:
    y = np.array([0, 0, 1, 1])
    assert np.isnan(m.calibration_slope(y, np.array([0.1, 0.2, 0.8, 0.9]), np.ones((1, 4)))).all()
    assert np.isnan(m.calibration_slope(y, np.full(4, 0.3), np.ones((1, 4)))).all()


def test_calibration_slope_of_extreme_risks() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1, 500)
    y = (rng.random(500) < 1 / (1 + np.exp(-truth))).astype(int)
    risk = 1 / (1 + np.exp(-10 * truth))  # ten times too sure of itself
    assert m.calibration_slope(y, risk, np.ones((1, 500)))[0] == pytest.approx(0.1, abs=0.03)


def test_draws_take_persons_whole_and_are_seeded() -> None:
    person = np.array([0, 0, 1, 2, 2, 2])
    counts = draws(person, 500, seed=4)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] == counts[:, 5]).all()
    assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert (counts == draws(person, 500, seed=4)).all()
    assert (counts != draws(person, 500, seed=5)).any()


def test_replicates_do_not_depend_on_the_block() -> None:
    rng = np.random.default_rng(0)
    y, risk = rng.integers(0, 2, 60), rng.random(60)
    counts = draws(np.arange(60), 600, seed=1)
    where = risk < 0.8
    found = replicates(m.roc_auc, y, risk, np.ones(60), counts, where)
    one = [
        roc_auc_score(np.repeat(y[where], c[where]), np.repeat(risk[where], c[where])) for c in counts[:20]
    ]
    assert np.allclose(found[:20], one)
    assert len(found) == 600


def test_bootstrap_interval_covers() -> None:
    """95 % intervals of a ROC-AUC whose true value is known: Phi(1 / sqrt 2) = 0.7602."""
    rng = np.random.default_rng(2)
    hits = 0
    for i in range(150):
        y = np.repeat([0, 1], [120, 60])
        risk = rng.normal(y, 1.0)
        spread = replicates(
            m.roc_auc, y, risk, np.ones(180), draws(np.arange(180), 300, i), np.ones(180, bool)
        )
        low, high = interval(spread) or (1.0, 0.0)
        hits += low <= 0.7602 <= high
    assert 0.90 <= hits / 150 <= 0.99


def test_interval_is_missing_where_replicates_are() -> None:
    assert interval(np.array([0.5] * 8 + [np.nan] * 2)) is None
    assert p_value(np.array([0.5] * 8 + [np.nan] * 2)) is None


def test_holm_is_monotone_and_never_below_the_raw_p() -> None:
    raw = [0.04, 0.001, None, 0.03, 0.5]
    adjusted = holm(raw)
    assert adjusted == [
        pytest.approx(0.09),
        pytest.approx(0.004),
        None,
        pytest.approx(0.09),
        pytest.approx(0.5),
    ]


def test_delong_by_hand() -> None:
    """Two cases, two controls. Placements of a: cases (1, 1/2), controls (1, 1/2); of b: all 1.

    Covariance of cases over 2 is 1/8 / 2 = 1/16, of controls the same; b has none: variance 1/8.
    """
    y = np.array([1, 1, 0, 0])
    found = delong(y, np.array([0.9, 0.3, 0.5, 0.1]), np.array([0.9, 0.8, 0.5, 0.1]))
    assert found is not None
    assert found.difference == pytest.approx(-0.25)
    assert found.se == pytest.approx(np.sqrt(1 / 8))


def test_delong_and_the_bootstrap_agree() -> None:
    rng = np.random.default_rng(3)
    y = (rng.random(800) < 0.25).astype(int)
    a, b = y + rng.normal(0, 1.2, 800), y + rng.normal(0, 1.6, 800)
    counts, every = draws(np.arange(800), 2000, 0), np.ones(800, bool)
    spread = replicates(m.roc_auc, y, a, np.ones(800), counts, every) - replicates(
        m.roc_auc, y, b, np.ones(800), counts, every
    )
    found = delong(y, a, b)
    assert found is not None
    assert found.difference == pytest.approx(roc_auc_score(y, a) - roc_auc_score(y, b))
    assert found.se == pytest.approx(spread.std(), rel=0.08)
    assert delong(y[:3] * 0, a[:3], b[:3]) is None


def test_sensitivity_is_read_at_the_threshold_of_each_weighting() -> None:
    y = np.array([0] * 10 + [1, 1])
    risk = np.array([*range(1, 11), 5, 9.5]) / 10
    heavy = np.ones(12)
    heavy[9] = 10.0  # the highest control now is more than a tenth: the threshold moves up to it
    assert m.sensitivity(y, risk, np.array([np.ones(12), heavy])).tolist() == [0.5, 0.0]
