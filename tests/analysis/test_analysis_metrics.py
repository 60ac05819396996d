"""Metrics against scikit-learn and statsmodels, their influences by perturbation, and by hand where that can be
done.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from wherefore.analysis.measures import accuracy, bootstrap, calibration, discrimination
from wherefore.analysis.measures.metrics import METRICS
from wherefore.analysis.measures.variance import SamplingDesign
from wherefore.analysis.multiplicity import holm, levels

KNOWN = sorted(METRICS)


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
        (discrimination.roc_auc, roc_auc_score),
        (discrimination.pr_auc, average_precision_score),
        (accuracy.brier, brier_score_loss),
        (accuracy.log_loss, sklearn_log_loss),
    ):
        assert ours(y, risk, w[None, :])[0] == pytest.approx(oracle(y, risk, sample_weight=w), abs=1e-12)


@given(weighted_risks())
@settings(max_examples=25, deadline=None)
def test_a_weighting_of_counts_is_the_repeated_sample(data) -> None:  # type: ignore[no-untyped-def]
    y, risk, w = data
    counts = np.ceil(w).astype(int)
    again = np.repeat(np.arange(len(y)), counts)
    for measure in METRICS.values():
        weighted = measure.compute(y, risk, counts[None, :].astype(float))
        repeated = measure.compute(y[again], risk[again], np.ones((1, len(again))))
        assert np.allclose(weighted, repeated, equal_nan=True, rtol=1e-6)


def noisy(n: int, ties: int | None, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, risk, w) of a model that is neither useless nor right; risks rounded to `ties` digits."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(0.3 - 0.6 * x))).astype(np.int64)
    risk = 1 / (1 + np.exp(-x))
    return y, risk if ties is None else np.round(risk, ties), rng.choice([0.5, 1.0, 4.0], n)


@pytest.mark.parametrize("ties", [None, 1])
@pytest.mark.parametrize("name", KNOWN)
def test_an_influence_is_the_derivative_by_the_weight(name: str, ties: int | None) -> None:
    measure = METRICS[name]
    if measure.influence is None or name == "sensitivity_at_90":  # a quantile has no derivative: tested below
        pytest.skip("no derivative")
    y, risk, w = noisy(80, ties, seed=4)
    risk = np.clip(risk, 0.05, 0.95)
    step, n = 1e-5, len(y)
    moved = np.tile(w, (2 * n, 1))
    moved[np.arange(n), np.arange(n)] *= 1 + step
    moved[np.arange(n, 2 * n), np.arange(n)] *= 1 - step
    values = measure.compute(y, risk, moved)
    influence = measure.influence(y, risk, w)
    assert np.allclose(influence, (values[:n] - values[n:]) / (2 * step), atol=1e-8)
    assert influence.sum() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("name", KNOWN)
def test_the_linearised_variance_is_that_of_the_bootstrap(name: str, stratified: bool) -> None:
    measure = METRICS[name]
    if measure.influence is None:
        pytest.skip("its variance is the bootstrap's")
    y, risk, w = noisy(700, None, seed=5)
    design, every = SamplingDesign.of(np.arange(700), y, stratified), np.ones(700, bool)
    counts = bootstrap.draws(design, 600, seed=1)
    drawn = bootstrap.deviations(bootstrap.replicates(measure.compute, y, risk, w, counts, every))
    ours = design.deviations(measure.influence(y, risk, w), every)
    assert drawn is not None
    assert np.sqrt(ours @ ours) == pytest.approx(np.sqrt(drawn @ drawn), rel=0.15)


def test_the_variance_of_roc_auc_is_delongs() -> None:
    """By DeLong's own definition: every pair of a case and a control, variances of the row and column means."""
    y, a, _ = noisy(120, 1, seed=6)
    b = noisy(120, 2, seed=7)[1]
    design, one, every = SamplingDesign.of(np.arange(120), y, False), np.ones(120), np.ones(120, bool)
    cases, controls = y == 1, y == 0
    wins = [(x[cases][:, None] > x[controls]) + 0.5 * (x[cases][:, None] == x[controls]) for x in (a, b)]
    gap = wins[0] - wins[1]
    known = gap.mean(axis=1).var(ddof=1) / cases.sum() + gap.mean(axis=0).var(ddof=1) / controls.sum()
    ours = [design.deviations(discrimination.roc_auc_influence(y, x, one), every) for x in (a, b)]
    difference = ours[0] - ours[1]
    assert difference @ difference == pytest.approx(known, rel=1e-12)


def test_persons_count_as_wholes() -> None:
    """Everybody twice is no more people: the variance stays what it was."""
    y, risk, w = noisy(150, None, seed=8)
    twice, person = np.repeat(np.arange(150), 2), np.repeat(np.arange(150), 2)
    for measure in (METRICS["roc_auc"], METRICS["brier"]):
        assert measure.influence is not None
        once = SamplingDesign.of(np.arange(150), y, False).deviations(
            measure.influence(y, risk, w), np.ones(150, bool)
        )
        both = measure.influence(y[twice], risk[twice], w[twice])
        again = SamplingDesign.of(person, y[twice], False).deviations(both, np.ones(300, bool))
        assert again @ again == pytest.approx(once @ once)


def test_one_class_has_no_answer() -> None:
    y, risk = np.zeros(4, int), np.array([0.1, 0.2, 0.3, 0.4])
    for name in ("roc_auc", "pr_auc", "sensitivity_at_90", "calibration_slope", "calibration_in_the_large"):
        assert np.isnan(METRICS[name].compute(y, risk, np.ones((2, 4)))).all(), name


@st.composite
def odd_risks(draw):  # type: ignore[no-untyped-def]
    """Risks as language models give them: mild, polarised, at 0 and 1, few distinct values."""
    kind = draw(st.sampled_from(["mild", "polarised", "few", "nearly constant"]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(30, 200))
    x = rng.normal(-1, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(np.int64)
    risk = {
        "mild": 1 / (1 + np.exp(-0.5 * x)),
        "polarised": np.where(x + rng.normal(0, 1, n) > 0, 1 - 1e-9, 0.0),
        "few": rng.choice([0.01, 0.2, 0.97], n),
        "nearly constant": 0.3 + 1e-5 * x,
    }[kind]
    return y, risk, rng.choice([1.0, 4.0], n)


def log_odds(risk: np.ndarray) -> np.ndarray:
    r = np.clip(risk, 1e-6, 1 - 1e-6)
    return np.log(r / (1 - r))


@given(odd_risks())
@settings(max_examples=80, deadline=None)
def test_calibration_solves_the_likelihood_equations(data) -> None:  # type: ignore[no-untyped-def]
    """The likelihood is concave, so where its derivatives vanish is its one maximum."""
    y, risk, w = data
    if y.min() == y.max():
        return
    x = log_odds(risk)
    large = calibration.calibration_in_the_large(y, risk, w[None])[0]
    assert w @ (y - 1 / (1 + np.exp(-(x + large)))) == pytest.approx(0, abs=1e-6 * w.sum())
    fit = calibration.line(y, x, w)
    assert (fit is None) == (calibration.no_slope(y, risk, w) is not None)
    if fit is None:
        return
    rest = w * (y - 1 / (1 + np.exp(-(fit.intercept + fit.slope * x))))
    assert rest.sum() == pytest.approx(0, abs=1e-6 * w.sum())
    assert rest @ (x - x.mean()) / x.std() == pytest.approx(0, abs=1e-6 * w.sum())


@pytest.mark.parametrize("sharp", [0.1, 1.0, 3.0])
def test_calibration_is_what_statsmodels_finds(sharp: float) -> None:
    import statsmodels.api as sm

    y, risk, w = noisy(400, None, seed=1)
    risk = 1 / (1 + np.exp(-sharp * log_odds(risk)))
    x, family = log_odds(risk), sm.families.Binomial()
    fit = sm.GLM(y, sm.add_constant(x), family=family, freq_weights=w).fit(tol=1e-13)
    assert calibration.calibration_slope(y, risk, w[None, :])[0] == pytest.approx(fit.params[1], abs=1e-9)
    large = sm.GLM(y, np.ones(400), family=family, freq_weights=w, offset=x).fit(tol=1e-13)
    ours = calibration.calibration_in_the_large(y, risk, w[None, :])[0]
    assert ours == pytest.approx(large.params[0], abs=1e-9)


def test_calibration_slope_of_separated_and_of_constant_risks_is_missing_with_its_reason() -> None:
    y, one = np.array([0, 0, 1, 1]), np.ones(4)
    apart, same, touching = np.array([0.1, 0.2, 0.8, 0.9]), np.full(4, 0.3), np.array([0.1, 0.5, 0.5, 0.9])
    for risk, why in ((apart, "separate"), (same, "do not vary"), (touching, "separate")):
        assert np.isnan(calibration.calibration_slope(y, risk, one[None])).all()
        assert why in (calibration.no_slope(y, risk, one) or "")
    assert calibration.no_slope(y, np.array([0.1, 0.8, 0.5, 0.9]), one) is None


def test_draws_take_persons_whole_within_their_class_and_are_seeded() -> None:
    person, y = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 0, 0, 0, 0])
    design = SamplingDesign.of(person, y, False)
    counts = bootstrap.draws(design, 500, seed=4)
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] == counts[:, 5]).all()
    assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert (counts == bootstrap.draws(design, 500, seed=4)).all()
    assert (counts != bootstrap.draws(design, 500, seed=5)).any()
    within = bootstrap.draws(SamplingDesign.of(person, y, True), 500, seed=4)
    assert (within[:, 0] == 1).all()  # the only person with the outcome is in every draw
    assert (within[:, [2, 3]].sum(axis=1) == 2).all()


def test_replicates_do_not_depend_on_the_block() -> None:
    rng = np.random.default_rng(0)
    y, risk = rng.integers(0, 2, 60), rng.random(60)
    counts = bootstrap.draws(SamplingDesign.of(np.arange(60), y, False), 600, seed=1)
    where = risk < 0.8
    found = bootstrap.replicates(discrimination.roc_auc, y, risk, np.ones(60), counts, where)
    one = [
        roc_auc_score(np.repeat(y[where], c[where]), np.repeat(risk[where], c[where])) for c in counts[:20]
    ]
    assert np.allclose(found[:20], one)
    assert len(found) == 600


def test_too_few_replicates_give_no_deviations() -> None:
    assert bootstrap.deviations(np.array([0.5] * 8 + [np.nan] * 2)) is None
    found = bootstrap.deviations(np.array([1.0, 2.0, 3.0]))
    assert found is not None
    assert found @ found == pytest.approx(1.0)


def test_holm_is_monotone_and_its_levels_agree_with_it() -> None:
    raw = [0.04, 0.001, None, 0.03, 0.5, 0.012]
    adjusted = holm(raw)
    assert adjusted == [
        pytest.approx(v) if v is not None else None for v in (0.09, 0.005, None, 0.09, 0.5, 0.048)
    ]
    for p, after, level in zip(raw, adjusted, levels(raw), strict=True):
        if p is not None and after is not None and level is not None:
            assert (p < level) == (after < 0.05)


def test_sensitivity_is_read_at_the_threshold_of_each_weighting_and_says_what_specificity_it_has() -> None:
    y = np.array([0] * 10 + [1, 1])
    risk = np.array([*range(1, 11), 5, 9.5]) / 10
    heavy = np.ones(12)
    heavy[9] = 10.0  # the highest control now is more than a tenth: the threshold moves up to it
    both = np.array([np.ones(12), heavy])
    assert discrimination.sensitivity(y, risk, both).tolist() == [0.5, 0.0]
    assert discrimination.specificity(y, risk, both).tolist() == [pytest.approx(0.9), 1.0]
