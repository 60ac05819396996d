"""Raters, pairs, items, categories, planning: planted faults are found, and parts add up to the whole."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wherefore.analysis.agreement import coefficient, estimate, table
from wherefore.analysis.agreement.coefficients.table import RatingTable
from wherefore.analysis.agreement.planning import from_assumptions, from_pilot
from wherefore.analysis.agreement.raters.items import category_rows, item_rows
from wherefore.analysis.agreement.raters.rows import pair_rows, rater_rows, without_each_rater
from wherefore.analysis.agreement.raters.severity import groups
from wherefore.study.errors import DataError

DOMAIN = [1, 2, 3, 4, 5, 6, 7, 8, 9]


def planted(seed: int = 0, missing: float = 0.4) -> tuple[RatingTable, NDArray[np.float64]]:
    """Rater 1 is a step high, 2 a step low, 3 noisy, 4 drifts up by one and a half; 0 and 5 are plain."""
    rng = np.random.default_rng(seed)
    when = np.stack([rng.permutation(300) for _ in range(6)], axis=1).astype(float)
    x = 5 + 1.2 * rng.normal(size=(300, 1)) + 0.5 * rng.normal(size=(300, 6))
    x += np.array([0, 1, -1, 0, -0.75, 0]) + 1.5 * (when / 300) * np.array([0, 0, 0, 0, 1, 0])
    x[:, 3] += 1.5 * rng.normal(size=300)
    x = np.clip(np.round(x), 1, 9)
    x[rng.random(x.shape) < missing] = np.nan
    kept = ~np.isnan(x).all(1)
    return table(x[kept], "ordinal", DOMAIN), when[kept]


def test_planted_severity_noise_and_drift_are_found() -> None:
    made, when = planted()
    rows = rater_rows(made, order=when, replicates=500)
    for row, effect in zip(rows, (0, 1, -1, 0, 0, 0), strict=True):
        assert row.effect == pytest.approx(effect, abs=0.2)
        assert row.effect_low < row.effect < row.effect_high  # type: ignore[operator]
    for row, error in zip(rows, (0.5, 0.5, 0.5, 1.58, 0.66, 0.5), strict=True):  # drift adds 1.5 / 12^0.5
        assert row.spread == pytest.approx((error**2 + 1 / 12) ** 0.5, abs=0.15)  # rounding adds 1/12
    assert rows[4].drift == pytest.approx(1.5, abs=0.5)
    assert rows[4].drift_low > 0  # type: ignore[operator]
    assert sum(r.drift_low < 0 < r.drift_high for r in rows if r.drift is not None) >= 4  # type: ignore[operator]
    assert rows[3].change < 0 < rows[0].change_low  # type: ignore[operator]


def test_drift_without_any_is_covered_also_where_claims_of_a_rationale_go_together() -> None:
    def limits(seed: int, clustered: bool) -> tuple[float, float]:
        rng = np.random.default_rng(seed)
        of = np.repeat(np.arange(30), 8)  # eight claims a rationale, read one after the other
        mood = 1.5 * rng.normal(size=(30, 3))[of]  # of the rater while reading the rationale
        x = np.clip(np.round(5 + rng.normal(size=(240, 1)) + mood + 0.5 * rng.normal(size=(240, 3))), 1, 9)
        when = np.tile(np.arange(240.0)[:, None], 3)
        made = table(x, "ordinal", DOMAIN, clusters=of.tolist() if clustered else None)
        row = rater_rows(made, order=when, replicates=200)[0]
        assert row.drift_low is not None
        assert row.drift_high is not None
        return row.drift_low, row.drift_high

    held = {
        c: np.mean([low <= 0 <= high for low, high in (limits(s, c) for s in range(40))])
        for c in (True, False)
    }
    assert held[True] >= 0.85
    assert held[False] <= 0.75


def test_alpha_is_the_mean_of_the_raters_own_and_disagreement_adds_up_over_items() -> None:
    for level in ("nominal", "ordinal", "interval", "ratio"):
        made = table(
            [[None if c < 0 else DOMAIN[c] for c in row] for row in planted()[0].codes], level, DOMAIN
        )
        alpha = estimate(made, "krippendorff_alpha", replicates=200).value
        rows, items = rater_rows(made, replicates=200), item_rows(made)
        n = sum(r.n_shared for r in rows)
        assert sum(r.own * r.n_shared for r in rows) / n == pytest.approx(alpha), level  # type: ignore[operator]
        assert 1 - sum(i.disagreement * i.n for i in items) / n == pytest.approx(alpha), level
        assert sum(i.share for i in items) == pytest.approx(1)
        assert [i.disagreement for i in items] == sorted((i.disagreement for i in items), reverse=True)


def test_severity_equals_least_squares_written_out() -> None:
    made, _ = planted(missing=0.6)
    design, y = [], []
    for u, row in enumerate(made.codes):
        for g, c in enumerate(row):
            if c >= 0:
                line = np.zeros(len(made.codes) + 6)
                line[u] = line[len(made.codes) + g] = 1
                design.append(line)
                y.append(c)
    solved = np.linalg.lstsq(np.array(design), np.array(y), rcond=None)[0][-6:]
    found = [r.effect for r in rater_rows(made, replicates=200)]
    assert found == pytest.approx(solved - solved.mean(), abs=1e-8)


def test_raters_without_a_common_item_are_not_compared() -> None:
    rows = [[1, 2, None, None]] * 6 + [[2, 2, None, None]] * 6 + [[None, None, 3, 2]] * 6
    made = table(rows, "ordinal", DOMAIN)
    assert [sorted(map(str, g)) for g in groups(made)] == [["0", "1"], ["2", "3"]]
    for row in rater_rows(made, replicates=200):
        assert row.effect is None
        assert "share no unit" in str(row.why_missing)


def test_leave_one_rater_out_equals_the_table_without_the_column() -> None:
    x = np.array([[1, 1, 2, 1], [2, 2, 2, 3], [3, 3, 1, 3], [1, 2, 1, 1], [4, 4, 4, 4]])
    for name in ("krippendorff_alpha", "gwet_ac", "conger_kappa"):
        expected = [
            coefficient(np.delete(x, g, axis=1), name, "ordinal", categories=[1, 2, 3, 4]) for g in range(4)
        ]
        assert without_each_rater(x, name, "ordinal", categories=[1, 2, 3, 4]) == pytest.approx(expected)


def test_pairs_know_what_they_share() -> None:
    rows = [[1, 1, None]] * 6 + [[1, 2, None]] * 2 + [[2, 2, 2]] * 4
    ab, ac, _ = pair_rows(table(rows, "ordinal", [1, 2]))
    assert (ab.a, ab.b, ab.n, ab.confusion) == ("0", "1", 12, ((6, 2), (0, 4)))
    assert ab.agreement == pytest.approx(10 / 12)
    assert ab.bias == pytest.approx(-2 / 12)
    assert ab.kappa == pytest.approx((10 / 12 - (8 * 6 + 4 * 6) / 144) / (1 - (8 * 6 + 4 * 6) / 144))
    assert ac.kappa is None
    assert ac.why_missing == "4 units in common, fewer than 10"


def test_categories_show_prevalence_and_bias() -> None:
    no, yes = category_rows(table([["yes", "yes"]] * 6 + [["yes", "no"]] * 3 + [["no", "no"]], "nominal"))
    assert (yes.category, yes.n, yes.share) == ("yes", 15, 0.75)
    assert (yes.least, yes.most) == (0.6, 0.9)
    assert yes.specific == pytest.approx(12 / 15)
    assert no.specific == pytest.approx(2 / 5)


def test_a_planned_study_gets_the_precision_it_was_planned_for() -> None:
    plan = from_assumptions(0.6, 0.1, [0.1, 0.2, 0.4, 0.3], raters=[3], missing=0.2, minutes=4)[0]
    assert plan.hours == pytest.approx(plan.items * 3 * 0.8 * 4 / 60)
    rng, widths = np.random.default_rng(0), []
    from scipy.stats import norm

    for _ in range(30):  # the same model, its correlation found anew by hand: alpha .6 needs about .7 here
        latent = 0.7**0.5 * rng.normal(size=(plan.items, 1)) + 0.3**0.5 * rng.normal(size=(plan.items, 3))
        x = np.searchsorted(norm.ppf([0.1, 0.3, 0.7]), latent.ravel()).reshape(latent.shape).astype(float)
        x[rng.random(x.shape) < 0.2] = np.nan
        row = estimate(table(x, "ordinal", [0, 1, 2, 3]), "krippendorff_alpha", method="jackknife")
        widths.append((row.value, (row.high - row.low) / 2))  # type: ignore[operator]
    value, half = np.mean(widths, axis=0)
    assert value == pytest.approx(0.6, abs=0.03)
    assert half == pytest.approx(0.1, rel=0.1)


def test_a_pilot_four_times_too_small_asks_for_four_times_its_items() -> None:
    made, _ = planted(missing=0.2)
    row = estimate(made, "krippendorff_alpha", method="jackknife")
    half = (row.high - row.low) / 4  # type: ignore[operator]
    plan = from_pilot(made, half, minutes=2)
    assert plan.items == pytest.approx(4 * len(made.units), rel=0.05)
    assert plan.hours == pytest.approx(plan.items * made.seen.mean() * 2 / 60)
    with pytest.raises(DataError, match="half_width: 0"):
        from_pilot(made, 0)


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(DataError, match="two shares or more that sum to 1"):
        from_assumptions(0.6, 0.1, [0.5, 0.6])
    with pytest.raises(DataError, match="these margins and raters give krippendorff_alpha from"):
        from_assumptions(1.5, 0.1, [0.5, 0.5], raters=[2])
