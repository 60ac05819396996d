"""Whether what a claim names stands in the history, and what it cites is named."""

from ..facts import HistoryLine
from ..findings import Findings
from ..language.tokens import wordset
from ..reading.reading import ClaimReading
from ..reading.scan import DRUGS, Mention

SUMS = wordset(
    "these this those both such it they together all combination combined cumulative jointly overall "
    "former latter findings factors conditions events diagnoses condition event factor finding illness "
    "problem comorbiditie comorbidity vascular cardiometabolic metabolic accumulate accumulation burden "
    "picture pattern profile cluster constellation disorder diseases disease symptom"
)
"""Words that stand for several lines, or for one named before."""


def names(r: ClaimReading, findings: Findings) -> None:
    """Every finding told of this person is a line of the history."""
    for m in r.mentions:
        if m.frame in ("told", "supposed"):
            _told(r, m, findings)
        elif m.lines and m.frame in ("led", "general", "headed") and m.how in ("is", "shows"):
            if m.frame == "led" and m.cited and not m.soft:
                findings.holds(*m.lines)
            elif m.cited:
                findings.named.update(x.id for x in m.lines)


def _told(r: ClaimReading, m: Mention, findings: Findings) -> None:
    if m.state is not None or m.category is DRUGS:
        return
    if m.how == "is" or (m.how == "shows" and m.cited):
        if m.weak and not m.cited:
            findings.doubt("unread", f"{m.text!r} may be {m.lines[0]}, which is not cited")
        elif not (m.soft and not m.cited):
            findings.holds(*m.lines, facts=0 if m.category is not None or (m.weak and m.soft) else 1)
    elif m.how == "maybe" and m.cited:
        findings.named.update(x.id for x in m.lines)
    elif m.how == "narrower":
        findings.doubt("unread", f"says {m.text!r}; {m.lines[0].id} is {m.lines[0].e.name}")
    elif not m.soft and not _outcome(m):
        _stray(r, m, findings)


def _outcome(m: Mention) -> bool:
    return any(n.name in ("dementia",) for n in m.nodes)


def _stray(r: ClaimReading, m: Mention, findings: Findings) -> None:
    """Nothing that was shown is called so."""
    hidden = [x for x in r.facts.hidden if any(x.known.relation(n) == "is" for n in m.nodes)]
    nameless = [x for x in r.cited if not x.known.nodes and x.known.state is None and not _called(r, x)]
    if m.category is not None or r.in_tail(m.start):
        findings.doubt("unread", f"{m.text!r} is no line of the history")
    elif hidden:
        findings.doubt("unread", f"names {m.text}, which is {hidden[0].id} and was not shown")
    elif nameless:
        findings.doubt("unread", f"{m.text!r} may be another name for {nameless[0]}")
    elif m.frame == "supposed" or r.has("denial opens") or all(n.kind == "measurement" for n in m.nodes):
        findings.doubt("unread", f"{m.text!r} is no line of the history")
    else:
        cited = ", ".join(map(repr, r.cited))
        findings.fault(
            "wrong_name", f"names {m.text}; " + (f"cited is {cited}" if cited else "no line says so")
        )


def _called(r: ClaimReading, line: HistoryLine) -> bool:
    return any(line in m.lines for m in r.mentions)


def citations(r: ClaimReading, findings: Findings) -> None:
    """What is cited is named, and what is told is cited."""
    stated = [m for m in r.linked if not m.soft and m.category is None and not _sex(m)]
    if not r.cited:
        if (
            stated
            or (findings.facts and any(q.role != "own age" for q in r.quantities))
            or (r.own and not _only_person(r))
        ):
            findings.doubt("uncited", "cites nothing")
        return
    unnamed = [x for x in r.cited if x.id not in findings.named and not _implied(r, x)]
    if not unnamed:
        return
    elsewhere = [m for m in stated if not m.cited]
    if elsewhere and len(unnamed) == len(r.cited):
        one = elsewhere[0]
        findings.fault(
            "wrong_name",
            f"names {one.text}, which is {one.lines[0]}; cited is {', '.join(map(repr, r.cited))}",
        )
    elif any(w in SUMS for w in r.words):
        if len(unnamed) > 1 or findings.facts:
            findings.holds(facts=len(unnamed) if not findings.facts else 0)
    elif r.own or findings.facts:
        findings.doubt("unnamed_line", f"cites {unnamed[0]}, which the claim does not name")


def _only_person(r: ClaimReading) -> bool:
    """Whether it tells nothing of the person but age and sex."""
    return all(m.soft or _outcome(m) or _sex(m) for m in r.own)


def _sex(m: Mention) -> bool:
    return m.state is not None and m.state.what == "sex"


def _implied(r: ClaimReading, line: HistoryLine) -> bool:
    """A line of sex is named by a pronoun."""
    return bool(line.known.state and line.known.state.what == "sex" and (r.has("female") or r.has("male")))
