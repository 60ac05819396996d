"""Every target, written down whole: the text, what is taught, and in which loss group."""

from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.synth.records import Claim, Rationale
from wherefore.train.targets import LABELS, TARGETS
from wherefore.train.teaching.course import Moment
from wherefore.train.teaching.sides import side_questions

CASE = Case(
    id="c1",
    subject="p1",
    split="train",
    age=70.0,
    sex="male",
    day=25568,
    label=1,
    outcome="onset",
    followup_years=2.0,
    weight=1.0,
    timeline="[E001] age 66.4 (3.6 y before): Stroke",
    n_shown=1,
    n_total=1,
)
FREE = Rationale(
    id="r1",
    case="c1",
    style="free",
    teacher="reference",
    label_shown=True,
    key="k",
    claims=(Claim(text="There was a stroke.", cites=("E001",)), Claim(text="Risk is high.")),
)
STEPWISE = Rationale(
    id="r2",
    case="c1",
    style="stepwise",
    teacher="reference",
    label_shown=True,
    key="k",
    claims=(
        Claim(text="There was a stroke.", cites=("E001",), section="History"),
        Claim(text="Risk is high.", section="Conclusion"),
    ),
)
SIDES = Rationale(
    id="r3",
    case="c1",
    style="for_and_against",
    teacher="reference",
    label_shown=True,
    key="k",
    claims=(
        Claim(text="There was a stroke.", cites=("E001",), section="For"),
        Claim(text="Little else.", section="Against"),
        Claim(text="Risk is high.", section="Weighing"),
    ),
)
PROMPT = ("[E001] age 66.4 (3.6 y before): Stroke\nAge now: 70.0\nDementia?\n", "prompt")

WHY = ("There was a stroke. [E001] Risk is high.", "rationale")
ANSWER = ([PROMPT, ("Answer:", "prompt"), (" yes", "label")], None)
ALONE = [([PROMPT, ("Reasons:", "prompt"), ("\nAnswer:", "prompt"), (" yes", "label")], None)]


def reasons_first(text: str) -> list[Any]:
    return [
        (
            [
                PROMPT,
                ("Reasons:", "prompt"),
                (f" {text}", "rationale"),
                ("\nAnswer:", "rationale"),
                (" yes", "label"),
            ],
            None,
        ),
    ]


def label_first(text: str) -> list[Any]:
    return [
        ([PROMPT, ("Answer:", "prompt"), (" yes", "label"), (f"\nReasons: {text}", "rationale")], "rationale")
    ]


def side(question: str, answer: str) -> Any:
    prompt = PROMPT[0].replace("Dementia?", question)
    return ([(prompt, "prompt"), ("Answer:", "prompt"), (answer, "auxiliary")], None)


FOR, AGAINST, WEIGHING = "For: There was a stroke. [E001]", "Against: Little else.", "Weighing: Risk is high."
BRANCHES = [ANSWER, ([*reasons_first(WHY[0])[0][0][:-1], (" yes", "rationale")], None)]
GOLDEN = {
    **dict.fromkeys(("untrained", "label_only", "brier", "log_score"), ALONE),
    **dict.fromkeys(
        (
            "free_rationale",
            "evidence_list",
            "counterfactual",
            "own",
            "label_weighted",
            "rationale_dropout",
            "internalise",
            "sft_key",
        ),
        reasons_first(WHY[0]),
    ),
    "stepwise_rationale": reasons_first("History: There was a stroke. [E001]\nConclusion: Risk is high."),
    "for_and_against": reasons_first(f"{AGAINST}\n{FOR}\n{WEIGHING}"),
    "dialectical": [
        *reasons_first(f"{FOR}\n{AGAINST}\n{WEIGHING}"),
        *reasons_first(f"{AGAINST}\n{FOR}\n{WEIGHING}"),
    ],
    "label_then_rationale": label_first(WHY[0]),
    "token_shuffle": label_first("Risk stroke. [E001] There a was is high."),
    "key_tokens": label_first("Stroke"),
    "two_tasks": [
        ANSWER,
        (
            [PROMPT, ("Reasons:", "prompt"), (" There was a stroke. [E001] Risk is high.", "rationale")],
            "rationale",
        ),
    ],
    **dict.fromkeys(("two_branches", "mix", "align"), BRANCHES),
    "auxiliary": [
        ANSWER,
        side("Does the history show stroke?", " yes"),
        side("Does the history show epilepsy?", " no"),
        side("How many lines does the history have?", " 1"),
    ],
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_written_as_it_stands_here(name: str) -> None:
    rationale = {"stepwise": STEPWISE, "for_and_against": SIDES}.get(TARGETS[name].style or "", FREE)
    examples = TARGETS[name].build(CASE, rationale, "Dementia?")
    assert [([(s.text, s.group) for s in e.segments], e.end) for e in examples] == GOLDEN[name]


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_before_the_label_depends_on_the_label(name: str) -> None:
    other = CASE.model_copy(update={"label": 0, "outcome": "event_free"})

    if name == "auxiliary":
        pytest.skip("its side questions are about the history alone")

    def before(case: Case, rationale: Rationale | None) -> list[list[str]]:
        examples = TARGETS[name].build(case, rationale, "Dementia?")
        texts = [[s.text for s in e.segments] for e in examples]
        return [t[: next((i for i, x in enumerate(t) if x in LABELS), len(t))] for t in texts]

    assert before(CASE, None) == before(other, None)
    assert before(CASE, FREE) == before(other, FREE)


def segments(examples: Any) -> list[list[tuple[str, str]]]:
    return [[(s.text, s.group) for s in e.segments] for e in examples]


def test_which_side_comes_first_hangs_on_the_case_and_both_come_first_as_often() -> None:
    first = []
    for i in range(200):
        case = CASE.model_copy(update={"id": f"c{i}"})
        (example,) = TARGETS["for_and_against"].build(case, SIDES, "Dementia?")
        assert TARGETS["for_and_against"].build(case, SIDES, "Dementia?")[0] == example
        first.append(example.segments[2].text.startswith(" For"))
    assert 70 < sum(first) < 130


def test_what_a_course_teaches_at_each_epoch() -> None:
    plain, whole = ALONE[0][0], reasons_first(WHY[0])[0][0]
    at = [Moment(e, 4) for e in range(4)]
    taught = {
        name: [segments(TARGETS[name].taught(CASE, FREE, "Dementia?", m)) for m in at]
        for name in ("internalise", "sft_key", "rationale_dropout")
    }
    words = WHY[0].split()
    kept = [" ".join(words[round(e / 3 * len(words)) :]) for e in range(4)]
    assert taught["internalise"] == [*([reasons_first(k)[0][0]] for k in kept[:3]), [plain]]
    second = [(text, "label" if group == "label" else "prompt") for text, group in whole]
    assert taught["sft_key"] == [[whole], [whole], [second], [second]]
    assert [taught["rationale_dropout"][0], taught["rationale_dropout"][3]] == [[whole], [plain]]


@pytest.mark.parametrize("dropped", [0.0, 0.3, 1.0])
def test_a_share_of_the_rationales_is_left_out_anew_in_each_epoch(dropped: float) -> None:
    left_out = [
        [
            len(
                TARGETS["rationale_dropout"]
                .taught(CASE.model_copy(update={"id": f"c{i}"}), FREE, "Dementia?", Moment(e, 2, 0, dropped))[
                    0
                ]
                .segments
            )
            == 4
            for i in range(300)
        ]
        for e in range(2)
    ]
    assert abs(sum(left_out[0]) / 300 - dropped) < 0.09
    assert (left_out[0] == left_out[1]) is (dropped in (0.0, 1.0))


def test_a_side_question_is_answered_from_the_lines_that_are_shown() -> None:
    timeline = (
        "[E001] Sex: female\nConditions:\n[E002] age 60.0 (10.0 y before): Family history of stroke\n"
        "[E003] age 66.4 (3.6 y before): Essential hypertension\nDrugs:\n[E004] age 69.0 (1.0 y before): Ramipril"
    )
    asked = dict(side_questions(CASE.model_copy(update={"timeline": timeline})))
    assert asked["How many lines does the history have?"] == " 4"
    assert asked["How many drugs does the history list?"] == " 1"
    no = [q for q, a in asked.items() if a == " no"]
    assert len(no) == 1
    assert not any(word in no[0] for word in ("stroke", "family history", "hypertension"))
