"""A rationale that a rater corrected is taught as corrected; nothing else that raters wrote is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wherefore.annotate import rounds
from wherefore.annotate.graded import GradedForm, Mark, Text
from wherefore.annotate.label_studio import forms
from wherefore.annotate.label_studio.exported import Author, SubmittedForm
from wherefore.annotate.label_studio.pull import FOLDER
from wherefore.annotate.records import Verdict
from wherefore.annotate.run import resolve, run
from wherefore.annotate.verdicts import edits
from wherefore.study.config import Study
from wherefore.study.records import read_jsonl, write_jsonl
from wherefore.synth.records import Claim
from wherefore.train.corpus import TEACHER, read
from wherefore.train.settings import Settings
from wherefore.train.targets import TARGETS

Make = Callable[..., Study]
PEOPLE = ["ann", "ben", "carla"]
FIXED = (
    "She has had hypertension since age 61.2. [E001] A stroke at 66.4 weighs more. [E003] The risk is high"
)


def graded_by_hand(
    study: Make, home: Path, edited: dict[tuple[str, int], str], **section: Any
) -> tuple[Study, Any]:
    """Three raters; all accept but those whose corrections, by rater and place of the item, are in `edited`."""
    s = study(raters="files", people=PEOPLE, items=12, **section)
    plan = rounds.people(s, resolve(s), home).plan
    places = {i.id: n for n, i in enumerate(i for i in plan.items.values() if i.round == "main")}
    for rater in {t.rater for t in plan.tasks}:
        mine = [t for t in plan.of_round("main") if t.rater == rater]
        rows = [sent(plan, t.item, rater, n, edited.get((rater, places[t.item]))) for n, t in enumerate(mine)]
        write_jsonl(home / "annotate" / FOLDER / f"main-{rater}.jsonl", rows)
    return s, plan


def sent(plan: Any, item: str, rater: str, n: int, correction: str | None) -> SubmittedForm:
    """One form: every sentence supported, good grades, and the correction where there is one."""
    claims = len(plan.items[item].claims)
    whole = {
        "accuracy": "4",
        "faithfulness": "4",
        "harm": "none",
        "accept": "edit" if correction else "accept",
    }
    marks = [Mark(dimension="support", claim=i, value="supported") for i in range(claims)]
    marks += [Mark(dimension=d, value=v) for d, v in whole.items()]
    texts = (Text(kind="edited", text=correction),) if correction else ()
    form = forms.write(GradedForm(item=item, rater=rater, round="main", marks=tuple(marks), texts=texts))
    return SubmittedForm(
        item=item,
        task=n,
        annotation=n,
        by=Author(email=f"{rater}@raters.example.com"),
        at=f"2026-11-22T10:{n:02d}:00Z",
        seconds=60.0,
        result=tuple(form),
    )


def at_place(plan: Any, n: int) -> Any:
    return [i for i in plan.items.values() if i.round == "main"][n]


def test_a_correction_is_what_a_model_is_taught(graded_home: Path, study: Make) -> None:
    s, plan = graded_by_hand(study, graded_home, {("ben", 3): FIXED})
    run(s, graded_home)
    item = at_place(plan, 3)
    verdict = next(v for v in read_jsonl(graded_home / "annotate" / "verdicts.jsonl", Verdict) if v.edited)
    assert (verdict.rationale, verdict.edited_by, verdict.state) == (item.rationale, "ben", "accepted")
    assert verdict.edited == FIXED
    before = {r.id: r for r in read(graded_home, TEACHER, Settings(rationales="all")).values()}
    taught = {r.id: r for r in read(graded_home, TEACHER, Settings(faulty="keep", min_support=0)).values()}
    changed = {id for id in taught if taught[id] != before[id]}
    assert changed == {item.rationale}, "only the one that was corrected"
    new = taught[item.rationale]
    assert new.text == FIXED
    assert new.teacher == "reference, edited by ben"
    assert new.model_copy(update={"claims": before[new.id].claims, "teacher": "reference"}) == before[new.id]
    (example,) = TARGETS["free_rationale"].build(plan.cases[item.case], new, "Dementia?")
    assert f" {FIXED}" in [x.text for x in example.segments if x.group == "rationale"]


def test_a_correction_mends_what_the_check_found(graded_home: Path, study: Make) -> None:
    """A rationale with an unsupported claim is not taught, unless somebody corrected it and it was accepted so."""
    plan = rounds.people(s := study(raters="files", people=PEOPLE, items=12), resolve(s), graded_home).plan
    n = next(n for n in range(12) if int(at_place(plan, n).case[1:]) % 4 == 0)
    faulty = at_place(plan, n).rationale
    strict = Settings(faulty="reject")
    assert faulty not in {r.id for r in read(graded_home, TEACHER, strict).values()}
    s, _ = graded_by_hand(study, graded_home, {("ann", n): FIXED})
    run(s, graded_home)
    assert {r.id: r.text for r in read(graded_home, TEACHER, strict).values()}[faulty] == FIXED
    accepted = read(graded_home, TEACHER, Settings(rationales="accepted")).values()
    assert FIXED in {r.text for r in accepted}


def test_a_box_left_as_it_was_is_no_correction(graded_home: Path, study: Make) -> None:
    plan = rounds.people(s := study(raters="files", people=PEOPLE, items=12), resolve(s), graded_home).plan
    same = at_place(plan, 5).text.replace(". ", ".\n ") + " "
    assert same != at_place(plan, 5).text
    s, plan = graded_by_hand(study, graded_home, {("carla", 5): same})
    run(s, graded_home)
    folder = graded_home / "annotate"
    assert not [v for v in read_jsonl(folder / "verdicts.jsonl", Verdict) if v.edited or v.claims]
    assert (folder / "notes.jsonl").read_text() == ""
    (fault,) = [json.loads(line) for line in (folder / "faults.jsonl").read_text().splitlines()]
    assert (fault["fault"], fault["rater"], fault["counted"]) == ("unchanged_edit", "carla", True)


def test_corrections_that_differ_go_to_the_adjudicator_who_sees_them(graded_home: Path, study: Make) -> None:
    edited = {("ann", 2): FIXED, ("ben", 2): f"{FIXED}.", ("carla", 4): FIXED}
    s, _ = graded_by_hand(study, graded_home, edited, rounds={"adjudicator": "carla"})
    state = rounds.people(s, resolve(s), graded_home)
    asked = at_place(state.plan, 2)
    found = {v.rationale: v for v in state.verdicts()}[asked.rationale]
    assert (found.state, found.why) == ("needs_adjudication", "the raters' corrections differ")
    assert (found.edited, found.claims) == (None, ())
    assert state.due == "adjudication"
    assert state.to_adjudicate() == [asked.rationale]
    seen = state.with_adjudication().disagreements()[asked.id]
    assert seen.why == "You decide: the raters' corrections differ."
    assert [o.name for o in seen.opinions] == ["Rater A", "Rater B"]
    assert sorted(o.correction for o in seen.opinions) == sorted((FIXED, f"{FIXED}."))
    assert not [name for name in PEOPLE if name in seen.model_dump_json()]


def test_a_correction_that_cites_what_nobody_saw_is_not_taught(graded_home: Path, study: Make) -> None:
    s, plan = graded_by_hand(study, graded_home, {("ann", 0): FIXED.replace("E003", "E077")})
    run(s, graded_home)
    found = {v.rationale: v for v in read_jsonl(graded_home / "annotate" / "verdicts.jsonl", Verdict)}
    verdict = found[at_place(plan, 0).rationale]
    assert verdict.state == "needs_adjudication"
    assert verdict.why == "the correction cites E077, which is not a line of the timeline"
    assert not [
        r
        for r in read(graded_home, TEACHER, Settings(faulty="keep", min_support=0)).values()
        if "E077" in r.text
    ]


def test_nothing_written_about_a_planted_item_is_taught(graded_home: Path, study: Make) -> None:
    """Planted items carry the id of a rationale that is graded as it is too; their corrections must not reach it."""
    every = {(rater, n): FIXED for rater in PEOPLE for n in range(12, 20)}
    s, plan = graded_by_hand(study, graded_home, every, controls={"other_patient": 4, "wrong_value": 4})
    assert {at_place(plan, n).control for n in range(12, 20)} == {"other_patient", "wrong_value"}
    assert {at_place(plan, n).control for n in range(12)} == {None}
    run(s, graded_home)
    found = list(read_jsonl(graded_home / "annotate" / "verdicts.jsonl", Verdict))
    assert len(found) == 12
    assert not [v for v in found if v.edited]
    taught = read(graded_home, TEACHER, Settings(faulty="keep", min_support=0)).values()
    original = {r.id: r.text for r in read(graded_home, TEACHER, Settings(rationales="all")).values()}
    assert all(r.text == original[r.id] for r in taught)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (
            "One at 64.0, two. [E001]\nThree [E002].",
            (("One at 64.0, two.", ("E001",)), ("Three.", ("E002",))),
        ),
        ("No end", (("No end", ()),)),
        ("Why? [E001,E002] Because! So", (("Why?", ("E001", "E002")), ("Because!", ()), ("So", ()))),
    ],
)
def test_sentences_and_their_citations(text: str, claims: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    assert [(c.text, c.cites) for c in edits.claims(text, [Claim(text="x")])] == list(claims)


def test_a_corrected_sentence_stays_in_its_section() -> None:
    original = (
        Claim(text="She had a stroke at 66.", section="Findings"),
        Claim(text="She takes no drugs.", section="Findings"),
        Claim(text="So the risk is raised.", section="Conclusion"),
    )
    found = edits.claims(
        "She had a small stroke at 66. Nothing else is known. So the risk is slightly raised.", original
    )
    assert [c.section for c in found] == ["Findings", "Findings", "Conclusion"]
