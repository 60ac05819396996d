"""Raw answers of every shape: each is read or named, none raises."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wherefore.synth.answers import parse
from wherefore.synth.answers.message import length
from wherefore.synth.styles import STYLES, Style
from wherefore.synth.teaching import Request, usage

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PIECES = ["choices", "message", "content", "claims", "text", "evidence", "verdict", "usage", "prompt_tokens"]
SHAPED = st.recursive(
    ANY,
    lambda inner: st.dictionaries(st.sampled_from(PIECES), inner | st.lists(inner, max_size=2), max_size=4),
)


def body(content: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}}]}


def request(style: Style) -> Request:
    return Request("k", {"messages": []}, None, style, 0, None)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(SHAPED)
def test_no_answer_raises(found: Any) -> None:
    for answer in (
        body(found),
        body(json.dumps(found)),
        found if isinstance(found, dict) else {"choices": [found]},
    ):
        for style in (*STYLES.values(), Style(name="x", form="checks"), Style(name="y", form="object")):
            parse.read(answer, style, {"messages": [{"role": "user", "content": "Explain."}]})
            parse.unread(answer, request(style))
        parse.read_checks(answer, 3)
        length(answer)
        assert all(n is None or n >= 0 for n in usage(answer))


CLAIM = '{"claims": [{"section": "", "text": "Stroke.", "evidence": ["E007"]}], "verdict": 1}'


@pytest.mark.parametrize(
    "content",
    [
        CLAIM,
        [{"type": "text", "text": CLAIM[:20]}, {"type": "text", "text": CLAIM[20:]}],
        f"<think>{{maybe}}</think>{CLAIM}",
        f"the block began in the prompt {{so}} </think>{CLAIM}",
        f"In braces {{like these}}: {CLAIM} and {{again}}.",
        f"```json\n{CLAIM[:-1]},}}\n```",
        CLAIM.replace('"E007"', '"e7"'),
        CLAIM.replace('"E007"', '"[E007-E007]"'),
        CLAIM.replace("1}", "1.0}"),
        CLAIM.replace('"verdict": 1', '"verdict": "Yes"'),
    ],
)
def test_untidy_answers_are_read(content: Any) -> None:
    answer = parse.read(body(content), STYLES["free"])
    assert answer.reason is None, answer
    assert [(c.text, c.cites) for c in answer.claims] == [("Stroke.", ("E007",))]
    assert answer.verdict == 1


def test_half_a_character_and_depth_without_end() -> None:
    answer = parse.read(body(CLAIM.replace("Stroke", "Stroke \\ud83d")), STYLES["free"])
    assert answer.claims[0].text == "Stroke ?."
    deep = parse.read(body('{"claims": ' + "[" * 100_000), STYLES["free"])
    assert deep.reason == "not_json"


def test_an_objection_counts_among_two_words_about_one_claim() -> None:
    said = [
        {"claim": "1", "supported": "false", "why": "no"},
        {"claim": 1, "supported": True, "why": "yes"},
        {"claim": 2, "supported": "true", "why": ""},
        {"claim": 9, "supported": True, "why": "there is no ninth"},
    ]
    assert parse.read_checks(body(json.dumps({"checks": said})), 3) == [(False, "no"), (True, ""), None]
