"""Every number of a report once more, from the files that it was made from, by other people's code.

scikit-learn for ranking and scores, statsmodels for recalibration and Holm, scipy for quantiles and roots; DeLong,
Newcombe, Obuchowski and Rockette and Riley from their formulas. Nothing of the package computes anything here.
"""

import io
import re
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import brentq
from scipy.stats import t as student
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)
from statsmodels.stats.multitest import multipletests

from wherefore.analysis.measures.metrics import METRICS

CLOSE = {"rel": 1e-9, "abs": 1e-9}
SEEDS = 3


class Data(NamedTuple):
    """The held-out people and every risk, straight from the Parquet files."""

    home: Path
    people: pd.DataFrame
    risks: dict[tuple[str, str], np.ndarray]
    shift: float
    arms: dict[str, list[str]]
    """Cells by target, in the order of their seeds."""

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.home / "analysis" / f"{name}.parquet")

    def of(
        self, cell: str, readout: str, population: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(where, y, risk, weight) of the people who have a risk."""
        risk = self.risks[cell, readout]
        where = np.isfinite(risk)
        move = self.shift * (population == "source") - self.shift * (cell == "bayes")
        odds = risk[where] / (1 - risk[where]) * np.exp(move)
        w = self.people["weight"].to_numpy() * (
            self.people["sampling_weight"].to_numpy() if population == "source" else 1.0
        )
        moved = odds / (1 + odds) if move else risk[where]
        return where, self.people["label"].to_numpy().astype(int)[where], moved, w[where]


@pytest.fixture(scope="module")
def data(analysed: Any) -> Data:
    cases = pd.read_parquet(analysed.home / "cohort" / "cases.parquet")
    train = cases[(cases["split"] == "train") & cases["label"].notna()]
    odds = [
        (train.loc[train["label"] == 1, w].sum(), train.loc[train["label"] == 0, w].sum())
        for w in ("sampling_weight", "weight")
    ]
    people = (
        cases[(cases["split"] == "held_out") & cases["label"].notna()]
        .sort_values("id")
        .reset_index(drop=True)
    )
    files = [*analysed.home.glob("train/*/predictions.parquet")]
    rows = pd.concat([pd.read_parquet(f) for f in files])
    risks = {
        key: people[["id"]]
        .merge(part, left_on="id", right_on="case", how="left")["risk"]
        .to_numpy(dtype=float)
        for key, part in rows.groupby(["cell", "readout"])
    }
    shift = float(np.log(odds[0][0] / odds[0][1]) - np.log(odds[1][0] / odds[1][1]))
    arms: dict[str, list[str]] = {}
    for cell in sorted(analysed.study.grid.cells(), key=lambda c: c.seed):
        arms.setdefault(cell.target, []).append(cell.id)
    return Data(analysed.home, people, risks, shift, arms)


def recalibrated(y: np.ndarray, risk: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Calibration in the large, and slope."""
    x = np.log(np.clip(risk, 1e-6, 1 - 1e-6)) - np.log1p(-np.clip(risk, 1e-6, 1 - 1e-6))
    binomial = {"family": sm.families.Binomial(), "freq_weights": w}
    large = sm.GLM(y, np.ones((len(y), 1)), offset=x, **binomial).fit(tol=1e-13, maxiter=200)
    slope = sm.GLM(y, sm.add_constant(x), **binomial).fit(tol=1e-13, maxiter=200)
    return float(large.params[0]), float(slope.params[1])


def at_90(y: np.ndarray, risk: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Sensitivity and specificity where at most a tenth of the others is above the threshold."""
    alarms, found, _ = roc_curve(y, risk, sample_weight=w, drop_intermediate=False)
    place = np.flatnonzero(alarms <= 0.1 + 1e-12)[-1]
    return float(found[place]), float(1 - alarms[place])


def values(y: np.ndarray, risk: np.ndarray, w: np.ndarray) -> dict[str, float]:
    clip = np.clip(risk, 1e-6, 1 - 1e-6)
    share = float(np.average(y, weights=w))
    brier = float(brier_score_loss(y, risk, sample_weight=w))
    large, slope = recalibrated(y, risk, w)
    sensitivity, specificity = at_90(y, risk, w)
    return {
        "roc_auc": float(roc_auc_score(y, risk, sample_weight=w)),
        "pr_auc": float(average_precision_score(y, risk, sample_weight=w)),
        "sensitivity_at_90": sensitivity,
        "specificity_attained": specificity,
        "brier": brier,
        "scaled_brier": 1 - brier / (share * (1 - share)),
        "log_loss": float(log_loss(y, clip, sample_weight=w)),
        "expected_observed": float((w * risk).sum() / (w * y).sum()),
        "calibration_in_the_large": large,
        "calibration_slope": slope,
        "f1_at_half": float(f1_score(y, risk > 0.5, sample_weight=w, zero_division=np.nan)),
        "recall_at_half": float(recall_score(y, risk > 0.5, sample_weight=w)),
        "precision_at_half": float(precision_score(y, risk > 0.5, sample_weight=w, zero_division=np.nan)),
        "specificity_at_half": float(recall_score(1 - y, risk <= 0.5, sample_weight=w)),
        "polarised": float(np.average((risk < 0.02) | (risk > 0.98), weights=w)),
    }


def test_every_metric(data: Data) -> None:
    table = data.table("metrics")
    table = table[table["group"] == "all"]
    assert len(table) == len(data.risks) * 2 * len(METRICS)
    for (cell, readout, population), rows in table.groupby(["cell", "readout", "population"]):
        where, y, risk, w = data.of(cell, readout, population)
        expected = values(y, risk, w)
        for row in rows.itertuples():
            wanted = pytest.approx(expected[row.metric], nan_ok=True, **CLOSE)
            assert row.value == wanted, (cell, readout, row.metric)
            assert (row.n, row.n_positive, row.n_missing) == (len(y), y.sum(), (~where).sum())


def test_every_average(data: Data) -> None:
    metrics = (
        data.table("metrics").query("group == 'all'").set_index(["cell", "readout", "population", "metric"])
    )
    table = data.table("averages")
    fits = table[table["readout"] != "baseline"]
    assert set(fits["cells"]) == {SEEDS}
    arms = data.arms
    for row in fits.itertuples():
        each = [metrics.loc[(c, row.readout, row.population, row.metric), "value"] for c in arms[row.target]]
        assert row.value == pytest.approx(np.mean(each), **CLOSE)
        if row.seed_sd == row.seed_sd:
            assert row.seed_sd == pytest.approx(np.std(each, ddof=1), **CLOSE)


def delong(data: Data, cell: str, readout: str, where: np.ndarray) -> np.ndarray:
    """Deviations of each person of ROC-AUC in the source population, drawn within outcome classes."""
    y = data.people["label"].to_numpy().astype(int)
    w = (data.people["weight"] * data.people["sampling_weight"]).to_numpy()
    risk = data.risks[cell, readout]
    ones, zeros = np.flatnonzero(where & (y == 1)), np.flatnonzero(where & (y == 0))
    wins = (risk[ones][:, None] > risk[zeros]) + 0.5 * (risk[ones][:, None] == risk[zeros])
    auc = w[ones] @ wins @ w[zeros] / w[ones].sum() / w[zeros].sum()
    influence = np.zeros(len(y))
    influence[ones] = w[ones] * (wins @ w[zeros] / w[zeros].sum() - auc) / w[ones].sum()
    influence[zeros] = w[zeros] * (w[ones] @ wins / w[ones].sum() - auc) / w[zeros].sum()
    return by_person(data, influence, where)


def by_person(data: Data, influence: np.ndarray, where: np.ndarray) -> np.ndarray:
    frame = pd.DataFrame(
        {
            "subject": data.people["subject"],
            "x": np.where(where, influence, 0.0),
            "y": data.people["label"],
            "here": where,
        }
    )
    sums = frame.groupby("subject").agg(x=("x", "sum"), y=("y", "max"), here=("here", "max"))
    out = pd.Series(0.0, index=sums.index)
    for _, members in sums[sums["here"]].groupby("y"):
        k = len(members)
        out[members.index] = (members["x"] - members["x"].mean()) * np.sqrt(k / (k - 1))
    return out.to_numpy()


def satterthwaite(vector: np.ndarray) -> float:
    squares, n = (vector**2).sum(), np.count_nonzero(vector)
    return float(2 * squares**2 / max((vector**4).sum() - squares**2 / n, 2 * squares**2 / n))


class Spread(NamedTuple):
    """Obuchowski and Rockette: seeds in the place of readers."""

    value: float
    persons: float
    training: float
    degrees: float

    @property
    def df(self) -> float:
        s = self.training / (self.persons + self.training)
        return 1 / ((1 - s) ** 2 / self.degrees + s / (SEEDS - 1))


def spread(each: list[float], vectors: list[np.ndarray]) -> Spread:
    mean = np.mean(vectors, axis=0)
    covariances = [a @ b for i, a in enumerate(vectors) for j, b in enumerate(vectors) if i != j]
    return Spread(
        float(np.mean(each)),
        max(float(np.mean(covariances)), 0.0),
        float(np.var(each, ddof=1)) / SEEDS,
        satterthwaite(mean),
    )


def test_every_comparison_of_targets(data: Data) -> None:
    """Difference, standard error, degrees of freedom, p, Holm's p and the interval at Holm's level."""
    arms, table = data.arms, data.table("comparisons")
    family = table[table["family"] == "targets: roc_auc"]
    assert len(family) == 2
    ps = []
    for row in family.itertuples():
        each, vectors = [], []
        for a, b in zip(arms[row.a], arms[row.b], strict=True):
            sides = [(a, row.a_readout), (b, row.b_readout)]
            where = np.isfinite(data.risks[sides[0]]) & np.isfinite(data.risks[sides[1]])
            y = data.people["label"].to_numpy().astype(int)[where]
            w = (data.people["weight"] * data.people["sampling_weight"]).to_numpy()[where]
            first, second = (roc_auc_score(y, data.risks[s][where], sample_weight=w) for s in sides)
            each.append(first - second)
            vectors.append(delong(data, *sides[0], where) - delong(data, *sides[1], where))
        if not np.any(vectors):  # the same risks on both sides
            assert (row.difference, row.se, row.p) == (0, 0, 1)
            ps.append(1.0)
            continue
        s = spread(each, vectors)
        se = np.sqrt(s.persons + s.training)
        assert row.difference == pytest.approx(s.value, **CLOSE)
        assert row.se == pytest.approx(se, **CLOSE)
        assert row.df == pytest.approx(s.df, **CLOSE)
        half = student.ppf(0.975, s.df) * se
        assert (row.low, row.high) == (
            pytest.approx(s.value - half, **CLOSE),
            pytest.approx(s.value + half, **CLOSE),
        )
        ps.append(2 * student.sf(abs(s.value) / se, s.df))
        assert row.p == pytest.approx(ps[-1], rel=1e-9, abs=1e-15)
    adjusted = multipletests(ps, method="holm")[1]
    assert family["p_adjusted"].to_numpy() == pytest.approx(adjusted, rel=1e-9, abs=1e-15)
    order = np.argsort(ps)
    level = {order[0]: 0.05 / 2, order[1]: 0.05 if adjusted[order[0]] < 0.05 else 0.05 / 2}
    for i, row in enumerate(family.itertuples()):
        half = student.ppf(1 - level[i] / 2, row.df) * row.se
        assert row.low_adjusted == pytest.approx(row.difference - half, **CLOSE)
        assert row.high_adjusted == pytest.approx(row.difference + half, **CLOSE)


def test_intervals_of_roc_auc(data: Data) -> None:
    """Newcombe's method 5 with the variance of the data, drawn to the model's by eight people; single fits."""
    table = data.table("metrics").query("group == 'all' and metric == 'roc_auc' and population == 'source'")
    for row in table.itertuples():
        where, y, _, w = data.of(row.cell, row.readout, "source")
        vector = delong(data, row.cell, row.readout, where)
        m, n = (w[y == g].sum() ** 2 / (w[y == g] ** 2).sum() for g in (1, 0))

        def model(x: float, m: float = m, n: float = n) -> float:
            return x * (1 - x) / (m * n) * (1 + ((m + n) / 2 - 1) * ((1 - x) / (2 - x) + x / (1 + x)))

        k = satterthwaite(vector)
        factor = (vector @ vector / model(row.value) * k + 8) / (k + 8)
        q = student.ppf(0.975, k + 8)

        def gap(x: float, v: float = row.value, f: float = factor, q: float = q, model: Any = model) -> float:
            return (x - v) ** 2 - q**2 * f * model(x)

        low, high = brentq(gap, 1e-9, row.value, xtol=1e-14), brentq(gap, row.value, 1 - 1e-9, xtol=1e-14)
        assert (row.low, row.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_risks_flags_and_curves(data: Data) -> None:
    for row in data.table("risks").itertuples():
        risk = data.risks[row.cell, row.readout]
        risk = risk[np.isfinite(risk)]
        counts = np.unique(risk, return_counts=True)[1]
        assert (row.n, row.distinct, row.largest_tie) == (len(risk), len(counts), counts.max())
        assert row.below == pytest.approx((risk < 0.02).mean(), **CLOSE)
    y = data.people["label"].to_numpy().astype(int)
    for row in data.table("called").itertuples():
        own, other = data.risks[row.cell, row.readout], reference(data)
        both = np.isfinite(own) & np.isfinite(other)
        flagged = own[both] > np.quantile(own[both & (y == 0)], 0.9, method="inverted_cdf")
        assert row.true_positive == (flagged & (y[both] == 1)).sum()
        assert row.false_positive == (flagged & (y[both] == 0)).sum()
    for figure, series in (("net_benefit", net_benefit), ("calibration", groups)):
        points = pd.read_csv(data.home / "analysis" / "figures" / f"{figure}.csv")
        points = points[points["kind"] != "rule"]
        for name, part in points.groupby("series", sort=False):
            expected = list(series(data, shown(data)[name]))
            assert part[["x", "y"]].to_numpy() == pytest.approx(np.array(expected), **CLOSE), (figure, name)


def shown(data: Data) -> dict[str, tuple[str, str]]:
    """The set of predictions behind each series of the figures."""
    rows = data.table("called")
    return {row.model: (row.cell, row.readout) for row in rows.itertuples()}


def reference(data: Data) -> np.ndarray:
    return data.risks[shown(data)["label_only"]]


def net_benefit(data: Data, key: tuple[str, str]) -> Iterator[tuple[float, float]]:
    _, y, risk, w = data.of(*key, "source")
    people = data.people
    share = np.average(people["label"].astype(float), weights=people["weight"] * people["sampling_weight"])
    top = min(0.6, 4 * share)
    for t in np.linspace(0, top, 51)[1:]:
        true, false = ((w * (risk >= t) * (y == g)).sum() / w.sum() for g in (1, 0))
        yield t, true - false * t / (1 - t)


def groups(data: Data, key: tuple[str, str]) -> Iterator[tuple[float, float]]:
    _, y, risk, w = data.of(*key, "source")
    edges = np.unique(np.quantile(risk, np.linspace(0, 1, 11)[1:-1]))
    place = np.searchsorted(edges, risk, side="left")
    for g in np.unique(place):
        here = place == g
        yield np.average(risk[here], weights=w[here]), np.average(y[here], weights=w[here])


def test_the_rows_travel_with_the_page(data: Data) -> None:
    """The zip inside the page has every row that the tables have, under the ids that the page cites."""
    page = (data.home / "analysis" / "report.html").read_text()
    inside = zipfile.ZipFile(
        io.BytesIO(b64decode(re.search(r"data:application/zip;base64,([^\"]+)", page)[1]))
    )  # type: ignore[index]
    cited = set(re.findall(r"\b([A-Z]\d+)\b", " ".join(re.findall(r'class="rows">([^<]*)<', page))))
    assert len(cited) > 50
    ids: set[str] = set()
    for name in ("metrics", "averages", "comparisons", "equity"):
        table = pd.read_csv(inside.open(f"{name}.csv"))
        known = data.table(name)
        assert len(table) == len(known)
        column = "difference" if name in ("comparisons", "equity") else "value"
        assert np.allclose(table[column], known[column], rtol=0, atol=1e-15, equal_nan=True)
        ids |= set(table["row"])
    others = {i for i in cited if i[0] not in "MACQ"}
    assert cited - others <= ids
