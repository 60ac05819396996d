"""JSON as models write it: single or curly quotes, comments, commas too many or too few, Python's words for true.

Strict JSON is tried first. Nothing is ever added: a value that the text does not finish is left out, and said.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

DEEPEST = 20
"""Objects and arrays within each other; answers have four."""
WORK = 4
"""Characters read for each character of a text, at most: a text of nothing but `{` must not take minutes."""
PER_START = 200
"""What a try costs besides, in characters."""


class JsonValue(NamedTuple):
    """A JSON object or array in a text."""

    value: Any
    start: int
    end: int
    cut: bool
    """The text ends inside it: `value` has the members that were whole."""


def values(text: str) -> Iterator[JsonValue]:
    """Every outermost object and array of a text, in order; inside one that is cut, those within it too.

    >>> [v.value for v in values("Draft: {'a': None,} then ```json\\n{\\"a\\": [1 2]}```")]
    [{'a': None}, {'a': [1, 2]}]
    """
    position, budget = 0, WORK * len(text) + 100_000
    while budget > 0 and (m := _OPENING.search(text, position)):
        item = _strict(text, m.start()) or _tolerant(text, m.start())
        budget -= item.end - m.start() + PER_START
        if item.value is not None:
            yield item
        position = m.start() + 1 if item.cut or item.value is None else item.end


def _strict(text: str, start: int) -> JsonValue | None:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return JsonValue(value, start, end, False)


def _tolerant(text: str, start: int) -> JsonValue:
    reader = _Reader(text, start)
    try:
        value = reader.value("")
    except ValueError:
        return JsonValue(None, start, reader.at, False)
    return JsonValue(value, start, reader.at, reader.cut)


def _members(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Members of an object. Of a key that comes twice the last counts; of words or numbers that differ, none does.

    >>> _members([("verdict", 1), ("claims", [1]), ("verdict", 0), ("claims", [2])])
    {'verdict': None, 'claims': [2]}
    """
    members: dict[str, Any] = {}
    for name, value in pairs:
        unclear = name in members and members[name] != value and not isinstance(value, dict | list)
        members[name] = None if unclear else value
    return members


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_members, parse_constant=lambda word: None)
_OPENING = re.compile(
    r"\{(?=[\s\u200b\u2060\ufeff]*(?:[\"'`“”„‟«»‘’‚‛}#]|/[/*]|[^\W\d][\w.\-]*\s*[:：]))|\[(?=[\s\u200b\u2060\ufeff]*\{)"
)
"""An object with a key in sight, or an array of objects: braces and brackets of prose are passed over."""
_SPACE = re.compile(
    r"(?:[\s\u200b\u2060\ufeff]|//[^\n]*|/\*.*?\*/|#[^\n]*|\\[nrt]|\.{3}(?!\.)|…)*", re.DOTALL
)
"""Comments too, escaped space outside of strings, and dots for more of the same."""
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\s?%)?(?![\w.])")
_IN_SET = re.compile(r"\s*(?:'[^':]{1,40}'|\"[^\":]{1,40}\")\s*[,}]")
"""After a brace: a set of Python's."""
_KEY = re.compile(r"(?:'\w{1,40}'|\"\w{1,40}\"|“\w{1,40}”)\s*[:：]")
_UNOPENED = re.compile(r"[^\"“”{}\[\]\n]{1,1000}[\"”](?=\s*[,}\]])")
"""A string without the quotation mark before it."""
_WORD = re.compile(r"[^\W\d][\w.\-]*")
_WORDS = {"true": True, "false": False, "null": None, "none": None, "nan": None, "undefined": None}
_QUOTES = {**dict.fromkeys('"“”„‟«»', '"“”„‟«»'), **dict.fromkeys("'‘’‚‛`", "'‘’‚‛`")}
_WIDE = {"：": ":", "，": ",", "、": ","}
"""Separators of East Asian typing."""
_PAIRS = {"{": "}", "[": "]", "(": ")"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}


class _CutError(Exception):
    """The text ended; whoever collects members keeps those that are whole."""


class _Reader:
    """Reads one value from a position on. `at` is where it stands, `cut` whether the text ended inside."""

    def __init__(self, text: str, start: int) -> None:
        self.text, self.at, self.cut = text, start, False
        self._depth = 0

    def value(self, ends: str) -> Any:
        """One value, which a character of `ends` follows."""
        c = self._next()
        if c in _PAIRS:
            self._depth += 1
            if self._depth > DEEPEST:
                raise ValueError("too deep")
            self.at += 1
            a_set = c == "{" and _IN_SET.match(self.text, self.at)
            inside = self._object() if c == "{" and not a_set else self._array(_PAIRS[c])
            self._depth -= 1
            return inside
        if c in _QUOTES:
            return self._string(ends)
        if m := _NUMBER.match(self.text, self.at):
            self.at = m.end()
            number = float(m[1])
            return int(number) if number.is_integer() else number
        if m := _WORD.match(self.text, self.at):
            start, self.at = self.at, m.end()
            if (
                ends != ":"
                and self._next() not in ends + "]}"
                and (long := _UNOPENED.match(self.text, start))
            ):
                self.at = long.end()
                return long[0][:-1]
            self.at = m.end()
            return _WORDS.get(m[0].lower(), m[0])
        raise ValueError(f"no value at {self.at}")

    def _object(self) -> dict[str, Any]:
        members: list[tuple[str, Any]] = []
        try:
            while (c := self._next()) != "}":
                if c in "]{" and members:  # a brace was forgotten
                    return _members(members)
                name = self.value(":")
                if not isinstance(name, str | int) or self._next() != ":":
                    raise ValueError(f"no key at {self.at}")
                self.at += 1
                value = self.value(",}")
                if self.cut:
                    break
                members.append((str(name), value))
                self._comma()
            else:
                self.at += 1
        except _CutError:
            self.cut = True
        return _members(members)

    def _array(self, closing: str) -> list[Any]:
        items: list[Any] = []
        try:
            while (c := self._next()) != closing:
                if c in "]}" or _KEY.match(self.text, self.at):  # the bracket was forgotten
                    return items
                item = self.value(",]}" if closing != ")" else ",)")
                if self.cut:
                    return items
                items.append(item)
                self._comma()
            self.at += 1
        except _CutError:
            self.cut = True
        return items

    def _comma(self) -> None:
        if self._next() == ",":
            self.at += 1

    def _next(self) -> str:
        """The next character that is no space and no comment."""
        m = _SPACE.match(self.text, self.at)
        self.at = m.end() if m else self.at
        if self.at >= len(self.text):
            raise _CutError
        return _WIDE.get(self.text[self.at], self.text[self.at])

    def _string(self, ends: str) -> str:
        """A string; a quotation mark inside it that no character of `ends` follows belongs to it."""
        closing = _QUOTES[self.text[self.at]]
        out: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            c = self.text[self.at]
            self.at += 1
            if c == "\\":
                out.append(self._escape())
            elif c in closing and self._closes(ends):
                return "".join(out)
            else:
                out.append(c)
        raise _CutError

    def _closes(self, ends: str) -> bool:
        m = _SPACE.match(self.text, self.at)
        after = m.end() if m else self.at
        if after >= len(self.text):
            return True
        gap = after > self.at  # a comma may be missing between two strings, with a space there
        c = _WIDE.get(self.text[after], self.text[after])
        return c in ends or (gap and ends != ":" and c in _QUOTES)

    def _escape(self) -> str:
        c = self.text[self.at : self.at + 1]
        self.at += 1
        if c == "u" and (m := re.compile(r"[0-9a-fA-F]{4}").match(self.text, self.at)):
            self.at = m.end()
            return chr(int(m[0], 16))
        return _ESCAPES.get(c, c)
