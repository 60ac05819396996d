"""What a sentence says that can be checked: findings named or denied, the outcome told, numbers, an order."""

import re
from functools import cached_property
from typing import NamedTuple

from ...cohort.records import Evidence
from .lexicon import callings, finding_of, findings_in, stems
from .numbers import Number, numbers_in, spelled, unit_of
from .phrases import (
    AFTER,
    BEFORE,
    BEHIND,
    CLAUSE,
    CUES,
    DENIAL,
    DENIAL_CUES,
    END,
    GENERAL,
    HEAD,
    KIN,
    LATER,
    LEADS,
    NEGATIVE,
    PEOPLE,
    STAYED,
    SUM,
    SUPPOSED,
    TOLD,
)


class Denied(NamedTuple):
    """A stretch of a sentence that is denied; not firm where the denial is limited or only supposed."""

    start: int
    end: int
    firm: bool


class Reading:
    """A sentence, read beside the evidence that it cites."""

    def __init__(self, text: str, cited: tuple[Evidence, ...]) -> None:
        self.text, self.cited = spelled(text), cited
        self.lower = self.text.lower()
        self.mentions = findings_in(self.text)
        """Findings of the lexicon that the sentence names, with where."""
        self.denials = self._denials()
        self.numbers = [self._placed(n) for n in numbers_in(self.text)]

    @property
    def outcome(self) -> str | None:
        """The words that tell what came after the prediction time."""
        m = TOLD.search(self.text) if any(cue in self.lower for cue in CUES) else None
        if m is None or any(others.search(self.text, 0, m.end()) for others in (PEOPLE, KIN)):
            return None
        return None if SUPPOSED.search(self.text, self._clause(m.start()), m.end()) else m[0]

    def of(self, kind: str) -> list[Number]:
        """Its numbers of one kind."""
        return [n for n in self.numbers if n.kind == kind]

    def _placed(self, n: Number) -> Number:
        """A number in brackets, or behind `at`, may be a cited value; two bare numbers in a row are ages."""
        if n.kind not in ("bare", "age", "between") or "age" in self.lower[max(0, n.place - 6) : n.place]:
            return n
        if any(n.matches(value) for e in self.cited for value in e.values):
            return n._replace(kind="other")
        if n.kind == "bare" and any(n.low <= e.count <= n.high for e in self.cited if e.count > 1):
            return n._replace(kind="count")
        return n._replace(kind="age")

    # --- denials

    def _denials(self) -> list[Denied]:
        if not any(cue in self.lower for cue in DENIAL_CUES):
            return []
        out = []
        for m in DENIAL.finditer(self.text):
            phrase = " ".join(self.lower[m.start() :].split()[:2])
            if any(phrase in e.name.lower() for e in self.cited):
                continue  # `diabetes without complications` is what the line is called
            end = END.search(self.text, m.end())
            firm = end is None or end.lastgroup != "limit"
            out.append(Denied(m.start(), end.start() if end else len(self.text), firm))
        for m in BEHIND.finditer(self.text):
            if m["mind"] and m["fine"]:
                self.mentions += (("memory problem", m.start(), m.end("mind")),)
                out.append(Denied(m.start(), m.end(), True))
                continue
            before = [(name, a) for name, a, b in self.mentions if b <= m.start()]
            if before and not (
                m["fine"] and before[-1][0] in ("blood pressure", "HbA1c", "glucose", "BMI", "LDL")
            ):
                last = m["last"] or m["free"] or m["fine"]
                start = before[-1][1] if last else self._clause(m.start())
                out.append(Denied(start, m.start(), True))
            elif not before and not m["fine"]:
                out.append(Denied(0, m.start(), True))
        if out and SUPPOSED.search(self.text):
            return [d._replace(firm=False) for d in out]
        return out

    @property
    def firm(self) -> bool:
        """Whether it denies something for certain."""
        return any(d.firm for d in self.denials)

    def _denied(self, place: int, firm: bool = False) -> bool:
        return any(d.start <= place < d.end and (d.firm or not firm) for d in self.denials)

    @cached_property
    def denied(self) -> list[str]:
        """Findings that it says are not there, for certain."""
        return [
            name
            for name, a, b in self.mentions
            if self._denied(a, firm=True) and not HEAD.match(self.text, b)
        ]

    @cached_property
    def told(self) -> list[str]:
        """Findings that it says are there: not denied, no cause or danger, no guess."""
        return [name for name, a, _ in self.mentions if not self._denied(a) and not self._excused(a)]

    def _excused(self, place: int) -> bool:
        return LEADS.search(self.text, max(self._clause(place), place - 60), place) is not None

    def _clause(self, place: int) -> int:
        """Where the clause around a place begins."""
        return max((c.end() for c in CLAUSE.finditer(self.text, 0, place)), default=0)

    def denies(self, e: Evidence) -> bool:
        """Whether the sentence says that a line is not there."""
        if not self.denials or NEGATIVE.search(e.name):
            return False
        if finding_of(e.name, e.code) in self.denied:
            return True
        places = [p for p in map(self._word, stems(e.name)) if p >= 0 and self._denied(p, firm=True)]
        return any(not HEAD.search(self.text, p, p + 30) for p in places)

    # --- names

    def place(self, e: Evidence) -> int | None:
        """Where the sentence names a line; None where it does not."""
        own, kinds = finding_of(e.name, e.code), callings(e.name, e.code)
        for known in ((own,), kinds):
            for name, place, _ in self.mentions:
                if name in known:
                    return place
        return min((p for stem in stems(e.name) if (p := self._word(stem)) >= 0), default=None)

    def _word(self, stem: str) -> int:
        """Where a word begins with `stem`; -1 where none does."""
        at = self.lower.find(stem)
        while at > 0 and self.lower[at - 1].isalnum():
            at = self.lower.find(stem, at + 1)
        return at

    def names(self, e: Evidence) -> bool:
        """Whether the sentence names a line."""
        return self.place(e) is not None

    @property
    def general(self) -> bool:
        """Whether it sums up or reasons, and tells no single fact."""
        return GENERAL.search(self.text) is not None or self.literature

    @property
    def literature(self) -> bool:
        """Whether it speaks of people at large."""
        return PEOPLE.search(self.text) is not None

    @property
    def sums_up(self) -> bool:
        """Whether a word in it stands for several lines, or for one named before."""
        return SUM.search(self.text) is not None

    @property
    def own_age(self) -> bool:
        """Whether the sentence gives the person's own age."""
        return bool(
            re.search(r"\b(?:years? old|year-old|prediction time|now aged|currently|\d\d[fm])\b", self.lower)
        )

    def in_a_name(self, n: Number) -> bool:
        """Whether a number belongs to the name of a cited line: `type 2 diabetes`."""
        return any(re.search(rf"(?<![\w.]){re.escape(n.text)}(?!\d)", e.name) for e in self.cited)

    def measured(self, n: Number) -> bool:
        """Whether a number has a unit in which a cited line was measured."""
        return bool(n.unit) and any(e.unit is not None and unit_of(e.unit) == n.unit for e in self.cited)

    # --- order

    def in_order(self) -> list[Evidence]:
        """Cited lines as the sentence names them, each named once."""
        placed = sorted((p, e.id, e) for e in self.cited if (p := self.place(e)) is not None)
        return [e for _, _, e in placed] if len({p for p, _, _ in placed}) == len(placed) > 1 else []

    def orders(self) -> list[tuple[Evidence, Evidence]]:
        """Pairs of cited lines of which the sentence says that the first came before the second."""
        if len(self.cited) < 2 or STAYED.search(self.text):
            return []
        for pattern, flip in ((AFTER, True), (BEFORE, False)):
            m = pattern.search(self.text)
            if m is None:
                continue
            placed = [(p, e) for e in self.cited if (p := self.place(e)) is not None]
            left = [e for p, e in placed if p < m.start()]
            right = [e for p, e in placed if p >= m.end()]
            if len(left) == 1 and len(right) == 1:
                return [(right[0], left[0]) if flip else (left[0], right[0])]
        if (m := LATER.search(self.text)) is not None:
            *_, first, last = [None, None, *(e for e in self.in_order() if (self.place(e) or 0) < m.start())]
            return [(first, last)] if first and last else []
        return []
