"""Tests of two raters, limits of agreement, kappa of a category: against published values and other packages."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import SquareTable

from wherefore.analysis.agreement import coefficient, table
from wherefore.analysis.agreement.raters.items import category_rows
from wherefore.analysis.agreement.raters.limits import limits_rows
from wherefore.analysis.agreement.raters.paired_tests import kendall_w, pair_tests

from .test_agreement_published import FLEISS_1971, crossed, spelled


def ordinal(seed: int = 0, n: int = 60, raters: int = 2, k: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1)) + 0.7 * rng.normal(size=(n, raters)) + 0.3 * np.arange(raters)
    return np.clip(np.round(x + k / 2), 1, k).astype(int)


def test_mcnemar_of_approval_ratings() -> None:
    # R's help page of mcnemar.test; 17.356 without the correction for continuity
    (test,) = pair_tests(table(crossed([[794, 86], [150, 570]]), "nominal"))
    assert (test.test, test.df, test.n) == ("mcnemar", 1, 1600)
    assert test.value == pytest.approx(64**2 / 236)
    assert test.p == pytest.approx(stats.chi2.sf(64**2 / 236, 1))


def test_mcnemar_is_exact_where_few_items_are_discordant() -> None:
    (test,) = pair_tests(table(crossed([[20, 9], [1, 10]]), "nominal"))
    assert test.p == pytest.approx(stats.binomtest(1, 10).pvalue)
    assert (test.value, test.method) == (None, "exact binomial")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_stuart_maxwell_and_bowker_equal_statsmodels(seed: int) -> None:
    x = ordinal(seed)
    counts = pd.crosstab(x[:, 0], x[:, 1]).reindex(index=range(1, 5), columns=range(1, 5), fill_value=0)
    peer = SquareTable(counts.to_numpy(), shift_zeros=False)
    margins, symmetry = pair_tests(table(x, "ordinal", [1, 2, 3, 4]))
    assert margins.value == pytest.approx(peer.homogeneity().statistic)
    assert (margins.df, margins.p) == (3, pytest.approx(peer.homogeneity().pvalue))
    upper = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    cells = counts.to_numpy()
    used = [(cells[i, j], cells[j, i]) for i, j in upper if cells[i, j] + cells[j, i]]
    bowker = sum((a - b) ** 2 / (a + b) for a, b in used)
    assert symmetry.value == pytest.approx(bowker)
    assert symmetry.p == pytest.approx(stats.chi2.sf(bowker, len(used)))


def test_p_is_adjusted_over_the_pairs_of_the_same_test() -> None:
    rows = [t for t in pair_tests(table(ordinal(raters=3), "ordinal")) if t.test == "bowker"]
    p = sorted(t.p for t in rows)  # type: ignore[type-var]
    assert len(rows) == 3
    assert min(t.p_adjusted for t in rows) == pytest.approx(min(3 * p[0], 1.0))  # type: ignore[type-var, operator]


def test_items_of_a_cluster_count_together() -> None:
    """Doubling every item leaves the evidence as it was, where the two are one cluster."""
    x = ordinal(4, k=2)
    twice = table(np.repeat(x, 2, axis=0), "ordinal", clusters=[i // 2 for i in range(2 * len(x))])
    (alone,) = pair_tests(table(np.vstack([x, x[:0]]), "ordinal"))
    (together,) = pair_tests(twice)
    difference = (x[:, 0] == 1).astype(int) - (x[:, 1] == 1)
    assert together.value == pytest.approx(difference.sum() ** 2 / (difference**2).sum())
    assert "by cluster" in together.method
    assert alone.n * 2 == together.n


def test_raters_who_never_differ_have_no_test() -> None:
    (test,) = pair_tests(table([[1, 1], [2, 2]] * 4, "nominal"))
    assert (test.p, test.why_missing) == (None, "the two never differ")


def test_kendalls_w_is_that_of_friedmans_test() -> None:
    x = ordinal(raters=4, k=5)
    w = kendall_w(table(x, "ordinal"))
    friedman = stats.friedmanchisquare(*x)  # items as treatments, raters as blocks, ties corrected
    assert w.statistic == pytest.approx(friedman.statistic)
    assert w.value == pytest.approx(friedman.statistic / (4 * (len(x) - 1)))
    assert w.p == pytest.approx(friedman.pvalue)
    same = kendall_w(table([[k, 10 * k] for k in range(1, 9)], "interval"))
    assert same.value == pytest.approx(1.0)


def test_kappa_of_each_category_of_fleiss_1971() -> None:
    rows = category_rows(table(spelled(FLEISS_1971), "nominal"))
    assert [round(r.kappa or 0, 3) for r in rows] == [0.245, 0.245, 0.520, 0.471, 0.566]


def test_kappa_of_a_category_is_fleiss_kappa_of_it_against_the_rest() -> None:
    rows = [["a", "b", None], ["a", "a", "c"], ["b", "b", "b"], ["c", None, "c"], ["a", "c", "c"]]
    yes = [[None if v is None else v == "c" for v in row] for row in rows]
    expected = coefficient(yes, "fleiss_kappa", "nominal")
    assert coefficient(rows, "category_kappa:c", "nominal") == pytest.approx(expected)


def test_specific_agreement_of_uebersax_counts_pairs() -> None:
    rows = [["a", "a", "b"], ["a", "a", None], ["b", "a", None], ["a", None, None]]
    # pairs (a, a), in order: 2 + 2 + 0; (a, any): 2 * 2 + 2 * 1 + 1 * 1
    assert coefficient(rows, "specific_agreement_uebersax:a", "nominal") == pytest.approx(4 / 7)
    # by ratings: a weighs 1 / (m - 1): 2 / 2 + 2 / 1 over 2 + 2 + 1
    assert coefficient(rows, "specific_agreement:a", "nominal") == pytest.approx(3 / 5)
    whole = [["a", "a", "b"], ["b", "a", "b"], ["b", "b", "b"]]
    both = [coefficient(whole, f"specific_agreement{s}:a", "nominal") for s in ("", "_uebersax")]
    assert both[0] == pytest.approx(both[1])


def test_limits_of_agreement_line_by_line() -> None:
    """Bland & Altman 1999: bias -/+ 1.96 SD; SE of a limit sqrt(s^2 (1/n + z^2 / (2 (n - 1))))."""
    rng = np.random.default_rng(5)
    a = rng.normal(50, 8, 40)
    x = np.column_stack([a, a + rng.normal(1.5, 3, 40)])
    (row,) = limits_rows(table(x, "interval"))
    d, n, z = x[:, 0] - x[:, 1], 40, stats.norm.ppf(0.975)
    s, q = d.std(ddof=1), stats.t.ppf(0.975, n - 1)
    assert (row.bias, row.lower, row.upper) == pytest.approx((d.mean(), d.mean() - z * s, d.mean() + z * s))
    assert row.bias_high == pytest.approx(d.mean() + q * s / n**0.5)
    assert row.upper_low == pytest.approx(row.upper - q * s * (1 / n + z**2 / (2 * (n - 1))) ** 0.5)  # type: ignore[operator]
    assert row.slope == pytest.approx(stats.linregress(x.mean(1), d).slope)
    covariance = np.cov(x.T, bias=True)
    apart = (x[:, 0].mean() - x[:, 1].mean()) ** 2
    assert row.concordance == pytest.approx(2 * covariance[0, 1] / (np.trace(covariance) + apart))


def test_limits_of_clustered_items_are_as_sure_as_the_clusters_are_many() -> None:
    rng = np.random.default_rng(6)
    shift = np.repeat(rng.normal(0, 2, 12), 5)
    a = rng.normal(50, 8, 60)
    x = np.column_stack([a, a + shift + rng.normal(0, 0.5, 60)])
    alone = limits_rows(table(x, "interval"))[0]
    together = limits_rows(table(x, "interval", clusters=[i // 5 for i in range(60)]))[0]
    assert together.bias == pytest.approx(alone.bias)
    assert together.bias_high - together.bias_low > 1.5 * (alone.bias_high - alone.bias_low)  # type: ignore[operator]


@pytest.mark.parametrize("factor", [1e-8, 1.0, 1e9])
def test_concordance_of_several_raters_at_any_size(factor: float) -> None:
    """Barnhart et al. 2002: the covariances of all pairs over what the variances and means make of them."""
    rng = np.random.default_rng(7)
    x = factor * (rng.normal(size=(12, 1)) * 2 + rng.normal(size=(12, 3)) + [0, 0.3, 0.6])
    c, m = np.cov(x.T, bias=True), x.mean(0)
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = sum(2 * c[i, j] for i, j in pairs) / sum(
        c[i, i] + c[j, j] + (m[i] - m[j]) ** 2 for i, j in pairs
    )
    assert coefficient(x, "concordance", "interval") == pytest.approx(expected)
