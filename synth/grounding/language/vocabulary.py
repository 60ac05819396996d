"""Every word and phrase that the rules know, found by its first token."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from ....study.errors import DataError
from .nodes import Node, NodeKind, expanded
from .tables import parts, rows
from .tokens import canonical, tokens

_CLASSES = """
    function, female, male, person, people, like this, kin, record, verb of record, judge, modal,
    clear words, category noun, denial opens, suppose, stopped, degree, lead, opens tail, outcome,
    outcome word, hindsight, before, after, then, first, already, when, latest, earliest, only, compare,
    all, rise, fall, steady, better, worse, high, low, normal, again bound, month, any drug, no denial,
    few denial
"""
CLASSES = tuple(name.strip() for name in _CLASSES.split(","))
"""Classes of `words.tsv`; a word may stand in several."""
BIT = {name: 1 << i for i, name in enumerate(CLASSES)}


class LivingState(NamedTuple):
    """How somebody lives, as a phrase says it."""

    what: str
    allowed: frozenset[str]


class Vague(NamedTuple):
    """A time or a number without a figure, as a range of what fits for certain and of what may fit."""

    what: str
    low: float
    high: float
    may_low: float
    may_high: float


class Sense:
    """What a word or a phrase may mean."""

    __slots__ = (
        "any_next",
        "begins",
        "category",
        "flags",
        "nodes",
        "number",
        "phrases",
        "plain",
        "states",
        "vague",
    )

    def __init__(self) -> None:
        self.flags = 0
        """Bits of its classes."""
        self.nodes: tuple[Node, ...] = ()
        self.category: Node | None = None
        """The kind of illness of which it is the adjective."""
        self.states: tuple[LivingState, ...] = ()
        self.vague: tuple[Vague, ...] = ()
        self.number: float | None = None
        self.phrases: dict[str, tuple[Phrase, ...]] = {}
        """Longer phrases that begin with it, by their second token, the longest first."""
        self.any_next: tuple[Phrase, ...] = ()
        """Those whose second token may end in any way."""
        self.begins = False
        """Whether there are such phrases."""
        self.plain = False
        """Whether it has classes and names nothing, as most words do."""

    @property
    def means_something(self) -> bool:
        """Whether it names something or tells a time or number, beside its classes."""
        return bool(self.nodes or self.states or self.vague or self.category)

    def settle(self) -> None:
        """Once all tables have been read."""
        drug = self.flags & BIT["any drug"]
        self.plain = bool(self.flags) and not drug and self.number is None and not self.means_something

    def longest(self, words: list[str], start: int) -> "tuple[Sense, int]":
        """The longest phrase that goes on at a place, and where it ends; itself where none does."""
        if start < len(words) and self.begins:
            best, end = self, start
            for rest, sense in self.phrases.get(words[start], ()):
                if matches(rest, words, start):
                    best, end = sense, start + len(rest)
                    break
            for rest, sense in self.any_next:
                if start + len(rest) > end and matches(rest, words, start):
                    return sense, start + len(rest)
            return best, end
        return self, start

    def take(self, other: "Sense") -> None:
        """Mean also what another means."""
        self.flags |= other.flags
        self.nodes += tuple(n for n in other.nodes if n not in self.nodes)
        self.states += other.states
        self.vague += other.vague
        self.category = self.category or other.category
        self.number = other.number if self.number is None else self.number


Phrase = tuple[tuple[str, ...], Sense]
"""The tokens that follow the first, and what all of them mean."""


class Vocabulary:
    """All tables, ready to look words up.

    Args:
        own: folder with tables of the study's own, beside those of the project.
    Raises:
        DataError: a row of a table is wrong.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self.nodes: dict[str, Node] = {}
        """Conditions, classes of drugs and measurements by name; drugs by their first name."""
        self._exact: dict[str, dict[tuple[str, ...], Sense]] = defaultdict(dict)
        self._beginnings: dict[str, dict[tuple[str, ...], Sense]] = defaultdict(dict)
        self.categories: list[Node] = []
        self._read_nodes()
        self._read_words()
        for table in (*self._exact.values(), *self._beginnings.values()):
            for sense in table.values():
                sense.settle()
        self.look = lru_cache(maxsize=65536)(self._look)

    def node(self, name: str) -> Node:
        """The node called `name`."""
        return self.nodes[name]

    # --- tables

    def _read_nodes(self) -> None:
        for name, codes, is_a, names in rows("conditions", self._own):
            node = self._node(name, "condition", expanded(codes))
            node.is_a |= set(parts(is_a))
            self._named(names, node)
        for codes, names in rows("drugs", self._own):
            self._named(names, self._node(parts(names)[0], "drug", expanded(codes)))
        for name, codes, given_for, names in rows("drug_classes", self._own):
            node = self._node(name, "drug class", expanded(codes))
            node.given_for = tuple(parts(given_for))
            self._named(names, node)
        for name, codes, tells_of, better, units, names in rows("measurements", self._own):
            node = self._node(name, "measurement", expanded(codes))
            node.tells_of, node.better, node.units = tuple(parts(tells_of)), better, tuple(parts(units))
            self._named(names, node)
        for node in self.nodes.values():
            lacking = next((n for n in (*node.tells_of, *node.given_for) if n not in self.nodes), None)
            if lacking is not None:
                raise DataError(f"{node}: {lacking!r} is not a name in conditions.tsv.")
        for name, codes, also, adjectives in rows("categories", self._own):
            node = Node(name, "category", expanded(codes), expanded(also))
            self.categories.append(node)
            for phrase in parts(adjectives):
                self.sense(phrase).category = node

    def _node(self, name: str, kind: NodeKind, codes: frozenset[str]) -> Node:
        known = self.nodes.get(name)
        if known is None:
            known = self.nodes[name] = Node(name, kind, codes)
        elif codes - known.codes:
            known.codes |= codes
        return known

    def _named(self, names: str, node: Node) -> None:
        for phrase in parts(names):
            sense = self.sense(phrase)
            if node not in sense.nodes:
                sense.nodes += (node,)

    def _read_words(self) -> None:
        for what, values, phrases in rows("states", self._own):
            state = LivingState(what, frozenset(parts(values, ",")))
            for phrase in parts(phrases):
                self.sense(phrase).states += (state,)
        for number, phrases in rows("numbers", self._own):
            for phrase in parts(phrases):
                self.sense(phrase).number = float(number)
        for what, *limits, phrases in rows("vague", self._own):
            low, high, may_low, may_high = limits
            ends = (low or "-inf", high or "inf", may_low or "-inf", may_high or "inf")
            for phrase in parts(phrases):
                self.sense(phrase).vague += (Vague(what, *map(float, ends)),)
        for name, phrases in rows("words", self._own):
            for phrase in parts(phrases):
                for form in _forms(phrase):
                    self.sense(form).flags |= BIT[name]

    def sense(self, phrase: str) -> Sense:
        """What a phrase of a table means, to be filled in; `*` stands for any ending."""
        words: list[str] = []
        for word in phrase.split():
            parts = tokens(word.rstrip("*"))
            words += [*parts[:-1], parts[-1] + "*"] if word.endswith("*") and parts else parts
        first, rest = words[0], tuple(words[1:])
        table = self._beginnings[first[:-1]] if first.endswith("*") else self._exact[first]
        return table.setdefault(rest, Sense())

    # --- looking up

    def _look(self, word: str) -> Sense:
        """What a token means by itself, and the phrases that begin with it."""
        tables = [self._exact[word]] if word in self._exact else []
        tables += [
            self._beginnings[word[:n]] for n in range(len(word), 2, -1) if word[:n] in self._beginnings
        ]
        out = Sense()
        longer: list[tuple[tuple[str, ...], Sense]] = []
        for table in tables:
            for rest, sense in table.items():
                if rest:
                    longer.append((rest, sense))
                else:
                    out.take(sense)
        longer.sort(key=lambda x: -len(x[0]))
        by_second: dict[str, list[Phrase]] = defaultdict(list)
        for rest, sense in longer:
            by_second["*" if rest[0][-1] == "*" else rest[0]].append((rest, sense))
        out.settle()
        out.any_next = tuple(by_second.pop("*", ()))
        out.phrases = {second: tuple(followers) for second, followers in by_second.items()}
        out.begins = bool(out.phrases or out.any_next)
        return out


def matches(rest: tuple[str, ...], words: list[str], start: int) -> bool:
    """Whether the tokens from `start` on are those of a phrase."""
    if start + len(rest) > len(words):
        return False
    for i, part in enumerate(rest, start):
        word = words[i]
        if part != word and not (part[-1] == "*" and word.startswith(part[:-1])):
            return False
    return True


def _forms(phrase: str) -> Iterable[str]:
    """A phrase, or all forms of a regular verb where it is marked as one."""
    if not phrase.endswith("~"):
        return (phrase,)
    base = phrase[:-1]
    stem = base[:-1] if base.endswith("e") else base
    past = base[:-1] + "ied" if base.endswith("y") and base[-2] not in "aeiou" else stem + "ed"
    return (base, canonical(base + "s"), past, stem + "ing")


@cache
def vocabulary(own: Path | None = None) -> Vocabulary:
    """The vocabulary of the project, or of a study with tables of its own."""
    return Vocabulary(own)
