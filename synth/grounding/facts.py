"""What a history says, arranged for the rules: every line with what it names, when, how often and how much."""

import re
from collections import defaultdict
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from ...cohort.records import Evidence
from ..teaching import History
from .language.nodes import Node
from .language.tokens import tokens, wordset
from .language.vocabulary import BIT, LivingState, Sense, Vocabulary, vocabulary

Relation = Literal["is", "shows", "narrower", "maybe", "unknown", "no"]
"""Of a line to what a sentence names: it is that; its value or drug tells of it; the sentence says more than the
line; one may argue; the line stands in no table; it is something else."""

NAMED = re.compile(r"[A-Z]\d[\dA-Z](?:\.?[\dA-Z]{1,4})?$")
ATC = re.compile(r"[A-Z]\d\d[A-Z]{2}\d\d$")
_ASIDE = re.compile(
    r"\s*\((?:disorder|finding|situation|procedure|substance|organism|event|observable entity)\)$"
)
_SKIPPED = BIT["function"] | BIT["person"]
_BUT = wordset("without not no except excluding due associated")


class CodeMeaning:
    """What the name and code of a line say, whoever's line it is.

    Args:
        name: as in the timeline.
        code: in its system.
        kind: of evidence.
        words: the vocabulary.
    """

    def __init__(self, name: str, code: str, kind: str, words: Vocabulary) -> None:
        self.kind, self._vocabulary = kind, words
        plain = _ASIDE.sub("", name)
        self.tokens = tuple(t for t in tokens(plain) if t[0].isalnum() or t[0] == ".")
        bare = code.rsplit("/", 1)[-1].replace(".", "").rstrip("-")
        self.code = bare if NAMED.match(bare) or kind == "drug" else code
        self.names = tuple(dict.fromkeys(self._names(plain, bare)))
        """Token lists by which a sentence may call the line in full."""
        self.words = frozenset(t for t in self.tokens if not words.look(t).flags & _SKIPPED)
        self.nodes, self.state = self._meant()
        self.system = self._system()
        """Of its codes: ICD, ATC or LOINC."""
        self.codes = self._codes()
        self._relations: dict[Node, Relation] = {}

    def _names(self, plain: str, code: str) -> list[tuple[str, ...]]:
        coded = len(self.tokens) > 1 and NAMED.match(code) and self.tokens[0] == code.lower()
        own = self.tokens[1:] if coded else self.tokens
        out = [own]
        for mark in (",", " (", ":", ";", " - "):
            head = plain.split(mark)[0]
            short = tuple(t for t in tokens(head) if t[0].isalnum())
            if short and short != (code.lower(),) and len(short) < len(own):
                out.append(short)
        return [n for n in out if n]

    def _meant(self) -> tuple[tuple[Node, ...], LivingState | None]:
        """Nodes that the name or the code stands for, and how somebody lives, where the line says so."""
        by_code = tuple(
            n
            for n in self._vocabulary.nodes.values()
            if n.kind == "measurement" and self.kind != "condition" and self.code in n.codes
        )
        nodes: list[Node] = []
        state: tuple[int, LivingState] | None = None
        i, denied = 0, False
        while i < len(self.tokens):
            denied = denied or self.tokens[i] in _BUT
            sense, length = _longest(self._vocabulary, self.tokens, i)
            for one in sense.states:
                if state is None or length >= state[0]:
                    state = (length, one)
            if sense.nodes and not denied:
                nodes += [n for n in sense.nodes if n not in nodes]
            i += length
        return by_code or tuple(nodes), state[1] if state else None

    def _system(self) -> str:
        systems = {n.system for n in self.nodes}
        if self.kind == "drug" or ATC.match(self.code) or systems == {"ATC"}:
            return "ATC"
        return "LOINC" if systems == {"LOINC"} else "ICD"

    def _codes(self) -> tuple[str, ...]:
        if self.system != "LOINC" and (ATC if self.system == "ATC" else NAMED).match(self.code):
            return (self.code,)
        return tuple(c for n in self.nodes if n.system == self.system != "LOINC" for c in n.codes)

    def relation(self, node: Node) -> Relation:
        """What the line is to a node."""
        relation = self._relations.get(node)
        if relation is None:
            relation = self._relations[node] = self._in(node) if node.kind == "category" else self._to(node)
        return relation

    def _in(self, category: Node) -> Relation:
        if self.state is not None:
            return "maybe" if self.state.allowed == {"current"} and category.also else "no"
        if self.system != "ICD":
            return "no"
        if not self.codes:
            return "no" if self.kind in ("measurement", "visit", "demographic") else "unknown"
        if all(map(category.covers, self.codes)):
            return "is"
        also = Node("", "category", category.also)
        return "maybe" if any(category.covers(c) or also.covers(c) for c in self.codes) else "no"

    def _to(self, node: Node) -> Relation:
        if (node.system == self.system and node.covers(self.code)) or any(
            n.kind_of(node) for n in self.nodes
        ):
            return "is"
        for own in self.nodes:
            implied = [self._vocabulary.nodes[t] for t in (*own.tells_of, *self._given_for(own))]
            if any(node.kind_of(t) or t.kind_of(node) for t in implied):
                return "shows"
        if any(node.kind_of(n) for n in self.nodes) or (
            node.codes
            and self.codes
            and node.system == self.system
            and all(any(c.startswith(k) for k in self.codes) for c in node.codes)
        ):
            return "narrower"
        return "no" if self.nodes or self.codes else "unknown"

    def _given_for(self, drug: Node) -> list[str]:
        if drug.kind != "drug":
            return []
        classes = (n for n in self._vocabulary.nodes.values() if n.kind == "drug class")
        return [name for c in classes if drug.kind_of(c) for name in c.given_for]


def _longest(words: Vocabulary, tokens: tuple[str, ...], i: int) -> tuple[Sense, int]:
    sense, end = words.look(tokens[i]).longest(list(tokens), i + 1)
    return sense, end - i


class HistoryLine:
    """A line of a history beside what is known of its kind."""

    __slots__ = (
        "age",
        "ages",
        "ago",
        "count",
        "e",
        "id",
        "known",
        "readings",
        "since",
        "unit",
        "value",
        "values",
    )

    def __init__(self, e: Evidence, known: CodeMeaning, age: float) -> None:
        self.e, self.id, self.known = e, e.id, known
        self.age, self.ago, self.value, self.unit, self.count = (
            e.age,
            e.years_before,
            e.value,
            e.unit,
            e.count,
        )
        self.since = None if e.age is None else age - e.age
        """Years from the first event to the prediction time."""
        first = () if e.age is None else (e.age,)
        last = () if e.count == 1 or e.years_before is None else (age - e.years_before,)
        self.values: tuple[float, ...] = ()
        self.readings: tuple[tuple[float, float], ...] = ()
        """Values with the age at each."""
        self.ages = (*first, *last)
        """At the first event, the last, and at each value."""
        if e.value is not None or e.first_value is not None:
            self.values = e.values
            self.ages = (*e.ages, *last)
            self.readings = tuple(
                (r.value, r.age) for r in e.readings if r.value is not None and r.age is not None
            )

    def __repr__(self) -> str:
        return f"{self.id} ({self.e.name})"


class HistoryFacts:
    """A history arranged for the rules; made once a case.

    Args:
        history: of one case.
        own: folder with tables of the study's own.
    """

    def __init__(self, history: History, own: Path | None = None) -> None:
        self.history, self.case, self.own = history, history.case, own
        self.vocabulary = vocabulary(own)
        known = _known(self.vocabulary)
        age = history.case.age
        self.lines = {e.id: HistoryLine(e, known(e.name, e.code, e.kind), age) for e in history.evidence}
        self.shown = [x for x in self.lines.values() if x.e.shown]
        self.hidden = [x for x in self.lines.values() if not x.e.shown]
        self._related: dict[Node, dict[Relation, list[HistoryLine]]] = {}
        self.heads: dict[str, list[tuple[tuple[str, ...], HistoryLine]]] = defaultdict(list)
        """Full names of the lines that were shown, by their first token."""
        for line in self.shown:
            for name in line.known.names:
                self.heads[name[0]].append((name[1:], line))

    @property
    def age(self) -> float:
        """Of the person at the prediction time."""
        return self.case.age

    @cached_property
    def sex(self) -> str | None:
        """Of the person, as the case or a line has it."""
        if self.case.sex is not None:
            return self.case.sex
        stated = (
            next(iter(x.known.state.allowed))
            for x in self.shown
            if x.known.state and x.known.state.what == "sex"
        )
        return next(stated, None)

    @cached_property
    def words(self) -> dict[str, list[HistoryLine]]:
        """Lines that were shown, by the words of their names."""
        out: dict[str, list[HistoryLine]] = defaultdict(list)
        for line in self.shown:
            for word in line.known.words:
                out[word].append(line)
        return out

    def related(self, node: Node, *relations: Relation) -> list[HistoryLine]:
        """Lines that were shown and stand in one of these relations to a node."""
        found = self._related.get(node)
        if found is None:
            found = self._related[node] = defaultdict(list)
            for x in self.shown:
                found[x.known.relation(node)].append(x)
        if len(relations) == 1:
            return list(found.get(relations[0], ()))
        return [x for x in self.shown if x.known.relation(node) in relations]


@lru_cache(maxsize=8)
def _known(words: Vocabulary):  # type: ignore[no-untyped-def]
    """The kinds of lines seen so far, for one vocabulary."""
    return lru_cache(maxsize=65536)(lambda name, code, kind: CodeMeaning(name, code, kind, words))
