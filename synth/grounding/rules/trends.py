"""Values over time: rose, fell, stayed; from one value to another; by how much."""

from ..facts import Line
from ..findings import Findings
from ..language.tokens import wordset
from ..language.vocabulary import BIT
from ..reading.quantities import Quantity
from ..reading.reading import Reading

CUES = ("rise", "fall", "steady", "better", "worse")
_TREND = sum(BIT[c] for c in CUES)
AFTER = wordset("risk burden likelihood chance vulnerability reserve the odds susceptibility probability")


def is_change(r: Reading, q: Quantity) -> bool:
    """`by 24 mmHg`, `three points lower`: how much a value changed, and no value."""
    if not r.seen & _TREND:
        return False
    before, after = r.words[max(0, q.start - 2) : q.start], r.words[q.end : q.end + 1]
    if "by" in before or (
        after and after[0] in ("lower", "higher", "less", "more", "drop", "fall", "rise", "loss", "gain")
    ):
        return True
    return bool({"lost", "gained", "shed", "losing", "gaining"} & set(r.words[max(0, q.start - 3) : q.start]))


def trends(r: Reading, found: Findings) -> None:
    """What is said of a series is so."""
    changes = [q for q in r.quantities if q.pair in ("from", "to")]
    series = _series(r)
    if len(changes) >= 2:
        _from_to(r, changes[0], changes[1], series, found)
    if not r.seen & _TREND:
        return
    cue = _cue(r)
    if cue is None:
        return
    place, kinds = cue
    r.consumed.add(place)
    word = r.scan.phrase(place, r.end(place))
    if len(series) < 2:
        if series:
            found.doubt("unread", f"says {word!r}; {series[0].id} has one value")
        return
    first, last = series[0], series[-1]
    assert first.value is not None
    assert last.value is not None
    for q in r.quantities:
        if q.role in ("value", "count") and is_change(r, q):
            if abs(abs(last.value - first.value) - q.value) <= 0.6:
                found.holds()
            else:
                found.fault(
                    "wrong_value",
                    f"says {word} by {q.text}; the values are {first.value:g} and {last.value:g}",
                )
    actual = _direction(first.value, last.value)
    node = next((n for n in first.known.nodes if n.kind == "measurement"), None)
    better = node.better if node else ""
    wanted = _wanted(kinds, better)
    if wanted is None:
        found.doubt("unread", f"says {word!r}")
    elif actual in wanted:
        found.holds(first, last)
    else:
        found.fault(
            "wrong_value", f"says {word!r}; {first.id} says {first.value:g}, {last.id} {last.value:g}"
        )


def _wanted(kinds: set[str], better: str) -> set[str] | None:
    if "rise" in kinds and "fall" in kinds:
        return None
    for kind in ("rise", "fall", "steady"):
        if kind in kinds and not ({"better", "worse"} & kinds and better):
            return {kind}
    if not better:
        return None
    down = (better == "low") == ("better" in kinds)
    return {"fall" if down else "rise"}


def _direction(first: float, last: float) -> str:
    if abs(last - first) <= 0.02 * max(abs(first), abs(last)):
        return "steady"
    return "rise" if last > first else "fall"


def _cue(r: Reading) -> tuple[int, set[str]] | None:
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
        if r.words[r.end(i) : r.end(i) + 1] and r.words[r.end(i)] in AFTER:
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


def _series_of_two(r: Reading) -> bool:
    return len(_series(r)) > 1


def _series(r: Reading) -> list[Line]:
    """Dated values of one measurement that the claim speaks of, in order."""
    valued = [x for x in r.lines if x.value is not None and x.age is not None]
    if not valued:
        valued = [x for x in r.cited if x.value is not None and x.age is not None]
    kinds = {x.known.nodes for x in valued}
    if len(kinds) > 1:
        return []
    if len(valued) == 1:
        same = [
            x
            for x in r.facts.shown
            if x.known is valued[0].known and x.value is not None and x.age is not None
        ]
        valued = same if len(same) > 1 else valued
    return sorted(valued, key=lambda x: x.age or 0.0)


def _from_to(r: Reading, first: Quantity, second: Quantity, series: list[Line], found: Findings) -> None:
    """The two ends of a change stand in this order."""
    if len(series) < 2 or first.role not in ("value", "bare"):
        return
    a = next((x for x in series if x.value is not None and first.matches(x.value)), None)
    b = next((x for x in reversed(series) if x.value is not None and second.matches(x.value)), None)
    if a is not None and b is not None and (a.age or 0) > (b.age or 0):
        found.fault("wrong_order", f"says from {first.text} to {second.text}; {b.id} was before {a.id}")
