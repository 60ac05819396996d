"""Intervals that hold: near the ends of a range, with few people, and over training runs."""

import numpy as np
import pytest

from wherefore.analysis.measures import discrimination
from wherefore.analysis.measures.inference import combined
from wherefore.analysis.measures.limits import Basis, area, positive, share, straight, student
from wherefore.analysis.measures.variance import SamplingDesign, degrees
from wherefore.analysis.performance.balance import GridPlace, by_seed


def interval(y: np.ndarray, risk: np.ndarray) -> tuple[float, float]:
    """Of a ROC-AUC, as the tables have it."""
    one, every = np.ones(len(y)), np.ones(len(y), bool)
    auc = float(discrimination.roc_auc(y, risk, one[None])[0])
    vector = SamplingDesign.of(np.arange(len(y)), y, False).deviations(
        discrimination.roc_auc_influence(y, risk, one), every
    )
    limits = area(auc, Basis(float(vector @ vector), degrees(vector), float(y.sum()), float((1 - y).sum())))
    assert limits is not None
    return limits


@pytest.mark.parametrize(("gap", "truth"), [(3.0, 0.98305), (1.2, 0.80193)])
def test_five_people_with_the_outcome_are_enough_to_cover(gap: float, truth: float) -> None:
    """Normal risks `gap` apart have a ROC-AUC of Phi(gap / sqrt 2)."""
    rng = np.random.default_rng(0)
    y = np.repeat([1, 0], [5, 20])
    found = [interval(y, rng.normal(gap * y, 1.0)) for _ in range(400)]
    assert min(high - low for low, high in found) > 0.05
    assert 0.92 <= np.mean([low <= truth <= high for low, high in found]) <= 0.99


def test_a_perfect_ranking_is_not_certain() -> None:
    y = np.repeat([1, 0], [5, 20])
    low, high = interval(y, y.astype(float))
    assert high == 1.0
    assert 0.6 < low < 0.9
    low, high = interval(np.repeat([1, 0], [100, 400]), np.repeat([1.0, 0.0], [100, 400]))
    assert 0.97 < low < 1


def test_shares_have_wilsons_interval_where_nothing_else_is_known() -> None:
    """30 of 30: z squared over n plus z squared for the lower end, at the t quantile that 8 borrowed people give."""
    limits = share(1.0, Basis(0.0, 0.0, 30, 100))
    q = student(8, 0.95)
    assert limits == (pytest.approx(30 / (30 + q * q), abs=1e-9), 1.0)


def test_no_variance_is_no_interval() -> None:
    assert straight(0.0, Basis(0.0, 0.0, 10, 10)) is None
    assert positive(0.0, Basis(0.1, 5.0, 10, 10)) is None


def fits(seeds: int, persons: int, shared: float, noise: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Deviation vectors of fits that share a part of their sampling error."""
    common = rng.normal(0, shared, persons)
    return [common + rng.normal(0, noise, persons) for _ in range(seeds)]


def test_three_seeds_speak_about_recipes_and_two_about_fits() -> None:
    vectors = fits(3, 50, 0.01, 0.001, np.random.default_rng(0))
    three = combined([0.70, 0.72, 0.65], vectors, 20, 30)
    assert (three.about, three.seeds) == ("recipes", 3)
    assert three.seed_sd == pytest.approx(np.std([0.70, 0.72, 0.65], ddof=1))
    assert three.basis.training == pytest.approx(three.seed_sd**2 / 3)
    two = combined([0.70, 0.72], vectors[:2], 20, 30)
    assert (two.about, two.basis.training) == ("fits", 0.0)
    assert combined([0.70], vectors[:1], 20, 30).seed_sd is None


def test_the_two_variances_add_up_to_that_of_the_mean() -> None:
    """Simulated: values with a common error of variance c, own errors of variance v, and training noise of variance
    u.

    Var(mean) = c + (v + u) / S, and the estimate is unbiased for it.
    """
    rng = np.random.default_rng(1)
    c, v, u, seeds, persons = 4e-4, 1e-4, 2e-4, 4, 400
    found, means = [], []
    for _ in range(400):
        vectors = fits(seeds, persons, np.sqrt(c / persons), np.sqrt(v / persons), rng)
        values = [float(x.sum() + rng.normal(0, np.sqrt(u))) for x in vectors]
        spread = combined(values, vectors, 100, 300)
        found.append(spread.basis.total)
        means.append(spread.value)
    assert np.mean(found) == pytest.approx(c + (v + u) / seeds, rel=0.05)
    assert np.var(means) == pytest.approx(c + (v + u) / seeds, rel=0.2)


@pytest.mark.parametrize("tau", [0.0, 0.15, 0.4])
def test_the_same_recipe_is_called_different_in_one_study_of_twenty(tau: float) -> None:
    """Two recipes that are one, three seeds each, training noise `tau` in the effect: benchmarks/evaluate.py in
    small.
    """
    rng = np.random.default_rng(7)
    y = np.repeat([1, 0], [40, 160])
    design, one, every = SamplingDesign.of(np.arange(200), y, False), np.ones(200), np.ones(200, bool)
    hits, studies = 0, 250
    for _ in range(studies):
        signal, own = rng.normal(0, 0.7, 200), rng.normal(0, 0.6, (2, 200))
        values, vectors = [], []
        for _ in range(3):
            pair = []
            for k in (0, 1):
                risk = rng.normal(1.0, tau) * y + signal + own[k] + rng.normal(0, 0.4, 200)
                auc = float(discrimination.roc_auc(y, risk, one[None])[0])
                pair.append((auc, design.deviations(discrimination.roc_auc_influence(y, risk, one), every)))
            values.append(pair[0][0] - pair[1][0])
            vectors.append(pair[0][1] - pair[1][1])
        spread = combined(values, vectors, 40, 160)
        hits += (spread.basis.p(spread.value) or 0) < 0.05
    assert hits / studies <= 0.08


def test_degrees_of_freedom_go_from_seeds_to_persons() -> None:
    assert Basis(1e-12, 1e6, 50, 50, 1.0, 3).freedom() == pytest.approx(2, rel=1e-3)
    assert Basis(1.0, 80.0, 50, 50, 0.0, 3).freedom() == pytest.approx(80)
    assert Basis(1.0, 1e9, 50, 50, 1.0, 3).freedom() == pytest.approx(
        4, rel=1e-3
    )  # half the variance: 2 / 0.5


def test_only_a_balanced_block_counts_as_seeds() -> None:
    grid = [GridPlace(point, seed) for point in "ab" for seed in (0, 1, 2)]
    assert by_seed(grid) == [[0, 3], [1, 4], [2, 5]]
    assert by_seed(grid[:5]) == [[0], [1], [2]]  # b lacks a seed: three seeds of a rather than two of both
    four = [GridPlace(point, seed) for point in "abc" for seed in (0, 1, 2, 3)]
    assert by_seed(four[:-1]) == [[0, 4, 8], [1, 5, 9], [2, 6, 10]]  # c lacks seed 3
    two = [GridPlace(point, seed) for point in "ab" for seed in (0, 1)]
    assert by_seed(two) == [[0, 2], [1, 3]]
    assert by_seed(two[:3]) == [[0, 1, 2]]  # about these fits whatever is left out
    assert by_seed([]) == []
