"""What needs no language model: regressions on the evidence, age and sex alone, and the best that is possible.

They are fitted on the very cases of the fits that they are compared with, once for each training size of the grid,
from the evidence lines that the models are shown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..cohort.records import Case
from . import published
from .records import Baseline, Prediction

if TYPE_CHECKING:
    import pandas as pd

Matrix = npt.NDArray[np.float64]

_RARE = 10
"""A code in fewer training histories than this is no feature."""
_FADE = 5.0
"""Years in which the mark of a past event falls to 1/e; the horizon's own length."""


@dataclass(frozen=True)
class FeatureTable:
    """Features and labels; a row a case."""

    names: tuple[str, ...]
    train: Matrix
    y: npt.NDArray[np.int64]
    test: Matrix
    """Of the held-out cases, in their order; NaN where a value was never measured."""
    true_risk: Sequence[float | None]
    """Of the held-out cases."""
    published: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    """Risks of published scores for the held-out cases, by name."""


def features(train: Sequence[Case], test: Sequence[Case], evidence: "pd.DataFrame") -> FeatureTable:
    """Age, sex, and for every common code: whether, how often, how long ago, the latest value, and its change.

    Of `evidence` (Evidence rows) only the lines that were shown count.
    """
    ids = [c.id for c in train] + [c.id for c in test]
    shown = evidence[evidence["shown"] & evidence["case"].isin(ids) & evidence["years_before"].notna()]
    seen = shown[shown["case"].isin({c.id for c in train})].groupby("code")["case"].nunique()
    shown = shown[shown["code"].isin(seen.index[seen >= _RARE])].sort_values("years_before")
    shown = shown.assign(change=shown["value"].astype(float) - shown["first_value"].astype(float))
    by = shown.groupby(["case", "code"])
    last = by["years_before"].first().unstack().reindex(ids)
    count = by["count"].sum().unstack().reindex(ids)
    value = by["value"].first().unstack().reindex(ids)
    value = value.loc[:, value.notna().any()]
    change = by["change"].first().unstack().reindex(ids)
    change = change.loc[:, change.notna().any()]
    cases = [*train, *test]
    columns: dict[str, Any] = {
        "age": [c.age for c in cases],
        "female": [float("nan") if c.sex is None else float(c.sex == "female") for c in cases],
        **{f"{c} present": last[c].notna().astype(float) for c in last},
        **{f"{c} recency": np.exp(-last[c] / _FADE).fillna(0.0) for c in last},
        **{f"{c} count": np.log1p(count[c].fillna(0.0)) for c in count},
        **{f"{c} value": value[c] for c in value},
        **{f"{c} change": change[c].fillna(0.0) for c in change},
    }
    x = np.column_stack([np.asarray(v, dtype=float) for v in columns.values()])
    y = np.array([c.label for c in train], dtype=np.int64)
    return FeatureTable(
        tuple(columns),
        x[: len(train)],
        y,
        x[len(train) :],
        [c.true_risk for c in test],
        {"ukbdrs": published.ukbdrs(test, evidence)},
    )


def logistic_regression(table: FeatureTable, seed: int) -> Sequence[float | None]:
    """Ridge-penalised; the penalty by five-fold cross-validation of the log loss."""
    return _linear(table.train, table.y, table.test)


def age_sex(table: FeatureTable, seed: int) -> Sequence[float | None]:
    """The same with age and sex alone: what any model has to beat."""
    columns = [table.names.index("age"), table.names.index("female")]
    return _linear(table.train[:, columns], table.y, table.test[:, columns])


def gradient_boosting(table: FeatureTable, seed: int) -> Sequence[float | None]:
    """Histogram gradient boosting, small trees, stopped early on a tenth of the training cases."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=300,
        max_leaf_nodes=8,
        min_samples_leaf=10,
        early_stopping=True,
        validation_fraction=0.1,
        random_state=seed % 2**31,
    )
    return _probability(model.fit(table.train, table.y), table.test)


def bayes(table: FeatureTable, seed: int) -> Sequence[float | None]:
    """The true risk given everything the record shows, where a simulator knows it."""
    return table.true_risk


def ukbdrs(table: FeatureTable, seed: int) -> Sequence[float | None]:
    """UKBDRS (Anaturk et al. 2023), for whom it was made: a risk over fourteen years, to be ranked by."""
    return table.published["ukbdrs"]


def _linear(x: Matrix, y: npt.NDArray[np.int64], test: Matrix) -> list[float]:
    return ridge(x, y)(test)


def ridge(x: Matrix, y: npt.NDArray[np.int64]) -> Callable[[Matrix], list[float]]:
    """A ridge-penalised logistic regression, its penalty by five-fold cross-validation of the log loss.

    Args:
        x: (cases, features), NaN where a value is missing.
        y: (cases,) of 0 and 1.
    Returns:
        Features to risks.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    penalties = {"logisticregression__C": np.logspace(-4, 1, 8)}
    fit = GridSearchCV(model, penalties, cv=5, scoring="neg_log_loss").fit(x, y)
    return lambda test: _probability(fit, test)


def _probability(model: Any, x: Matrix) -> list[float]:
    return [float(p) for p in model.predict_proba(x)[:, 1]]


Risks = dict[str, float | None]
"""By case."""


def fitted(
    seeds: Mapping[str, int],
    train: Mapping[int, Sequence[Case]],
    test: Sequence[Case],
    evidence: "pd.DataFrame",
) -> list[tuple[Baseline, Risks]]:
    """Every baseline at every training size, with its risks.

    Args:
        seeds: of each baseline, by its name; the names say which are wanted.
        train: training cases by their number.
        test: whose risk is wanted.
        evidence: `Evidence` table.
    """
    out: list[tuple[Baseline, Risks]] = []
    for n, cases in train.items():
        table = features(cases, test, evidence)
        for name, seed in seeds.items():
            entry = BASELINES[name]
            if not entry.learns and n != max(train):
                continue
            risks = entry.risks(table, seed)
            if all(r is None for r in risks):
                continue  # what nobody knows for anybody (the true risk of real people) is no baseline
            cell = name if len(train) == 1 or not entry.learns else f"{name}, n {n}"
            row = Baseline(
                cell=cell,
                name=name,
                n=n if entry.learns else None,
                optimum=entry.optimum,
                parameters=len(table.names) if entry.regression else None,
            )
            out.append((row, dict(zip((c.id for c in test), risks, strict=True))))
    return out


def predictions(name: str, cases: Sequence[Case], risks: Sequence[float | None]) -> list[Prediction]:
    """One row a case."""
    return [
        Prediction(
            cell=name, readout="baseline", case=c.id, risk=p, why_missing=None if p is not None else "unknown"
        )
        for c, p in zip(cases, risks, strict=True)
    ]


@dataclass(frozen=True)
class Predictor:
    """A way to give risks without text."""

    risks: Callable[[FeatureTable, int], Sequence[float | None]]
    """(features, seed) to a risk a case asked about."""
    learns: bool = True
    """It is fitted to the training cases."""
    regression: bool = False
    """It has a parameter for every feature of the table."""
    optimum: bool = False
    """Its risk is the true one, about the source population."""


BASELINES: dict[str, Predictor] = {
    "logistic_regression": Predictor(logistic_regression, regression=True),
    "gradient_boosting": Predictor(gradient_boosting),
    "age_sex": Predictor(age_sex),
    "ukbdrs": Predictor(ukbdrs, learns=False),
    "bayes": Predictor(bayes, learns=False, optimum=True),
}
