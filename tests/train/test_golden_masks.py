"""Fourteen kinds of tokenizers and templates x every target: the text, its loss groups, and the label."""

import importlib.util
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.study.errors import StudyError
from wherefore.synth.records import Claim, Rationale
from wherefore.train.encoding.encoder import LABEL, PROMPT, RATIONALE, Encoder
from wherefore.train.encoding.template import PLAIN, Thinking, turn
from wherefore.train.records import Segment
from wherefore.train.targets import TARGETS
from wherefore.train.teaching.wording import shuffled

_spec = importlib.util.spec_from_file_location("families", Path(__file__).with_name("families.py"))
assert _spec
assert _spec.loader
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)
FAMILIES = families.FAMILIES

DAY = date(2026, 1, 1)
HOSTILE = "</s> <|im_end|> <|eot_id|> <end_of_turn> [/INST] <think> <|end|> <|channel|> <｜Assistant｜> <eos>"
"""Text that some tokenizer would take for control tokens."""
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
    n_shown=1,
    n_total=1,
    timeline=f"[E001] age 66.4 (3.6 y before): Stroke {HOSTILE}",
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
WHY = " There was a stroke. [E001] Risk is high."
PROMPTED = f"[E001] age 66.4 (3.6 y before): Stroke {HOSTILE}\nAge now: 70.0\nDementia?"

Stretches = list[list[tuple[int, str]]]
ALONE: Stretches = [[(PROMPT, "Reasons:\nAnswer:"), (LABEL, " yes")]]
FIRST: Stretches = [[(PROMPT, "Reasons:"), (RATIONALE, f"{WHY}\nAnswer:"), (LABEL, " yes")]]
BRANCHES: Stretches = [
    [(PROMPT, "Answer:"), (LABEL, " yes")],
    [(PROMPT, "Reasons:"), (RATIONALE, f"{WHY}\nAnswer: yes")],
]


def behind(why: str) -> Stretches:
    """The label, then some reasons."""
    return [[(PROMPT, "Answer:"), (LABEL, " yes"), (RATIONALE, f"\nReasons:{why}")]]


SHARES: dict[str, Stretches] = {
    **dict.fromkeys(("untrained", "label_only", "brier", "log_score"), ALONE),
    **dict.fromkeys(
        (
            "free_rationale",
            "stepwise_rationale",
            "evidence_list",
            "counterfactual",
            "own",
            "label_weighted",
            "for_and_against",
            "rationale_dropout",
            "internalise",
            "sft_key",
        ),
        FIRST,
    ),
    "dialectical": FIRST * 2,
    "label_then_rationale": behind(WHY),
    "token_shuffle": behind(f" {shuffled(WHY, 'c1')}"),
    "key_tokens": behind(f" Stroke {HOSTILE}"),
    "two_tasks": [[(PROMPT, "Answer:"), (LABEL, " yes")], [(PROMPT, "Reasons:"), (RATIONALE, WHY)]],
    **dict.fromkeys(("two_branches", "mix", "align"), BRANCHES),
    "auxiliary": [[(PROMPT, "Answer:"), (LABEL, " yes")]],  # its side questions: test_train_targets.py
}
"""What follows the prompt, and the loss group of each stretch."""
ENDED = {"label_then_rationale": {0}, "token_shuffle": {0}, "key_tokens": {0}, "two_tasks": {1}}
"""Examples with a token that ends the text, in the group of the rationale."""


def encoder(name: str, thinking: Thinking = "off") -> Encoder:
    tokenizer = families.tokenizer(name)
    spoken = turn(tokenizer, name, thinking, DAY) if FAMILIES[name].template else PLAIN
    return Encoder(tokenizer, 1000, spoken, name=name)


def stretches(row: Any, e: Encoder) -> list[tuple[int, str]]:
    """The text up to the end of each stretch of one group, without what it had before."""
    out: list[tuple[int, str]] = []
    edges = [i for i in range(1, len(row.ids)) if row.groups[i] != row.groups[i - 1]] + [len(row.ids)]
    seen = ""
    for edge in edges:
        text = e.decode(row.ids[:edge])
        assert text.startswith(seen)
        out.append((row.groups[edge - 1], text[len(seen) :]))
        seen = text
    return out


def test_every_target_has_its_golden_text() -> None:
    assert set(SHARES) == set(TARGETS.own)


@pytest.mark.parametrize("target", SHARES)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_text_and_its_loss_groups(name: str, target: str) -> None:
    e, family = encoder(name), FAMILIES[name]
    start = e.decode(e.start)
    newline = "" if family.rstrip else "\n"  # phi-3's control tokens swallow what follows them
    before, after = (x.replace("\n", newline) for x in (family.before, family.after))
    before = before.replace("<s>", "<s> ") if family.blank else before
    prompt = PROMPTED if family.template else f"{PROMPTED}\n"
    examples = TARGETS[target].build(CASE, FREE, "Dementia?")
    examples = examples[:1] if target == "auxiliary" else examples
    for number, (example, shares) in enumerate(zip(examples, SHARES[target], strict=True)):
        row = e.row(example)
        (group, first), *rest = shares
        want = [(group, f"{start}{before}{prompt}{after}{first}"), *rest]
        if number in ENDED.get(target, ()):
            want[-1] = (want[-1][0], want[-1][1] + family.end)
        assert stretches(row, e) == want
        if any(g == LABEL for g, _ in shares):
            counted = [i for i, g in zip(row.ids, row.groups, strict=True) if g == LABEL]
            assert tuple(counted) == e.labels.tokens[1]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_record_holds_no_control_token(name: str) -> None:
    """What looks like one in the case's text is spelled out; our own are there as often as the template has them."""
    e, family = encoder(name), FAMILIES[name]
    row = e.row(TARGETS["label_only"].build(CASE, None, "Dementia?")[0])
    ours = e.decode(e.start) + family.before + family.after
    control = [i for i in row.ids if i in set(e.controls.ids.values())]
    assert len(control) == len(e.controls._pattern.findall(ours))
    if family.template:
        plain = PROMPTED.replace(f" {HOSTILE}", "")
        case = CASE.model_copy(update={"timeline": CASE.timeline.replace(f" {HOSTILE}", "")})
        row = e.row(TARGETS["label_only"].build(case, None, "Dementia?")[0])
        text = f"{family.before}{plain}{family.after}Reasons:\nAnswer: yes"
        assert (
            list(row.ids) == e.tokenizer(text, add_special_tokens=False)["input_ids"]
        )  # as anybody would encode it


@pytest.mark.parametrize("name", FAMILIES)
def test_what_is_read_stands_where_it_was_taught(name: str) -> None:
    """The ids before the label, or before the reasons, are those of the taught row up to there."""
    e = encoder(name)
    for target in ("label_only", "free_rationale", "label_then_rationale"):
        (taught,) = TARGETS[target].build(CASE, FREE, "Dementia?")
        row = e.row(taught)
        place = next(i for i, s in enumerate(taught.segments) if s.text == " yes")
        assert e.before(taught.segments, place) == list(row.ids[: row.groups.index(LABEL)])
    (asked,) = TARGETS["free_rationale"].build(CASE, None, "Dementia?")
    (taught,) = TARGETS["free_rationale"].build(CASE, FREE, "Dementia?")
    row = e.row(taught)
    assert e.before(asked.segments, 2) == list(row.ids[: row.groups.index(RATIONALE)])


NATIVE = {
    "qwen3": ("<think>\n", "\n</think>\n\n"),
    "deepseek-r1-distill": ("<think>\n", "\n</think>\n\n"),
    "glm4": ("<think>\n", "\n</think>\n\n"),
    "gpt-oss": ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
}


@pytest.mark.parametrize("name", NATIVE)
def test_reasons_may_be_taught_as_the_bases_own_thought(name: str) -> None:
    e, family, (begin, close) = encoder(name, "native"), FAMILIES[name], NATIVE[name]
    head = f"{family.before}{PROMPTED}{family.open}"
    (example,) = TARGETS["free_rationale"].build(CASE, FREE, "Dementia?")
    want = [(PROMPT, head + begin), (RATIONALE, f"{WHY.strip()}{close}Answer:"), (LABEL, " yes")]
    assert stretches(e.row(example), e) == want
    (example,) = TARGETS["label_then_rationale"].build(CASE, FREE, "Dementia?")
    want = [
        (PROMPT, f"{head}{begin}{close}Answer:"),
        (LABEL, " yes"),
        (RATIONALE, f"\nReasons:{WHY}{family.end}"),
    ]
    assert stretches(e.row(example), e) == want
    assert e.answer_frame == f"{close}Answer:"
    assert e.decode(e.answer_ids("so.")) == f"so.{close}Answer:"


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - set(NATIVE)))
def test_a_base_without_a_thought_is_not_taught_one(name: str) -> None:
    if FAMILIES[name].template:
        with pytest.raises(StudyError, match="has no thought that reasons could be written into"):
            encoder(name, "native")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_multi_token_label_is_counted_whole(name: str) -> None:
    e = encoder(name)
    words = (" no dementia at all", " dementia within five years")
    e = Encoder(e.tokenizer, 1000, e.turn, words=words, name=name)
    label = Segment(text=words[1], group="label")
    example = TARGETS["label_only"].build(CASE, None, "Dementia?")[0]
    row = e.row(example.model_copy(update={"segments": (*example.segments[:-1], label)}))
    counted = tuple(i for i, g in zip(row.ids, row.groups, strict=True) if g == LABEL)
    assert counted == e.labels.tokens[1]
    assert len(counted) > 1
    assert e.decode(row.ids).endswith("Answer: dementia within five years")
