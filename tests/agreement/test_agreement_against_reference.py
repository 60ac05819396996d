"""Raters against a reference standard: from a column, a rater, or forms that are marked as ground truth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix
from statsmodels.stats.proportion import proportion_confint

from wherefore.analysis.agreement import table
from wherefore.analysis.agreement.raters.reference import against, attribute_shares
from wherefore.analysis.agreement.raters.shares import design_effect, share
from wherefore.analysis.agreement.reading.files import read
from wherefore.analysis.agreement.reading.source import RatingReadSettings
from wherefore.analysis.agreement.records import DimensionSummary
from wherefore.analysis.agreement.settings import AgreementSettings
from wherefore.analysis.agreement.summary import summarise
from wherefore.study.errors import DataError, StudyError

WORDS = ["benign", "malignant"]


def readings(n: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and what two readers say."""
    rng = np.random.default_rng(seed)
    true = rng.random(n) < 0.4
    said = np.column_stack([np.where(rng.random(n) < p, true, ~true) for p in (0.9, 0.75)])
    return true.astype(int), said.astype(int)


def measured(path: Path, **settings: Any) -> DimensionSummary:
    return summarise(read(path), AgreementSettings(replicates=200, **settings)).dimensions[0]


def long_file(folder: Path, truth: str = "gold", rater: str = "") -> Path:
    """A row a rating; the reference as a column, or as the ratings of `rater`."""
    true, said = readings()
    rows = [f"item,rater,value,{truth}" if truth else "item,rater,value"]
    for i, t in enumerate(true):
        for name, k in zip("xy", said[i], strict=True):
            rows.append(f"i{i},{name},{WORDS[k]}" + (f",{WORDS[t]}" if truth else ""))
        if rater:
            rows.append(f"i{i},{rater},{WORDS[t]}")
    path = folder / "ratings.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_shares_kappa_and_intervals_equal_other_implementations() -> None:
    true, said = readings()
    rows = [[WORDS[k] for k in row] for row in said]
    x, _, both = against(table(rows, "nominal"), {i: WORDS[t] for i, t in enumerate(true)})
    (tn, fp), (fn, tp) = confusion_matrix(true, said[:, 0])
    (malignant,) = x.categories
    assert malignant.category == "malignant"
    assert (malignant.sensitivity, malignant.specificity) == pytest.approx((tp / (tp + fn), tn / (tn + fp)))
    assert (malignant.positive_predictive, malignant.negative_predictive) == pytest.approx(
        (tp / (tp + fp), tn / (tn + fn))
    )
    low, high = proportion_confint(tp, tp + fn, method="wilson")
    assert (malignant.sensitivity_low, malignant.sensitivity_high) == pytest.approx((low, high))
    assert x.kappa == pytest.approx(cohen_kappa_score(true, said[:, 0]))
    assert x.kappa_low < x.kappa < x.kappa_high  # type: ignore[operator]
    assert both.rater == "all raters"
    assert both.correct == pytest.approx((said == true[:, None]).mean())
    alike, right = attribute_shares(table(rows, "nominal"), {i: WORDS[t] for i, t in enumerate(true)})
    assert alike.value == pytest.approx((said[:, 0] == said[:, 1]).mean())
    assert right.value == pytest.approx(((said == true[:, None]).all(1)).mean())


def test_trials_of_one_cluster_widen_the_interval() -> None:
    hits = np.repeat([True, True, False, True, False, True, True, False], 5)
    alone, together = share(hits), share(hits, [i // 5 for i in range(40)])
    # 8 clusters of 5 equal trials: the variance between clusters is 5 times that of trials, times 8 / 7
    assert design_effect(hits, [i // 5 for i in range(40)]) == pytest.approx(5 * 8 / 7)
    assert together.low < alone.low < alone.high < together.high  # type: ignore[operator]


def test_a_column_a_rater_and_forms_of_ground_truth_say_the_same(tmp_path: Path) -> None:
    column = measured(long_file(tmp_path))
    rater = measured(long_file(tmp_path, "", "panel"), reference="panel")
    true, said = readings()
    tasks = [
        {
            "id": i,
            "data": {"text": str(i)},
            "annotations": [
                {
                    "id": 10 * i + k,
                    "completed_by": k,
                    "ground_truth": k == 9,
                    "created_at": "2026-01-01T00:00:00Z",
                    "result": [
                        {
                            "from_name": "value",
                            "to_name": "text",
                            "type": "choices",
                            "value": {"choices": [WORDS[v]]},
                        }
                    ],
                }
                for k, v in ((0, said[i, 0]), (1, said[i, 1]), (9, t))
            ],
        }
        for i, t in enumerate(true)
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks, default=int))
    forms = measured(tmp_path / "export.json")
    assert [r.rater for r in column.raters] == [r.rater for r in rater.raters] == ["x", "y"]
    for other in (rater, forms):
        assert [r.model_copy(update={"rater": ""}) for r in other.reference] == [
            r.model_copy(update={"rater": ""}) for r in column.reference
        ]
        assert other.shares == column.shares
        assert other.agreement[0].value == column.agreement[0].value


def test_the_reference_is_read_by_the_rules_of_ratings(tmp_path: Path) -> None:
    path = long_file(tmp_path)
    text = path.read_text().replace(",benign\n", ", Benign \n", 1)
    path.write_text(text)
    assert measured(path).reference[0].correct == pytest.approx((readings()[0] == readings()[1][:, 0]).mean())
    first = path.read_text().splitlines()
    path.write_text(
        "\n".join([first[0], *(r.rpartition(",")[0] + ",NA" for r in first[1:3]), *first[3:]]) + "\n"
    )
    with pytest.raises(DataError, match=r"ratings\.csv:2 \('NA'\).*is 'NA' a rating that was not given"):
        measured(path)
    path.write_text("\n".join([first[0], first[1].rpartition(",")[0] + ",malignant", *first[2:]]) + "\n")
    with pytest.raises(DataError, match=r"item 'i0' has two values, .*ratings\.csv:2"):
        measured(path)


def test_a_truth_that_no_rater_gave_widens_a_scale_that_was_not_declared(tmp_path: Path) -> None:
    rows = [["1", "2"], ["2", "2"], ["3", "3"], ["1", "1"], ["2", "3"], ["3", "3"]]
    body = "\n".join(f"i{i},{a},{b},{t}" for i, ((a, b), t) in enumerate(zip(rows, "124135", strict=True)))
    path = tmp_path / "wide.csv"
    path.write_text(f"item,reader1,reader2,reference\n{body}\n")
    d = measured(path)
    assert d.categories == ("1", "2", "3")
    assert [c.category for c in d.reference[0].categories] == ["1", "2", "3", "4", "5"]
    assert d.reference[0].correct == pytest.approx(3 / 6)
    assert d.reference[0].bias == pytest.approx((0 + 0 - 1 + 0 - 1 - 2) / 6)
    with pytest.raises(DataError, match=r"reference: 9 of item 0 is outside the scale. Allowed: 1, 2, 3"):
        against(table([[1, 2], [2, 3]], "ordinal", [1, 2, 3]), {0: 9})


def test_a_column_that_speaks_of_something_else_is_no_reference(tmp_path: Path) -> None:
    path = long_file(tmp_path)
    path.write_text(path.read_text().replace(",benign\n", ",3\n").replace(",malignant\n", ",4\n"))
    source = read(path)
    assert source.reference is None
    assert any("its values (3, 4) are none that raters gave" in n for n in source.reading.notes)
    with pytest.raises(DataError, match=r"its values \(3, 4\) are none that raters gave on 'value'"):
        read(path, RatingReadSettings(columns={"reference": ("gold",)}))


def test_measurements_have_a_bias_and_concordance_and_no_exact_share() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(50, 10, 40)
    x = np.column_stack([true + 2, true + rng.normal(0, 1, 40)])
    shifted, noisy, both = against(table(x, "interval"), dict(enumerate(true)))
    assert (shifted.bias, shifted.correct, shifted.kappa) == (pytest.approx(2), None, None)
    assert shifted.concordance == pytest.approx(2 * true.var() / (2 * true.var() + 4))
    assert noisy.concordance is not None
    assert both.n == 80


def test_wrong_references_are_one_line(tmp_path: Path) -> None:
    path = long_file(tmp_path)
    with pytest.raises(StudyError, match="--reference: 'pannel' is not a rater"):
        measured(path, reference="pannel")
    with pytest.raises(StudyError, match="a rater can be one of them"):
        measured(path, reference="x", judge="x")
    with pytest.raises(DataError, match="none of the items that were rated has a reference value"):
        against(table([[1, 2], [2, 2]], "nominal"), {"other": 1})
