"""The mixed model against mean squares and its own likelihood; the logistic one against integrals."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from wherefore.analysis.agreement import coefficient, estimate, table
from wherefore.analysis.agreement.models.glmm import hierarchical
from wherefore.analysis.agreement.models.mixed import components, icc_rows
from wherefore.analysis.agreement.reading.files import read
from wherefore.analysis.agreement.reading.source import RatingReadSettings
from wherefore.analysis.agreement.settings import AgreementSettings
from wherefore.analysis.agreement.summary import summarise
from wherefore.study.errors import DataError


def measurements(n: int = 25, k: int = 4, missing: float = 0.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = 50 + 8 * rng.normal(size=(n, 1)) + 3 * rng.normal(size=k) + 4 * rng.normal(size=(n, k))
    x[rng.random((n, k)) < missing] = np.nan
    return x


def reml(x: np.ndarray) -> np.ndarray:
    """Variances of items, raters and error that maximise the restricted likelihood, by its definition."""
    u, g = np.nonzero(~np.isnan(x))
    y = x[u, g]
    items, raters, one = (u[:, None] == u).astype(float), (g[:, None] == g).astype(float), np.ones(len(y))

    def lack(logs: np.ndarray) -> float:
        a, b, c = np.exp(logs)
        v = a * items + b * raters + c * np.eye(len(y))
        inverse = np.linalg.inv(v)
        weight = one @ inverse @ one
        residual = y - (one @ inverse @ y) / weight
        return float(np.linalg.slogdet(v)[1] + np.log(weight) + residual @ inverse @ residual)

    start = np.log([np.nanvar(x) / 2, np.nanvar(x) / 6, np.nanvar(x) / 3])
    found = minimize(
        lack, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000}
    )
    return np.exp(found.x)


def test_with_every_rating_given_it_is_the_icc_of_mean_squares() -> None:
    x = measurements()
    for row in icc_rows(table(x, "interval")):
        name = row.statistic.partition(" ")[0]
        assert row.value == pytest.approx(coefficient(x, name, "interval"), rel=1e-3)
        assert row.low < row.value < row.high  # type: ignore[operator]


def test_with_missing_ratings_it_maximises_the_restricted_likelihood() -> None:
    x = measurements(missing=0.3, seed=1)
    c = components(table(x, "interval"))
    assert (c.item, c.rater, c.error) == pytest.approx(reml(x), rel=2e-3)


def test_the_interval_of_consistency_is_near_that_of_the_f_distribution() -> None:
    x = measurements(n=60)
    model = next(r for r in icc_rows(table(x, "interval")) if r.statistic.startswith("icc_c1"))
    exact = estimate(table(x, "interval"), "icc_c1")
    assert (model.low, model.high) == pytest.approx((exact.low, exact.high), abs=0.02)


@pytest.mark.parametrize("factor", [1e-8, 1e9])
def test_the_unit_of_measurement_does_not_matter(factor: float) -> None:
    x = measurements(missing=0.2)
    values = [[r.value for r in icc_rows(table(f * x, "interval"))] for f in (1.0, factor)]
    assert values[1] == pytest.approx(values[0], rel=1e-4)


def test_no_difference_between_raters_or_none_between_items_is_said() -> None:
    rng = np.random.default_rng(2)
    noise = icc_rows(table(rng.normal(size=(30, 3)), "interval"))
    assert all(r.value is not None and r.value < 0.2 for r in noise)
    assert all(r.low is None or r.low <= (r.value or 0) for r in noise)
    same = [[float(i)] * 3 for i in range(20)]
    with pytest.raises(DataError, match="mixed model: the raters never differ"):
        icc_rows(table(same, "interval"))
    with pytest.raises(DataError, match="mixed model: the scale is nominal"):
        icc_rows(table([["a", "b"], ["b", "b"]] * 5, "nominal"))


def yes_no(clusters: int, items: int, raters: int, seed: int) -> tuple[np.ndarray, list[int]]:
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(clusters), items)
    eta = -0.5 + rng.normal(size=clusters)[of] + 1.5 * rng.normal(size=clusters * items)
    level = np.linspace(0.6, -0.6, raters)
    return (rng.random((len(of), raters)) < 1 / (1 + np.exp(-(eta[:, None] + level)))).astype(
        int
    ), of.tolist()


def test_the_hierarchical_model_recovers_what_made_the_ratings() -> None:
    pytest.importorskip("gpboost")
    y, clusters = yes_no(80, 6, 8, 0)
    m = hierarchical(table(y, "nominal", [0, 1], clusters=clusters))
    assert m.item_sd == pytest.approx(1.5, abs=0.25)
    assert m.cluster_sd == pytest.approx(1.0, abs=0.35)
    assert m.raters[-1].difference == pytest.approx(-1.2, abs=4 * (m.raters[-1].standard_error or 0))
    between = m.item_sd**2 + (m.cluster_sd or 0) ** 2
    assert m.latent_icc == pytest.approx(between / (between + np.pi**2 / 3))
    assert m.median_odds_ratio == pytest.approx(np.exp(norm.ppf(0.75) * (2 * between) ** 0.5), rel=1e-3)
    assert m.kappa == pytest.approx(coefficient(y, "conger_kappa", "nominal"), abs=0.08)


def test_the_hierarchical_model_is_near_the_likelihood_without_approximation() -> None:
    pytest.importorskip("gpboost")
    y, _ = yes_no(250, 1, 6, 1)
    node, weight = np.polynomial.hermite_e.hermegauss(41)
    weight = weight / weight.sum()

    def lack(p: np.ndarray) -> float:
        eta = p[:-1, None] + np.exp(p[-1]) * node
        log_yes, log_no = -np.logaddexp(0, -eta), -np.logaddexp(0, eta)
        each = y @ log_yes + (1 - y) @ log_no
        return float(-np.log(np.exp(each) @ weight).sum())

    exact = minimize(lack, np.zeros(7), method="BFGS").x
    m = hierarchical(table(y, "nominal", [0, 1]))
    assert m.item_sd == pytest.approx(np.exp(exact[-1]), rel=0.1)
    assert [r.log_odds for r in m.raters] == pytest.approx(exact[:-1].tolist(), abs=0.1)
    assert (m.cluster_sd, m.cluster_icc) == (None, None)


def test_a_model_goes_to_the_dimensions_that_it_suits(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = ["item,rater,grade,found"]
    for i in range(30):
        q = rng.normal()
        rows += [
            f"i{i},{g},{20 + 6 * (q + rng.normal()):.1f},{'yes' if q > 0.5 * rng.normal() else 'no'}"
            for g in "abc"
        ]
    path = tmp_path / "two.csv"
    path.write_text("\n".join(rows) + "\n")
    source = read(path, RatingReadSettings(columns={"value": ("grade", "found")}))
    grade, found = summarise(source, AgreementSettings(replicates=200, models=("mixed",))).dimensions
    assert [r.statistic for r in grade.mixed] == [f"icc_{k} (mixed model)" for k in ("a1", "c1", "ak", "ck")]
    assert found.mixed == ()
    assert any(n.startswith("mixed model: the scale is nominal") for n in found.notes)
    with pytest.raises(DataError, match="mixed model: the scale is nominal"):
        summarise(
            source._replace(
                ratings=source.ratings[source.ratings["dimension"] == "found"],
                scales={"found": source.scales["found"]},
            ),
            AgreementSettings(replicates=200, models=("mixed",)),
        )
