"""One question, from the cohort, in every prompt, page and report."""

from pathlib import Path
from typing import Any

import pytest

from wherefore.cohort.phenotype import builtin
from wherefore.cohort.question import question
from wherefore.study.config import Study

STROKE = 'name = "Ischaemic stroke"\nlike = "adrd"\n[onset]\nICD10 = ["I63"]\n'


def study(tmp_path: Path, **cohort: Any) -> Study:
    (tmp_path / "stroke.toml").write_text(STROKE)
    source = {"source": {"name": "simulated"}}
    return Study.model_validate({"name": "q", "cohort": {**source, **cohort}, "folder": tmp_path})


@pytest.mark.parametrize(
    ("cohort", "asked", "teacher"),
    [
        (
            {},
            "Will dementia be diagnosed within five years?",
            "will Alzheimer's disease or a related dementia be recorded within five years of the prediction time?",
        ),
        (
            {"horizon_years": 0.5, "phenotype": {"codes": "stroke.toml"}},
            "Will Ischaemic stroke be diagnosed within six months?",
            "will Ischaemic stroke be recorded within six months of the prediction time?",
        ),
        (
            {"horizon_years": 1, "outcome": "a fall"},
            "Will a fall be diagnosed within one year?",
            "will a fall be recorded within one year of the prediction time?",
        ),
        (
            {"question": "Readmission within 30 days?"},
            "Readmission within 30 days?",
            "Readmission within 30 days?",
        ),
    ],
)
def test_the_question_is_made_from_the_cohort(
    cohort: dict[str, Any], asked: str, teacher: str, tmp_path: Path
) -> None:
    found = question(study(tmp_path, **cohort))
    assert (found.text, found.teacher) == (asked, teacher)


def test_everybody_is_asked_it(tmp_path: Path) -> None:
    """Teacher, student, rater: a study of stroke within two years never speaks of dementia."""
    from wherefore.annotate.run import resolve as annotated
    from wherefore.cohort.records import Case
    from wherefore.synth.dial.told import Hint
    from wherefore.synth.plan import RequestPlan
    from wherefore.synth.plan import resolve as explained
    from wherefore.synth.prompts import prompt
    from wherefore.synth.styles import STYLES
    from wherefore.train.settings import settings_of

    s = study(tmp_path, horizon_years=2, phenotype={"codes": "stroke.toml"})
    case = Case(
        id="c",
        subject="p",
        split="train",
        age=70.0,
        sex=None,
        day=25568,
        label=1,
        outcome="onset",
        followup_years=1.0,
        weight=1.0,
        timeline="[E001] age 66.4 (3.6 y before): Fall",
        n_shown=1,
        n_total=1,
    )
    asked = RequestPlan(s, explained(s)).question
    prompts = [prompt(case, style, 0, Hint(label=1), asked).messages for style in STYLES.values()]
    texts = [next(m.content for m in messages if m.role == "user") for messages in prompts]
    texts += [annotated(s).question, settings_of(s).question]
    for text in texts:
        assert "schaemic stroke" in text
        assert "two years" in text
        assert "ementia" not in text


@pytest.mark.parametrize("codes", builtin())
def test_every_code_set_has_words_for_a_sentence(codes: str, tmp_path: Path) -> None:
    found = question(study(tmp_path, phenotype={"codes": codes}))
    assert "(" not in found.text + found.teacher  # no name of a vocabulary


def test_the_models_may_be_asked_in_other_words_and_the_style_own_follows(tmp_path: Path) -> None:
    from wherefore.synth.plan import asked_of
    from wherefore.train.settings import settings_of

    s = study(tmp_path).model_copy(update={"train": {"question": "Dementia?"}})
    assert settings_of(s).question == asked_of(s).text == "Dementia?"
