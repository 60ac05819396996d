"""Baselines see what the models see, and no more."""

import math

import numpy as np
import pytest

from wherefore.cohort.records import Case, Evidence
from wherefore.study.records import to_frame
from wherefore.train import baselines


def line(case: Case, code: str, years: float, shown: bool = True, **more: object) -> Evidence:
    return Evidence.model_validate(
        {
            "case": case.id,
            "id": "E001",
            "kind": "condition",
            "age": 60.0,
            "years_before": years,
            "code": code,
            "system": "TOY",
            "name": code,
            "shown": shown,
            "line": "",
            "source": "toy",
            **more,
        }
    )


def test_features_are_presence_recency_count_and_latest_value_and_change_of_common_codes(
    cases: list[Case],
) -> None:
    train, test = cases[:12], cases[12:14]
    evidence = [line(c, "stroke", 5.0) for c in train]
    evidence += [line(c, "bp", 2.0, kind="measurement", value=140.0) for c in train]
    evidence += [line(test[0], "bp", 3.0, value=120.0)]
    evidence += [line(test[0], "bp", 1.0, value=150.0, first_value=130.0, count=3)]
    evidence += [line(test[1], "rare", 1.0), line(test[1], "stroke", 1.0, shown=False)]
    table = baselines.features(train, test, to_frame(evidence, Evidence))
    assert table.names == (
        "age",
        "female",
        "bp present",
        "stroke present",
        "bp recency",
        "stroke recency",
        "bp count",
        "stroke count",
        "bp value",
        "bp change",
    )
    assert table.train[0, 3:6].tolist() == pytest.approx([1.0, math.exp(-2 / 5), math.exp(-1)])
    has_bp = [
        test[0].age,
        float(test[0].sex == "female"),
        1,
        0,
        math.exp(-1 / 5),
        0,
        math.log(5),
        0,
        150.0,
        20.0,
    ]
    assert table.test[0].tolist() == pytest.approx(has_bp)
    assert table.test[1, 2:8].tolist() == [0.0] * 6  # a rare code and a hidden line are no features
    assert np.isnan(table.test[1, 8])


@pytest.mark.parametrize("name", sorted(set(baselines.BASELINES) - {"age_sex", "ukbdrs"}))
def test_a_baseline_finds_the_line_that_decides(name: str, cases: list[Case]) -> None:
    evidence = [line(c, "stroke" if c.label else "cataract", 3.0) for c in cases]
    table = baselines.features(cases[:30], cases[30:], to_frame(evidence, Evidence))
    risks = baselines.BASELINES[name].risks(table, 1)
    made = baselines.predictions(name, cases[30:], risks)
    assert {p.readout for p in made} == {"baseline"}
    high = [p.risk for p, c in zip(made, cases[30:], strict=True) if c.label]
    low = [p.risk for p, c in zip(made, cases[30:], strict=True) if not c.label]
    assert min(r or 0 for r in high) > max(r or 0 for r in low)


def test_an_unknown_true_risk_is_missing_with_a_reason(cases: list[Case]) -> None:
    (p,) = baselines.predictions("bayes", [cases[0]], [None])
    assert (p.risk, p.why_missing) == (None, "unknown")


def test_a_baseline_is_fitted_at_every_size_of_the_grid(cases: list[Case]) -> None:
    evidence = to_frame([line(c, "stroke" if c.label else "cataract", 3.0) for c in cases], Evidence)
    sizes = {24: cases[:24], 30: cases[:30]}
    found = baselines.fitted({"age_sex": 1, "bayes": 1}, sizes, cases[30:34], evidence)
    known = [b for b, _ in found if b.name == "age_sex"]
    assert [(b.cell, b.n) for b in known] == [("age_sex, n 24", 24), ("age_sex, n 30", 30)]
    assert [(b.n, b.optimum) for b, _ in found if b.name == "bayes"] == [(None, True)]
    assert all(list(risks) == [c.id for c in cases[30:34]] for _, risks in found)
    (alone,) = baselines.fitted({"age_sex": 1}, {30: cases[:30]}, cases[30:34], evidence)
    assert alone[0].cell == "age_sex"
    assert alone[1] == found[-2 if found[-1][0].name == "bayes" else -1][1]


def test_a_published_score_is_given_to_those_it_was_made_for(cases: list[Case]) -> None:
    """The authors' own example; who is too old, or whose education is not recorded, has no risk."""
    woman = cases[0].model_copy(update={"age": 60.0, "sex": "female"})
    old = cases[1].model_copy(update={"age": 80.0, "sex": "female"})
    unknown = cases[2].model_copy(update={"age": 60.0, "sex": "female"})
    evidence = [
        line(woman, "EDUCATION", 1.0, kind="demographic", name="Years of education", value=14.0),
        line(woman, "E11", 1.0, name="Type 2 diabetes mellitus"),
        line(woman, "F32", 1.0, name="Depressive episode"),
        line(woman, "I10", 1.0, name="Essential hypertension"),
        line(woman, "I63", 1.0, name="Cerebral infarction", shown=False),
        line(old, "EDUCATION", 1.0, kind="demographic", name="Years of education", value=14.0),
        line(unknown, "I10", 1.0, name="Essential hypertension"),
    ]
    found = baselines.features(cases[5:30], [woman, old, unknown], to_frame(evidence, Evidence))
    risks = baselines.BASELINES["ukbdrs"].risks(found, 1)
    assert risks == [pytest.approx(0.0285918952), None, None]
