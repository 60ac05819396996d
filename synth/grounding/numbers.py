"""Numbers in a sentence, in digits and in words, and what each is: an age, a time, a length, a count, or another."""

import math
import re
from typing import NamedTuple


class Number(NamedTuple):
    """A number in a sentence, with the range that it stands for: `66` is 66.9 too, `over twenty` has no upper end."""

    text: str
    place: int
    kind: str
    """`age`, `years` (before something), `span` (how long), `count`, `bare` (in brackets), `other`."""
    low: float
    high: float
    unit: str = ""

    def matches(self, value: float) -> bool:
        """Whether a value may be written so."""
        return self.low <= value <= self.high


_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "a": 1,
}  # fmt: skip
_TIMES = (
    r"(?:times|occasions?|episodes?|bouts|entries|records|visits|prescriptions|readings|falls|strokes|seizures"
    r"|infections|fractures|admissions)\b"
)
_SPELLED = re.compile(
    rf"\b({'|'.join(_WORDS)})(?=(?:[ -](?:separate|different|distinct|recorded|full|whole))?[ -]"
    rf"(?:{_TIMES}|years?\b|months\b|decades?\b))", re.I
)  # fmt: skip
_OFTEN = {
    "twice": (re.compile(r"\btwice\b(?! (?:as|the|her|his|your|that|a|daily|weekly)\b)", re.I), "2 times"),
    "thrice": (re.compile(r"\bthrice\b", re.I), "3 times"),
    "once": (
        re.compile(r"\b(recorded|occurred|noted|coded|documented)(?: only| just)? once\b", re.I),
        r"\1 1 times",
    ),
    "ckd": (re.compile(r"\b(CKD) ?(?=[1-5]\b)", re.I), r"\1 stage "),
}
_COUNTED = ("time", "year", "occasion", "month", "decade", "episode", "falls", "bouts", "visits", "strokes")

_NUMBER = re.compile(
    r"(?:(?<![\w.])|(?<=\s[x×]))(\d{1,3}(?:,\d{3})+|\d{1,4}(?:\.\d+)?)(?!\w*\d)(?!'?s\b)(?:\s*(%|per ?cent\b"
    r"|mm ?\[?hg\]?|m?g/d?l|[mµu]mol/(?:mo)?l|kg(?:/m[2²])?|cm\b|bpm|i?u/l|[np]g/ml"
    r"|ml/min(?:/1[.,]73 ?m[2²]?)?|points)(?![a-z]))?",
    re.I,
)
_DECADE = re.compile(
    r"(?:\b(early|mid|late)[ -]|\b(?:her|his|their|your) (?:(early|mid|late)[ -])?)"
    r"(?:([2-9])0'?s|(twent|thirt|fort|fift|sixt|sevent|eight|ninet)ies)\b", re.I
)  # fmt: skip
_TENS = ("twent", "thirt", "fort", "fift", "sixt", "sevent", "eight", "ninet")
_PART = {"early": (0, 5.5), "mid": (3, 8), "late": (5.5, 10), "": (0, 10)}

_Y = r"[ -]?(?:y|yrs?|years?)\b"
_BEHIND = re.compile(
    rf"(?P<age>-year-old| years? (?:old|of age)|(?:[FM]|yo|y/o)\b| when\b)"
    r"|(?P<other>[ -]?fold\b| times (?:higher|lower|more|less|greater|as|the|that|likel))"
    rf"|(?P<count>(?: separate| different| distinct| recorded)? {_TIMES})"
    rf"|(?P<none>{_Y} (?:before|prior to) (?:the )?(?:onset|symptom|dementia|clinical|cognitive|disease)"
    rf"|{_Y}(?: (?:risk|horizon|window|outlook|ahead|period|follow|forecast|prediction)|\)))"
    rf"|(?P<years>{_Y} (?:\w+ )?(?:before|earlier|ago|prior|previously))"
    rf"|(?P<span>{_Y})"
    r"|(?P<months>[ -]months?\b (?:\w+ )?(?:before|earlier|ago|prior|previously))"
    r"|(?P<decades>[ -]decades?\b)",
    re.I,
)  # what stands behind a number
_AHEAD = re.compile(
    r"(?:(?P<none>\b(?:within|next|coming|in|following|past|last|previous|first|every)(?: the)?(?: next| coming)?)"
    r"|(?P<age>\b(?:age[ds]?|age of|years? of age|at|since|from|dx|diagnosed|onset|when \w+ w(?:as|ere))|@)"
    r"|(?P<between>\bbetween)|(?P<bare>\()|(?P<count>[x×]))\s*$", re.I
)  # fmt: skip
_HEDGE = re.compile(
    r"(?:(?P<more>\b(?:over|more than|at least|above|exceed\w+)|[>≥])"
    r"|(?P<less>\b(?:under|less than|up to|below)|[<≤])"
    r"|(?P<about>\b(?:about|around|roughly|approximately|nearly|almost|some|circa|close to)|~))\s*$", re.I
)  # fmt: skip
_LIMIT = re.compile(
    r"\b(?:(?P<less>by|before|until|prior to)|(?P<more>after|past|beyond)) (?:the )?(?:age (?:of )?)?$", re.I
)  # fmt: skip
_TARGET = re.compile(
    r"\b(?:target|threshold|cut-?off|goal|limit|normal|recommended)s?(?: \w+){0,2}\s*$", re.I
)
"""What a number behind one of these says is no value of the person."""
_AND = re.compile(r"\s*(?:to|and|or|-|–)\s*(?:age |at )?$")


_HEDGED = frozenset(
    ["over", "than", "least", "above", "exceeding", "exceeded", "exceeds", "under", "to", "below", "about", "around",
     "roughly", "approximately", "nearly", "almost", "some", "circa"]
)  # fmt: skip
"""The last words of a hedge; they spare most numbers the pattern."""


def spelled(text: str) -> str:
    """The text with numbers of times and years in digits.

    >>> spelled("Recorded twice, five years ago.")
    'Recorded 2 times, 5 years ago.'
    """
    lower = text.lower()
    for word, (pattern, digits) in _OFTEN.items():
        if word in lower:
            text = pattern.sub(digits, text)
    if any(word in lower for word in _COUNTED):
        text = _SPELLED.sub(lambda m: str(_WORDS[m[1].lower()]), text)
    return text


def numbers_in(text: str) -> list[Number]:
    """All numbers of a sentence that say something of a person; horizons and the like are left out.

    >>> [(n.kind, n.text) for n in numbers_in("Stroke at 66.4 and HbA1c 7.2 % within 5 years.")]
    [('age', '66.4'), ('other', '7.2')]
    """
    found = [n for m in _NUMBER.finditer(text) if (n := _number(m, text)) is not None]
    if len(found) > 1:
        found = _ranges(found, text)
    if "0s" in text or "0's" in text or "ies" in text:
        found += [_decade(m) for m in _DECADE.finditer(text)]
    return found


def _number(m: re.Match[str], text: str) -> Number | None:
    start, end = m.start(1), m.end(1)
    unit = m[2] or ""
    ahead = text[max(0, start - 24) : start]
    last = ahead.rstrip().rpartition(" ")[2].lower()
    hedge = _HEDGE.search(ahead) if last in _HEDGED or last[-1:] in "<>~≤≥" else None
    if hedge is not None:
        ahead = ahead[: hedge.start()]
    before = None if unit else _AHEAD.search(ahead)
    cue = before.lastgroup if before else None
    behind = None if unit else _BEHIND.match(text, end)
    kind = (behind.lastgroup if behind else None) or ""
    value = float(m[1].replace(",", ""))
    if kind == "none" and text[end:].endswith(")") and cue == "bare":
        kind = ""
    if kind == "none" or (cue == "none" and kind in ("years", "span", "months", "decades")):
        return None
    if not kind:
        kind = cue if cue in ("age", "between", "bare", "count") else "other"
    if kind in ("age", "between", "bare") and (unit or value > 120):
        kind = "other"
    if kind == "other" and _TARGET.search(ahead):
        return None
    scale = {"months": 1 / 12, "decades": 10.0}.get(kind, 1.0)
    hedge = hedge or (_LIMIT.search(ahead) if kind == "age" else None)
    low, high = _range(m[1], value, scale, kind, hedge.lastgroup if hedge else None)
    return Number(
        m[1], start, {"months": "years", "decades": "span"}.get(kind, kind), low, high, unit_of(unit)
    )


def _range(text: str, value: float, scale: float, kind: str, hedge: str | None) -> tuple[float, float]:
    """Half a unit of the last digit that was written; for whole numbers almost one (66.9 is age 66)."""
    _, dot, digits = text.partition(".")
    slack = 0.0 if kind == "count" else 0.5 * 10.0 ** -len(digits) + 1e-6 if dot else 0.95
    low, high = (value - slack) * scale, (value + slack) * scale
    if hedge == "more":
        return value * scale - 0.05, math.inf
    if hedge == "less":
        return -math.inf, high
    if hedge == "about" or scale != 1:
        wide = (
            0.05 * value
            if kind in ("other", "count")
            else max(1.5, 0.15 * value)
            if scale == 1
            else 0.25 * scale
        )
        return low - wide, high + wide
    return low, high


def _ranges(found: list[Number], text: str) -> list[Number]:
    """`from 130 to 162 mmHg`, `between 52 and 66`, `10 to 12 years`: both ends are of one kind."""
    out = found[:1]
    for n in found[1:]:
        last = out[-1]
        joined = _AND.match(text, last.place + len(last.text), n.place) if not last.unit else None
        if joined is None:
            out.append(n)
        elif last.kind in ("age", "between") and n.kind == "other" and not n.unit and n.high < 122:
            out[-1:] = [last._replace(kind="age"), n._replace(kind="age")]
        elif n.kind in ("years", "span"):
            out[-1] = n._replace(low=last.low)
        elif n.unit:
            out[-1:] = [last._replace(kind="other", unit=n.unit), n]
        else:
            out.append(n)
    return out


def _decade(m: re.Match[str]) -> Number:
    """An age told as a decade: `in her early fifties`."""
    tens = 10.0 * (int(m[3]) if m[3] else 2 + _TENS.index(m[4].lower()))
    low, high = _PART[(m[1] or m[2] or "").lower()]
    return Number(m[0], m.start(), "age", tens + low - 0.05, tens + high)


def unit_of(unit: str) -> str:
    """A unit in one spelling.

    >>> unit_of("mm[Hg]"), unit_of("per cent"), unit_of("kg/m²")
    ('mmhg', '%', 'kg/m2')
    """
    plain = unit.lower().translate(_PLAIN)
    return "%" if plain == "percent" else plain


_PLAIN = str.maketrans({" ": None, "[": None, "]": None, "²": "2", "µ": "u"})
