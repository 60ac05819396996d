"""The object that counts in an answer: the last complete one that has claims, whatever it is wrapped in.

Models write drafts before it, notes around it, wrap it in other objects, in arrays, in text within text, or write one
object a claim. What an answer holds of claims is brought into one form here; what they say is read in `claims.py`.
"""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .lenient import JsonValue, values
from .shapes import EVIDENCE, Item, beside_evidence, get, numbered, plain_key, under_other_keys, word

CLAIMS = ("claims", "claim_list", "statements", "sentences", "rationale_claims")
"""Keys of the list of claims, in lower case."""
TEXT = ("text", "claim", "sentence", "statement", "content", "claim_text", "finding", "reason", "explanation")
"""Keys of a claim's sentence, the likeliest first."""
SECTION = ("section", "heading", "step", "part")
HEADING = (*SECTION, "name", "title")
"""The same of an object that holds claims."""
VERDICT = ("verdict", "final_verdict", "label", "answer", "prediction", "outcome", "decision")
DEEPEST = 6
"""Objects and texts within each other."""


@dataclass(slots=True)
class FoundClaims:
    """Claims as an answer gives them, before they are read."""

    items: list[Item]
    verdict: Any = None


class Finder:
    """Looks for claims.

    Args:
        sections: of the style; they may be the keys in place of `claims`.
    """

    def __init__(self, sections: tuple[str, ...] = ()) -> None:
        self._sections = {plain(name) for name in sections}

    def in_text(self, text: str, depth: int = 0) -> tuple[list[FoundClaims], bool]:
        """Every complete object of claims in a text, in order; and whether the text ends within another one.

        >>> Finder().in_text('Draft {"claims": ["a"]} Better: {"claims": ["b"], "verdict": 1}')
        ([FoundClaims(items=[('', 'a')], verdict=None), FoundClaims(items=[('', 'b')], verdict=1)], False)
        >>> Finder().in_text('Draft {"claims": ["a"], "verdict": 0} Better: {"claims": ["b", "c')
        ([FoundClaims(items=[('', 'a')], verdict=0)], True)
        """
        objects: list[FoundClaims] = []
        loose: list[JsonValue] = []
        end = last = open_until = 0
        for value in values(text):
            if value.start < end:
                continue
            inside = self.in_value(value.value, depth + 1)
            if inside and (not value.cut or _whole_but_for_its_end(value.value)):
                objects.append(inside)
                end = last = value.end
            elif value.cut:
                open_until = max(open_until, value.end)
            else:
                loose.append(value)
                last = value.end if value.start >= open_until else last
        if not objects:  # claims inside of an object that cannot be read may lack others
            rows = None if open_until or _UNFINISHED.search(text) else _rows(v.value for v in loose)
            return ([rows], False) if rows else self._unescaped(text, depth)
        if objects[-1].verdict is None:  # it may stand in an object of its own
            verdicts = (verdict_in(v.value) for v in reversed(loose))
            objects[-1].verdict = next((v for v in verdicts if v is not None), None)
        return objects, _UNFINISHED.search(text, max(end, last)) is not None

    def _unescaped(self, text: str, depth: int) -> tuple[list[FoundClaims], bool]:
        """A text within a text: `"{\\"claims\\": ...}"`, or one with HTML entities."""
        plain_text = text
        if '\\"' in text:
            plain_text = text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
        elif "&quot;" in text or "&#" in text:
            plain_text = html.unescape(text)
        if plain_text == text or depth >= DEEPEST:
            return [], _UNFINISHED.search(text) is not None
        return self.in_text(plain_text, depth + 1)

    def in_value(self, value: Any, depth: int = 0) -> FoundClaims | None:
        """The claims in an object, an array or a text, at any depth; of several the last."""
        if depth > DEEPEST:
            return None
        if isinstance(value, str):
            objects = self.in_text(value, depth + 1)[0] if "{" in value else []
            return objects[-1] if objects else None
        if isinstance(value, list):
            return _rows(value) or _parts([self.in_value(item, depth + 1) for item in value])
        if not isinstance(value, dict):
            return None
        held = beside_evidence(get(value, CLAIMS), value)
        items = [] if held is None else list(self._items(held, word(get(value, HEADING)), depth))
        items = items or self._by_section(value) or numbered(value)
        if items:
            last = items[-1][1]
            verdict = verdict_in(value)
            return FoundClaims(items, verdict_in(last) if verdict is None and not is_claim(last) else verdict)
        found_inside = _parts([self.in_value(v, depth + 1) for v in value.values()])
        if found_inside and found_inside.verdict is None:
            found_inside.verdict = verdict_in(value)
        if found_inside is None and (foreign := under_other_keys(value)):
            return FoundClaims(*foreign)
        return found_inside

    def _items(self, held: Any, section: str, depth: int) -> Iterator[Item]:
        """Claims of a list, of an object of numbered claims or of sections, or of a text of sentences."""
        if depth > DEEPEST:
            return
        if isinstance(held, str):
            inside = self.in_value(held, depth + 1)
            yield from inside.items if inside else [(section, s) for s in _SENTENCE.findall(held)]
        elif isinstance(held, list):
            for item in held:
                nested = get(item, CLAIMS) if isinstance(item, dict) else None
                if isinstance(nested, list | dict):
                    heading = word(get(item, HEADING))
                    yield from self._items(nested, heading or section, depth + 1)
                else:
                    yield section, item
        elif isinstance(held, dict) and is_claim(held):
            yield section, held
        elif isinstance(held, dict) and not ("type" in held and ("items" in held or "properties" in held)):
            for name, item in held.items():  # a schema that is repeated holds no claims
                heading = section if str(name).strip(" #.").isdecimal() else str(name)
                yield from (
                    self._items(item, heading, depth + 1) if isinstance(item, list) else [(heading, item)]
                )

    def _by_section(self, value: dict[str, Any]) -> list[Item]:
        """Claims of an object whose keys are the sections."""
        out: list[Item] = []
        for name, held in value.items():
            claims = held if isinstance(held, list) else [held]
            if plain(name) in self._sections:
                out += [(name, item) for item in claims if isinstance(item, str | dict)]
            elif isinstance(held, list):
                out += [(name, item) for item in claims if is_claim(item)]
        return out


_UNFINISHED = re.compile(r"""["'“”„`]?claims["'“”„`]?\s*:\s*[\[{]""", re.IGNORECASE)
_SENTENCE = re.compile(r"\S[^.!?]*(?:[.!?](?!\s|$)[^.!?]*)*[.!?](?=\s|$)")


def _whole_but_for_its_end(value: Any) -> bool:
    """Whether an object that is cut has its claims and its verdict: only brackets are missing."""
    return isinstance(value, dict) and get(value, CLAIMS) is not None and verdict_in(value) is not None


def _rows(values: Iterable[Any]) -> FoundClaims | None:
    """One object a claim, and the verdict in one of its own."""
    items: list[Item] = []
    verdict = None
    for value in values:
        items += [("", item) for item in (value if isinstance(value, list) else [value]) if is_claim(item)]
        given = verdict_in(value)
        verdict = verdict if given is None else given
    return FoundClaims(items, verdict) if items else None


def _parts(objects: list[FoundClaims | None]) -> FoundClaims | None:
    """Of several objects with claims the last; all of them where each is another section."""
    parts = [f for f in objects if f is not None]
    names = [frozenset(section for section, _ in f.items) for f in parts]
    if not (
        len(parts) > 1 and all(len(n) == 1 and "" not in n for n in names) and len(set(names)) == len(names)
    ):
        return parts[-1] if parts else None
    verdict = next((f.verdict for f in reversed(parts) if f.verdict is not None), None)
    return FoundClaims([item for f in parts for item in f.items], verdict)


def is_claim(item: Any) -> bool:
    """Whether an object is one claim: a sentence with its evidence or its section."""
    if not isinstance(item, dict) or not isinstance(get(item, TEXT), str):
        return False
    return any(k in SECTION or EVIDENCE.fullmatch(k) for k in map(plain_key, item))


def verdict_in(value: Any) -> Any:
    """What an object gives as its verdict; None where it gives none."""
    verdict = get(value, VERDICT) if isinstance(value, dict) else None
    if isinstance(verdict, dict):
        verdict = get(verdict, ("value", *VERDICT))
    return None if isinstance(verdict, dict) else verdict


def plain(heading: str) -> str:
    """A heading as it is compared: letters only, without the number of a step; American as British.

    >>> plain("Step 3: Judgment"), plain("**Risk Factors**"), plain("against")
    ('judgement', 'riskfactors', 'against')
    """
    letters = re.sub(r"^\W*(?:(?:step|part|section)\s*)?(?:\d+|[ivx]+\b)?\W+", "", " " + heading.lower())
    return re.sub(r"[\W\d_]", "", letters).replace("judgment", "judgement")
