"""Ages, times before the prediction, lengths and gaps."""

from collections.abc import Iterable
from itertools import combinations

from ..facts import HistoryLine
from ..findings import Findings
from ..language.vocabulary import BIT, Vague
from ..reading.quantities import TIMES, Quantity
from ..reading.reading import ClaimReading

AGES = frozenset(("age", "at", "decade"))


def ages(r: ClaimReading, findings: Findings) -> None:
    """Every age is that of the event."""
    for q in r.quantities:
        if q.role in AGES:
            _age(r, q, findings)


def _age(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    own = r.facts.age
    if q.low > own + 0.06 and q.high != float("inf"):
        findings.fault(
            "future", f"says age {q.text}; the prediction time is at age {own:.1f}", sure=r.certain(q)
        )
        return
    if not r.cited and not r.linked and q.matches(own):
        q.role = "own age"
        findings.holds()
        return
    if not r.linked and any(m.frame.startswith("denied") for m in r.mentions):
        findings.doubt("unread", f"denies something with age {q.text}")
        return
    lines = r.group(q)
    dated = [x for x in lines if x.age is not None]
    near = r.attached(q)
    if q.role in ("at", "decade") and any(_any(q, x.values) for x in near):
        findings.holds(*near)
    elif _fits(r, q, dated, near):
        findings.holds(*(x for x in dated if _any(q, x.ages)))
    elif not dated or (r.linked and q.matches(own) and q.start < 4):
        if q.matches(own):
            q.role = "own age"
            findings.holds()
        else:
            findings.doubt("unsupported_number", f"says age {q.text}")
    elif (other := _unnamed(r, q)) is not None:
        findings.holds(other)
    elif len(r.linked) > 1 and _is_unclear(r, q):
        findings.doubt("unread", f"says age {q.text}")
    else:
        findings.fault(
            "wrong_age", f"says age {q.text}; the evidence says {_numbers(x.age for x in dated)}", sure=True
        )


def _fits(r: ClaimReading, q: Quantity, dated: list[HistoryLine], near: list[HistoryLine]) -> bool:
    fits = [_any(q, x.ages) for x in dated]
    if not any(fits):
        return False
    whole = r.has("all") or q.low == float("-inf") or q.high == float("inf") or " to " in q.text
    if whole and len(dated) > 1:
        return all(fits)
    return any(_any(q, x.ages) for x in near) or not near


def _unnamed(r: ClaimReading, q: Quantity) -> HistoryLine | None:
    """A cited line that the claim does not name in known words, and whose age this is."""
    named = {x.id for m in r.linked for x in m.lines}
    return next((x for x in r.cited if x.id not in named and _any(q, x.ages)), None)


def _is_unclear(r: ClaimReading, q: Quantity) -> bool:
    """Whether the age belongs to another line that the claim speaks of, and which one cannot be told."""
    alike = [x for x in r.quantities if x.role == q.role]
    return len(alike) != len(r.linked) and any(_any(q, x.ages) for x in r.lines)


def _any(q: Quantity, values: Iterable[float]) -> bool:
    return any(map(q.matches, values))


def times(r: ClaimReading, findings: Findings) -> None:
    """Every time before the prediction, length and gap is that of the event."""
    for q in r.quantities:
        if q.role in ("before", "span", "years", "window"):
            _time(r, q, findings)
        elif q.role == "gap":
            _gap(r, q, findings)


def _time(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    lines = r.attached(q)
    known = [v for x in lines for v in (x.since, x.ago) if v is not None]
    valued = [v for x in lines for v in x.values]
    if q.role == "window":
        recent = [x.ago for x in lines if x.ago is not None]
        if recent and min(recent) <= q.value + 0.06:
            findings.holds(*lines)
        elif recent:
            findings.fault("wrong_time", f"says within {q.text} years; the evidence says {_numbers(recent)}")
        return
    if _any(q, known) or (q.role != "before" and _any(q, valued)):
        findings.holds(*lines)
    elif _any(q, _gaps(r.lines)):
        findings.holds()
    elif not known and _any(q, valued):
        findings.holds(*lines)
    elif not known:
        findings.doubt("unsupported_number", f"says {q.text} years")
    elif len(r.linked) > 1 and any(_any(q, [v for v in (x.since, x.ago) if v is not None]) for x in r.lines):
        alike = [x for x in r.quantities if x.role == q.role]
        if len(alike) == len(r.linked):
            findings.fault("wrong_time", f"gives {lines[0]} another line's {q.text} years")
        else:
            findings.holds()
    else:
        findings.fault(
            "wrong_time", f"says {q.text} years; the evidence says {_numbers(known)}", sure=r.certain(q)
        )


def _gap(r: ClaimReading, q: Quantity, findings: Findings) -> None:
    gaps = _gaps(r.lines)
    known = [v for x in r.lines for v in (x.since, x.ago) if v is not None]
    apart = [
        abs(a.age - b.age) for a, b in combinations(r.lines, 2) if a.age is not None and b.age is not None
    ]
    if "by" in r.words[max(0, q.start - 2) : q.start] and apart:
        gaps, known = apart, []  # `followed it by five years` is between the two, and from nothing else
    if _any(q, gaps) or _any(q, known):
        findings.holds()
    elif gaps:
        findings.fault("wrong_time", f"says {q.text} years; the evidence says {_numbers(gaps)}")
    elif known and len(r.lines) == 1:
        findings.fault("wrong_time", f"says {q.text} years; the evidence says {_numbers(known)}")
    else:
        findings.doubt("unsupported_number", f"says {q.text} years")


def _gaps(lines: list[HistoryLine]) -> list[float]:
    """Years between any two of them, and between the first and the last event of one."""
    ages = [x.age for x in lines if x.age is not None]
    spans = [x.since - x.ago for x in lines if x.count > 1 and x.since is not None and x.ago is not None]
    return [abs(a - b) for a, b in combinations(ages, 2)] + spans


def _numbers(values: Iterable[float | None]) -> str:
    return ", ".join(f"{v:.4g}" for v in values if v is not None) or "none"


def vague(r: ClaimReading, findings: Findings) -> None:
    """`recent`, `in midlife`, `recurrent`: what fits for certain holds, what cannot fit is a fault."""
    for start, end, meant in r.scan.vague:
        if any(m.start <= start < m.end for m in r.mentions):
            continue
        m = r.near(start)
        one = next((v for v in meant if v.what != "gap"), None)
        if (
            m is None
            or one is None
            or start in r.consumed
            or any(q.start <= start < q.end for q in r.quantities)
        ):
            continue
        text = r.scan.phrase(start, end)
        if _of_another(r, start, end, one.what):
            continue
        _vague(text, one, m.lines, findings)


def _vague(text: str, meant: Vague, lines: list[HistoryLine], findings: Findings) -> None:
    """One such word, of lines that it may be about: it holds where it fits one of them."""
    known = (
        {"age": x.age, "ago": x.ago, "since": x.since, "count": float(x.count)}[meant.what] for x in lines
    )
    values = [v for v in known if v is not None]
    if any(meant.low - 0.05 <= v <= meant.high + 0.05 for v in values):
        findings.holds()
    elif not values:
        findings.doubt("unread", f"says {text!r}")
    elif any(meant.may_low - 0.05 <= v <= meant.may_high + 0.05 for v in values):
        findings.doubt("unread", f"says {text!r}; the evidence says {_numbers(values)}")
    else:
        fault = {"age": "wrong_age", "count": "wrong_count"}.get(meant.what, "wrong_time")
        findings.fault(fault, f"says {text!r}; the evidence says {_numbers(values)}")


def _of_events(r: ClaimReading, start: int, end: int) -> bool:
    """`several episodes of`, `repeated falls`, `recorded repeatedly`: a number of events of what is named."""
    for k in range(end, min(end + 4, len(r.words) + 1)):
        if any(m.start == k for m in r.linked):
            return True
        if k == len(r.words) or not (
            r.flags[k] & (BIT["judge"] | BIT["degree"] | BIT["record"]) or r.words[k] in ("of", *TIMES)
        ):
            break
    before = r.words[max(0, start - 2) : start]
    behind = r.words[end : end + 1]
    return (
        (not behind or behind[0] in TIMES or not behind[0][0].isalpha())
        and any(r.flags[i] & BIT["record"] for i in range(max(0, start - 3), start))
        and "in" not in before
    )


def _of_another(r: ClaimReading, start: int, end: int, what: str) -> bool:
    """Whether a vague time or number is of something else than what was named: `early signs`, `a few months`."""
    after = r.words[end : end + 2]
    if start and r.words[start - 1] in ("more", "less", "most", "least"):
        return True
    if what == "count" and not _of_events(r, start, end):
        return True
    if any(m.start in (end, end + 1) and m.frame not in ("told", "supposed") for m in r.mentions):
        return True
    if what in ("ago", "count") and r.in_tail(start):
        return True
    return (
        bool({"risk", "burden", "sign", "decline", "dementia", "warning", "marker", "exposure"} & set(after))
        and what != "age"
    )
