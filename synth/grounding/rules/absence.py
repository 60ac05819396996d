"""Whether what a claim denies is indeed not recorded."""

from ..facts import HistoryLine
from ..findings import Findings
from ..language.tokens import wordset
from ..reading.reading import ClaimReading
from ..reading.scan import DRUGS, Mention

TREATMENT = wordset("medication treatment therapy drug tablet prescription management")


def absence(r: ClaimReading, findings: Findings) -> None:
    """Nothing that was shown is what the claim denies."""
    for m in r.mentions:
        if m.frame in ("denied", "denied in part", "kin denied") and m.state is None:
            if any(n.name == "dementia" for n in m.nodes):
                continue
            _denied(r, m, findings)
        elif m.frame == "headed":
            _headed(r, m, findings)


def _denied(r: ClaimReading, m: Mention, findings: Findings) -> None:
    if m.frame == "kin denied":
        findings.holds()
        return
    lines = m.lines if m.how == "is" else []
    if lines and m.soft and m.category is not DRUGS and not m.cited:
        return
    if lines and (m.frame == "denied in part" or m.weak):
        findings.doubt("unread", f"denies {m.text} in part; {lines[0].id} is {lines[0].e.name}")
    elif lines:
        findings.fault("contradiction", f"denies {m.text}; {lines[0].id} is {lines[0].e.name}")
    elif (open_ := _open(r, m)) is not None:
        findings.doubt("unread", f"denies {m.text}; {open_.id} is {open_.e.name}")
    elif not m.soft or m.category is DRUGS:
        findings.holds()


def _open(r: ClaimReading, m: Mention) -> HistoryLine | None:
    """A line that may be what is denied: hidden from the teacher, a matter of words, or in no table."""
    if m.lines:
        return m.lines[0]
    hidden = (x for x in r.facts.hidden if any(x.known.relation(n) == "is" for n in m.nodes))
    unknown = (
        x for x in r.facts.shown if m.category is not None and x.known.relation(m.category) == "unknown"
    )
    return next(hidden, None) or next(unknown, None)


def _headed(r: ClaimReading, m: Mention, findings: Findings) -> None:
    """`no diabetes treatment`, `no cataract surgery`."""
    head = r.words[m.end]
    if any(n.kind in ("drug", "drug class") for n in m.nodes):
        if m.lines and m.how == "is":
            findings.fault("contradiction", f"denies {m.text}; {m.lines[0].id} is {m.lines[0].e.name}")
        else:
            findings.holds()
    elif head in TREATMENT:
        drugs = [
            x
            for x in r.facts.shown
            if x.known.kind == "drug" and any(x.known.relation(n) == "shows" for n in m.nodes)
        ]
        if drugs:
            findings.fault("contradiction", f"denies {m.text} {head}; {drugs[0].id} is {drugs[0].e.name}")
        else:
            findings.holds()
    elif any(head in x.known.words for x in r.facts.shown):
        findings.doubt("unread", f"denies {m.text} {head}")
    else:
        findings.holds()
