"""What `wherefore check` knows before anybody has graded: one line, and what to do."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wherefore.annotate.run import describe, resolve
from wherefore.cli.main import main
from wherefore.study.config import Study, load
from wherefore.study.errors import StudyError

Make = Callable[..., Study]
PEOPLE = {"raters": "label_studio", "people": ["ann", "ben"]}


def rubric(**change: Any) -> dict[str, Any]:
    """A rubric of one question about each sentence and one about the whole."""
    sentence = {
        "name": "support",
        "question": "Supported?",
        "level": "nominal",
        "per_claim": True,
        "categories": ["yes", "no"],
    }
    whole = {
        "name": "sound",
        "question": "Sound?",
        "level": "nominal",
        "categories": ["yes", "no"],
        "good": ["yes"],
    }
    return {"name": "own", "dimensions": [sentence, whole | change.pop("whole", {})], **change}


@pytest.mark.parametrize(
    ("section", "line"),
    [
        (
            {"raters": "files", "people": ["ann"]},
            "verdict.at_least: 2 raters per item, but 1 grade blind (ann)",
        ),
        (PEOPLE | {"rounds": {"adjudicator": "ben"}}, "at_least: 2 raters per item, but 1 grade blind (ann)"),
        (
            PEOPLE | {"design": {"kind": "balanced", "per_item": 1}},
            "2 raters per item, but design.per_item is 1",
        ),
        (PEOPLE | {"rounds": {"gate": "accuracy"}}, "rounds.gate: 'accuracy' has no calibration round"),
        (
            {
                "raters": "files",
                "people": ["ann"],
                "verdict": {"at_least": 1},
                "rounds": {"gate": "accuracy", "calibration": 4},
            },
            "rounds.gate: agreement needs two raters; found 1",
        ),
        ({"raters": "none", "rounds": {"gate": "accuracy"}}, "has no calibration round"),
        (PEOPLE | {"rubric": rubric(guideline="Costs of $500 count.")}, "guideline: Label Studio reads '$'"),
        (
            PEOPLE | {"rubric": rubric(whole={"anchors": ["$ yes", "no"]})},
            "sound.anchors: Label Studio reads '$'",
        ),
        (
            PEOPLE
            | {
                "rubric": rubric(
                    whole={"categories": ["yes", "no, or hardly"]},
                    edit_when={"dimension": "sound", "any_of": ["no, or hardly"]},
                )
            },
            "edit_when: waits for 'no, or hardly', and Label Studio reads its comma as 'or'",
        ),
    ],
)
def test_what_cannot_work_is_refused(study: Make, section: dict[str, Any], line: str) -> None:
    with pytest.raises(StudyError) as e:
        resolve(study(**section))
    assert line in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "section",
    [
        {"raters": "simulated", "rubric": rubric(guideline="Costs of $500 count.")},
        PEOPLE | {"design": {"kind": "balanced", "per_item": 1}, "verdict": {"at_least": 1}},
        PEOPLE
        | {
            "rubric": rubric(
                whole={"anchors": ["yes, always", "no, or hardly"]},
                edit_when={"dimension": "sound", "any_of": ["no"]},
            )
        },
    ],
)
def test_what_works_is_not(study: Make, section: dict[str, Any]) -> None:
    resolve(study(**section))


def test_more_answers_than_keys_are_said(study: Make, tmp_path: Path) -> None:
    eleven = {"level": "ordinal", "categories": [str(i) for i in range(11)], "good": ["10"]}
    said = describe(study(**PEOPLE, rubric=rubric(whole=eleven)), tmp_path)
    assert "note: sound has 11 answers: keyboard shortcuts reach the first 9, mouse and Tab all" in said
    assert "no rounds.adjudicator" in said
    assert "keyboard shortcuts" not in describe(study(**PEOPLE, rubric=rubric()), tmp_path)


def test_programs_grade_only_where_the_study_says_so(tmp_path: Path) -> None:
    """A forgotten section, or a forgotten key, must not put programs in the place of people."""
    quick = (files("wherefore.examples") / "quick.toml").read_text()
    before, _, after = quick.partition('[annotate]\nraters = "simulated"\nitems = 24\n')
    assert after, "the example says itself that programs grade"
    path = tmp_path / "study.toml"
    for section, code, line in (
        ("", 0, "nobody grades"),
        ("[annotate]\nitems = 24\n", 0, "nobody grades"),
        (
            '[annotate]\npeople = ["ann", "ben"]\n',
            1,
            "annotate.raters: not given, but people names ann, ben.",
        ),
        (
            '[annotate]\nraters = "none"\npeople = ["ann", "ben"]\n',
            0,
            "nobody grades, although people names ann, ben",
        ),
        ('[annotate]\nraters = "simulated"\n', 0, "3 simulated raters"),
    ):
        path.write_text(before + section + after)
        done = CliRunner().invoke(main, ["check", str(path)])
        assert done.exit_code == code, done.output
        assert line in done.output


@pytest.mark.parametrize(
    "name", ["demo", "quick", "omop", "meds", "fhir_bulk", "fhir_bundles", "synthea_csv", "wide", "long_csv"]
)
def test_every_example_that_is_graded_says_by_whom(name: str) -> None:
    path = Path(str(files("wherefore.examples") / f"{name}.toml"))
    assert load(path).annotate["raters"] == "simulated"
