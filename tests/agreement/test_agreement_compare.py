"""Differences between coefficients: paired, adjusted, with a margin; and a judge among people."""

import numpy as np
import pytest

from wherefore.analysis.agreement import table
from wherefore.analysis.agreement.compare import Side, aligned, compare, judge
from wherefore.analysis.agreement.uncertainty.estimate import estimate
from wherefore.study.errors import DataError

DOMAIN = [1, 2, 3, 4, 5]


def side(name: str, noise: float, n: int = 120, raters: int = 3, seed: int = 1, truth: int = 5) -> Side:
    quality = np.random.default_rng(truth).normal(size=(n, 1))
    x = 3 + quality + noise * np.random.default_rng(seed).normal(size=(n, raters))
    return Side(name, table(np.clip(np.round(x), 1, 5), "ordinal", DOMAIN))


def test_a_difference_is_that_of_the_two_values_with_an_interval_narrower_than_unpaired() -> None:
    a, b = side("sharp", 0.5, seed=1), side("blunt", 1.2, seed=2)
    row = compare([(a, b)])[0]
    one, two = estimate(a.table, "krippendorff_alpha"), estimate(b.table, "krippendorff_alpha")
    assert row.difference == pytest.approx(one.value - two.value)  # type: ignore[operator]
    assert row.low > 0  # type: ignore[operator]
    assert row.p is not None
    assert row.p < 0.01
    same = compare([(a, Side("again", a.table))])[0]
    assert same.difference == 0
    assert same.low is None  # every draw gives 0
    assert (row.n, row.n_both) == (120, 120)


def test_pairing_helps_where_the_same_items_are_hard() -> None:
    rng = np.random.default_rng(3)
    x = np.clip(
        np.round(3 + rng.normal(size=(150, 1)) + rng.normal(size=(150, 4)) * rng.gamma(1, 1, (150, 1))), 1, 5
    )
    a, b = Side("a", table(x[:, :3], "ordinal", DOMAIN)), Side("b", table(x[:, 1:], "ordinal", DOMAIN))
    paired = compare([(a, b)])[0]
    moved = table(x[:, 1:], "ordinal", DOMAIN, units=[f"other {i}" for i in range(150)])
    unpaired = compare([(a, Side("b", moved))])[0]
    assert unpaired.n_both == 0
    assert paired.difference == pytest.approx(unpaired.difference)
    assert paired.high - paired.low < 0.75 * (unpaired.high - unpaired.low)  # type: ignore[operator]


def test_a_family_is_adjusted_after_holm_and_a_margin_decides() -> None:
    a, b, c = side("a", 0.6, seed=1), side("b", 0.62, seed=2), side("c", 1.5, seed=3)
    rows = compare([(a, b), (a, c), (c, a)], margin=0.15)
    ps = [r.p for r in rows]
    assert all(r.p_adjusted is not None and r.p is not None and r.p_adjusted >= r.p for r in rows)
    assert rows[0].p_adjusted == max(ps)  # type: ignore[type-var]
    assert [r.non_inferior for r in rows] == [True, True, False]


def test_size_of_the_test_is_near_five_per_cent() -> None:
    hits = [
        (
            compare([(side("a", 0.9, 60, 2, 2 * i, i), side("b", 0.9, 60, 2, 2 * i + 1, i))], replicates=400)[
                0
            ].p
            or 1
        )
        < 0.05
        for i in range(200)
    ]
    assert 0.01 <= np.mean(hits) <= 0.10  # 3.2 standard errors around 0.05


def test_clusters_pair_what_units_do_not() -> None:
    a = table(
        [[1, 2], [2, 2], [1, 1]],
        "nominal",
        units=["p1 free", "p2 free", "p3 free"],
        clusters=["p1", "p2", "p3"],
    )
    b = table([[1, 1], [2, 2]], "nominal", units=["p1 steps", "p4 steps"], clusters=["p1", "p4"])
    first, second = aligned([a, b])
    assert first.units == second.units
    assert first.clusters == ("p1", "p2", "p3", "p1", "p4")
    assert (first.seen > 0).tolist() == [True, True, True, False, False]
    with pytest.raises(DataError, match="only one side has some"):
        aligned([a, table([[1, 2], [2, 2]], "nominal")])


def test_undefined_sides_are_named() -> None:
    flat = Side("flat", table([[3, 3]] * 40, "ordinal", DOMAIN))
    row = compare([(side("a", 0.5), flat)])[0]
    assert row.difference is None
    assert str(row.why_missing).startswith("flat: no variation")


def test_a_judge_like_the_others_is_no_worse_and_a_random_one_is() -> None:
    rng = np.random.default_rng(2)
    x = 3 + rng.normal(size=(200, 1)) + 0.6 * rng.normal(size=(200, 4))
    x = np.clip(np.round(x), 1, 5)
    made = table(x, "ordinal", DOMAIN, raters=["ann", "ben", "eva", "judge"])
    good = judge(made, "judge", margin=0.1)
    assert good.non_inferior
    assert good.value_b == pytest.approx(
        estimate(table(x[:, :3], "ordinal", DOMAIN), "krippendorff_alpha").value
    )
    swapped = [
        estimate(table(x[:, [*rest, 3]], "ordinal", DOMAIN), "krippendorff_alpha").value
        for rest in ([1, 2], [0, 2], [0, 1])
    ]
    assert good.value_a == pytest.approx(np.mean(swapped))  # type: ignore[arg-type]
    x[:, 3] = rng.integers(1, 6, 200)
    bad = judge(table(x, "ordinal", DOMAIN, raters=["ann", "ben", "eva", "judge"]), "judge", margin=0.1)
    assert bad.non_inferior is False
    assert bad.high < 0  # type: ignore[operator]
    with pytest.raises(DataError, match=r"'gpt' is not a rater here\. Known: ann, ben, eva, judge"):
        judge(made, "gpt")
