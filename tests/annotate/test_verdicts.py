"""Verdict rules, each on votes small enough to be worked out by eye; and Dawid and Skene's own data."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.annotate import rubric
from wherefore.annotate.records import Note, Rating
from wherefore.annotate.run import resolve
from wherefore.annotate.settings import Criterion, Rule
from wherefore.annotate.verdicts.dawid_skene import posterior
from wherefore.annotate.verdicts.rules import criteria, in_words, verdicts
from wherefore.study.config import Study
from wherefore.study.errors import StudyError

Make = Callable[..., Study]
SCALE = rubric.load(Study(name="t", cohort={}), "clinical")


def votes(values: str, dimension: str, round: str = "main", claim: int | None = None) -> list[Rating]:
    """One rating a word, by raters a, b, c, ..."""
    return [
        Rating(
            item="i",
            rationale="r",
            case="c",
            rater=rater,
            round=round,
            dimension=dimension,
            claim=claim,
            value=v,
        )
        for rater, v in zip("abcdefgh", values.split(), strict=False)
    ]


@pytest.mark.parametrize(
    ("rule", "dimension", "passes", "given", "state"),
    [
        ("majority", "accept", ["accept", "edit"], "accept edit reject", "accepted"),
        ("majority", "accept", ["accept", "edit"], "accept reject reject", "rejected"),
        ("majority", "accept", ["accept"], "accept reject", "needs_adjudication"),
        ("unanimous", "accept", ["accept"], "accept accept", "accepted"),
        ("unanimous", "accept", ["accept"], "accept accept reject", "needs_adjudication"),
        ("unanimous", "accept", ["accept"], "reject reject", "rejected"),
        ("median", "accuracy", ["4", "5"], "1 4 5", "accepted"),
        ("median", "accuracy", ["4", "5"], "1 3 5", "rejected"),
        ("median", "accuracy", ["4", "5"], "3 4", "needs_adjudication"),
        ("median", "accuracy", ["4", "5"], "4 5", "accepted"),
        ("veto", "harm", ["none", "minor"], "none none serious", "rejected"),
        ("veto", "harm", ["none", "minor"], "none minor", "accepted"),
        ("majority", "accept", ["accept"], "accept", "needs_more_ratings"),
    ],
)
def test_each_rule(rule: str, dimension: str, passes: list[str], given: str, state: str) -> None:
    asked = Rule(criteria=(Criterion(dimension=dimension, rule=rule, passes=tuple(passes)),))  # type: ignore[arg-type]
    (v,) = verdicts(votes(given, dimension), [("r", "c")], SCALE, asked)
    assert v.state == state
    assert v.n_raters == len(given.split())
    assert v.rule == f"{rule} of {dimension} in {{{', '.join(passes)}}}; at least 2 raters"


def test_a_criterion_about_claims_must_hold_for_every_claim() -> None:
    rule = Rule(
        criteria=(Criterion(dimension="support", rule="majority", passes=("supported", "inference")),)
    )
    good = votes("supported supported contradicted", "support", claim=0)
    for other, state in (
        ("supported inference partly", "accepted"),
        ("partly partly supported", "rejected"),
        ("partly supported", "needs_adjudication"),
    ):
        (v,) = verdicts(good + votes(other, "support", claim=1), [("r", "c")], SCALE, rule)
        assert v.state == state


def test_the_clinical_rubric_has_a_rule_of_its_own() -> None:
    found = in_words(criteria(Rule(), SCALE), 2)
    assert (
        found == "majority of accept in {accept, edit} and veto of harm in {minor, none}; at least 2 raters"
    )
    ratings = (
        votes("accept accept accept", "accept")
        + votes("none none serious", "harm")
        + votes("3 4 5", "accuracy")
    )
    (v,) = verdicts(ratings, [("r", "c")], SCALE, Rule())
    assert (v.state, v.why) == ("rejected", "does not pass: harm")
    assert v.consensus == {"accuracy": "4", "harm": "none", "accept": "accept"}


def test_the_adjudicator_decides_and_the_votes_stay() -> None:
    ratings = votes("accept reject", "accept") + votes("none none", "harm")
    final = [r.model_copy(update={"rater": "zoe"}) for r in votes("edit", "accept", "adjudication")]
    final += [r.model_copy(update={"rater": "zoe"}) for r in votes("none", "harm", "adjudication")]
    notes = [Note(item="i", rationale="r", rater="zoe", round="adjudication", kind="edited", text="Better.")]
    (open_,) = verdicts(ratings, [("r", "c")], SCALE, Rule())
    (v,) = verdicts(ratings + final, [("r", "c")], SCALE, Rule(), notes)
    assert (open_.state, open_.why) == ("needs_adjudication", "no consensus: accept")
    assert (v.state, v.adjudicator, v.n_raters) == ("accepted", "zoe", 2)
    assert (v.edited, v.edited_by) == ("Better.", "zoe")


def test_two_different_edits_are_nobodys() -> None:
    ratings = votes("edit edit", "accept") + votes("none none", "harm")
    notes = [Note(item="i", rationale="r", rater=r, kind="edited", text=r) for r in "ab"]
    assert verdicts(ratings, [("r", "c")], SCALE, Rule(), notes)[0].edited is None
    assert verdicts(ratings, [("r", "c")], SCALE, Rule(), notes[:1])[0].edited_by == "a"


def test_dawid_and_skene_find_the_careless_rater() -> None:
    """Two careless raters outvote nobody here: three careful ones are believed, and the majority is not followed."""
    import numpy as np

    rng = np.random.default_rng(3)
    truth = rng.integers(2, size=800)
    right = [0.95, 0.9, 0.55, 0.52, 0.5]
    marks = [
        {str(r): "yn"[int(t if rng.random() < p else 1 - t)] for r, p in enumerate(right)} for t in truth
    ]
    found = np.array([p["n"] > 0.5 for p in posterior(marks, "yn")])
    majority = np.array([sum(v == "n" for v in m.values()) > 2 for m in marks])
    assert (found == truth).mean() > 0.93
    assert (majority == truth).mean() < 0.9
    rule = Rule(criteria=(Criterion(dimension="accept", rule="dawid_skene", passes=("accept",)),))
    (v,) = verdicts(votes("accept accept reject", "accept"), [("r", "c")], SCALE, rule)
    assert v.state == "accepted"


@pytest.mark.parametrize(
    ("criterion", "line"),
    [
        ({"dimension": "acept", "rule": "majority", "passes": ["accept"]}, "did you mean 'accept'?"),
        (
            {"dimension": "accept", "rule": "median", "passes": ["accept"]},
            "accept is nominal and has no median",
        ),
        (
            {"dimension": "accuracy", "rule": "dawid_skene", "passes": ["5"]},
            "accuracy is ordinal; dawid_skene is",
        ),
        ({"dimension": "accept", "rule": "most", "passes": ["accept"]}, "criteria.0.rule: input should be"),
    ],
)
def test_a_rule_that_cannot_be_is_one_line(study: Make, criterion: dict[str, object], line: str) -> None:
    with pytest.raises(StudyError) as e:
        resolve(study(verdict={"criteria": [criterion]}))
    assert line in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (('name = "harm"', 'name = "accuracy"'), "two dimensions are called 'accuracy'"),
        (('good = ["none"]', 'good = ["nil"]'), "good holds 'nil', which is not one of"),
        (('name = "harm"', 'name = "comment"'), "the name 'comment' is reserved for the grading page"),
        (('level = "nominal"', 'level = "nominl"'), "dimensions.0.level: input should be"),
        (('any_of = ["edit"]', 'any_of = ["edits"]'), "edit_when waits for 'edits', which is not one of"),
        (('question = "Is the medicine right?"', 'ask = "?"'), "dimensions.2.ask: unknown key"),
        (("[[dimensions]]", "[[dimensions"), "not TOML"),
    ],
)
def test_a_rubric_of_ones_own_that_contradicts_itself(
    study: Make, tmp_path: Path, change: tuple[str, str], line: str
) -> None:
    from importlib.resources import files

    text = (files("wherefore.templates") / "grading" / "rubrics" / "clinical.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(*change))
    with pytest.raises(StudyError) as e:
        resolve(study(rubric=str(path)))
    assert line in str(e.value)
    assert str(path) in str(e.value)
    assert "\n" not in str(e.value)
    path.write_text(text)
    assert resolve(study(rubric=str(path))).rubric == str(path)
