"""Measured values: the figure, its unit, limits and ranges, and whether it is called high, low or normal."""

from collections.abc import Iterable

from ....cohort.cleaning.units import flag_of, table
from ..facts import HistoryLine
from ..findings import Findings
from ..reading.quantities import Quantity
from ..reading.reading import ClaimReading
from .trends import is_change

CLOSE = 0.03
"""Relative error that a converted value may have, besides rounding."""
DOSES = frozenset(("mg", "mcg", "g", "ml"))


def values(r: ClaimReading, findings: Findings) -> None:
    """Every value is that of a line."""
    for q in r.quantities:
        if q.role in ("value", "education") and not is_change(r, q):
            _value(r, q, findings)
        elif q.role == "bare":
            _bare(r, q, findings)
        elif q.role == "share":
            _share(r, q, findings)
        elif q.role == "calendar":
            findings.doubt("unsupported_number", f"says {q.text}; the history has ages and no dates")
        elif q.role == "name":
            _in_a_name(r, q, findings)


def _measured(r: ClaimReading, q: Quantity) -> list[HistoryLine]:
    """Lines with a value that a number may be about."""
    near = [x for x in r.attached(q) if x.values]
    return near or [x for x in (*r.lines, *r.cited) if x.values]


def _value(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    drugs = [x for x in (*r.attached(q), *r.cited) if x.known.kind == "drug"]
    if q.unit in DOSES and drugs:
        _dose(q, drugs[0], findings)
        return
    lines = _measured(r, q)
    if q.role == "education":
        lines = [x for x in r.facts.shown if any(n.name == "education" for n in x.known.nodes)]
    if not lines:
        findings.doubt("unsupported_number", f"says {q.text} {q.unit}".rstrip())
        return
    verdicts = [_compare(r, q, x) for x in lines]
    whole = r.has("all") or " to " in q.text
    if (all if whole else any)(v == "same" for v in verdicts):
        same = [x for x, v in zip(lines, verdicts, strict=True) if v == "same"]
        if (other := _at_another_age(r, q, same)) is None:
            findings.holds(*same)
        else:
            findings.fault("wrong_value", other, sure=True)
        return
    x = next(x for x, v in zip(lines, verdicts, strict=True) if v != "same")
    why = (
        f"says {q.text} {q.unit}".rstrip()
        + f"; {x.id} says {_numbers(x.values)} {x.unit or 'without a unit'}"
    )
    if "unknown unit" in verdicts:
        findings.doubt("unknown_unit", why)
    elif "unit" in verdicts:
        findings.fault("wrong_unit", why, sure=True)
    elif _elsewhere(r, q):
        findings.doubt("unread", why)
    else:
        findings.fault("wrong_value", why, sure=r.certain(q))


def _at_another_age(r: ClaimReading, q: Quantity, lines: list[HistoryLine]) -> str | None:
    """Of a line with several values: whether the one that is told was found at the age that is told with it."""
    ages = [a for a in r.quantities if a.role in ("at", "age", "bare") and 0 <= a.start - q.end <= 3]
    if not ages or any(len(x.readings) < 2 for x in lines):
        return None
    for x in lines:
        for value, age in x.readings:
            if ages[0].matches(age) and _says(r, q, x, value) != "same":
                return f"says {q.text} at {ages[0].text}; {x.id} says {value:g} at {age:.1f}"
    return None


def _elsewhere(r: ClaimReading, q: Quantity) -> bool:
    """Whether another line that the claim speaks of has the value, and it is unclear whose it is."""
    alike = [x for x in r.quantities if x.role == q.role]
    return len(alike) != len(r.linked) > 1 and any(
        _compare(r, q, x) == "same" for x in r.lines if x.value is not None
    )


def _compare(r: ClaimReading, q: Quantity, x: HistoryLine) -> str:
    """`same`, `other`, `unit` (the line's figure in another unit) or `unknown unit`: the best over its values."""
    whole = q.pair == "" and (r.has("all") or " to " in q.text)
    verdicts = [_says(r, q, x, v) for v in x.values]
    if whole and len(x.values) > 1:
        return "same" if all(v == "same" for v in verdicts) else "other"
    return min(verdicts, key=("same", "unknown unit", "unit", "other").index)


def _says(r: ClaimReading, q: Quantity, x: HistoryLine, value: float) -> str:
    """What one value of a line is to a number."""
    own = r.units.plain(x.unit) if x.unit else ""
    if not q.unit or q.unit == own:
        return "same" if _equals(q, value) else "other"
    node = next((n for n in x.known.nodes if n.kind == "measurement"), None)
    if not own:
        usual = node is not None and q.unit in [r.units.plain(u) for u in node.units]
        if not _equals(q, value):
            return "other" if usual else "unknown unit"
        return "same" if usual else "unknown unit"
    converted = r.units.converted(node.name if node is not None else "", value, own, q.unit)
    if converted is None:
        if "{score}" in (q.unit, own):
            return "same" if _equals(q, value) else "other"
        return "unit" if _equals(q, value) else "unknown unit"
    if _equals(q, converted, abs(converted) * CLOSE):
        return "same"
    return "unit" if _equals(q, value) else "other"


def _equals(q: Quantity, value: float, slack: float = 0.0) -> bool:
    if slack and q.low > float("-inf") and q.high < float("inf"):
        return abs(q.value - value) <= max(slack, 0.5 * 10 ** -_digits(q.text)) or (
            q.low <= value <= q.high and abs(q.value - value) <= 2 * slack
        )
    return q.matches(value) or (
        q.high - q.low <= 1.01 and abs(q.value - value) <= 0.5 * 10 ** -_digits(q.text) + 1e-9
    )


def _digits(text: str) -> int:
    _, _, digits = text.split(" ")[0].partition(".")
    return len(digits) if digits.isdigit() else 0


def _dose(q: Quantity, drug: HistoryLine, findings: Findings) -> None:
    name = drug.known.tokens
    doses = [name[i] for i in range(len(name) - 1) if name[i + 1] == q.unit]
    if q.text in doses:
        findings.holds(drug)
    elif doses:
        findings.fault("wrong_value", f"says {q.text} {q.unit}; {drug.id} is {drug.e.name}")
    else:
        findings.doubt("unsupported_number", f"says {q.text} {q.unit}; {drug.id} has no dose")


def _bare(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    """A number without a word for what it is: a value, or else an age, a count, a time."""
    lines = r.attached(q)
    kinds: list[tuple[str, list[float | None]]] = [
        ("wrong_value", [v for x in lines for v in x.values]),
        ("wrong_age", [a for x in lines for a in x.ages]),
        ("wrong_count", [float(x.count) if x.count > 1 else None for x in lines]),
        ("wrong_time", [v for x in lines for v in (x.since, x.ago)]),
    ]
    if not _placed(r, q):
        kinds = kinds[:1]
    for name, known in kinds:
        if any(v is not None and _equals(q, v) for v in known):
            other = _at_another_age(r, q, lines) if name == "wrong_value" else None
            if other is None:
                findings.holds(*lines)
            else:
                findings.fault("wrong_value", other, sure=True)
            return
    if any(q.text in x.known.tokens for x in lines):
        return
    if not lines:
        findings.doubt("unsupported_number", f"says {q.text}")
        return
    fault = "wrong_value" if any(x.values for x in lines) else "wrong_age"
    known = kinds[0 if fault == "wrong_value" or len(kinds) == 1 else 1][1]
    why = f"says {q.text}; the evidence says {_numbers(known)}"
    alike = [x for x in r.quantities if x.role == "bare"]
    sure = r.linked and (
        fault == "wrong_value" or (q.value > 14 and ("." in q.text or len(alike) == len(r.linked)))
    )
    if sure and any(v is not None for v in known):
        findings.fault(fault, why, sure=r.certain(q))
    else:
        findings.doubt("unsupported_number", why)


def _placed(r: ClaimReading, q: Quantity) -> bool:
    """Whether a bare number stands where an age may: in brackets, behind a pause or right behind a name."""
    before = r.words[q.start - 1] if q.start else "("
    return (
        before in "([,:;-&"
        or before in ("and", "dx", "first", "last", "diagnosed", "index")
        or any(m.end == q.start for m in r.mentions)
    )


def _share(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    """A per cent or a multiple of risk: no line has it; made this person's own it is a fault."""
    near = r.words[max(0, q.start - 8) : q.end + 6]
    own = {"her", "his", "she", "he", "your", "you", "him"} & set(near)
    if own and not r.has("people") and not r.in_people(q.start):
        findings.fault(
            "wrong_value",
            f"says {q.text} {q.unit}".rstrip() + " of this person; no line has such a figure",
            sure=True,
        )
    else:
        findings.doubt("unsupported_number", f"says {q.text} {q.unit}".rstrip())


def _in_a_name(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    """`stage 4`, `type 1`: part of the name of a line, or not."""
    lines = r.attached(q)
    word = r.words[q.start - 1]
    named = [x for x in (*lines, *r.cited) if q.text in x.known.tokens and word in x.known.tokens]
    if named:
        findings.holds(named[0])
    elif any(q.text in x.known.tokens for x in lines):
        findings.holds()
    elif lines and any(r.words[q.start - 1] in x.known.tokens for x in lines):
        findings.fault(
            "wrong_value", f"says {r.words[q.start - 1]} {q.text}; {lines[0].id} is {lines[0].e.name}"
        )
    else:
        findings.doubt("unsupported_number", f"says {r.words[q.start - 1]} {q.text}")


def levels(r: ClaimReading, findings: Findings) -> None:
    """`raised`, `normal`, `well controlled`, said of a value: as its limits have it."""
    for name, fits in (("high", "high"), ("low", "low"), ("normal", "")):
        for p in r.starts(name):
            m = r.near(p)
            if m is None or p in r.consumed or m.start <= p < m.end or not _of(r, p, m.end, m.start):
                continue
            valued = [x for x in m.lines if x.value is not None and x.known.kind == "measurement"]
            if not valued or (r.in_tail(p) and p > m.end + 4):
                continue
            flags = {_flag(r, x) for x in valued}
            r.consumed.add(p)
            if flags == {fits}:
                findings.holds()
            elif None in flags or len(flags) > 1:
                findings.doubt("unread", f"says {r.scan.phrase(p, r.end(p))!r}")
            elif NORMAL & set(r.words[p : r.end(p)]) if fits == "" else "" not in flags:
                findings.fault(
                    "wrong_value", f"says {r.scan.phrase(p, r.end(p))!r}; {valued[0].e.line or valued[0]}"
                )
            else:
                findings.doubt("unread", f"says {r.scan.phrase(p, r.end(p))!r}")


NORMAL = frozenset(("normal", "range", "limits", "elevated", "raised", "unremarkable", "normotensive"))
"""Words that speak of limits; `fair` and `controlled` are a matter of judgement."""


def _of(r: ClaimReading, p: int, end: int, start: int) -> bool:
    """Whether an adjective at a place belongs to what stands close by, and to no risk or burden."""
    after = r.words[r.end(p) : r.end(p) + 2]
    return abs(p - end) <= 9 or (
        0 <= start - p <= 2 and not {"risk", "burden", "likelihood", "chance"} & set(after)
    )


def _flag(r: ClaimReading, x: HistoryLine) -> str | None:
    """Which side of its limits the last value is on, as the line or the limits say; None: no limits known."""
    assert x.value is not None
    text = x.e.line.rpartition(", last ")[2] if x.e.last_age is not None else x.e.line
    for flag in ("high", "low"):
        if f"({flag})" in text:
            return flag
    known = table()["LOINC"].get(x.known.code)
    if known is None or known["normal"] is None:
        return None
    usual = [u for n in x.known.nodes for u in n.units]
    unit = x.unit or (usual[0] if len(usual) == 1 else "")
    if r.units.plain(unit) != r.units.plain(known["unit"]):
        return None
    return flag_of(x.known.code, x.value, known["unit"])


def _numbers(known: Iterable[float | None]) -> str:
    return ", ".join(f"{v:.4g}" for v in known if v is not None) or "none"
