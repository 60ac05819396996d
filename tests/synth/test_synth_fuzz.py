"""Answers spoilt at random: reading them never raises, and no claim is accepted that is not in the text.

`WHEREFORE_MUTATIONS=100000 pytest tests/synth/test_synth_fuzz.py` tries so many; a few stand for them in every run.
"""

import copy
import html
import importlib.util
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wherefore.synth.answers.message import length
from wherefore.synth.answers.parse import ParsedAnswer, read, read_checks, read_object, unread
from wherefore.synth.styles import STYLES, Style
from wherefore.synth.teaching import Request, usage

_spec = importlib.util.spec_from_file_location("_answers", Path(__file__).with_name("test_synth_answers.py"))
assert _spec
assert _spec.loader
_answers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_answers)

MUTATIONS = int(os.environ.get("WHEREFORE_MUTATIONS", "1500"))
PARTS = 10
"""Of the mutations; each is a test, so that a failure names its seed soon."""
REAL = [json.loads(line) for line in Path(__file__).with_name("real_answers.jsonl").read_text().splitlines()]
SEEDS: list[dict[str, Any]] = list(_answers.WHOLE_ANSWERS.values()) + [
    b for _, b in _answers.UNREADABLE.values()
]
SEEDS += REAL
SIGNS = r"""
{ } [ ] ( ) , : " ' ` \ \n \u00e9 \ud83d ” “ ’ ``` ~~~ // /* */ # ** * _ ... & é 😀
<think> </think> [THINK] [/THINK] <|channel|>final<|message|> assistantfinal analysis <thought>
</thought> <sup> </sup> &quot;
"claims": "text": "evidence": "section": "verdict": null None True NaN 1 0 -1e999
E006 e6 E11 E001-E003 [E006] 【E009】 [cite:6] through and E Reasons: Judgement:
"""
PIECES = [
    *SIGNS.split(),
    "\n",
    " ",
    "\u00a0",
    "\u200b",
    '"claims": [',
    "(see E004 & E006)",
    "ICD-10 E11",
    "- ",
    "1. ",
]
PIECES += ["Answer: yes", "I'm sorry, but", "Stroke at age 66.4.", "```json\n"]
SCALARS = [None, True, 0, 1, -3, 2.5, "", "x", [], {}, [None], {"text": 7}, "E006", ["E004", 6], 10**30]
EXTRA = (Style(name="x", form="checks"), Style(name="y", form="object"))


def spoilt(rng: random.Random) -> dict[str, Any]:
    """One of the answers above with one to six things wrong."""
    body: dict[str, Any] = json.loads(json.dumps(rng.choice(SEEDS)))
    for _ in range(rng.randint(1, 6)):
        holders = list(_holders(body))
        holder, key = rng.choice(holders)
        if isinstance(holder[key], str) and rng.random() < 0.9:
            other = rng.choice(holders)
            extra = other[0][other[1]] if isinstance(other[0][other[1]], str) else ""
            holder[key] = _text(holder[key], extra, rng)
        elif rng.random() < 0.3:
            holder[key] = copy.deepcopy(rng.choice(SCALARS))
    return body


def _holders(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a body; long texts come more often."""
    places = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(places):
        weight = 20 if isinstance(value, str) and len(value) > 60 else 1
        yield from [(node, key)] * weight
        yield from _holders(value)


def _text(text: str, other: str, rng: random.Random) -> str:
    a, b = sorted(rng.randint(0, len(text)) for _ in range(2))
    span = text[a:b]
    return rng.choice(
        [
            lambda: text[:a] + text[b:],
            lambda: text[:a] + rng.choice(PIECES) + text[a:],
            lambda: text[:a] + rng.choice(PIECES) + text[b:],
            lambda: text[:a] + span * rng.randint(2, 4) + text[b:],
            lambda: text[:a],
            lambda: text[a:],
            lambda: text[:a] + other + text[b:],
            lambda: text[:a] + other[: rng.randint(0, len(other))] + text[a:],
            lambda: text.replace(rng.choice(PIECES), rng.choice(PIECES)),
            lambda: text[:a] + span.swapcase() + text[b:],
            lambda: text[:a] + rng.choice(PIECES) * rng.randint(2, 30) + text[a:],
        ]
    )()


ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
CONTROL = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
MARKS = re.compile(r"[*`_\u200b]|</?[a-zA-Z][^<>]{0,60}>|^\s*(?:#{1,6}|\d{1,2}[.)]|[-•])\s", re.MULTILINE)
GAP = re.compile(
    r"e\d+|\d+|see|also|cf|cite[sd]?|citations?|evidence|refs?|references?|sources?|lines?|ids?|items?|per|from|based|on|"
    r"supported|by|according|to|nos?|and|or|through|thru|until|till|up|sup|cite_start|cite_end|start|end|l\d*"
)
"""Words that a citation may hold."""


def readings(body: Any) -> list[list[str]]:
    """The words of a body, with its escapes read never, once and twice, with and without marks."""
    strings = list(_strings(body))
    plain = "\n".join([*strings, "".join(strings)])
    once = ESCAPE.sub(_unescaped, plain)
    twice = ESCAPE.sub(_unescaped, once)
    texts = {
        plain,
        once,
        twice,
        html.unescape(plain),
        html.unescape(once),
        plain.replace('\\"', '"').replace("\\n", "\n"),
    }
    texts |= {MARKS.sub("", t) for t in texts}
    return [words(t) for t in texts]


def _unescaped(m: re.Match[str]) -> str:
    if len(m[1]) == 5:
        return chr(int(m[1][1:], 16)).encode("utf-8", "replace").decode()
    return CONTROL.get(m[1], m[1])


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _strings(inner)
    if isinstance(node, dict):
        yield from map(str, node)
    if isinstance(node, int):
        yield str(node)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def said(sentence: list[str], text: list[str]) -> bool:
    """Whether a sentence stands in a text, but for the words of citations between its own."""
    places = {i for i, word in enumerate(text) if word == sentence[0]}
    for word in sentence:
        found = set()
        for place in places:
            while place < len(text):
                if text[place] == word:
                    found.add(place + 1)
                if not GAP.fullmatch(text[place]):
                    break
                place += 1
        places = found
    return bool(places)


def check(body: dict[str, Any], styles: list[Style]) -> bool:
    """Read a body in some styles; whether a rationale came out."""
    accepted = False
    texts: list[list[str]] | None = None
    for style in styles:
        answer = read(body, style, _answers.ASKED)
        assert (answer.reason is None) == bool(answer.claims)
        unread(body, Request("k", _answers.ASKED, None, style, 0, None))  # type: ignore[arg-type]
        for claim in answer.claims:
            accepted = True
            texts = texts or readings(body)
            claim.text.encode()
            assert any(said(words(claim.text), t) for t in texts), (claim.text, body)
            assert "one sentence without ids" not in " ".join(words(claim.text))
            numbers = [int(n) for t in texts for w in t for n in re.findall(r"\d{1,5}", w)]
            assert all(min(numbers) <= int(i[1:]) <= max(numbers) for i in claim.cites), (claim, body)
    checked = read_checks(body, 3)
    assert isinstance(checked, ParsedAnswer) or len(checked) == 3
    read_object(body)
    length(body)
    assert all(n is None or n >= 0 for n in usage(body))
    return accepted


@pytest.mark.parametrize("part", range(PARTS))
def test_spoilt_answers_never_raise_and_nothing_is_read_that_is_not_there(part: int) -> None:
    accepted = 0
    for number in range(part, MUTATIONS, PARTS):
        rng = random.Random(number)
        accepted += check(spoilt(rng), [STYLES["free"], rng.choice([*STYLES.values(), *EXTRA])])
    assert 0.1 < accepted * PARTS / MUTATIONS < 0.9  # most are neither untouched nor beyond reading
