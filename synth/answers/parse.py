"""A raw answer becomes claims and a verdict, or a named reason why not. Pure, so that it can be run again."""

import re
from typing import Any, get_args

import orjson

from ..records import Claim, Kind
from ..styles import VERIFY, Style
from ..teaching import Body
from .raw import Answer, ids, read_object, short

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "claims": {
            "type": "array",
            "minItems": 1,
            "maxItems": 12,
            "items": {
                "type": "object",
                "properties": {
                    "section": {"type": "string"},
                    "kind": {"type": "string", "enum": list(get_args(Kind))},
                    "text": {"type": "string"},
                    "evidence": {"type": "array", "items": {"type": "string", "pattern": "^E[0-9]{3,}$"}},
                },
                "required": ["section", "kind", "text", "evidence"],
                "additionalProperties": False,
            },
        },
        "verdict": {"type": "integer", "enum": [0, 1]},
    },
    "required": ["claims", "verdict"],
    "additionalProperties": False,
}
"""What an endpoint with structured output is held to; `read` also takes less tidy answers."""

CHECKS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "checks": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "claim": {"type": "integer"},
                    "supported": {"type": "boolean"},
                    "why": {"type": "string"},
                },
                "required": ["claim", "supported", "why"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["checks"],
    "additionalProperties": False,
}
"""The same for a verifier."""

SCHEMAS = {VERIFY: CHECKS_SCHEMA}
"""By style; all others give `SCHEMA`."""

RE_ASK = frozenset({"not_json", "no_claims", "empty"})
"""Reasons that another try may cure."""


MOST_CLAIMS = 1000


def read(body: Body, style: Style) -> Answer:
    """Claims and verdict of a chat completion.

    >>> content = '{"claims": [{"text": "Stroke at age 66.4.", "evidence": ["E007"]}], "verdict": 1}'
    >>> read({"choices": [{"message": {"content": content}}]}, Style(name="free")).claims
    (Claim(text='Stroke at age 66.4.', cites=('E007',), section=''),)
    """
    found = read_object(body, style.form == "text")
    if isinstance(found, Answer):
        return found
    claims = tuple(c for c in map(_claim, _list(found.get("claims"))) if c is not None)
    if not claims:
        return Answer(reason="no_claims", detail=short(found))
    return Answer(claims=claims, verdict=_verdict(found.get("verdict")))


def read_checks(body: Body, n: int) -> list[tuple[bool, str] | None] | Answer:
    """What a verifier says of each of n claims, and why; None where it says nothing. An `Answer`: why it is unread.

    >>> content = '{"checks": [{"claim": 2, "supported": false, "why": "the line says 1998"}]}'
    >>> read_checks({"choices": [{"message": {"content": content}}]}, 2)
    [None, (False, 'the line says 1998')]
    """
    found = read_object(body)
    if isinstance(found, Answer):
        return found
    said: list[tuple[bool, str] | None] = [None] * n
    for item in _list(found.get("checks")):
        number, word = (
            (str(item.get("claim")), _verdict(item.get("supported")))
            if isinstance(item, dict)
            else ("", None)
        )
        if word is None or not number.isdecimal() or not 1 <= int(number) <= n:
            continue
        before = said[int(number) - 1]
        if before is None or before[0]:  # of two words about one claim the objection counts
            said[int(number) - 1] = bool(word), short(item.get("why") or "")
    if not any(said):
        return Answer(reason="no_claims", detail=short(found))
    return said


def unreadable(body: Body, style: Style) -> str | None:
    """Why an answer should be asked for again; None where it need not be. Quick where all is as it should be."""
    try:
        found = orjson.loads(body["choices"][0]["message"]["content"])
        if found["claims"][0]["text"]:
            return None
    except (KeyError, IndexError, TypeError, ValueError):
        pass
    if style.form in ("checks", "object"):
        said = read_checks(body, MOST_CLAIMS) if style.form == "checks" else read_object(body)
        reason = said.reason if isinstance(said, Answer) else None
    else:
        reason = read(body, style).reason
    return reason if reason in RE_ASK else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_CITATION = re.compile(r"\s*[\[(]\s*[Ee]\d{1,5}(?:\s*(?:[,;–-]|and|to)\s*[Ee]\d{1,5})*\s*[\])]")


def _claim(item: object) -> Claim | None:
    """One claim; ids that stand in the sentence count as cited, and leave the sentence."""
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        return None
    evidence = item.get("evidence", item.get("cites"))
    listed = ids(" ".join(map(str, evidence if isinstance(evidence, list) else [evidence or ""])))
    inline = [i for group in _CITATION.findall(item["text"]) for i in ids(group)]
    text = re.sub(r"\s+", " ", _CITATION.sub("", item["text"])).strip()
    section = item.get("section")
    if not text:
        return None
    return Claim(
        text=text,
        cites=tuple(dict.fromkeys(listed + inline)),
        section=section.strip() if isinstance(section, str) else "",
        kind=item["kind"] if item.get("kind") in get_args(Kind) else None,
    )


def _verdict(value: object) -> int | None:
    words = {"1": 1, "1.0": 1, "yes": 1, "true": 1, "0": 0, "0.0": 0, "no": 0, "false": 0}
    return words.get(str(value).strip().lower())
