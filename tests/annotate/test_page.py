"""The page follows from the rubric; a form goes there and back."""

import xml.dom.minidom

import pytest

from wherefore.annotate import rubric
from wherefore.annotate.answers import accept
from wherefore.annotate.design.items import Item
from wherefore.annotate.graded import GradedForm, Mark, Text
from wherefore.annotate.label_studio import forms, page
from wherefore.annotate.records import Condition, Rubric, Task
from wherefore.study.config import Study
from wherefore.synth.records import Claim

STUDY = Study(name="t", cohort={})
CLAIMS = tuple(Claim(text=f"Claim {i}.") for i in range(3))
ITEM = Item(id="i", rationale="r", case="c", round="main", claims=CLAIMS, stratum="x")
TASK = Task(item="i", rater="ann", rationale="r", case="c", order=0)


@pytest.mark.parametrize("name", rubric.ready())
@pytest.mark.parametrize("most", [1, 7, 10, 14, 25])
def test_every_choice_of_every_rubric_has_a_key_of_its_own(name: str, most: int) -> None:
    r = rubric.load(STUDY, name)
    text = page.config(r, show_label=True, sentences=most)
    choices = xml.dom.minidom.parseString(text.encode()).getElementsByTagName("Choice")
    keys = [c.getAttribute("hotkey") for c in choices]
    assert all(keys), "a choice without a key gets a stray one from Label Studio"
    real = [k for k in keys if k != page.NO_KEY]
    assert len(set(real)) == len(real)
    assert not any("," in k for k in keys), "Label Studio reads a comma as 'or'"
    if any(d.per_claim for d in r.dimensions):
        assert {str(n % 10) for n in range(1, min(most, 10) + 1)} <= set(real)
    assert len(choices) == sum(len(d.categories) * (most if d.per_claim else 1) for d in r.dimensions)


def test_what_a_rubric_says_is_escaped() -> None:
    odd = {
        "name": "odd",
        "guideline": "<b>& ]]>",
        "dimensions": [
            {
                "name": "odd",
                "question": '"<script>" & more?',
                "level": "nominal",
                "categories": ["a", "b"],
                "anchors": ["<1 & 2>", '"b"'],
            }
        ],
    }
    text = page.config(Rubric.model_validate(odd), show_label=False, sentences=3)
    values = [
        c.getAttribute("value")
        for c in xml.dom.minidom.parseString(text.encode()).getElementsByTagName("Choice")
    ]
    assert values == ["<1 & 2>", '"b"']
    assert "<script>" not in text


def test_a_form_goes_there_and_back() -> None:
    r = rubric.load(STUDY, "clinical")
    marks = [
        Mark(dimension="support", claim=c, value=v)
        for c, v in enumerate(["supported", "partly", "inference"])
    ]
    marks += [Mark(dimension="fault", claim=1, value="wrong_time")]
    marks += [
        Mark(dimension=d, value=v)
        for d, v in (("accuracy", "3"), ("faithfulness", "4"), ("harm", "none"), ("accept", "edit"))
    ]
    texts = (Text(kind="note", claim=1, text="1 year off"), Text(kind="edited", text="As it should be."))
    sent = GradedForm(item="i", rater="ann", round="main", marks=tuple(marks), texts=texts, seconds=60)
    form = forms.write(sent)
    assert [c["from_name"] for c in form[:3]] == ["support_1", "support_2", "support_3"]
    back, said = forms.read(form)
    assert (set(back), set(said)) == (set(marks), set(texts))
    got = accept([sent], [TASK], {"i": ITEM}, r)
    assert not got.faults
    assert len(got.ratings) == 8
    assert [(n.kind, n.claim, n.text) for n in got.notes] == [
        ("note", 1, "1 year off"),
        ("edited", None, "As it should be."),
    ]


@pytest.mark.parametrize("n", [1, 2, 10, 11, 12, 20, 21, 31])
def test_every_sentence_finds_its_way_back_however_many_there_are(n: int) -> None:
    marks = tuple(Mark(dimension="support", claim=c, value=("supported", "partly")[c % 2]) for c in range(n))
    form = forms.write(GradedForm(item="i", rater="ann", round="main", marks=marks))
    assert len({control["from_name"] for control in form}) == n
    assert forms.read(form)[0] == marks
    assert form[-1]["from_name"] == f"support_{n}"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"dimension": "sond"}, "unknown_control"),
        ({"value": "maybe"}, "unknown_value"),
        ({"claim": 0}, "unknown_claim"),
        ({"dimension": "harm", "value": "none"}, "answered_twice"),
    ],
)
def test_a_form_with_a_fault_counts_for_nothing_and_is_listed(change: dict[str, object], fault: str) -> None:
    r = rubric.load(STUDY, "short")
    marks = (
        Mark(dimension="sound", value="yes").model_copy(update=change),
        Mark(dimension="harm", value="none"),
    )
    got = accept([GradedForm(item="i", rater="ann", round="main", marks=marks)], [TASK], {"i": ITEM}, r)
    assert fault in {f.fault for f in got.faults}
    assert not any(f.counted for f in got.faults)
    assert got.ratings == ()
    assert got.done == frozenset()


def test_an_answer_to_nobodys_task_is_listed() -> None:
    r = rubric.load(STUDY, "short")
    got = accept([GradedForm(item="x", rater="ann", round="main", marks=())], [TASK], {"i": ITEM}, r)
    assert [f.fault for f in got.faults] == ["not_assigned"]


def test_an_answer_to_what_was_not_asked_is_left_out_and_listed() -> None:
    r = rubric.load(STUDY, "clinical")
    marks = [Mark(dimension="support", claim=c, value="supported") for c in range(3)]
    marks += [
        Mark(dimension=d, value=v)
        for d, v in (("accuracy", "1"), ("faithfulness", "4"), ("harm", "none"), ("accept", "accept"))
    ]
    stale = Mark(dimension="fault", claim=1, value="wrong_time")
    edit = Text(kind="edited", text="A correction that was begun and given up.")
    form = GradedForm(item="i", rater="ann", round="main", marks=(*marks, stale), texts=(edit,), seconds=60)
    got = accept([form], [TASK], {"i": ITEM}, r)
    assert [f.fault for f in got.faults] == ["not_asked", "not_asked", "contradiction"]
    assert "unusable" in got.faults[2].detail
    assert all(f.counted for f in got.faults)
    assert len(got.ratings) == 7
    assert not got.notes


def test_why_an_item_is_skipped_is_kept() -> None:
    r = rubric.load(STUDY, "clinical")
    why = Text(kind="comment", text="I know this patient.")
    form = GradedForm(item="i", rater="ann", round="main", marks=(), texts=(why,), skipped=True)
    got = accept([form], [TASK], {"i": ITEM}, r)
    assert got.done == {("main", "ann", "i")}
    assert [(f.fault, f.detail) for f in got.faults] == [
        ("skipped", "the rater skipped it: I know this patient.")
    ]
    assert [n.text for n in got.notes] == ["I know this patient."]
    assert not got.ratings


def test_an_adjudicators_correction_that_cites_what_is_not_there_comes_back() -> None:
    r = rubric.load(STUDY, "short").model_copy(
        update={"edit_when": Condition(dimension="sound", any_of=("no",))}
    )
    marks = (Mark(dimension="sound", value="no"), Mark(dimension="harm", value="none"))
    edit = Text(kind="edited", text="A stroke. [E002] And more. [E099]")
    for round, counts in (("main", True), ("adjudication", False)):
        task = TASK.model_copy(update={"round": round})
        form = GradedForm(item="i", rater="ann", round=round, marks=marks, texts=(edit,))
        got = accept([form], [task], {"i": ITEM}, r, lambda _: {"E001", "E002"})
        assert bool(got.done) == counts
        if not counts:
            assert [f.detail for f in got.faults] == [
                "the correction cites E099, which is not a line of the timeline"
            ]
