"""The stage from rationales to verdicts, with simulated raters."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from wherefore.annotate.records import Noticed, Rating, Rubric, Task, Verdict
from wherefore.annotate.run import resolve, run
from wherefore.study.config import Study
from wherefore.study.errors import StudyError
from wherefore.study.records import read_jsonl

Make = Callable[..., Study]


def test_every_chosen_rationale_gets_tasks_ratings_and_a_verdict(graded: Path, study: Make) -> None:
    assert run(study(items=40), graded)
    tasks = list(read_jsonl(graded / "annotate" / "tasks.jsonl", Task))
    ratings = list(read_jsonl(graded / "annotate" / "ratings.jsonl", Rating))
    verdicts = list(read_jsonl(graded / "annotate" / "verdicts.jsonl", Verdict))
    assert Counter(t.rater for t in tasks) == {"simulated_1": 40, "simulated_2": 40, "simulated_3": 40}
    assert len({(r.rater, r.item) for r in ratings}) == 120
    assert len(verdicts) == 40
    assert {v.n_raters for v in verdicts} == {3}
    assert all(r.simulated for r in ratings)


def test_strata_are_even(graded: Path, study: Make) -> None:
    run(study(items=40), graded)
    tasks = [t for t in read_jsonl(graded / "annotate" / "tasks.jsonl", Task) if t.rater == "simulated_1"]
    strata = Counter((t.rationale.split("-")[1], int(t.case[1:]) % 3 == 0) for t in tasks)
    assert set(strata.values()) == {10}
    assert all(int(t.case[1:]) % 5 for t in tasks), "held-out cases are not graded"


def test_same_seed_same_bytes_and_a_second_call_does_nothing(
    graded: Path, study: Make, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for stage in ("cohort", "synth"):
        (other / stage).symlink_to(graded / stage)
    assert run(study(), graded)
    assert run(study(), other)
    assert not run(study(), graded)
    for name in ("tasks.jsonl", "ratings.jsonl", "verdicts.jsonl"):
        assert (graded / "annotate" / name).read_bytes() == (other / "annotate" / name).read_bytes()


def test_the_rubric_is_written_for_the_statistics(graded: Path, study: Make) -> None:
    run(study(rubric="short"), graded)
    rubric = Rubric.model_validate_json((graded / "annotate" / "rubric.json").read_text())
    assert [d.name for d in rubric.dimensions] == ["sound", "harm"]


def test_nobody_grades(graded: Path, study: Make) -> None:
    assert run(study(raters="none"), graded)
    assert list(read_jsonl(graded / "annotate" / "verdicts.jsonl", Verdict)) == []


def test_a_perfect_rater_notices_what_is_planted_and_a_blind_one_does_not(graded: Path, study: Make) -> None:
    """The perfect one finds fault with every planted item, and with those others that grounding finds faulty."""
    perfect = {"name": "simulated_sharp", "accuracy": 1.0, "noise": 0.0}
    blind = {"name": "simulated_blind", "accuracy": 0.0, "noise": 0.0, "severity": -9}
    run(
        study(
            simulated=[perfect, blind],
            spread=0,
            items=40,
            rubric="short",
            controls={"other_patient": 3, "wrong_value": 5},
        ),
        graded,
    )
    found = {
        (n.rater, n.control): (n.noticed, n.n)
        for n in read_jsonl(graded / "annotate" / "noticed.jsonl", Noticed)
    }
    faulty = [
        t
        for t in read_jsonl(graded / "annotate" / "tasks.jsonl", Task)
        if t.control is None and t.rater == "simulated_sharp" and int(t.case[1:]) % 4 == 0
    ]
    assert found["simulated_sharp", "other_patient"] == (3, 3)
    assert found["simulated_sharp", "wrong_value"] == (5, 5)
    assert found["simulated_sharp", "ordinary"] == (len(faulty), 40)
    assert 0 < len(faulty) < 40
    assert found["simulated_blind", "other_patient"] == (0, 3)
    planted = {t.item for t in read_jsonl(graded / "annotate" / "tasks.jsonl", Task) if t.control}
    assert len(planted) == 8
    assert not planted & {r.item for r in read_jsonl(graded / "annotate" / "ratings.jsonl", Rating)}
    assert planted == {r.item for r in read_jsonl(graded / "annotate" / "control_ratings.jsonl", Rating)}
    assert len(list(read_jsonl(graded / "annotate" / "verdicts.jsonl", Verdict))) == 40


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ({"rater": "simulated"}, "annotate.rater: unknown key; did you mean 'raters'?"),
        (
            {"raters": "monkeys"},
            "annotate.raters: input should be 'none', 'label_studio', 'files' or 'simulated'",
        ),
        ({"rubric": "clinicl"}, "annotate.rubric: 'clinicl' is not a rubric; did you mean 'clinical'?"),
        ({"rubric": "nowhere.toml"}, "nowhere.toml: cannot be read: No such file or directory."),
        ({"raters": "label_studio"}, "people: empty, but raters = 'label_studio'"),
        ({"people": ["ann", "ann"], "raters": "files"}, "two raters are called 'ann'"),
        (
            {"verdict": {"criteria": [{"dimension": "harm", "rule": "veto", "passes": ["minr"]}]}},
            "'minr' is not a category of harm; did you mean 'minor'?",
        ),
    ],
)
def test_a_wrong_section_is_one_line(study: Make, section: dict[str, object], line: str) -> None:
    with pytest.raises(StudyError) as e:
        resolve(study(**section))
    assert line in str(e.value)
    assert "\n" not in str(e.value)
