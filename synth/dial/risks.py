"""Probabilities that a teacher may be told in place of the outcome. A source is a line in the table at the end."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...study.errors import DataError
from ..histories import histories
from ..teaching import History

SPLITS = ("train", "tuning", "held_out")
FOLDS = 5


def base_rate(cohort: Path, seed: int) -> float:
    """Share with the outcome among the labelled cases of the training split, each by its weights.

    Raises:
        DataError: there is no such case.
    """
    rows = [(h.case.label, _weight(h)) for h in histories(cohort, ("train",)) if h.case.label is not None]
    total = sum(weight for _, weight in rows)
    if not total:
        raise DataError('synth.label = "probability": no case of the training split has a label.')
    return sum(weight for label, weight in rows if label) / total


def estimate(cohort: Path, seed: int) -> dict[str, float]:
    """Risk of every labelled case by a logistic regression on age, sex and the codes of the history as it is shown.

    It is fitted on the training split; people of that split are read by a model that was fitted without them.

    Raises:
        DataError: a class has fewer people in the training split than there are folds.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    cases: list[tuple[str, str, str, int]] = []
    features: list[tuple[dict[str, float], float]] = []
    for history in histories(cohort, SPLITS):
        if history.case.label is not None:
            cases.append((history.case.id, history.case.subject, history.case.split, history.case.label))
            features.append((_features(history), _weight(history)))
    x = DictVectorizer().fit_transform([f for f, _ in features])
    weights = np.array([w for _, w in features])
    y = np.array([label for *_, label in cases])
    fold = _folds(cases, seed)
    risk = np.empty(len(y))
    for held_out in range(FOLDS + 1):
        read, fitted = fold == held_out, (fold != held_out) & (fold < FOLDS)
        if read.any():
            model = LogisticRegression(C=0.1, solver="liblinear")
            model.fit(x[fitted], y[fitted], sample_weight=weights[fitted])
            risk[read] = model.predict_proba(x[read])[:, 1]
    return {name: float(p) for (name, *_), p in zip(cases, risk, strict=True)}


def _folds(cases: list[tuple[str, str, str, int]], seed: int) -> NDArray[np.int64]:
    """(n,) fold of each case of the training split, dealt by person within the classes; `FOLDS` for the others."""
    rng = np.random.default_rng(seed)
    dealt: dict[str, int] = {}
    for label in (0, 1):
        people = sorted({p for _, p, split, y in cases if split == "train" and y == label} - dealt.keys())
        if len(people) < FOLDS:
            raise DataError(
                f'synth.risks = "estimate": {len(people)} people of the training split have label {label}, '
                f'{FOLDS} are needed. Choose "base_rate", or name a table.'
            )
        dealt |= {person: i % FOLDS for i, person in enumerate(rng.permutation(people))}
    return np.array([dealt[p] if split == "train" else FOLDS for _, p, split, _ in cases])


def _features(history: History) -> dict[str, float]:
    codes = {f"{e.system} {e.code}": 1.0 for e in history.evidence if e.shown}
    return {**codes, "age": (history.case.age - 75) / 10, f"sex {history.case.sex}": 1.0}


def _weight(history: History) -> float:
    return history.case.weight * history.case.sampling_weight


def true_risk(cohort: Path, seed: int) -> dict[str, float]:
    """The risk that the simulator drew the outcome from.

    Raises:
        DataError: the people are not simulated.
    """
    risks = {h.case.id: h.case.true_risk for h in histories(cohort, SPLITS)}
    known = {case: risk for case, risk in risks.items() if risk is not None}
    if not known:
        raise DataError(
            'synth.risks = "true_risk": only simulated people have one. Choose "base_rate" or "estimate".'
        )
    return known


RISKS: dict[str, Callable[[Path, int], Any]] = {
    "base_rate": base_rate,
    "estimate": estimate,
    "true_risk": true_risk,
}


def from_table(path: Path) -> dict[str, float]:
    """Risks of a table, by case: a CSV or Parquet file with the columns `case` and `risk`.

    Raises:
        DataError: a column is missing, a risk is no probability, or a case has two.
    """
    out: dict[str, float] = {}
    for number, row in enumerate(_rows(path), 2):
        case, risk = str(row["case"]), _probability(row["risk"])
        if risk is None:
            raise DataError(
                f"{path}: row {number}: risk {row['risk']!r} is not a probability. Write a number from 0 to 1."
            )
        if out.setdefault(case, risk) != risk:
            raise DataError(f"{path}: row {number}: case {case!r} already has another risk. Keep one.")
    return out


def _rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a table with the two columns."""
    columns, rows = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    lacking = [name for name in ("case", "risk") if name not in columns]
    if lacking:
        raise DataError(f"{path}: no column {lacking[0]!r}; it has {', '.join(map(str, columns)) or 'none'}.")
    return rows


def _parquet(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as e:
        raise DataError(f"{path}: not a Parquet file ({str(e).splitlines()[0]}).") from None
    return table.column_names, table.to_pylist()


def _csv(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as f:
            reader = csv.DictReader(f)
            rows: list[dict[str, Any]] = list(reader)
    except (UnicodeDecodeError, csv.Error) as e:
        raise DataError(f"{path}: not a CSV file ({e}).") from None
    return list(reader.fieldnames or ()), rows


def _probability(value: object) -> float | None:
    try:
        p = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return p if 0 <= p <= 1 else None
