"""Resampling against a plain loop, against scipy, and where it cannot give an interval."""

import krippendorff
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from wherefore.analysis.agreement import COEFFICIENTS, coefficient, estimate, estimates, standard_error, table
from wherefore.analysis.agreement.coefficients.bound import bind
from wherefore.analysis.agreement.uncertainty.intervals import interval, p_value
from wherefore.analysis.agreement.uncertainty.resample import Draws, draw

DOMAIN = [1, 2, 3, 4, 5]
Floats = NDArray[np.float64]


def graded(n: int, raters: int, seed: int = 0, missing: float = 0.3, noise: float = 0.8) -> Floats:
    rng = np.random.default_rng(seed)
    x = np.clip(np.round(3 + rng.normal(size=(n, 1)) + noise * rng.normal(size=(n, raters))), 1, 5)
    x[rng.random(x.shape) < missing] = np.nan
    return x[~np.isnan(x).all(1)]


def test_every_replicate_equals_a_loop_over_krippendorff_on_the_same_draws() -> None:
    x = graded(60, 4)
    mine = draw([bind(table(x, "ordinal", DOMAIN), "krippendorff_alpha")], 200, 7)[0].replicates
    rng = np.random.default_rng(7)
    loop = [
        krippendorff.alpha(
            x[rng.integers(0, len(x), len(x))].T, level_of_measurement="ordinal", value_domain=DOMAIN
        )
        for _ in range(200)
    ]
    assert np.abs(mine - loop).max() < 1e-12


@pytest.mark.parametrize("name", [n for n, c in COEFFICIENTS.items() if not c.two])
def test_leaving_one_out_equals_computing_without_it(name: str) -> None:
    name = f"{name}:3" if COEFFICIENTS[name].weights == "category" else name
    x = graded(12, 3, missing=0.0)
    d = draw([bind(table(x, "ordinal", DOMAIN), name)], 0, 0)[0]
    for u in range(12):
        without = coefficient(np.delete(x, u, axis=0), name, "ordinal", categories=DOMAIN)
        assert d.left_out[u] == pytest.approx(without), u


def test_alike_units_drawn_together_have_the_same_distribution() -> None:
    x = graded(4000, 2, missing=0.0)  # 25 kinds of units, so multinomial; a loop draws them one by one
    d = draw([bind(table(x, "ordinal", DOMAIN), "krippendorff_alpha")], 2000, 1)[0]
    assert len(d.times) <= 25
    assert d.times.sum() == 4000
    rng = np.random.default_rng(2)
    loop = [coefficient(x[rng.integers(0, 4000, 4000)], "krippendorff_alpha", "ordinal") for _ in range(40)]
    assert d.replicates.mean() == pytest.approx(np.mean(loop), abs=4 * np.std(loop) / 40**0.5)
    assert d.replicates.std() == pytest.approx(np.std(loop), rel=0.4)
    se = standard_error(x, "fleiss_kappa", "ordinal")
    assert standard_error(x, "fleiss_kappa", "ordinal", method="jackknife") == pytest.approx(se, rel=1e-3)


def test_bca_equals_scipy_on_a_mean() -> None:
    x = (graded(80, 2, missing=0.0) > 3).astype(int)
    agree = (x[:, 0] == x[:, 1]).astype(float)  # percent agreement of two raters is the mean of this
    mine = estimate(table(x, "nominal"), "percent_agreement", method="bca", replicates=20_000, seed=3)
    theirs = stats.bootstrap(
        (agree,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(4)
    )
    low, high = theirs.confidence_interval
    assert (mine.low, mine.high) == pytest.approx((low, high), abs=0.013)  # one step of the mean is 1/80
    plain = estimate(table(x, "nominal"), "percent_agreement", method="percentile", replicates=20_000, seed=3)
    assert plain.low == pytest.approx(
        np.quantile(stats.binom(80, agree.mean()).rvs(10**5, random_state=1) / 80, 0.025)
    )


def test_same_seed_same_limits_and_another_seed_others() -> None:
    made = table(graded(160, 3), "ordinal", DOMAIN)
    a, b, c = (estimate(made, "krippendorff_alpha", seed=s, replicates=500) for s in (1, 1, 2))
    assert a == b
    assert a.low != c.low
    assert a.method == "95% BCa bootstrap, 500 replicates, seed 1, by item (n = 155), raters fixed"


def test_coefficients_asked_together_get_the_limits_they_get_alone() -> None:
    made = table(graded(40, 3), "ordinal", DOMAIN)
    names = ["krippendorff_alpha", "gwet_ac", "conger_kappa"]
    assert estimates(made, names, replicates=300) == [estimate(made, n, replicates=300) for n in names]


def test_claims_of_a_rationale_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    of = np.repeat(np.arange(60), 8)
    quality = rng.normal(size=60)[of]
    x = (quality[:, None] + 0.7 * rng.normal(size=(480, 2)) + 0.7 * rng.normal(size=(60, 1))[of] > 0).astype(
        int
    )
    x[:, 1] = np.where(np.isin(of, np.arange(0, 60, 4)), 1 - x[:, 1], x[:, 1])  # disputed as a whole
    alone = estimate(table(x, "nominal"), "krippendorff_alpha", replicates=2000)
    together = estimate(table(x, "nominal", clusters=of.tolist()), "krippendorff_alpha", replicates=2000)
    assert together.value == alone.value
    assert "by cluster (n = 60)" in together.method
    assert together.high - together.low > 1.8 * (alone.high - alone.low)  # type: ignore[operator]
    assert together.standard_error is None  # the closed forms are of independent items


def test_clusters_of_one_unit_change_nothing() -> None:
    x = graded(40, 3)
    own = table(x, "ordinal", DOMAIN, clusters=[f"c{i}" for i in range(len(x))])
    a, b = (
        estimate(own, "gwet_ac", replicates=400),
        estimate(table(x, "ordinal", DOMAIN), "gwet_ac", replicates=400),
    )
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=1e-12)


def test_the_default_method_goes_by_the_number_of_units_and_the_coefficient() -> None:
    def method(n: int, name: str, weights: str | None = None) -> str:
        made = table(graded(n, 3, missing=0.0), "ordinal", DOMAIN)
        row = estimate(made, (name, weights), replicates=400)
        assert row.low is not None
        assert row.high is not None
        assert row.value is not None
        assert -1 < row.low < row.value < row.high < 1
        return row.method.partition(",")[0]

    assert method(9, "krippendorff_alpha") == "95% jackknife on Fisher's z scale"
    expanded = "95% percentile bootstrap expanded for few units (Hesterberg 2015)"
    for name, weights in (("krippendorff_alpha", None), ("gwet_ac", "identity"), ("percent_agreement", None)):
        assert method(10, name, weights) == method(99, name, weights) == expanded
        assert method(100, name, weights) == "95% BCa bootstrap"
    for name in ("gwet_ac", "brennan_prediger", "weighted_agreement"):  # squared distances: skewed
        assert method(10, name) == method(99, name) == "95% jackknife of log(1 - value)"
        assert method(100, name) == "95% BCa bootstrap"


def test_the_expanded_percentiles_of_a_mean_are_those_of_student() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=20)
    drawn = rng.choice(x, (200_000, 20)).mean(1)
    d = Draws(float(x.mean()), drawn, (x.sum() - x) / 19, np.ones(20, dtype=np.int64), 20, bounded=False)
    found = interval(d, "expanded")
    expected = stats.t.interval(0.95, 19, x.mean(), stats.sem(x))
    assert (found.low, found.high) == pytest.approx(expected, abs=0.03)  # x is not quite normal
    assert found.low is not None
    assert p_value(d, found.low) == pytest.approx(0.05, abs=0.002)


def test_the_jackknife_of_a_skewed_coefficient_is_taken_on_the_log_scale() -> None:
    x = graded(25, 3, missing=0.0)
    made = table(x, "ordinal", DOMAIN)
    row = estimate(made, "gwet_ac")
    logs = [
        np.log(1 - float(coefficient(np.delete(x, u, axis=0), "gwet_ac", "ordinal", categories=DOMAIN) or 0))
        for u in range(25)
    ]
    se = (24 / 25 * np.sum((logs - np.mean(logs)) ** 2)) ** 0.5
    assert row.value is not None
    pseudo = 25 * np.log(1 - row.value) - 24 * np.mean(
        logs
    )  # Tukey's estimate, its bias of order 1/n taken out
    low, high = 1 - np.exp(pseudo + np.array([1, -1]) * stats.t.ppf(0.975, 24) * se)
    assert (row.low, row.high) == pytest.approx((low, high))
    # without the one unit that two raters disagree about nothing is lacking, and there is no logarithm
    one = table([[1, 1]] * 9 + [[2, 2]] * 9 + [[1, 3]], "ordinal", [1, 2, 3])
    assert "Fisher" in estimate(one, ("gwet_ac", "linear")).method


def test_undefined_replicates_are_counted_then_the_jackknife_then_nothing() -> None:
    rare = [[1, 1]] * 57 + [[2, 2], [2, 2], [1, 2]]  # (1 - 3/60)^60 = 4.6 % of resamples have no 2
    made = table(rare, "nominal", [1, 2])
    assert estimate(made, "krippendorff_alpha").method.startswith("95% goodness of fit")
    assert estimate(made, "category_kappa:2").method.startswith("95% jackknife")
    plain = estimate(made, "krippendorff_alpha", method="percentile", replicates=2000)
    assert "undefined and dropped" in plain.method
    one = table([[1, 1]] * 59 + [[1, 2]], "nominal", [1, 2])  # 36 % have no 2, and one unit carries it
    row = estimate(one, "category_kappa:2")
    assert row.low is None
    assert "undefined without one of the units" in str(row.why_missing)
    bca = estimate(one, "krippendorff_alpha", method="bca", replicates=1000)
    assert "of 1,000 bootstrap replicates are undefined" in str(bca.why_missing)


def test_random_raters_are_wider_and_say_when_they_are_few() -> None:
    x = graded(100, 5, missing=0.0)
    x[:, 4] = np.clip(x[:, 4] + 1, 1, 5)
    made = table(x, "ordinal", DOMAIN)
    fixed, random = (estimate(made, "krippendorff_alpha", raters=r) for r in ("fixed", "random"))
    assert random.high - random.low > 1.3 * (fixed.high - fixed.low)  # type: ignore[operator]
    assert "jackknife over units and over raters" in random.method
    assert random.method.endswith("raters random")
    three = estimate(table(x[:, 2:], "ordinal", DOMAIN), "krippendorff_alpha", raters="random")
    assert "fewer than 5 raters say little about others" in three.method
    two = estimate(table(x[:, 3:], "ordinal", DOMAIN), "krippendorff_alpha", raters="random")
    assert two.low is None
    assert "2 raters: without one of them nothing" in str(two.why_missing)


def test_the_interval_of_an_icc_is_of_the_f_distribution_unless_clustered() -> None:
    x = graded(40, 3, missing=0.0)
    assert "F distribution" in estimate(table(x, "interval"), "icc_a1").method
    clustered = table(x, "interval", clusters=[i // 2 for i in range(40)])
    assert "by cluster (n = 20)" in estimate(clustered, "icc_a1").method
    boot = estimate(table(x, "interval"), "icc_c1", method="percentile", replicates=4000)
    by_f = estimate(table(x, "interval"), "icc_c1")
    assert (boot.low, boot.high) == pytest.approx((by_f.low, by_f.high), abs=0.12)


def test_p_is_the_level_at_which_the_limit_touches() -> None:
    rng = np.random.default_rng(0)
    replicates, left_out = 0.3 + 0.1 * rng.normal(size=20_000), 0.3 + rng.normal(size=50) / 500
    d = Draws(0.3, replicates, left_out, np.ones(50, dtype=np.int64), pairable=150)
    p = p_value(d, 0.1)
    assert p is not None
    assert p == pytest.approx(2 * stats.norm.sf(2.0), abs=0.01)
    touching = interval(d, "bca", 1 - p)
    assert touching.low == pytest.approx(0.1, abs=0.005)
    assert p_value(d, 0.3) == pytest.approx(1.0, abs=0.02)


def test_a_share_has_no_limit_below_zero() -> None:
    made = table([[1, 2]] * 11 + [[1, 1]], "nominal", [1, 2])
    share = estimate(made, "percent_agreement")
    assert (share.value, share.low) == (pytest.approx(1 / 12), 0.0)
    assert estimate(made, "krippendorff_alpha").low < -0.5  # type: ignore[operator]
