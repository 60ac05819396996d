"""What a sentence says that can be checked: findings named or denied, ages, times, counts, values, order."""

import re
from dataclasses import dataclass

from ..cohort.records import Evidence
from .lexicon import finding_of, findings_in, stems


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a sentence."""

    text: str
    value: float
    place: int
    unit: str = ""

    @property
    def tolerance(self) -> float:
        """Half a unit of the last digit that was written; for whole numbers almost one (66.9 is age 66)."""
        _, dot, digits = self.text.partition(".")
        return 0.5 * 10.0 ** -len(digits) + 1e-6 if dot else 0.95


_NUMBER = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d+)?)(?![\w]*\d)\s*(%|[A-Za-zµ]+(?:/[A-Za-z0-9²]+)?)?")
_AGE_BEFORE = re.compile(
    r"(?:\bages?d?|\bage of|years? of age|\bat|\bsince|\bfrom)\s*(?:about |around |~)?$", re.I
)
_AGE_AFTER = re.compile(r"^\s*(?:-year-old|years? (?:old|of age))", re.I)
_YEARS_AFTER = re.compile(r"^\s*(?:y|yrs?|years?)\s+(?:\w+\s+)?(?:before|earlier|ago|prior|previously)", re.I)
_COUNT_AFTER = re.compile(r"^\s*(?:times|occasions|entries|records|episodes|visits)\b", re.I)
_HORIZON = re.compile(r"(?:within|next|coming|in|over)\s+(?:the\s+)?(?:next\s+)?$", re.I)
_DENIAL = re.compile(
    r"\b(?:no(?! (?:passing|longer|small|doubt|mere))|without|never|lacks?|denies|denied|free of|absence of"
    r"|negative for)\b",
    re.I,
)
_DENIED_BEHIND = re.compile(
    r"\b(?:is|are|was|were)\s+(?:absent|missing|not (?:recorded|documented|present|noted))\b", re.I
)
_CLAUSE = re.compile(r"[,;:.]\s|\b(?:but|although|though|which|while|despite|however|because)\b", re.I)
_OUTCOME = re.compile(
    r"\b(?:dementia|alzheimer\w*|cognitive decline|adrd)\b[^.;]{0,40}\b(?:was|were|is|has been)\s+"
    r"(?:later\s+|then\s+|subsequently\s+)?(?:diagnosed|confirmed|recorded|established)"
    r"|\b(?:later|subsequently|eventually|then)\s+(?:developed|diagnosed|progressed)"
    r"|went on to (?:develop|be diagnosed)|after the prediction time|outcome (?:confirms|shows|was)",
    re.I,
)
_HINT = re.compile(
    r"dement|alzheimer|decline|adrd|later|subseq|eventual|then|went on|prediction time|outcome"
)
"""No sentence without one of these can tell the outcome; it spares most of them the long pattern."""
_UNIT = re.compile(r"%|mmhg|m?g/d?l|[mµu]mol/(?:mo)?l|kg(?:/m[2²])?|cm|bpm|i?u/l|[np]g/ml|points", re.I)
_BEFORE = re.compile(r"\b(?:came before|preceded|before|followed by|led to|and then|prior to)\b", re.I)
_AFTER = re.compile(r"\b(?:came after|after|followed|following)\b(?! by)", re.I)


class Reading:
    """A sentence, read beside the evidence that it cites."""

    def __init__(self, text: str, cited: tuple[Evidence, ...]) -> None:
        self.text, self.cited = text, cited
        self.lower = text.lower()
        found = _OUTCOME.search(text) if _HINT.search(self.lower) else None
        self.outcome = found.group(0) if found else None
        self.mentions = findings_in(text)
        self.named = [name for name, _ in self.mentions]
        """Findings of the lexicon that the sentence names."""
        self._denied = self._denials()
        self.denied = [name for name, place in self.mentions if self._inside(place)]
        """Those of them that it says are not there."""
        self.numbers = [_number(m) for m in _NUMBER.finditer(text)]
        self.ages: list[Number] = []
        self.years: list[Number] = []
        self.counts: list[Number] = []
        self.others: list[Number] = []
        for n in self.numbers:
            self._sort(n)

    def _sort(self, n: Number) -> None:
        before, after = self.text[: n.place], self.text[n.place + len(n.text) :]
        if _YEARS_AFTER.match(after):
            self.years.append(n)
        elif _COUNT_AFTER.match(after):
            self.counts.append(n)
        elif _AGE_AFTER.match(after) or (not n.unit and _AGE_BEFORE.search(before)):
            self.ages.append(n)
        elif not (re.match(r"\s*-?years?\b", after) and _HORIZON.search(before)):
            self.others.append(n)

    def _denials(self) -> list[tuple[int, int]]:
        """Stretches of the sentence that are denied."""
        before, behind = list(_DENIAL.finditer(self.text)), list(_DENIED_BEHIND.finditer(self.text))
        if not before and not behind:
            return []
        ends = [m.start() for m in _CLAUSE.finditer(self.text)] + [len(self.text)]
        spans = [(m.end(), next((e for e in ends if e > m.end()), ends[-1])) for m in before]
        return spans + [(max((e for e in ends if e <= m.start()), default=0), m.start()) for m in behind]

    def _inside(self, place: int) -> bool:
        return any(a <= place < b for a, b in self._denied)

    def place(self, e: Evidence) -> int | None:
        """Where the sentence names a line; None where it does not."""
        kind = finding_of(e.name, e.code)
        for name, place in self.mentions:
            if name == kind:
                return place
        places = [p for stem in stems(e.name) if (p := self._word(stem)) >= 0]
        return min(places, default=None)

    def _word(self, stem: str) -> int:
        """Where a word begins with `stem`; -1 where none does."""
        at = self.lower.find(stem)
        while at > 0 and self.lower[at - 1].isalnum():
            at = self.lower.find(stem, at + 1)
        return at

    def names(self, e: Evidence) -> bool:
        """Whether the sentence names a line."""
        return self.place(e) is not None

    def denies(self, e: Evidence) -> bool:
        """Whether the sentence says that a line is not there."""
        place = self.place(e) if self._denied else None
        return place is not None and self._inside(place)

    def covered(self, finding: str) -> bool:
        """Whether a named finding is part of the name of a cited line."""
        return any(finding in {name for name, _ in findings_in(e.name)} for e in self.cited)

    @property
    def specific(self) -> bool:
        """Whether the sentence tells something of the history, or only sums up."""
        told = self.ages or self.years or self.counts or self.others or self.mentions
        return bool(told) or any(self.names(e) for e in self.cited)

    @property
    def own_age(self) -> bool:
        """Whether the sentence gives the person's own age."""
        return bool(re.search(r"\b(?:years? old|year-old|prediction time|now aged|currently)\b", self.lower))

    def in_a_name(self, n: Number) -> bool:
        """Whether a number belongs to the name of a cited line: `type 2 diabetes`."""
        return any(re.search(rf"\b{re.escape(n.text)}\b", e.name) for e in self.cited)

    def aligned(self, lines: list[Evidence]) -> list[tuple[Number, Evidence]]:
        """Ages with their lines where the sentence gives each named line exactly one, in the same order."""
        placed = sorted((p, e.id, e) for e in lines if (p := self.place(e)) is not None)
        if len(placed) < 2 or len(placed) != len(self.ages):
            return []
        return [(n, e) for n, (_, _, e) in zip(self.ages, placed, strict=True)]

    def orders(self, cited: tuple[Evidence, ...]) -> list[tuple[Evidence, Evidence]]:
        """Pairs of cited lines of which the sentence says that the first came before the second."""
        if len(cited) < 2:
            return []
        for pattern, flip in ((_BEFORE, False), (_AFTER, True)):
            m = pattern.search(self.text)
            if m is None:
                continue
            placed = [(p, e) for e in cited if (p := self.place(e)) is not None]
            left = [e for p, e in placed if p < m.start()]
            right = [e for p, e in placed if p >= m.end()]
            if len(left) == 1 and len(right) == 1:
                return [(right[0], left[0]) if flip else (left[0], right[0])]
        return []


def _number(m: re.Match[str]) -> Number:
    unit = (m.group(2) or "").strip()
    return Number(m.group(1), float(m.group(1)), m.start(1), unit if _UNIT.fullmatch(unit) else "")


def read_claim(text: str, cited: tuple[Evidence, ...]) -> Reading:
    """Read a sentence beside the evidence that it cites."""
    return Reading(text, cited)
