"""What an answer's claims say: sentences, citations, sections, and the verdict."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from ..records import Claim, Kind
from ..styles import Style
from .citations import cited, ids, listed
from .find import SECTION, TEXT, plain
from .shapes import EVIDENCE, Item, get, plain_key, word

LONGEST = 4000
"""Characters of a sentence; what is longer is a loop."""


@dataclass(slots=True)
class ReadClaims:
    """The claims that could be read, and how many could not."""

    claims: tuple[Claim, ...]
    unread: int
    """Claims without a sentence that could be read, and those that stand there already."""
    template: int
    """Claims that repeat the prompt."""


def read_claims(items: Iterable[Item], style: Style, prompt: str, short: bool) -> ReadClaims:
    """Claims as records.

    Args:
        items: as the answer gives them.
        style: whose sections they have.
        prompt: as `squeezed` gives it, without the history; a sentence of it explains nothing.
        short: see `citations.short_ids`.
    """
    claims: list[Claim] = []
    counts: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for heading, item in items:
        claim = _claim(item, heading, short)
        if claim is None:
            counts["unread"] += 1
        elif repeats(claim.text, prompt):
            counts["template"] += 1
        elif (claim.section, claim.text) in seen:
            counts["unread"] += 1
        else:
            seen.add((claim.section, claim.text))
            claims.append(claim)
    return ReadClaims(_with_sections(claims, style), counts["unread"], counts["template"])


def _claim(item: Any, heading: str, short: bool) -> Claim | None:
    """One claim; ids that stand in the sentence count as cited, and leave the sentence. None without a sentence."""
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, dict):
        return None
    key = _text_key(item)
    if key is None:
        return None
    cites = _listed(item, key, short)
    text, inline = cited(_without_marks(word(item[key])), short, bool(cites))
    wordless = not re.search(r"[^\W\d_]{2}", re.sub(r"\b[Ee]\d+\b", "", text))  # nothing but ids and signs
    if wordless or _DEBRIS.search(text):
        return None
    named = get(item, SECTION)
    section = (str(named) if isinstance(named, int) else word(named)) or word(heading)
    kind = word(item.get("kind")).lower()
    return Claim(
        text=text,
        cites=tuple(dict.fromkeys(cites + inline)),
        section=section,
        kind=_KINDS.get(kind),
    )


_DEBRIS = re.compile(r"""["'“”]\s*:\s*["'“”\[{]|[}\]]\s*,\s*[{\["“]""")
"""Keys and brackets in a sentence: a quotation mark too few, and the next members ran into it."""
_KINDS: dict[str, Kind] = {name: name for name in get_args(Kind)}


def _listed(item: dict[str, Any], text_key: str, short: bool) -> list[str]:
    """The ids beside a sentence: under a key that is called so, or written as ids under any other."""
    named = [v for k, v in item.items() if EVIDENCE.fullmatch(plain_key(k)) and k != text_key]
    cites = [i for value in named for i in listed(value, short)]
    if named or cites:
        return cites
    others = [v for k, v in item.items() if k != text_key and plain_key(k) not in SECTION]
    texts = [t for v in others for t in (v if isinstance(v, list) else [v]) if isinstance(t, str)]
    return [i for t in texts if len(t) <= LONGEST for i in ids(t, short)]


def _text_key(item: dict[str, Any]) -> str | None:
    """The key of the sentence: one that is called so, else the only one with a text of several words."""
    texts = {k: v for k, v in item.items() if isinstance(v, str) and v.strip() and len(v) <= LONGEST}
    by_name = {plain_key(k): k for k in texts}
    named = next((by_name[k] for k in TEXT if k in by_name), None)
    if named is not None:
        return named
    reserved = (*SECTION, "id", "kind", "type")
    others = [
        k
        for k, v in texts.items()
        if " " in v.strip() and plain_key(k) not in reserved and not EVIDENCE.fullmatch(plain_key(k))
    ]
    return others[0] if len(others) == 1 else None


_MARKS = (
    (re.compile(r"^\s*(?:[-*•–·▪]|\d{1,2}[.)]|#{1,6})\s+"), ""),
    (re.compile(r"(\*\*\*|\*\*|__|`|\*)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"</?(?:b|i|u|em|strong|p|br|span|mark|li)\b[^<>]{0,60}>", re.IGNORECASE), ""),
)


def _without_marks(text: str) -> str:
    """A sentence without the marks of Markdown and HTML.

    >>> _without_marks("- **Stroke** at age 69.5."), _without_marks("CHA2DS2-VASc 3 * 2")
    ('Stroke at age 69.5.', 'CHA2DS2-VASc 3 * 2')
    """
    for pattern, by in _MARKS:
        text = pattern.sub(by, text)
    return text


def squeezed(text: str) -> str:
    """Letters and digits in lower case, anything between them a single space; a space at both ends."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


_WORD = re.compile(r"[^\W_]+")


_PLACEHOLDER = re.compile(r"^\W*(?:<[^<>]*>|\{\{?[^{}]*\}?\}|\[[^\[\]]*\]|\.\.\.|…)\W*$")


def repeats(text: str, prompt: str) -> bool:
    """Whether a sentence is a blank to be filled in, or stands word for word in the prompt beside the history.

    >>> repeats("One sentence, without ids.", squeezed('{"text": "one sentence without ids"}')), repeats("<text>", "")
    (True, True)
    """
    words = squeezed(text)
    return EXAMPLE in words or words in prompt or _PLACEHOLDER.match(text) is not None


EXAMPLE = squeezed("one sentence without ids").strip()
"""The claim of the example in `templates/prompts/_answer.jinja`."""


def _with_sections(claims: list[Claim], style: Style) -> tuple[Claim, ...]:
    """Claims under the headings of their style and in its order.

    A heading is known by its name or its number, or stands at the beginning of the sentence; where as many others
    were written, their order decides.
    """
    if style.form != "json":
        return tuple(claims)
    by_name = {plain(name).rstrip("s"): name for name in style.sections}
    by_name |= {str(number): name for number, name in enumerate(style.sections, 1)}
    claims = [c if c.section else _heading_in_text(c, by_name) for c in claims]
    given = list(dict.fromkeys(c.section for c in claims))
    names = {heading: by_name.get(plain(heading).rstrip("s") or heading, "") for heading in given}
    if len(given) == len(style.sections) and "" not in given and not any(names.values()):
        names = dict(zip(given, style.sections, strict=True))
    renamed = [c.model_copy(update={"section": names[c.section]}) for c in claims]
    return tuple(sorted(renamed, key=lambda c: style.sections.index(c.section) if c.section else -1))


_HEADING = re.compile(r"\W*([A-Za-z][A-Za-z ]{2,30}?)\W{0,3}[:：]\W{0,3}(?=\w)")


def _heading_in_text(claim: Claim, by_name: dict[str, str]) -> Claim:
    """`Against: hearing loss at 68.9.` as a sentence under its heading."""
    m = _HEADING.match(claim.text)
    if m is None or plain(m[1]).rstrip("s") not in by_name:
        return claim
    return claim.model_copy(update={"section": m[1], "text": claim.text[m.end() :]})


def lacking(claims: Iterable[Claim], style: Style) -> str | None:
    """What sections a rationale lacks, in words; None where it has all of them and no claim is outside."""
    present = {c.section for c in claims}
    missing = [name for name in style.sections if name not in present]
    if missing:
        return f"no claim under {', '.join(map(repr, missing))}"
    return "a claim under no heading" if style.sections and "" in present else None


def read_verdict(value: Any) -> int | None:
    """0 or 1, however it is put; None where it is neither, or both.

    >>> [read_verdict(v) for v in (1, "Yes.", [1], "1 (yes)", True, 0.0, "no diagnosis", "0 or 1", 0.7, None)]
    [1, 1, 1, 1, 1, 0, 0, None, None, None]
    """
    if isinstance(value, list):
        return read_verdict(value[0]) if len(value) == 1 else None
    if isinstance(value, bool | int | float):
        return int(value) if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    words = _VERDICT.findall(value.lower())
    labels = {_SAID[w] for w in words}
    return labels.pop() if len(labels) == 1 and _FIRST.match(value.lower()) else None


_SAID = {"1": 1, "1.0": 1, "yes": 1, "true": 1, "0": 0, "0.0": 0, "no": 0, "false": 0}
_SAID |= {
    "ja": 1,
    "oui": 1,
    "sí": 1,
    "si": 1,
    "sim": 1,
    "是": 1,
    "nein": 0,
    "nee": 0,
    "non": 0,
    "não": 0,
    "否": 0,
}
_WORDS = "|".join(map(re.escape, sorted(_SAID, key=len, reverse=True)))
_VERDICT = re.compile(rf"(?<![\w.])(?:{_WORDS})(?![\w]|\.\d)")
_FIRST = re.compile(rf"^\W*(?:(?:the )?(?:verdict|answer|label)\W+(?:is )?)?(?:{_WORDS})\b")
