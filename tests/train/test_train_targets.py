"""Every target, written down whole: the text, what is taught, and in which loss group."""

import pytest

from wherefore.cohort.records import Case
from wherefore.synth.records import Claim, Rationale
from wherefore.train.targets import LABELS, TARGETS

CASE = Case(
    id="c1", subject="p1", split="train", age=70.0, sex="male", day=25568, label=1, outcome="onset",
    followup_years=2.0, weight=1.0, timeline="[E001] age 66.4 (3.6 y before): Stroke", n_shown=1, n_total=1,
)  # fmt: skip
FREE = Rationale(
    id="r1", case="c1", style="free", teacher="reference", label_shown=True, key="k",
    claims=(Claim(text="There was a stroke.", cites=("E001",)), Claim(text="Risk is high.")),
)  # fmt: skip
STEPWISE = Rationale(
    id="r2", case="c1", style="stepwise", teacher="reference", label_shown=True, key="k",
    claims=(Claim(text="There was a stroke.", cites=("E001",), section="History"),
            Claim(text="Risk is high.", section="Conclusion")),
)  # fmt: skip
PROMPT = ("[E001] age 66.4 (3.6 y before): Stroke\nAge now: 70.0\nDementia?\n", "prompt")

ANSWER = ([PROMPT, ("Answer:", "prompt"), (" yes", "label")], None)
GOLDEN = {
    "label_only": [([PROMPT, ("Reasons:", "prompt"), ("\nAnswer:", "prompt"), (" yes", "label")], None)],
    "free_rationale": [
        ([PROMPT, ("Reasons:", "prompt"), (" There was a stroke. [E001] Risk is high.", "rationale"),
          ("\nAnswer:", "rationale"), (" yes", "label")], None),
    ],
    "stepwise_rationale": [
        ([PROMPT, ("Reasons:", "prompt"),
          (" History: There was a stroke. [E001]\nConclusion: Risk is high.", "rationale"),
          ("\nAnswer:", "rationale"), (" yes", "label")], None),
    ],
    "label_then_rationale": [
        ([PROMPT, ("Answer:", "prompt"), (" yes", "label"),
          ("\nReasons: There was a stroke. [E001] Risk is high.", "rationale")], "rationale"),
    ],
    "two_tasks": [
        ANSWER,
        ([PROMPT, ("Reasons:", "prompt"), (" There was a stroke. [E001] Risk is high.", "rationale")], "rationale"),
    ],
    "two_branches": [
        ANSWER,
        ([PROMPT, ("Reasons:", "prompt"), (" There was a stroke. [E001] Risk is high.", "rationale"),
          ("\nAnswer:", "rationale"), (" yes", "rationale")], None),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_written_as_it_stands_here(name: str) -> None:
    rationale = {None: None, "free": FREE, "stepwise": STEPWISE}[TARGETS[name].style]
    examples = TARGETS[name].build(CASE, rationale, "Dementia?")
    assert [([(s.text, s.group) for s in e.segments], e.end) for e in examples] == GOLDEN[name]


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_before_the_label_depends_on_the_label(name: str) -> None:
    other = CASE.model_copy(update={"label": 0, "outcome": "event_free"})

    def before(case: Case, rationale: Rationale | None) -> list[list[str]]:
        examples = TARGETS[name].build(case, rationale, "Dementia?")
        texts = [[s.text for s in e.segments] for e in examples]
        return [t[: next((i for i, x in enumerate(t) if x in LABELS), len(t))] for t in texts]

    assert before(CASE, None) == before(other, None)
    assert before(CASE, FREE) == before(other, FREE)
