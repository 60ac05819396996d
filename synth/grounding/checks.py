"""Every claim against the numbered evidence: does what it cites exist, and does it say what the claim says?

Deterministic and explained. A claim passes the checks of the table at the foot in turn; the first that fails names
the fault, or the doubt that leaves it undecided. A claim that states nothing checkable is undecided too.
"""

from collections.abc import Callable, Iterable
from functools import cached_property

from ...cohort.line import evidence_id
from ...cohort.records import Evidence
from ..records import Check, Claim, Grounding, Kind, Rationale
from ..teaching import History
from .lexicon import callings, finding_of, stems
from .numbers import Number, unit_of
from .outcomes import DOUBTS
from .sentence import Reading

VERSION = "3"
"""Raised when a verdict about a claim may change; part of the stage's key."""

Lines = tuple[Evidence, ...]


class Facts:
    """What a history says, arranged for the checks; made once a case."""

    def __init__(self, history: History) -> None:
        self.history, self.case = history, history.case
        self.lines = {e.id: e for e in history.evidence}
        self.shown = {e.id: e for e in history.evidence if e.shown}
        self.findings: dict[str, Evidence] = {}
        for e in self.shown.values():
            found = finding_of(e.name, e.code)
            if found is not None:
                self.findings.setdefault(found, e)

    @cached_property
    def stems(self) -> frozenset[str]:
        """Of the names of all lines that were shown."""
        return frozenset().union(*(stems(e.name) for e in self.shown.values()))


def ground(rationale: Rationale, facts: Facts) -> Grounding:
    """Check every claim of a rationale."""
    checks = tuple(check(i, claim, facts) for i, claim in enumerate(rationale.claims))
    return Grounding(rationale=rationale.id, checks=checks)


def check(number: int, claim: Claim, facts: Facts) -> Check:
    cited = tuple(facts.shown[i] for i in claim.cites if i in facts.shown)
    reading = Reading(claim.text, cited)
    kind = _kind(reading)
    for name, rule in CHECKS.items():
        why = rule(claim, reading, cited, facts)
        if why and name in DOUBTS:
            return Check(claim=number, verdict="undecided", doubt=name, why=why, kind=kind)
        if why:
            return Check(claim=number, verdict="fault", fault=name, why=why, kind=kind)
    checked = _facts(reading, cited)
    if not checked:
        return Check(claim=number, verdict="undecided", doubt="no_fact", why=DOUBTS["no_fact"], kind=kind)
    return Check(claim=number, verdict="supported", kind=kind, facts=checked)


def _kind(reading: Reading) -> Kind:
    if reading.told or reading.cited:
        return "finding"
    if reading.firm:
        return "absence"
    return "knowledge" if reading.literature else "judgement"


def _facts(reading: Reading, cited: Lines) -> int:
    """Names of lines, numbers and denied findings; nothing here is unmatched any more."""
    return sum(map(reading.names, cited)) + len(reading.numbers) + len(reading.denied)


def _unknown_id(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    bad = next((i for i in claim.cites if i not in facts.lines), None)
    return bad and f"cites {bad}; the history ends at {evidence_id(len(facts.lines))}"


def _not_shown(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    bad = next((i for i in claim.cites if i not in facts.shown), None)
    return bad and f"cites {bad}, which was not shown to the teacher"


def _future(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    outcome = reading.outcome
    if outcome:
        return f"tells what came after the prediction time: {outcome!r}"
    late = next((n for n in reading.numbers if n.kind == "age" and n.low > facts.case.age), None)
    if late is not None:
        return f"says age {late.text}; the prediction time is at age {facts.case.age:.1f}"
    return None


def _contradiction(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    if not reading.denials:
        return None
    for e in cited:
        if reading.denies(e):
            return f"denies {e.name}, which is {e.id}"
    for name in reading.denied:
        if name in facts.findings:
            return f"denies {name}; {facts.findings[name].id} is {facts.findings[name].name}"
    return None


def _uncited(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    if claim.cites:
        return None
    of_others = any(not n.matches(facts.case.age) for n in reading.numbers)
    if reading.told or (of_others and not reading.literature):
        return "cites nothing"
    if reading.firm or (reading.numbers and not reading.denials):
        return None  # that something is missing cannot be cited, nor the person's own age
    return None if reading.general and not stems(reading.text) & facts.stems else "cites nothing"


def _wrong_name(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    if not cited:
        return None
    known = frozenset().union(*(callings(e.name, e.code) for e in cited))
    if any(name not in known for name, _, _ in reading.mentions):
        stray = next((name for name in reading.told if name not in known), None)
        if stray is not None:
            return f"names {stray}; cited is {', '.join(f'{e.id} ({e.name})' for e in cited)}"
    return None


def _unnamed_line(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    unnamed = [e for e in cited if not reading.names(e)]
    if not unnamed or reading.sums_up or (reading.firm and not reading.told):
        return None
    if len(unnamed) == len(cited) and not reading.mentions and not reading.numbers and reading.general:
        return None
    return f"cites {unnamed[0].id} ({unnamed[0].name}), which the claim does not name"


def _wrong_age(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    ages = reading.of("age")
    if not ages:
        return None
    known = [e.age for e in cited if e.age is not None]
    bad = _unmatched(ages, [*known, facts.case.age] if reading.own_age or not known else known)
    if bad is not None:
        return f"says age {bad}; the evidence says {_numbers(known)}"
    return _swapped(reading, ages, "age", lambda e: e.age)


def _wrong_time(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    years, spans = reading.of("years"), reading.of("span")
    if not years and not spans:
        return None
    ages = [e.age for e in cited if e.age is not None]
    known = [e.years_before for e in cited if e.years_before is not None]
    known += [facts.case.age - age for age in ages]  # of the first event, as the line says it
    between = [abs(a - b) for i, a in enumerate(ages) for b in ages[:i]]
    own = [facts.case.age] if " age " in reading.lower else []
    bad = _unmatched([*years, *spans], [*known, *between, *own])
    if bad is not None:
        return f"says {bad} years; the evidence says {_numbers([*known, *between])}"
    return _swapped(reading, years, "time", lambda e: e.age and facts.case.age - e.age)


def _wrong_count(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    counts = reading.of("count")
    if not counts:
        return None
    known = [float(e.count) for e in cited]
    bad = _unmatched(counts, [*known, sum(known), *([float(len(cited))] if len(cited) > 1 else [])])
    if bad is not None:
        return f"says {bad} times; the evidence says {_numbers(known)}"
    return _swapped(reading, counts, "count", lambda e: float(e.count))


def _swapped(
    reading: Reading, numbers: list[Number], what: str, known: Callable[[Evidence], float | None]
) -> str | None:
    """Each named line has exactly one number, and one of them is another's."""
    lines = reading.in_order() if len(numbers) > 1 else []
    if len(lines) != len(numbers):
        return None
    for n, e in zip(numbers, lines, strict=True):
        right = known(e)
        if right is not None and not n.matches(right):
            return f"gives {e.name} another line's {what}; that of {e.id} is {right:.4g}"
    return None


def _wrong_unit(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    for n in reading.numbers:
        for e in cited if n.unit else ():
            if e.unit and e.value is not None and n.matches(e.value) and unit_of(e.unit) != n.unit:
                return f"says {n.text} {n.unit}; {e.id} says {e.value:g} {e.unit}"
    return None


def _unknown_unit(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    for n in reading.numbers:
        for e in cited if n.unit else ():
            if not e.unit and e.value is not None and n.matches(e.value):
                return f"says {n.text} {n.unit}; {e.id} says {e.value:g} without a unit"
    return None


def _wrong_value(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    if not reading.numbers:
        return None
    known = [e.value for e in cited if e.value is not None]
    bad = _unmatched((n for n in reading.of("other") if reading.measured(n)), known)
    return bad and f"says {bad}; the evidence says {_numbers(known)}"


def _unsupported_number(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    if not reading.numbers:
        return None
    known = [e.value for e in cited if e.value is not None]
    bad = _unmatched((n for n in reading.of("other") if not reading.in_a_name(n)), known)
    return (
        f"says {bad}, which stands nowhere in the cited evidence" if bad and not reading.literature else None
    )


def _wrong_order(claim: Claim, reading: Reading, cited: Lines, facts: Facts) -> str | None:
    for first, second in reading.orders():
        if first.age is not None and second.age is not None and first.age > second.age:
            return f"puts {first.name} (age {first.age:.1f}) before {second.name} (age {second.age:.1f})"
    return None


def _unmatched(numbers: Iterable[Number], known: list[float]) -> str | None:
    """The first number that stands for no known value."""
    return next((n.text for n in numbers if not any(n.matches(k) for k in known)), None)


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{v:.4g}" for v in values) or "none"


CHECKS: dict[str, Callable[[Claim, Reading, Lines, Facts], str | None]] = {
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
    "wrong_order": _wrong_order,
    "unnamed_line": _unnamed_line,
    "unsupported_number": _unsupported_number,
    "unknown_unit": _unknown_unit,
}
"""In this order: a fault of the citation is found before one of the content."""
