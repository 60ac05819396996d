"""From tokens to what a sentence names: lines by their own names, findings and kinds of illness, ways of living."""

from ..facts import HistoryFacts, HistoryLine
from ..language.nodes import Node
from ..language.tokens import tokens
from ..language.vocabulary import BIT, LivingState, Sense, Vague

INSIDE = 1 << 62
"""Flag of every token of a phrase but the first."""
_SOFT = (
    BIT["fall"]
    | BIT["rise"]
    | BIT["judge"]
    | BIT["record"]
    | BIT["function"]
    | BIT["verb of record"]
    | BIT["degree"]
    | BIT["low"]
    | BIT["high"]
)
_NOUN, _BETWEEN = BIT["category noun"], BIT["judge"] | BIT["degree"] | BIT["function"] | BIT["record"]
_DRUG = BIT["any drug"]
_LENGTHS = frozenset(("year", "decade", "month", "century"))
_SKIP = frozenset(",()[]/;:-")


class Mention:
    """A stretch of a sentence that names something of a person."""

    __slots__ = (
        "category",
        "cited",
        "end",
        "frame",
        "how",
        "line",
        "lines",
        "nodes",
        "noun",
        "soft",
        "start",
        "state",
        "text",
        "weak",
    )

    def __init__(self, start: int, end: int, text: str) -> None:
        self.start, self.end, self.text = start, end, text
        self.nodes: tuple[Node, ...] = ()
        self.category: Node | None = None
        self.noun = ""
        """Of a kind of illness: the noun behind the adjective."""
        self.state: LivingState | None = None
        self.line: HistoryLine | None = None
        """The line whose full name it is."""
        self.soft = False
        """Whether the words may as well mean nothing of the kind: `weight`, `memory`."""
        self.weak = False
        """Whether it is a part of a line's name and no more."""
        self.frame = "told"
        """How it is said, by `frames`: told, denied, denied in part, supposed, led, general, kin, headed."""
        self.lines: list[HistoryLine] = []
        """What it names, by `links`."""
        self.how = ""
        """The relation of these lines to it; "" where there is none."""
        self.cited = False
        """Whether these lines are cited."""


class Scan:
    """The tokens of a sentence, each with what it does, and everything that the sentence names.

    Args:
        text: of a claim.
        facts: of the history.
    """

    __slots__ = (
        "denials",
        "facts",
        "flags",
        "mentions",
        "seen",
        "supposed",
        "text",
        "unread",
        "vague",
        "values",
        "words",
    )

    def __init__(self, text: str, facts: HistoryFacts) -> None:
        self.text, self.facts = text, facts
        self.words = tokens(text)
        self.flags = [0] * len(self.words)
        self.seen = 0
        """Every flag that occurs."""
        self.mentions: list[Mention] = []
        self.vague: list[tuple[int, int, tuple[Vague, ...]]] = []
        self.values: list[tuple[int, int, float]] = []
        """Numbers: where each begins and ends, and what it is."""
        self.unread: list[int] = []
        """Words of no table."""
        self.denials: set[int] = set()
        """Places of denials that were read, by `frames`."""
        self.supposed = (0, 0)
        """What is supposed and not so, by `frames`."""
        self._read()

    def phrase(self, start: int, end: int) -> str:
        """The tokens between two places."""
        return " ".join(self.words[start:end])

    def _read(self) -> None:
        words, look, heads = self.words, self.facts.vocabulary.look, self.facts.heads
        flags, seen = self.flags, 0
        i, n = 0, len(words)
        while i < n:
            word = words[i]
            sense, end, line = look(word), i + 1, None
            if sense.begins and end < n:
                sense, end = sense.longest(words, end)
            if word in heads:
                for rest, one in heads[word]:
                    stop = _named(rest, words, i + 1)
                    if stop >= end:
                        line, end = one, stop
            if sense.plain and line is None:
                seen |= sense.flags
                flags[i] = sense.flags
                if end - i > 1:
                    flags[i + 1 : end] = [sense.flags | INSIDE] * (end - i - 1)
                if word in ("a", "an") and end == i + 1 and words[end : end + 1] and words[end] in _LENGTHS:
                    self.values.append((i, end, 1.0))
            elif line is None and end == i + 1 and word[0] <= "9":
                if word[0].isdigit() or word[1:2].isdigit():
                    self.values.append((i, end, _value(word)))
            else:
                self._take(i, end, sense, line)
            i = end
        self.seen |= seen

    def _mark(self, start: int, end: int, flags: int) -> None:
        self.seen |= flags
        self.flags[start] = flags
        for i in range(start + 1, end):
            self.flags[i] = flags | INSIDE

    def _take(self, start: int, end: int, sense: Sense, line: HistoryLine | None) -> None:
        flags = sense.flags
        if line is not None:
            mention = Mention(start, end, self.phrase(start, end))
            mention.line = line
            self.mentions.append(mention)
        elif sense.nodes or sense.states:
            mention = Mention(start, end, self.phrase(start, end))
            mention.nodes = sense.nodes
            mention.state = sense.states[0] if sense.states else None
            mention.soft = flags & _SOFT != 0
            self.mentions.append(mention)
        elif sense.category is not None:
            self._category(start, end, sense.category)
        elif flags & _DRUG and not self._qualified(start):
            mention = Mention(start, end, self.phrase(start, end))
            mention.category, mention.soft = DRUGS, True
            self.mentions.append(mention)
        if sense.vague:
            self.vague.append((start, end, sense.vague))
        if sense.number is not None and line is None and not sense.nodes:
            self._number(start, end, sense.number)
        elif not flags and line is None and self.words[start][0].isalpha() and not sense.means_something:
            self.unread.append(start)
        self._mark(start, end, flags)

    def _qualified(self, start: int) -> bool:
        """Whether a kind of drug or illness stands right before a word for any drug."""
        if any(m.end == start for m in self.mentions):
            return True
        return start > 0 and self.facts.vocabulary.look(self.words[start - 1]).category is not None

    def _number(self, start: int, end: int, value: float) -> None:
        """A number in words; `thirty` and a following `two` are one."""
        if self.values:
            a, b, before = self.values[-1]
            if b == start and value in (12, 100) and 0 < before < 10:
                self.values[-1] = (a, end, before * value)
                return
            if (
                b == start
                and 20 <= before < 100
                and before % 10 == 0
                and 0 < value < 10
                and self.words[a].isalpha()
            ):
                self.values[-1] = (a, end, before + value)
                return
        self.values.append((start, end, value))

    def _category(self, start: int, end: int, category: Node) -> None:
        """`vascular disease`, `cardiac or neurological events`; an adjective alone names nothing."""
        words, look = self.words, self.facts.vocabulary.look
        i, steps = end, 0
        while i < len(words) and steps < 4:
            sense, stop = look(words[i]).longest(words, i + 1)
            if sense.flags & _NOUN:
                mention = Mention(start, stop, self.phrase(start, stop))
                mention.category, mention.noun = category, words[i]
                self.mentions.append(mention)
                return
            if not (sense.flags & _BETWEEN or sense.category or sense.vague or words[i] == ","):
                return
            i, steps = i + 1, steps + 1


DRUGS = Node("medication", "category", frozenset())
"""Any drug."""


def _value(word: str) -> float:
    return float(word.rstrip("stndrh").replace(",", "") or "nan")


def _named(rest: tuple[str, ...], words: list[str], start: int) -> int:
    """Where a name ends whose first token stands before `start`; -1 where it does not go on so."""
    i, n = start, len(words)
    for part in rest:
        while i < n and words[i] in _SKIP:
            i += 1
        if i >= n or words[i] != part:
            return -1
        i += 1
    return i
