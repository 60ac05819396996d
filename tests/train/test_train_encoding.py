"""Segments become tokens whose loss groups are known one by one; the label is one token in any tokenizer."""

from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.study.errors import DataError, StudyError
from wherefore.synth.records import Rationale
from wherefore.train.encoding.encoder import LABEL, PROMPT, RATIONALE, Encoder, label_tokens
from wherefore.train.targets import TARGETS

TAUGHT = {
    "label_only": [(LABEL, " yes")],
    "free_rationale": [(RATIONALE, " There is stroke. [E001] Risk is high."), (RATIONALE, "\nAnswer:"),
                       (LABEL, " yes")],
    "label_then_rationale": [(LABEL, " yes"), (RATIONALE, "\nReasons: There is stroke. [E001] Risk is high."),
                             (RATIONALE, "</s>")],
}  # fmt: skip
"""What the loss counts, for a case with a stroke: the rest is prompt, to the last token."""


@pytest.fixture
def stroke(cases: list[Case]) -> Case:
    return next(c for c in cases if c.label == 1)


@pytest.mark.parametrize("target", TAUGHT)
def test_the_mask_covers_exactly_what_is_taught(
    target: str, stroke: Case, reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    encoder = loaded[1]
    (example,) = TARGETS[target].build(stroke, reasons[stroke.id], "Dementia?")
    row = encoder.row(example)
    want = [(group, token) for group, text in TAUGHT[target] for token in encoder.text_ids(text)]
    counted = [(g, i) for g, i in zip(row.groups, row.ids, strict=True) if g != PROMPT]
    assert counted == want
    assert row.groups.count(LABEL) == 1
    assert row.groups[0] == PROMPT
    before = len(row.ids) - len(want)
    opening = (
        "Answer:" if target == "label_then_rationale" else "Reasons:" if RATIONALE in row.groups else None
    )
    text = f"{stroke.timeline}\nAge now: {stroke.age}\nDementia?\n" + (opening or "Reasons:\nAnswer:")
    assert encoder.tokenizer.decode(row.ids[:before]) == "<s>" + text


def test_the_label_is_one_token_of_two_that_differ(loaded: tuple[Any, Encoder]) -> None:
    encoder = loaded[1]
    assert [encoder.tokenizer.decode([t]) for t in encoder.labels] == [" no", " yes"]


def test_a_tokenizer_without_one_token_labels_is_refused() -> None:
    class Letters:
        name_or_path, unk_token_id = "letters", None

        def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
            return {"input_ids": [ord(c) for c in text] * 2}

    with pytest.raises(StudyError, match="writes none of"):
        label_tokens(Letters())


def test_a_long_prompt_loses_its_first_lines_and_says_so(stroke: Case, loaded: tuple[Any, Encoder]) -> None:
    encoder = loaded[1]
    (example,) = TARGETS["label_only"].build(stroke, None, "Dementia?")
    whole = encoder.row(example)
    short = Encoder(encoder.tokenizer, len(whole.ids) - 1).row(example)
    assert (whole.truncated, short.truncated) == (False, True)
    kept = encoder.tokenizer.decode(short.ids)
    assert kept == "<s>" + encoder.tokenizer.decode(whole.ids).split("\n", 1)[1]
    with pytest.raises(DataError, match="max_length: 5 tokens do not hold"):
        Encoder(encoder.tokenizer, 5).row(example)


def test_a_chat_model_gets_the_case_as_the_users_turn(stroke: Case, loaded: tuple[Any, Encoder]) -> None:
    tokenizer = loaded[1].tokenizer
    tokenizer.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
    row = Encoder(tokenizer, 1024, chat=True).row(TARGETS["label_only"].build(stroke, None, "Dementia?")[0])
    text = f"<user>{stroke.timeline}\nAge now: {stroke.age}\nDementia?\n<assistant>Reasons:\nAnswer: yes"
    assert tokenizer.decode(row.ids) == text
