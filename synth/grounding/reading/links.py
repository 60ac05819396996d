"""Which lines of a history a sentence means by what it names."""

from collections.abc import Sequence

from ..facts import HistoryFacts, HistoryLine, Relation
from ..language.tokens import wordset
from .scan import DRUGS, Mention, Scan


def links(scan: Scan, cited: Sequence[HistoryLine], facts: HistoryFacts) -> None:
    """Give every mention its lines: the cited ones where there are such, else others that were shown."""
    _parts_of_names(scan, cited, facts)
    for m in scan.mentions:
        for relation in ("is", "shows", "maybe", "narrower"):
            related = _related(m, facts, relation)
            near = [x for x in related if x in cited]
            if near or (related and relation != "shows"):
                m.lines, m.how, m.cited = near or related, relation, bool(near)
                break


EVENTS = wordset("event insult incident catastrophe episode attack")
"""What happens at a time, as a stroke does and hypertension does not."""


def _related(m: Mention, facts: HistoryFacts, relation: Relation) -> list[HistoryLine]:
    if m.line is not None:
        return [x for x in facts.shown if x.known is m.line.known] if relation == "is" else []
    if m.state is not None:
        what = m.state.what
        return (
            [x for x in facts.shown if x.known.state and x.known.state.what == what]
            if relation == "is"
            else []
        )
    if m.category is DRUGS:
        return [x for x in facts.shown if x.known.kind == "drug"] if relation == "is" else []
    if m.category is not None:
        if m.noun in EVENTS and relation == "maybe":
            return []
        if m.noun == "risk" and relation == "is":
            return facts.related(m.category, "is", "maybe")
        return facts.related(m.category, relation)
    out: list[HistoryLine] = []
    for node in m.nodes:
        out += [x for x in facts.related(node, relation) if x not in out]
    return out


def _parts_of_names(scan: Scan, cited: Sequence[HistoryLine], facts: HistoryFacts) -> None:
    """Words that no table knows may be part of the name of a line; neighbours must be of the same line."""
    left: list[int] = []
    unread, i = scan.unread, 0
    while i < len(unread):
        run = [unread[i]]
        while i + 1 < len(unread) and unread[i + 1] == unread[i] + 1:
            i += 1
            run.append(unread[i])
        lines = _holding([scan.words[k] for k in run], cited) or _holding(
            [scan.words[k] for k in run], facts.shown
        )
        if lines:
            mention = Mention(run[0], run[-1] + 1, scan.phrase(run[0], run[-1] + 1))
            mention.line, mention.weak = lines[0], True
            scan.mentions.append(mention)
        else:
            left += run
        i += 1
    if len(left) < len(unread):
        scan.unread = left
        scan.mentions.sort(key=lambda m: m.start)


def _holding(words: list[str], lines: Sequence[HistoryLine]) -> list[HistoryLine]:
    return [x for x in lines if all(w in x.known.words for w in words)]
