"""A claim read beside the history: everything that the rules ask of it."""

from collections.abc import Sequence
from functools import cached_property

from ..facts import HistoryFacts, HistoryLine
from ..language.tokens import wordset
from ..language.units import Units, units
from ..language.vocabulary import BIT
from .frames import HARD, frames
from .links import links
from .quantities import Quantity, quantities
from .scan import INSIDE, Mention, Scan

TAIL = BIT["opens tail"]
OWN = frozenset(("told", "supposed"))
"""Frames of what a sentence says of this person."""
SUBJECTS = wordset("she he the her his it they there")


class ClaimReading:
    """One claim.

    Args:
        text: of the claim.
        cited: lines that it cites and that were shown.
        facts: of the history.
    """

    def __init__(self, text: str, cited: Sequence[HistoryLine], facts: HistoryFacts) -> None:
        self.facts, self.cited = facts, list(cited)
        self.scan = scan = Scan(text, facts)
        self.words, self.flags, self.seen = scan.words, scan.flags, scan.seen
        frames(scan)
        self.quantities = quantities(scan, self.units) if scan.values or scan.unread else []
        links(scan, self.cited, facts)
        self.mentions = scan.mentions
        self.consumed: set[int] = set()
        """Places of words that a rule has read."""

    @property
    def units(self) -> Units:
        """The unit tables."""
        return units(self.facts.own)

    @cached_property
    def own(self) -> list[Mention]:
        """What it says of this person, in order."""
        return [m for m in self.mentions if m.frame in OWN]

    @cached_property
    def linked(self) -> list[Mention]:
        """What it says of this person and the history holds."""
        return [m for m in self.own if m.lines and m.how in ("is", "shows", "maybe")]

    @cached_property
    def lines(self) -> list[HistoryLine]:
        """Lines that it speaks of; those that it cites where it names none."""
        out: list[HistoryLine] = []
        for m in self.linked:
            out += [x for x in m.lines if x not in out]
        return out or self.cited

    def starts(self, name: str) -> list[int]:
        """Where phrases of a class begin."""
        bit = BIT[name]
        if not self.seen & bit:
            return []
        return [i for i, f in enumerate(self.flags) if f & bit and not f & INSIDE]

    def has(self, name: str) -> bool:
        """Whether a word of a class occurs."""
        return self.seen & BIT[name] != 0

    def end(self, place: int) -> int:
        """Where the phrase that begins at a place ends."""
        i = place + 1
        while i < len(self.flags) and self.flags[i] & INSIDE:
            i += 1
        return i

    # --- what a word belongs to

    @cached_property
    def _tails(self) -> list[tuple[int, int]]:
        """Stretches that weigh what was said: behind `may`, `adds to`, `is a known`, up to the end of the clause."""
        out: list[tuple[int, int]] = []
        first = min((m.end for m in self.mentions), default=len(self.words))
        subject = (
            min(first, 3)
            if self.words[:1] and self.words[0] in ("these", "this", "both", "such", "it")
            else first
        )
        for p in sorted((*self.starts("opens tail"), *self.starts("lead"))):
            if p >= subject and not (out and p < out[-1][1]):
                out.append(
                    (p, next((i for i in range(p + 1, len(self.words)) if self._breaks(i)), len(self.words)))
                )
        return out

    def _breaks(self, i: int) -> bool:
        w = self.words[i]
        if w in (",", "and") and self.words[i + 1 : i + 2]:
            after, then = self.words[i + 1], self.words[i + 2 : i + 3]
            return after in SUBJECTS or (after in ("and", "but") and bool(then) and then[0] in SUBJECTS)
        return w in HARD and w not in ("which", "because")

    def in_tail(self, place: int) -> bool:
        """Whether a word only weighs what was said."""
        return any(a <= place < b for a, b in self._tails)

    def in_people(self, place: int) -> bool:
        """Whether people at large are spoken of before a place."""
        return any(p < place for p in self.starts("people"))

    def near(self, place: int) -> Mention | None:
        """What of this person a word belongs to: the nearest before it in its clause, or else behind it."""
        before = [m for m in self.linked if m.end <= place]
        behind = [m for m in self.linked if m.start > place]
        if behind and (not before or self._closer(before[-1], place, behind[0])):
            return behind[0]
        return before[-1] if before else None

    def _closer(self, before: Mention, place: int, behind: Mention) -> bool:
        """Whether what stands behind a word is closer: a pause lies before the word, and none behind it."""
        left, right = self.words[before.end : place], self.words[place + 1 : behind.start]
        pause = any(w in HARD or w in (",", "and", "with") for w in left)
        return pause and not any(w in HARD or w in (",", "and", "is", "was", "has", "were") for w in right)

    def attached(self, q: Quantity) -> list[HistoryLine]:
        """Lines that a number may be about, the likeliest first; those cited where the sentence names none."""
        linked = [m for m in self.linked if m.cited] or self.linked
        if not linked:
            return self.cited
        if len(linked) == 1:
            return linked[0].lines
        if q.start and self.words[q.start - 1] == "(" and (inside := [m for m in linked if m.end <= q.start]):
            return inside[-1].lines
        alike = [x for x in self.quantities if x.role == q.role]
        if len(alike) == len(linked) and len(alike) > 1:
            return linked[alike.index(q)].lines
        behind = next((m for m in linked if m.start >= q.end), None)
        if behind is not None and self._leads(q, behind):
            return behind.lines
        before = [m for m in linked if m.end <= q.start]
        return before[-1].lines if before else (behind.lines if behind else self.cited)

    def _leads(self, q: Quantity, m: Mention) -> bool:
        """`16 years of hearing loss`, `two strokes`, `at 58 diabetes`: a number that stands before what it counts."""
        between = self.words[q.end : m.start]
        if q.role in ("count", "items"):
            return not any(w in HARD for w in between)
        if "of" in between[:1] or (q.role == "span" and "of" in between):
            return True
        return q.start < 3 and all(
            w in ("the", "a", "an", ",", "she", "he", "had", "with", "of") for w in between
        )

    def certain(self, q: Quantity) -> bool:
        """Whether no word that means nothing stands between a number and what it is about."""
        before = max((m.end for m in self.linked if m.end <= q.start), default=0)
        others = [m.start for m in self.mentions if m not in self.linked]
        return not any(before <= i < q.start for i in (*self.scan.unread, *others))

    def group(self, q: Quantity) -> list[HistoryLine]:
        """All lines that a number may be about at once: `hypertension and stroke before 70`."""
        linked = self.linked
        inside = [x for x in self.quantities if x.role == q.role and x is not q]
        before = [
            m for m in linked if m.end <= q.start and not any(m.end <= x.start < q.start for x in inside)
        ]
        chosen = before or [m for m in linked if m.start >= q.end]
        out: list[HistoryLine] = []
        for m in chosen:
            out += [x for x in m.lines if x not in out]
        return out or self.attached(q)
