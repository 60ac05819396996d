"""From a raw answer to the JSON object in it, however untidy: parts, thinking, fences, prose around it, ids."""

import json
import re
from contextlib import suppress
from itertools import islice
from typing import Any

from ...cohort.line import CITATION, evidence_id
from ...study.records import Record
from ..records import Claim
from ..teaching import Body


class Answer(Record):
    """What could be read from a raw answer: claims, or a reason why there are none."""

    claims: tuple[Claim, ...] = ()
    verdict: int | None = None
    reason: str | None = None
    detail: str = ""


def read_object(body: Body, prose: bool = False) -> dict[str, Any] | Answer:
    """The JSON object in an answer, or why there is none; `prose`: a student's text will do."""
    choices = body.get("choices") or []
    if not choices:
        return Answer(reason="empty", detail="the answer has no choices")
    first = choices[0] if isinstance(choices, list) and isinstance(choices[0], dict) else {}
    message = first.get("message")
    message = message if isinstance(message, dict) else {}
    if message.get("refusal"):
        return Answer(reason="refused", detail=short(message["refusal"]))
    finish = first.get("finish_reason")
    if finish == "content_filter":
        return Answer(reason="content_filter", detail="the endpoint's filter stopped the answer")
    text = without_thinking(_content(message.get("content")))
    if not text:
        reason = "length" if finish == "length" else "empty"
        return Answer(reason=reason, detail=f"no text in the answer, finish_reason {finish}")
    found = _object(text)
    if found is None and prose:
        found = _text(text)
    if found is None and finish == "length":
        return Answer(reason="length", detail="cut off by the token limit")
    return Answer(reason="not_json", detail=short(text)) if found is None else found


def length(body: Body) -> int:
    """Characters of an answer, thinking included."""
    with suppress(KeyError, IndexError, TypeError):
        return len(_content(body["choices"][0]["message"]["content"]))
    return 0


def _content(content: object) -> str:
    """Text, or the text of parts; halves of characters, which a cut answer may hold, are replaced."""
    if isinstance(content, list):
        parts = [p.get("text") for p in content if isinstance(p, dict)]
        content = "".join(p for p in parts if isinstance(p, str))
    return content if isinstance(content, str) else ""


def without_thinking(text: str) -> str:
    """The answer after a reasoning model's `<think>` block; an unclosed block is all thinking.

    >>> without_thinking("<think>hm</think> yes"), without_thinking("hm, the block began in the prompt</think> yes")
    ('yes', 'yes')
    """
    opening, closing = text.lower().find("<think"), text.lower().find("</think")
    if closing >= 0 and (opening < 0 or closing < opening):
        text = text[text.index(">", closing) + 1 :] if ">" in text[closing:] else ""
    text = re.sub(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", "", text, flags=re.DOTALL | re.IGNORECASE)
    return text.strip()


_SENTENCE = re.compile(rf"\s*(.+?[.!?])((?:\s*{CITATION})?)(?=\s|$)", re.DOTALL)
_HEADING = re.compile(r"^([A-Z][^.:\n\[\]]{2,40}):\s+")


def _text(text: str) -> dict[str, Any] | None:
    """A student's text in the form of the JSON answer: sentences with their citations behind, then `Answer: yes`.

    >>> _text("Stroke at age 66.4. [E007] Older age counts.\\nAnswer: yes")["claims"][0]
    {'section': '', 'text': 'Stroke at age 66.4.', 'evidence': ['E007']}
    """
    reasons, _, answer = text.removeprefix("Reasons:").partition("Answer:")
    claims, section = [], ""
    for line in reasons.splitlines():
        heading = _HEADING.match(line)
        if heading:
            section, line = heading[1], line[heading.end() :]
        for sentence, cited in _SENTENCE.findall(line):
            claims.append({"section": section, "text": sentence, "evidence": ids(cited)})
    return {"claims": claims, "verdict": answer.strip(" .\n")} if claims else None


def _object(text: str) -> dict[str, Any] | None:
    """The outermost JSON object of a text that may stand in a fence or between sentences."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    piece = text[start : end + 1]
    with suppress(ValueError, RecursionError):
        return _whole(_DECODER.decode(piece))
    with suppress(ValueError, RecursionError):  # a comma too many is the commonest slip
        return _whole(_DECODER.decode(re.sub(r",\s*([}\]])", r"\1", piece)))
    for m in islice(re.finditer(r"\{", piece), MOST_STARTS):  # sentences with braces before it or behind
        with suppress(ValueError, RecursionError):
            found = _whole(_DECODER.raw_decode(piece, m.start())[0])
            if found:
                return found
    return None


_DECODER = json.JSONDecoder(strict=False)
MOST_STARTS = 50


def _whole(found: object) -> dict[str, Any] | None:
    """An object whose text can be written as UTF-8: halves of characters are replaced."""
    if not isinstance(found, dict):
        return None
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace").decode()
        return _whole(json.loads(text))
    return found


_ID = re.compile(r"\b[Ee](\d{1,5})\b(?:\s*(?:-|–|to)\s*[Ee](\d{1,5})\b)?")
LONGEST_RANGE = 20


def ids(text: str) -> list[str]:
    """Evidence ids in a text, as the history writes them.

    >>> ids("E3, e012 and E101-E103")
    ['E003', 'E012', 'E101', 'E102', 'E103']
    """
    out = []
    for first, last in _ID.findall(text):
        low = int(first)
        high = int(last) if last and 0 <= int(last) - low <= LONGEST_RANGE else low
        out += [evidence_id(i) for i in range(low, high + 1)]
    return out


def short(text: object) -> str:
    """One line of at most 120 characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= 120 else line[:117] + "..."
