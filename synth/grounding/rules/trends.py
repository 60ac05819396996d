"""Values over time: rose, fell, stayed; from one value to another; by how much."""

from typing import NamedTuple

from ..facts import HistoryLine
from ..findings import Findings
from ..language.tokens import wordset
from ..language.vocabulary import BIT
from ..reading.quantities import Quantity
from ..reading.reading import ClaimReading

CUES = ("rise", "fall", "steady", "better", "worse")
_TREND = sum(BIT[c] for c in CUES)
AFTER = wordset("risk burden likelihood chance vulnerability reserve odds susceptibility probability")


def is_change(r: ClaimReading, q: Quantity) -> bool:
    """`by 24 mmHg`, `three points lower`, `fell 24 mmHg`: how much a value changed, and no value."""
    if not r.seen & _TREND:
        return False
    before, after = r.words[max(0, q.start - 2) : q.start], r.words[q.end : q.end + 1]
    if "by" in before or (
        after and after[0] in ("lower", "higher", "less", "more", "drop", "fall", "rise", "loss", "gain")
    ):
        return True
    if q.unit and not q.pair and (_moved(r, q.start) or _were_moved(r, q.end)):
        return True
    return bool({"lost", "gained", "shed", "losing", "gaining"} & set(r.words[max(0, q.start - 3) : q.start]))


def _moved(r: ClaimReading, place: int) -> bool:
    """Whether a verb of change stands right before a number: `fell about 24 mmHg`, and not `fell to 24`."""
    before = place - 1
    while before > 0 and r.words[before] in HEDGES:
        before -= 1
    return before >= 0 and r.words[before] in VERBS and bool(r.flags[before] & (BIT["rise"] | BIT["fall"]))


def _were_moved(r: ClaimReading, place: int) -> bool:
    """`nine kilograms were lost`."""
    behind = r.words[place : place + 3]
    return bool(LOST & set(behind)) and behind[0] in (
        "were",
        "was",
        "have",
        "has",
        "had",
        "lost",
        "gained",
        "shed",
    )


LOST = wordset("lost gained shed added")
HEDGES = wordset("about around roughly approximately almost nearly some a an another over just only ~")
VERBS = wordset(
    "fell fall fallen dropped drop rose rise risen climbed climb declined decline decreased decrease increased "
    "increase sank slipped grew jumped dipped down up"
)


def trends(r: ClaimReading, findings: Findings) -> None:
    """What is said of a series is so."""
    changes = [q for q in r.quantities if q.pair in ("from", "to")]
    if len(changes) < 2 and not r.seen & _TREND:
        return
    series = _series(r)
    if len(changes) >= 2:
        _from_to(r, changes[0], changes[1], series, findings)
    cue = _cue(r) if r.seen & _TREND else None
    if cue is None:
        return
    place, kinds = cue
    r.consumed.add(place)
    word = r.scan.phrase(place, r.end(place))
    if len(series) < 2:
        if series:
            findings.doubt("unread", f"says {word!r}; {series[0].line.id} has one value")
        return
    first, last = series[0], series[-1]
    for q in r.quantities:
        if q.role in ("value", "count") and is_change(r, q):
            if abs(abs(last.value - first.value) - q.value) <= 0.6:
                findings.holds()
            else:
                why = f"says {word} by {q.text}; the values are {first.value:g} and {last.value:g}"
                findings.fault("wrong_value", why)
    node = next((n for n in first.line.known.nodes if n.kind == "measurement"), None)
    wanted = _wanted(kinds, node.better if node else "")
    if wanted is None:
        findings.doubt("unread", f"says {word!r}")
    elif _direction(first.value, last.value) in wanted:
        findings.holds(first.line, last.line)
    else:
        why = f"says {word!r}; {first.line.id} says {first.value:g}, then {last.line.id} {last.value:g}"
        findings.fault("wrong_value", why)


def _wanted(kinds: set[str], better: str) -> set[str] | None:
    if "rise" in kinds and "fall" in kinds:
        return None
    for kind in ("rise", "fall", "steady"):
        if kind in kinds:
            return {kind}
    if not better:
        return None
    down = (better == "low") == ("better" in kinds)
    return {"fall" if down else "rise"}


def _direction(first: float, last: float) -> str:
    if abs(last - first) <= 0.02 * max(abs(first), abs(last)):
        return "steady"
    return "rise" if last > first else "fall"


def _cue(r: ClaimReading) -> tuple[int, set[str]] | None:
    """The word that tells of a change of a measured value."""
    measured = [m for m in r.linked if any(x.value is not None for x in m.lines)]
    verbs = frozenset(("weight", "weighs", "weighed"))
    if (
        not measured
        and not verbs & set(r.words)
        and not (r.seen & (BIT["rise"] | BIT["fall"]) and len(_series(r)) > 1)
    ):
        return None
    for i, f in enumerate(r.flags):
        if not f & _TREND or any(m.start <= i < m.end for m in r.mentions):
            continue
        if AFTER & set([w for w in r.words[r.end(i) : r.end(i) + 2] if w != "the"][:1]):
            continue
        if r.scan.supposed[0] <= i < r.scan.supposed[1]:
            continue
        if r.words[i] in ("up", "down", "level", "better", "worse", "higher", "lower") and not _series_of_two(
            r
        ):
            continue
        if r.in_tail(i) and not _series_of_two(r):
            continue
        return i, {c for c in CUES if f & BIT[c]}
    return None


def _series_of_two(r: ClaimReading) -> bool:
    return len(_series(r)) > 1


class SeriesPoint(NamedTuple):
    """One value of a series."""

    age: float
    value: float
    line: HistoryLine


def _series(r: ClaimReading) -> list[SeriesPoint]:
    """Dated values of one measurement that the claim speaks of, in order; none where it speaks of several."""
    valued = [x for x in r.lines if x.values] or [x for x in r.cited if x.values]
    if len({x.known.nodes for x in valued}) > 1:
        return []
    if len(valued) == 1:
        valued = [x for x in r.facts.shown if x.known is valued[0].known and x.values]
    points = (SeriesPoint(age, value, x) for x in valued for value, age in x.readings)
    return sorted(points, key=lambda p: p.age)


def _from_to(
    r: ClaimReading, first: Quantity, second: Quantity, series: list[SeriesPoint], findings: Findings
) -> None:
    """The two ends of a change stand in this order."""
    if len(series) < 2 or first.role not in ("value", "bare"):
        return
    a = next((p for p in series if first.matches(p.value)), None)
    b = next((p for p in reversed(series) if second.matches(p.value)), None)
    if a is not None and b is not None and a.age > b.age:
        findings.fault(
            "wrong_order", f"says from {first.text} to {second.text}; {b.value:g} was before {a.value:g}"
        )
