"""Every claim against the numbered evidence: does what it cites exist, and does it say what the claim says?

Deterministic and explained. A claim is read once; each rule of the table at the foot adds facts that hold, faults and
doubts. One fault makes the claim faulty, one doubt leaves it undecided, and a claim that states no fact of the record
is undecided too: `supported` means that every word was read and every statement found in a line.
"""

from collections.abc import Callable

from ...cohort.line import evidence_id
from ..records import Check, Claim, Grounding, Kind, Rationale
from .facts import HistoryFacts as HistoryFacts
from .findings import Findings
from .outcomes import DOUBTS, FAULTS
from .reading.reading import ClaimReading
from .rules import absence, counts, names, order, outcome, residue, states, times, trends, values

VERSION = "4"
"""Raised when a verdict about a claim may change; part of the stage's key."""

PLACEHOLDERS = frozenset(
    ("one sentence without ids", "a sentence without ids", "fully supported", "sentence")
)
"""What the prompt holds in place of a claim, and what small models write there."""


def ground(rationale: Rationale, facts: HistoryFacts) -> Grounding:
    """Check every claim of a rationale."""
    checks = tuple(check(i, claim, facts) for i, claim in enumerate(rationale.claims))
    return Grounding(rationale=rationale.id, checks=checks)


def check(number: int, claim: Claim, facts: HistoryFacts) -> Check:
    """Check one claim of a history."""
    fault = _citation(claim, facts)
    if fault is not None:
        name, why = fault
        return Check(claim=number, verdict="fault", fault=name, why=why)
    reading = ClaimReading(claim.text, [facts.lines[i] for i in claim.cites], facts)
    findings = Findings()
    if claim.text.strip(" .").lower() not in PLACEHOLDERS:
        for rule in RULES:
            rule(reading, findings)
    faults = [f for f in findings.faults if f[2] or not findings.unread]
    if faults:
        name, why, _ = min(faults, key=lambda f: ORDER[f[0]])
        return _outcome(number, "fault", name, why, reading, findings)
    if findings.doubts:
        name, why = min(findings.doubts, key=lambda d: ORDER[d[0]])
        if not (findings.facts or reading.mentions or reading.quantities):
            name, why = "no_fact", DOUBTS["no_fact"]
        elif findings.faults:
            name, why = "unread", f"{why}; perhaps {findings.faults[0][1]}"
        return _outcome(number, "undecided", name, why, reading, findings)
    if findings.facts:
        return _outcome(number, "supported", "", "", reading, findings)
    return _outcome(number, "undecided", "no_fact", DOUBTS["no_fact"], reading, findings)


def _outcome(
    number: int, verdict: str, name: str, why: str, reading: ClaimReading, findings: Findings
) -> Check:
    """The record; what stands in it cannot be wrong, so that it need not be checked a million times."""
    return Check.model_construct(
        _fields_set=FIELDS,
        claim=number,
        verdict=verdict,
        fault=name if verdict == "fault" else None,
        doubt=name if verdict == "undecided" else None,
        why=why,
        kind=kind_of(reading),
        facts=findings.facts,
        rules=None,
        verifier=None,
        left_to_clinicians=False,
    )


FIELDS = set(Check.model_fields)


def _citation(claim: Claim, facts: HistoryFacts) -> tuple[str, str] | None:
    """A fault of what the claim cites: no such line, or one that the teacher was not shown."""
    for i in claim.cites:
        line = facts.lines.get(i)
        if line is None:
            return "unknown_id", f"cites {i}; the history ends at {evidence_id(len(facts.lines))}"
        if not line.e.shown:
            return "not_shown", f"cites {i}, which was not shown to the teacher"
    return None


def kind_of(reading: ClaimReading) -> Kind:
    """What a claim is, by what it says."""
    if any(not m.soft for m in reading.own) or any(m.lines for m in reading.own) or reading.quantities:
        return "finding"
    frames = {m.frame for m in reading.mentions}
    if frames & {"denied", "denied in part", "headed", "kin denied"}:
        return "absence"
    return "knowledge" if "general" in frames or reading.has("people") else "judgement"


Rule = Callable[[ClaimReading, Findings], None]

RULES: tuple[Rule, ...] = (
    outcome.outcome,
    names.names,
    absence.absence,
    states.states,
    states.person,
    order.comparisons,
    order.order,
    order.extremes,
    trends.trends,
    times.ages,
    times.times,
    counts.counts,
    values.values,
    values.levels,
    times.vague,
    residue.supposed,
    residue.treated,
    residue.qualifiers,
    residue.stopped,
    residue.denials,
    residue.unread,
    names.citations,
)
"""In this order: what one has read, those behind it need not."""
ORDER = {name: i for i, name in enumerate((*FAULTS, *DOUBTS))}
"""Of several faults or doubts the first of the tables is named."""
