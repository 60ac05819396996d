"""Segments become tokens whose loss groups are known one by one; a template, a clock and a long history are met."""

import copy
from datetime import date
from typing import Any

import pytest

from wherefore.cohort.records import Case
from wherefore.study.errors import DataError, StudyError
from wherefore.synth.records import Claim, Rationale
from wherefore.train.encoding.encoder import LABEL, PROMPT, RATIONALE, Encoder
from wherefore.train.encoding.history import HistoryShortener, answer_tokens
from wherefore.train.encoding.labels import LabelSet, label_set
from wherefore.train.encoding.template import frozen, turn
from wherefore.train.targets import TARGETS

TAUGHT = {
    "label_only": [(LABEL, " yes")],
    "free_rationale": [
        (RATIONALE, " There is stroke. [E001] Risk is high."),
        (RATIONALE, "\nAnswer:"),
        (LABEL, " yes"),
    ],
    "label_then_rationale": [
        (LABEL, " yes"),
        (RATIONALE, "\nReasons: There is stroke. [E001] Risk is high."),
        (RATIONALE, "</s>"),
    ],
}
"""What the loss counts, for a case with a stroke: the rest is prompt, to the last token."""
DAY = date(2026, 1, 1)


@pytest.fixture
def stroke(cases: list[Case]) -> Case:
    return next(c for c in cases if c.label == 1)


@pytest.mark.parametrize("target", TAUGHT)
def test_the_mask_covers_exactly_what_is_taught(
    target: str, stroke: Case, reasons: dict[str, Rationale], loaded: tuple[Any, Encoder]
) -> None:
    """The made base's tokenizer joins punctuation with the blank behind it; at the frames it is parted."""
    encoder = loaded[1]
    (example,) = TARGETS[target].build(stroke, reasons[stroke.id], "Dementia?")
    row = encoder.row(example)
    edges = [i for i in range(1, len(row.ids)) if row.groups[i] != row.groups[i - 1]] + [len(row.ids)]
    opening = (
        "Answer:" if target == "label_then_rationale" else "Reasons:" if RATIONALE in row.groups else None
    )
    text = f"<s>{stroke.timeline}\nAge now: {stroke.age}\nDementia?\n" + (opening or "Reasons:\nAnswer:")
    shares: list[tuple[int, str]] = [(PROMPT, text)]
    for group, piece in TAUGHT[target]:
        if shares[-1][0] == group:
            shares[-1] = (group, shares[-1][1] + piece)
        else:
            shares.append((group, piece))
    found = [
        (row.groups[b - 1], encoder.decode(row.ids[a:b])) for a, b in zip([0, *edges], edges, strict=False)
    ]
    assert found == shares
    assert row.groups.count(LABEL) == 1


def test_the_label_is_one_token_where_it_can_be(loaded: tuple[Any, Encoder]) -> None:
    labels = loaded[1].labels
    assert labels.single
    assert [loaded[1].decode(t) for t in labels.tokens] == [" no", " yes"]


def test_the_first_spelling_with_one_token_each_is_taken_else_the_first_that_can_be_told_apart() -> None:
    def encode(known: dict[str, int]) -> Any:
        return lambda word: (known[word],) if word in known else tuple(ord(c) for c in word)

    assert label_set(["no", "yes"], encode({"No": 1, "Yes": 2}), None, "b") == LabelSet(
        ("No", "Yes"), ((1,), (2,))
    )
    spelled = label_set(["no", "yes"], encode({" no": 1}), None, "b")
    assert (spelled.words, spelled.tokens) == ((" no", " yes"), ((1,), (32, 121, 101, 115)))
    with pytest.raises(StudyError, match=r"cannot keep 'no' and 'no pain' apart \(tried ' no pain'"):
        label_set(["no", "no pain"], encode({}), None, "b")  # one begins the other


def chat(tokenizer: Any, template: str) -> Any:
    out = copy.deepcopy(tokenizer)
    out.chat_template = template
    return out


def test_a_chat_model_gets_the_case_as_the_users_turn(stroke: Case, loaded: tuple[Any, Encoder]) -> None:
    spoken = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    template = spoken + "{{ '<assistant>' if add_generation_prompt }}"
    tokenizer = chat(loaded[1].tokenizer, template)
    spoken = turn(tokenizer, "bases.x", "off", DAY)
    row = Encoder(tokenizer, 1024, spoken).row(TARGETS["label_only"].build(stroke, None, "Dementia?")[0])
    text = f"<user>{stroke.timeline}\nAge now: {stroke.age}\nDementia?<assistant>Reasons:\nAnswer: yes"
    assert tokenizer.decode(row.ids) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "bases.x.chat: the tokenizer has no chat template"),
        ("Hello{% if add_generation_prompt %}>{% endif %}", "does not show the case's text"),
        ("{{ messages[0].content }}{{ messages[0].content }}", "does not show the case's text"),
        (
            "{{ raise_exception('Only tools here') }}",
            "does not show the case's text .it fails: Only tools here",
        ),
        ("{% for m in messages %", "does not show the case's text .it fails"),
        (
            "{{ strftime_now(form) }}{{ messages[0].content }}",
            "asks for the date in a way that cannot be frozen",
        ),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(
    template: str | None, message: str, loaded: tuple[Any, Encoder]
) -> None:
    with pytest.raises(StudyError, match=message):
        turn(chat(loaded[1].tokenizer, template), "bases.x", "off", DAY)  # type: ignore[arg-type]


def test_a_template_of_content_parts_is_given_parts(loaded: tuple[Any, Encoder]) -> None:
    """A plain string would be walked letter by letter, and dropped without a word."""
    shown = "{% for c in m.content %}{% if c.type == 'text' %}{{ c.text }}{% endif %}{% endfor %}"
    parts = "{% for m in messages %}{{ m.role }}:" + shown + ";{% endfor %}"
    spoken = turn(chat(loaded[1].tokenizer, parts), "bases.x", "off", DAY)
    assert (spoken.before, spoken.after) == ("user:", ";")


def test_the_clock_of_a_template_stands_still() -> None:
    template = "{% set day = strftime_now(\"%d %B %Y\") %}{{ day }} {{ strftime_now( '%Y-%m-%d' ) }}"
    assert frozen(template, DAY, "b") == "{% set day = '01 January 2026' %}{{ day }} {{ '2026-01-01' }}"


def test_a_long_history_loses_its_oldest_lines_and_keeps_what_has_no_date(
    loaded: tuple[Any, Encoder], stroke: Case, reasons: dict[str, Rationale]
) -> None:
    lines = ["[E001] Sex: female", "Earlier:"]
    lines += [f"[E{n:03d}] age {40 + n}.0 ({30 - n}.0 y before): Finding {n}" for n in range(2, 9)]
    lines += ["Lately:", "[E009] age 45.0 (25.0 y before): Asthma; 3 times, last at 69.5 (0.5 y before)"]
    case = stroke.model_copy(update={"timeline": "\n".join(lines), "n_shown": 9})
    encoder = loaded[1]
    answer = answer_tokens(encoder, reasons.values(), 12)
    whole = encoder.length(TARGETS["label_only"].build(case, None, "Dementia?")[0].segments[:1])
    assert (
        HistoryShortener(Encoder(encoder.tokenizer, whole + answer), "Dementia?", answer)(case).removed
        == set()
    )

    short = HistoryShortener(Encoder(encoder.tokenizer, whole - 30 + answer), "Dementia?", answer)
    found = short(case)
    gone = sorted(found.removed)
    assert gone == [f"E{n:03d}" for n in range(2, 2 + len(gone))]  # the oldest, in their order
    assert found.case.timeline == "\n".join(x for x in lines if x[1:5] not in found.removed)
    assert found.case.n_shown == 9 - len(gone)
    citing = reasons[stroke.id].model_copy(update={"claims": (Claim(text="So.", cites=("E002", "E009")),)})
    assert found.cited(citing) == 1
    assert found.cited(None) == 0
    for target in TAUGHT:  # every target fits into what is left
        for example in TARGETS[target].build(found.case, reasons[stroke.id], "Dementia?"):
            assert short._encoder.row(example)

    left = case.model_copy(update={"timeline": "\n".join([lines[0], *lines[-2:]])})
    room = encoder.length(TARGETS["label_only"].build(left, None, "Dementia?")[0].segments[:1])
    bare = HistoryShortener(Encoder(encoder.tokenizer, room + answer), "Dementia?", answer)(case).case
    assert "Earlier:" not in bare.timeline  # a heading with nothing under it goes
    assert bare.timeline.splitlines()[0] == "[E001] Sex: female"
    with pytest.raises(DataError, match="question and undated lines alone take"):
        HistoryShortener(Encoder(encoder.tokenizer, 20), "Dementia?", 5)(case)
    with pytest.raises(DataError, match="leave 10 for the history beside an answer of"):
        HistoryShortener(Encoder(encoder.tokenizer, 110), "Dementia?", 100)


def test_an_example_that_is_too_long_is_named(stroke: Case, loaded: tuple[Any, Encoder]) -> None:
    (example,) = TARGETS["label_only"].build(stroke, None, "Dementia?")
    with pytest.raises(DataError, match=f"{stroke.id} takes .* tokens, 20 are allowed"):
        Encoder(loaded[1].tokenizer, 20).row(example)
