"""A raw answer becomes claims and a verdict, or a named reason why not. Pure, so that it can be run again."""

import json
import re
from typing import Any

import orjson

from ...cohort.line import CITATION
from ...cohort.line import parse as parse_line
from ...study.records import Record
from ..records import Claim
from ..styles import Style
from ..teaching import Body, Request
from .citations import ids, short_ids
from .claims import EXAMPLE, lacking, read_claims, read_verdict, repeats, squeezed
from .faults import error_in
from .find import Finder, FoundClaims
from .lenient import values
from .message import FILTER, LOOP, ChatReply, message

VERSION = "3"
"""Raised when an answer may be read otherwise; part of the stage's key."""

RE_ASK = frozenset({"not_json", "no_claims", "no_sections", "empty", "only_thinking", "template", "loop"})
"""Reasons that another try may cure."""

MOST_CHECKS = 1000


class ParsedAnswer(Record):
    """What could be read from a raw answer: claims, or a reason why there are none."""

    claims: tuple[Claim, ...] = ()
    verdict: int | None = None
    unread: int = 0
    """Claims of the answer without a sentence that could be read."""
    reason: str | None = None
    detail: str = ""


def read(body: Body, style: Style, request: Body | None = None) -> ParsedAnswer:
    """Claims and verdict of a chat completion.

    Args:
        body: the completion.
        style: in which it was asked for.
        request: the request; a sentence that repeats it is no claim.

    >>> content = '{"claims": [{"text": "Stroke at age 66.4.", "evidence": ["E007"]}], "verdict": 1}'
    >>> [(c.text, c.cites) for c in read({"choices": [{"message": {"content": content}}]}, Style(name="free")).claims]
    [('Stroke at age 66.4.', ('E007',))]
    """
    reply = message(body)
    ended = _ended(body, reply)
    if ended:
        return ended
    objects, cut = _found(reply, style)
    prompt = squeezed(_instructions(request))
    template = 0
    for candidate in [] if cut else reversed(objects):
        text = " ".join(str(item) for _, item in candidate.items)
        claims = read_claims(candidate.items, style, prompt, short_ids(text))
        template += claims.template
        if claims.claims:
            lacks = lacking(claims.claims, style)
            if lacks:
                return ParsedAnswer(reason="no_sections", detail=lacks)
            return ParsedAnswer(
                claims=claims.claims, verdict=read_verdict(candidate.verdict), unread=claims.unread + template
            )
    if template:
        return ParsedAnswer(reason="template", detail="the answer repeats the prompt in place of claims")
    return _unread(reply)


def read_checks(body: Body, n: int) -> list[tuple[bool, str] | None] | ParsedAnswer:
    """What a verifier says of each of n claims, and why; None where it says nothing.

    Returns:
        A `ParsedAnswer` where nothing can be read: it says why.

    >>> content = '{"checks": [{"claim": 2, "supported": false, "why": "the line says 1998"}]}'
    >>> read_checks({"choices": [{"message": {"content": content}}]}, 2)
    [None, (False, 'the line says 1998')]
    """
    whole = read_object(body, "checks")
    if isinstance(whole, ParsedAnswer):
        return whole
    checks = whole.get("checks")
    verdicts: list[tuple[bool, str] | None] = [None] * n
    for item in checks if isinstance(checks, list) else []:
        item = item if isinstance(item, dict) else {}
        number, supported = str(item.get("claim")), read_verdict(item.get("supported"))
        if supported is None or not (number.isdecimal() and number.isascii()) or not 1 <= int(number) <= n:
            continue
        before = verdicts[int(number) - 1]
        if before is None or before[0]:  # of two words about one claim the objection counts
            verdicts[int(number) - 1] = bool(supported), short(item.get("why") or "")
    if not any(verdicts):
        return ParsedAnswer(reason="no_claims", detail=short(whole))
    return verdicts


def read_object(body: Body, key: str | None = None) -> dict[str, Any] | ParsedAnswer:
    """The last complete JSON object of an answer, or why there is none; `key`: the last that has this key."""
    reply = message(body)
    ended = _ended(body, reply)
    if ended:
        return ended
    for text in _texts(reply):
        objects = [v.value for v in values(text) if isinstance(v.value, dict) and not v.cut and v.value]
        held = [v for v in objects if key is None or key in v]
        if held:
            whole: dict[str, Any] = json.loads(json.dumps(held[-1]).encode("utf-8", "replace"))
            return whole
    held = [o for o in reply.objects if isinstance(o, dict) and (key is None or key in o)]
    return held[-1] if held else _unread(reply)


def unread(body: Body, request: Request) -> ParsedAnswer | None:
    """Why an answer cannot be read; None where it can. Quick where all is as it should be."""
    style = request.style
    if style.form == "json" and not style.sections:
        try:
            claims = orjson.loads(body["choices"][0]["message"]["content"])["claims"]
            if claims and not any(repeats(claim["text"], EXAMPLE) for claim in claims):
                return None
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            pass
    answer: object
    if style.form == "checks":
        answer = read_checks(body, MOST_CHECKS)
    elif style.form == "object":
        answer = read_object(body)
    else:
        answer = read(body, style, request.body)
    return answer if isinstance(answer, ParsedAnswer) and answer.reason else None


def _ended(body: Body, reply: ChatReply) -> ParsedAnswer | None:
    """Why an answer is none, whatever it holds."""
    error = error_in(body)
    if error:
        return ParsedAnswer(reason="error", detail=error.words)
    if reply.refusal or reply.finish == "refusal":
        return ParsedAnswer(reason="refused", detail=short(reply.refusal))
    if reply.finish in FILTER:
        return ParsedAnswer(reason="content_filter", detail="the endpoint's filter stopped the answer")
    return None


def _texts(reply: ChatReply) -> list[str]:
    """Where an answer may stand, the likeliest first: the text, or else the end of thinking that no mark closes."""
    closes = not (reply.pieces or reply.objects or reply.cut) and _CLOSES.search(reply.thinking[-200:])
    return [reply.thinking] if closes else list(reversed(reply.pieces))


_CLOSES = re.compile(r"[}\]][\s`~]*(?:<[^<>]{1,40}>\s*)*\Z")


def _found(reply: ChatReply, style: Style) -> tuple[list[FoundClaims], bool]:
    """All claims of an answer, object by object, and whether the last object is cut."""
    finder = Finder(style.sections)
    for text in _texts(reply):
        objects, cut = finder.in_text(text)
        if objects or cut:
            return objects, cut
    inside = [finder.in_value(thing) for thing in reply.objects]
    objects = [f for f in inside if f is not None]
    if not objects and style.form == "text":
        objects = _prose(reply.text or reply.thinking)
    return objects, False


def _unread(reply: ChatReply) -> ParsedAnswer:
    """Why nothing could be read."""
    if reply.cut:
        return ParsedAnswer(reason="length", detail=f"cut off by the token limit{_beside(reply)}")
    if reply.finish == LOOP:
        return ParsedAnswer(reason="loop", detail="stopped because it only repeated itself")
    if reply.absent:
        reason = "only_thinking" if reply.thinking else "empty"
        return ParsedAnswer(reason=reason, detail=reply.absent)
    if _REFUSAL.match(reply.text):
        return ParsedAnswer(reason="refused", detail=short(reply.text))
    objects = list(values(reply.text))
    whole = bool(objects) and not any(v.cut for v in objects)
    return ParsedAnswer(
        reason="no_claims" if whole or not reply.text else "not_json", detail=short(reply.text)
    )


def _beside(reply: ChatReply) -> str:
    return ", in thinking" if not reply.text and reply.thinking else ""


_REFUSAL = re.compile(
    r"\W*(?:(?:I['’]m|I am)\s+(?:very\s+|so\s+)?sorry|(?:my )?apologies\b|I (?:do )?apologi[sz]e|sorry\b|"
    r"(?:as an? (?:AI|artificial|language|large)\b[^.]{0,60}?|unfortunately|regrettably),?\s+"
    r"I\s*(?:can|am|['’]m|do not|don['’]t|must|should)|"
    r"I\s*(?:can['’]?t|cannot|can not|won['’]t|will not|(?:am|['’]m) (?:unable|not able)|must decline|"
    r"do not feel comfortable|['’]m not comfortable)|"
    r"es tut mir (?:sehr )?leid|leider kann ich|je suis (?:vraiment )?désolée?|lo siento|mi dispiace|desculpe|"
    r"申し訳|抱歉|对不起|很抱歉|我无法)",
    re.IGNORECASE,
)


def _instructions(request: Body | None) -> str:
    """What a prompt says beside the record of the person."""
    turns = (request or {}).get("messages")
    messages = [t for t in (turns if isinstance(turns, list) else []) if isinstance(t, dict)]
    lines = [
        line
        for turn in messages
        if turn.get("role") != "assistant"  # a draft may be repeated
        for line in str(turn.get("content")).splitlines()
    ]
    return "\n".join(
        line for line in lines if not line.startswith(("Person:", "Age now:")) and parse_line(line) is None
    )


_END = re.compile(rf"[.!?]((?:\s?{CITATION})?)(?=\s|$)")
_HEADING = re.compile(r"^([A-Z][^.:\n\[\]]{2,40}):\s+")


def _prose(text: str) -> list[FoundClaims]:
    """A student's text as claims: sentences with their citations behind, then `Answer: yes`.

    >>> _prose("Stroke at age 66.4. [E007] Older age counts.\\nAnswer: yes")[0].items[0]
    ('', {'text': 'Stroke at age 66.4.', 'evidence': ['E007']})
    """
    reasons, _, answer = text.removeprefix("Reasons:").partition("Answer:")
    items: list[tuple[str, Any]] = []
    section = ""
    for line in reasons.splitlines():
        heading = _HEADING.match(line)
        if heading:
            section, line = heading[1], line[heading.end() :]
        start = 0
        for end in _END.finditer(line):
            sentence = line[start : end.start(1)].strip()
            items.append((section, {"text": sentence, "evidence": ids(end[1])}))
            start = end.end()
    return [FoundClaims(items, answer.strip(" .\n"))] if items else []


def short(text: object) -> str:
    """One line of at most 120 characters."""
    line = " ".join(str(text).encode("utf-8", "replace").decode().split())
    return line if len(line) <= 120 else line[:117] + "..."
