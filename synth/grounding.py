"""Every claim against the numbered evidence: does what it cites exist, and does it say what the claim says?

Deterministic and explained. A claim passes the checks of the table at the foot in turn; the first that fails
names the fault. What a check cannot decide it lets pass: a fault is what the evidence contradicts or lacks.
"""

from collections.abc import Callable

from ..cohort.records import Evidence
from .lexicon import finding_of
from .reading import Number, Reading, read_claim
from .records import Check, Claim, Grounding, Rationale
from .teaching import History

VERSION = "1"
"""Raised when a verdict about a claim may change; part of the stage's key."""


class Facts:
    """What a history says, arranged for the checks; made once a case."""

    def __init__(self, history: History) -> None:
        self.history, self.case = history, history.case
        self.lines = {e.id: e for e in history.evidence}
        self.shown = {e.id: e for e in history.evidence if e.shown}
        self.findings: dict[str, Evidence] = {}
        for e in history.evidence:
            found = finding_of(e.name, e.code)
            if e.shown and found is not None:
                self.findings.setdefault(found, e)


def ground(rationale: Rationale, facts: Facts) -> Grounding:
    """Check every claim of a rationale."""
    checks = tuple(_check(i, claim, facts) for i, claim in enumerate(rationale.claims))
    return Grounding(rationale=rationale.id, checks=checks)


def _check(number: int, claim: Claim, facts: Facts) -> Check:
    cited = tuple(facts.shown[i] for i in claim.cites if i in facts.shown)
    reading = read_claim(claim.text, cited)
    for fault, check in CHECKS.items():
        why = check(claim, reading, cited, facts)
        if why:
            return Check(claim=number, supported=False, fault=fault, why=why)
    return Check(claim=number, supported=True)


def _unknown_id(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    bad = next((i for i in claim.cites if i not in facts.lines), None)
    return bad and f"cites {bad}; the history ends at E{len(facts.lines):03d}"


def _not_shown(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    bad = next((i for i in claim.cites if i not in facts.shown), None)
    return bad and f"cites {bad}, which was not shown to the teacher"


def _future(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if reading.outcome:
        return f"tells what came after the prediction time: {reading.outcome!r}"
    late = next((n for n in reading.ages if n.value > facts.case.age + n.tolerance), None)
    if late is not None:
        return f"says age {late.text}; the prediction time is at age {facts.case.age:.1f}"
    return None


def _contradiction(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    for e in cited:
        if reading.denies(e):
            return f"denies {e.name}, which is {e.id}"
    for name in reading.denied:
        if name in facts.findings:
            return f"denies {name}; {facts.findings[name].id} is {facts.findings[name].name}"
    return None


def _uncited(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if claim.cites or reading.denied:
        return None  # that something is missing cannot be cited: the whole history is the evidence
    own = [n for n in reading.numbers if abs(n.value - facts.case.age) <= n.tolerance]
    if own and len(own) == len(reading.numbers) and not reading.named:
        return None  # the person's own age
    return "cites nothing"


def _wrong_name(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    kinds = {finding_of(e.name, e.code) for e in cited}
    for name in reading.named:
        if cited and name not in kinds and name not in reading.denied and not reading.covered(name):
            return f"names {name}; cited is {', '.join(f'{e.id} ({e.name})' for e in cited)}"
    if reading.specific:
        stray = next((e for e in cited if not reading.names(e)), None)
        if stray is not None:
            return f"cites {stray.id} ({stray.name}), which the claim does not name"
    return None


def _wrong_age(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if not reading.ages:
        return None
    known = [e.age for e in cited if e.age is not None]
    bad = _unmatched(reading.ages, [*known, facts.case.age] if reading.own_age or not known else known)
    if bad is not None:
        return f"says age {bad}; the evidence says {_numbers(known)}"
    lined_up = reading.aligned([e for e in cited if e.age is not None])
    swapped = next((e for n, e in lined_up if abs(n.value - (e.age or 0)) > n.tolerance), None)
    if swapped is not None:
        return f"gives {swapped.name} another line's age; {swapped.id} is at age {swapped.age:.1f}"
    return None


def _wrong_time(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if not reading.years:
        return None
    known = [e.years_before for e in cited if e.years_before is not None]
    known += [
        facts.case.age - e.age for e in cited if e.age is not None
    ]  # of the first event, as the line says it
    bad = _unmatched(reading.years, known)
    return bad and f"says {bad} years before; the evidence says {_numbers(known)}"


def _wrong_count(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if not reading.counts:
        return None
    known = [float(e.count) for e in cited]
    known.append(float(len(cited)))
    bad = next((n.text for n in reading.counts if n.value not in known), None)
    return bad and f"says {bad} times; the evidence says {_numbers(known)}"


def _wrong_value(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if not reading.others:
        return None
    known = [e.value for e in cited if e.value is not None]
    measured = [n for n in reading.others if n.unit] if known else []
    bad = _unmatched([n for n in measured if n.unit in {e.unit for e in cited}], known)
    return bad and f"says {bad}; the evidence says {_numbers(known)}"


def _wrong_unit(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    if not reading.others:
        return None
    for e in cited:
        for n in reading.others:
            if e.value is not None and abs(n.value - e.value) <= n.tolerance and n.unit and e.unit != n.unit:
                return f"says {n.text} {n.unit}; {e.id} says {e.value:g} {e.unit}"
    return None


def _unsupported_number(
    claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts
) -> str | None:
    if not reading.others:
        return None
    known = [e.value for e in cited if e.value is not None]
    bad = _unmatched([n for n in reading.others if not reading.in_a_name(n)], known)
    return bad and f"says {bad}, which stands nowhere in the cited evidence"


def _wrong_order(claim: Claim, reading: Reading, cited: tuple[Evidence, ...], facts: Facts) -> str | None:
    for first, second in reading.orders(cited):
        if first.age is not None and second.age is not None and first.age > second.age:
            return f"puts {first.name} (age {first.age:.1f}) before {second.name} (age {second.age:.1f})"
    return None


def _unmatched(numbers: list[Number], known: list[float]) -> str | None:
    """The first number that no known value rounds to."""
    return next((n.text for n in numbers if all(abs(n.value - k) > n.tolerance for k in known)), None)


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{v:.4g}" for v in values) or "none"


CHECKS: dict[str, Callable[[Claim, Reading, tuple[Evidence, ...], Facts], str | None]] = {
    "unknown_id": _unknown_id,
    "not_shown": _not_shown,
    "future": _future,
    "contradiction": _contradiction,
    "uncited": _uncited,
    "wrong_name": _wrong_name,
    "wrong_age": _wrong_age,
    "wrong_time": _wrong_time,
    "wrong_count": _wrong_count,
    "wrong_unit": _wrong_unit,
    "wrong_value": _wrong_value,
    "unsupported_number": _unsupported_number,
    "wrong_order": _wrong_order,
}
"""In this order: a fault of the citation is found before one of the content."""
