"""A rubric that is corrected after the push: what would be void is said, and nothing happens unasked."""

from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate.decisions import Decisions
from wherefore.annotate.label_studio import ledger, pull
from wherefore.annotate.versions import Version
from wherefore.study.files import rows

pytestmark = pytest.mark.service
GOOD = {"sound": "yes", "harm": "none"}


@pytest.fixture
def rubric(on_server: Any) -> Path:
    """The short rubric as a file beside the study, pushed and half graded."""
    from importlib.resources import files

    path = Path(on_server.file.with_name("mine.toml"))
    path.write_text((files("wherefore.templates") / "grading" / "rubrics" / "short.toml").read_text())
    on_server.study(rubric="mine.toml", rounds={"calibration": 2})
    on_server.call("push")
    for rater in ("ann", "ben"):
        on_server.grade_all(rater, GOOD, "calibration")
    on_server.call("pull")
    on_server.call("push")
    on_server.grade_all("ann", GOOD, only=3)
    on_server.call("pull")
    return path


def change(rubric: Path, old: str, new: str) -> None:
    text = rubric.read_text()
    assert old in text
    rubric.write_text(text.replace(old, new))


def test_a_change_says_what_it_would_void_and_is_refused(on_server: Any, rubric: Path) -> None:
    before = on_server.state.got
    change(rubric, 'categories = ["yes", "no"]', 'categories = ["yes", "partly", "no"]')
    change(rubric, 'anchors = ["Yes", "No"]', 'anchors = ["Yes", "Partly", "No"]')
    said = on_server.call("push", code=1)
    assert said.count("\n") == 1
    assert "annotate.rubric changed since it was handed out (sound.categories, sound.anchors)" in said
    assert (
        "7 forms graded by the earlier one do not count (4 of the calibration round, 3 of the main round)"
        in said
    )
    assert "--new-round" in said
    assert "--reworded" not in said
    assert "7 forms graded by the earlier one do not count" in on_server.call("status")
    assert "3 forms here" in on_server.call("pull"), "what comes in meanwhile is not lost"
    change(rubric, 'categories = ["yes", "partly", "no"]', 'categories = ["yes", "no"]')
    change(rubric, 'anchors = ["Yes", "Partly", "No"]', 'anchors = ["Yes", "No"]')
    assert on_server.state.got == before, "put back, everything counts again"
    on_server.call("push")


def test_a_new_round_keeps_the_old_forms_and_counts_the_new_ones(on_server: Any, rubric: Path) -> None:
    change(
        rubric,
        'categories = ["serious", "minor", "none"]',
        'categories = ["serious", "moderate", "minor", "none"]',
    )
    change(
        rubric, 'anchors = ["Serious", "Minor", "None"]', 'anchors = ["Serious", "Moderate", "Minor", "None"]'
    )
    said = on_server.call("push", "--new-round")
    assert "a new round: 7 forms by the earlier rubric are kept and do not count" in said
    assert on_server.state.due == "calibration"
    places = ledger.read(on_server.folder).places
    assert len(places) == 2 + 2 + 2
    assert len({p.version for p in places}) == 2
    for rater in ("ann", "ben"):
        on_server.grade_all(rater, {"sound": "no", "harm": "moderate"}, "calibration")
    assert "earlier_rubric (does not count): ann" in on_server.call("pull")
    assert set(on_server.values("ann", "harm", "calibration").values()) == {"moderate"}
    assert on_server.values("ann", "sound") == {}
    stored = pull.of_run(on_server.folder)
    assert len(stored["main", "ann"]) == 3, "nothing is thrown away"
    for (_, rater), forms in stored.items():
        for form in forms:
            assert form.version in {v.version for v in rows(on_server.folder / "versions.jsonl", Version)}, (
                rater
            )
    assert on_server.state.due == "main"
    assert [d.what for d in Decisions.read(on_server.folder).rows] == ["new_round"]


def test_other_words_for_the_same_questions_keep_the_forms(on_server: Any, rubric: Path) -> None:
    before = on_server.values("ann", "sound")
    change(
        rubric,
        'question = "Medically right and drawn from this timeline?"',
        'question = "Right, and from this record?"',
    )
    change(rubric, 'anchors = ["Yes", "No"]', 'anchors = ["Yes, fully", "No"]')
    assert "or keep the forms with `--reworded`" in on_server.call("push", code=1)
    said = on_server.call("push", "--reworded")
    assert said.count("the new words are on the page") == 4
    assert on_server.values("ann", "sound") == before
    config = on_server.ls.admin.project(on_server.project("ann")).config
    assert "Yes, fully" in config
    on_server.grade_all("ann", GOOD)
    on_server.call("pull")
    assert len(on_server.values("ann", "sound")) == 6
    assert on_server.call("push").count("0 added") == 2
    change(rubric, 'categories = ["yes", "no"]', 'categories = ["yes", "maybe"]')
    assert "--reworded: sound.categories changed, which is more than words" in on_server.call(
        "push", "--reworded", code=1
    )


def test_restore_ends_in_a_state_that_works(on_server: Any, rubric: Path) -> None:
    """Also after a change of the rubric, and where the page and the description were changed by hand."""
    ls, number = on_server.ls.admin, on_server.project("ann")
    handed_out = ls.project(number)
    change(rubric, 'name = "short"', 'name = "shorter"')
    ls.change(
        number, config=handed_out.config.replace("How to grade", "How not to grade"), description="mine"
    )
    assert "--restore" in on_server.call("pull", code=1)
    said = on_server.call("push", "--restore")
    assert "put back as it was handed out" in said
    assert "annotate.rubric changed since it was handed out (name)" in said
    assert ls.project(number) == handed_out
    on_server.call("pull")
    change(rubric, 'name = "shorter"', 'name = "short"')
    on_server.grade_all("ann", GOOD)
    on_server.call("pull")
    assert len(on_server.values("ann", "sound")) == 6
    on_server.call("push")
    assert ls.project(number) == handed_out


def test_whether_the_outcome_is_shown_is_part_of_what_was_asked(on_server: Any, rubric: Path) -> None:
    on_server.study(show_label=True)
    assert "changed since it was handed out (annotate.show_label)" in on_server.call("push", code=1)
