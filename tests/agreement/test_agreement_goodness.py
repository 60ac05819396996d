"""The interval for two categories: by hand, at its limits, and in samples that tell little."""

import numpy as np
import pytest
from scipy.stats import f

from wherefore.analysis.agreement import estimate, table
from wherefore.analysis.agreement.uncertainty.goodness import Pairs, carrying, chi_squared, pairs
from wherefore.study.errors import DataError


def rows(both: int, one: int, neither: int) -> list[list[str]]:
    return [["yes", "yes"]] * both + [["yes", "no"]] * one + [["no", "no"]] * neither


def test_pairs_count_as_in_alpha() -> None:
    made = table(
        [["yes", "yes", "no"], ["no", "no", None], ["no", "no", "no"], ["yes", None, None]], "nominal"
    )
    # yes, yes, no: a pair of yes and two mixed pairs, over 2; no, no: one; no, no, no: three pairs over 2
    assert pairs(made) == Pairs(0.5, 1.0, 1.0 + 1.5)


def test_chi_squared_by_hand_where_the_share_is_even() -> None:
    # 6 both, 8 one, 6 neither: the share that fits best is 1/2 under any correlation; under 0: 5, 10 and 5 expected
    assert chi_squared(Pairs(6, 8, 6), 0.0) == pytest.approx(1 / 5 + 4 / 10 + 1 / 5)
    assert chi_squared(Pairs(6, 8, 6), 0.2) == pytest.approx(0.0, abs=1e-12)  # the best fit: Scott's pi


@pytest.mark.parametrize("counts", [(4, 2, 24), (1, 6, 60), (10, 9, 11)])
def test_limits_are_where_chi_squared_meets_f(counts: tuple[int, int, int]) -> None:
    made = table(rows(*counts), "nominal")
    row = estimate(made, "krippendorff_alpha", method="goodness")
    assert row.low is not None
    assert row.high is not None
    n = sum(counts)
    for limit in (row.low, row.high):
        assert chi_squared(Pairs(*counts), limit) == pytest.approx(f.ppf(0.95, 1, n - 1), rel=1e-4)
    narrow = estimate(made, "krippendorff_alpha", method="goodness", confidence=0.8)
    assert row.low < narrow.low < narrow.high < row.high  # type: ignore[operator]


def test_no_pair_of_the_rare_category_still_leaves_room_for_agreement() -> None:
    made = table(rows(0, 3, 27), "nominal")
    resampled = estimate(made, "krippendorff_alpha", method="expanded")
    row = estimate(made, "krippendorff_alpha")
    assert resampled.high is not None and row.high is not None  # noqa: PT018
    assert resampled.high <= 0.0
    assert row.high > 0.6


def test_perfect_agreement_has_a_lower_limit_that_rises_with_the_items() -> None:
    few, many = (estimate(table(rows(k, 0, 4 * k), "nominal"), "krippendorff_alpha") for k in (3, 15))
    assert few.high == many.high == 1.0
    assert 0.2 < few.low < 0.6 < many.low < 0.95  # type: ignore[operator]


def test_clusters_widen_it_by_their_design_effect() -> None:
    rng = np.random.default_rng(0)
    alike = rng.random((20, 1, 1)) < 0.3  # whole clusters are yes or no
    x = np.where(rng.random((20, 6, 2)) < 0.9, alike, ~alike).reshape(120, 2)
    clusters = [i // 6 for i in range(120)]
    alone = estimate(table(x, "nominal"), "krippendorff_alpha", method="goodness")
    together = estimate(table(x, "nominal", clusters=clusters), "krippendorff_alpha", method="goodness")
    assert "design effect" in together.method
    assert "by cluster (n = 20)" in together.method
    assert together.high - together.low > alone.high - alone.low  # type: ignore[operator]


def test_cohens_kappa_takes_the_same_limits_over_its_own_chance() -> None:
    made = table([["yes", "no"]] * 3 + rows(4, 1, 22), "nominal")
    cohen, scott = (estimate(made, s) for s in ("cohen_kappa", "scott_pi"))
    ratio = (1 - cohen.value) / (1 - scott.value)  # type: ignore[operator]
    assert cohen.low == pytest.approx(1 - (1 - scott.low) * ratio)  # type: ignore[operator]
    assert cohen.low < cohen.value < cohen.high  # type: ignore[operator]


def test_where_it_is_taken() -> None:
    assert "goodness" in estimate(table(rows(8, 4, 80), "nominal"), "fleiss_kappa").method
    assert (
        "goodness" in estimate(table(rows(8, 4, 300), "nominal"), "krippendorff_alpha").method
    )  # 12 carry it
    assert "BCa" in estimate(table(rows(80, 40, 80), "nominal"), "krippendorff_alpha", replicates=300).method
    even = estimate(table(rows(10, 5, 15), "nominal"), "krippendorff_alpha", replicates=300)
    assert "expanded" in even.method
    assert "goodness" in estimate(table(rows(15, 0, 15), "nominal"), "krippendorff_alpha").method
    three = table([["a", "a"], ["b", "b"], ["c", "b"], ["a", "b"]] * 5, "nominal")
    assert "goodness" not in estimate(three, "krippendorff_alpha", replicates=300).method
    with pytest.raises(DataError, match="goodness is of kappas and alpha of two categories"):
        estimate(three, "krippendorff_alpha", method="goodness")


def test_units_that_carry_the_rarer_categories_are_independent_ones() -> None:
    made = table(rows(3, 3, 24), "nominal", clusters=[i // 3 for i in range(30)])
    assert carrying(made) == (2, 10)
