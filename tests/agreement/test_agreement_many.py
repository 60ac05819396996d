"""Scales of many values: the forms without a matrix of categories equal plain loops and the dense forms."""

from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import krippendorff
import numpy as np
import pytest
from numpy.typing import NDArray

from wherefore.analysis.agreement import coefficient, estimate, table
from wherefore.analysis.agreement.coefficients import table as tables
from wherefore.analysis.agreement.coefficients.bound import bind
from wherefore.study.records import Level

Floats = NDArray[np.float64]


def ratings(n: int, raters: int, *, missing: float = 0.2, seed: int = 0, positive: bool = False) -> Floats:
    """Measurements of which nearly all differ."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, raters))
    x = np.exp(x) if positive else x
    x[rng.random(x.shape) < missing] = np.nan
    return x


@pytest.mark.parametrize("level", ["ordinal", "interval", "ratio"])
@pytest.mark.parametrize("raters", [2, 4])
def test_alpha_equals_the_package(level: Level, raters: int) -> None:
    x = ratings(150, raters, positive=True)
    assert len(np.unique(x)) > 200
    ours = coefficient(x, "krippendorff_alpha", level)
    assert ours == pytest.approx(krippendorff.alpha(x.T, level_of_measurement=level), abs=1e-12)


def test_nominal_alpha_of_codes_equals_the_package() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 400, (300, 1)).repeat(3, 1).astype(float)
    x[rng.random(x.shape) < 0.4] = rng.integers(0, 400)
    x[rng.random(x.shape) < 0.1] = np.nan
    ours = coefficient(x, "krippendorff_alpha", "nominal")
    assert ours == pytest.approx(krippendorff.alpha(x.T, level_of_measurement="nominal"), abs=1e-12)


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("zeros", [False, True])
def test_the_ratio_metric_holds_over_any_range_of_values(factor: float, zeros: bool) -> None:
    x = ratings(60, 3, positive=True, seed=3) * factor
    x[::2] *= 1e4
    if zeros:
        x[3, 0] = x[5, 1] = 0
    ours = coefficient(x, "krippendorff_alpha", "ratio")
    assert ours == pytest.approx(krippendorff.alpha(x.T, level_of_measurement="ratio"), abs=1e-11)


@pytest.mark.parametrize("statistic", ["krippendorff_alpha", "icc_a1", "icc_c1", "icc1"])
@pytest.mark.parametrize(("factor", "shift"), [(1e-8, 0.0), (1e9, 0.0), (1.0, 1e9), (1e-12, 0.0)])
def test_no_threshold_is_absolute(statistic: str, factor: float, shift: float) -> None:
    x = np.round(ratings(50, 3, missing=0), 3)
    expected = coefficient(x, statistic, "interval")
    assert coefficient(x * factor + shift, statistic, "interval") == pytest.approx(expected, rel=1e-5)


STATISTICS = [
    ("krippendorff_alpha", "identity"),
    ("krippendorff_alpha", "quadratic"),
    ("krippendorff_alpha", None),
    ("percent_agreement", None),
    ("fleiss_kappa", "identity"),
    ("fleiss_kappa", "quadratic"),
    ("gwet_ac", "identity"),
    ("brennan_prediger", "identity"),
    ("conger_kappa", "identity"),
    ("conger_kappa", "quadratic"),
    ("cohen_kappa", "identity"),
    ("cohen_kappa", "quadratic"),
    ("scott_pi", "identity"),
    ("scott_pi", "quadratic"),
]


@pytest.mark.parametrize(("statistic", "weights"), STATISTICS)
@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_the_forms_for_many_values_equal_the_dense_ones(
    statistic: str, weights: str | None, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wherefore.analysis.agreement.coefficients import bound

    raters = 2 if statistic in ("cohen_kappa", "scott_pi") else 3
    rng = np.random.default_rng(5)
    x = np.clip(np.round(3 + rng.normal(size=(80, 1)) + rng.normal(size=(80, raters))), 0, 6)
    x[rng.random(x.shape) < 0.15] = np.nan
    made = table(x, level, range(7))
    values: dict[int, Any] = {}
    for dense in (0, 100):
        monkeypatch.setattr(bound, "DENSE", dense)
        b = bind(made, statistic, weights)
        row = estimate(made, (statistic, weights), replicates=200, method="percentile")
        values[dense] = (b.value(), row.low, row.high)
    assert values[0] == pytest.approx(values[100], abs=1e-10)


def loops(x: Floats, between: Callable[[float, float], float]) -> float:
    """Alpha over all pairs (Krippendorff 2011)."""
    rows = [[v for v in row if not np.isnan(v)] for row in x]
    rows = [row for row in rows if len(row) > 1]
    flat = [v for row in rows for v in row]
    inside = sum(sum(between(a, b) for a, b in permutations(row, 2)) / (len(row) - 1) for row in rows)
    across = 2 * sum(between(a, b) for a, b in combinations(flat, 2)) / (len(flat) - 1)
    return 1 - inside / across


def test_ratio_alpha_equals_a_loop() -> None:
    x = ratings(25, 3, positive=True)
    assert coefficient(x, "krippendorff_alpha", "ratio") == pytest.approx(
        loops(x, lambda a, b: ((a - b) / (a + b)) ** 2), abs=1e-12
    )


def test_thousands_of_codes_have_an_interval_by_cluster_and_each_rater_a_row() -> None:
    from wherefore.analysis.agreement import item_rows, rater_rows

    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3000, (600, 1))
    x = np.where(rng.random((600, 3)) < 0.8, truth, rng.integers(0, 3000, (600, 3)))
    made = table(x, "nominal", clusters=[i // 6 for i in range(600)])
    row = estimate(made, "krippendorff_alpha", replicates=500)
    assert row.low is not None
    assert row.high is not None
    assert row.value is not None
    assert row.low < row.value < row.high
    assert "by cluster (n = 100)" in row.method
    rows = rater_rows(made, replicates=300)
    assert np.mean([r.own for r in rows if r.own is not None]) == pytest.approx(row.value)
    assert item_rows(made, 1)[0].disagreement == pytest.approx(1.0, abs=0.01)


def test_the_constants_leave_a_place_between_dense_and_refused() -> None:
    assert tables.DENSE < tables.MANY
