"""What came before what, what was first or last, what lasted longer."""

import re
from itertools import product

from ..facts import HistoryLine
from ..findings import Findings
from ..language.tokens import wordset
from ..language.vocabulary import BIT
from ..reading.reading import ClaimReading
from ..reading.scan import Mention

_CUES = {"before": "B", "after": "A", "then": "T", "first": "F", "already": "Y", "when": "W"}
_ALL = sum(BIT[c] for c in _CUES)
FIRM = BIT["before"] | BIT["after"]
ORDERS = (
    (re.compile(r"(M+)[YF]*B[YT]*(M+)"), False),
    (re.compile(r"(M+)[YFT]*A[YF]*(M+)"), True),
    (re.compile(r"^[T]*A(M+)[T]*(M+)"), False),
    (re.compile(r"^B(M+)Y?(M+)"), True),
    (re.compile(r"(?:Y(M+)|(M+)Y)W(M+)"), False),
    (re.compile(r"W(M+)Y(M+)"), True),
    (re.compile(r"W(M+)(M+)Y"), True),
    (re.compile(r"(M+)F[YT]*(M+)[TA]"), False),
    (re.compile(r"F(M+)T?(M+)"), False),
    (re.compile(r"(M+)T(M+)"), False),
    (re.compile(r"(M)(M)T$"), False),
    (re.compile(r"(M+)YB?(M+)"), False),
)
"""Skeletons of sentences that tell an order: M a dated line, B before, A after, T then, F first, Y already, W when;
with whether the left comes second."""


def order(r: ClaimReading, findings: Findings) -> None:
    """What a claim puts first came first."""
    if not r.seen & _ALL:
        return
    skeleton, mentions = _skeleton(r)
    cues = [c for c in skeleton if c != "M"]
    if not cues or skeleton.count("M") < 2:
        _leftover(r, mentions, findings)
        return
    for pattern, flipped in ORDERS:
        m = pattern.search(skeleton)
        if m is None:
            continue
        groups = [g for g in range(1, len(m.groups()) + 1) if m[g]]
        left, right = (_lines(mentions, skeleton, m.span(g)) for g in groups[:2])
        first, second = (right, left) if flipped else (left, right)
        _check(first, second, findings)
        _gaps(r, first, second, findings)
        r.consumed.update(i for c in _CUES for i in r.starts(c))
        return
    _leftover(r, mentions, findings)


def _skeleton(r: ClaimReading) -> tuple[str, list[Mention]]:
    """Dated mentions and words of order as letters."""
    spent = {i for q in r.quantities for i in range(q.start - 1, q.end)} | r.consumed
    dated = [
        m
        for m in r.mentions
        if m.how in ("is", "shows") and any(x.age is not None for x in m.lines) and _told(m)
    ]
    marks: list[tuple[int, str]] = [(m.start, "M") for m in dated]
    for name, letter in _CUES.items():
        for i in r.starts(name):
            inside = any(m.start <= i < m.end for m in r.mentions)
            if inside or (i in spent and not _between(r, i, dated)) or _to_now(r, i):
                continue
            passive = letter == "A" and r.words[i] == "followed" and _passive(r, i)
            marks.append((i, "B" if passive else letter))
    marks.sort()
    out, last = "", -1
    for place, letter in marks:
        if place == last:
            out = out[:-1] + min(out[-1], letter, key="BAYTFWM".index)
        else:
            out += letter
        last = place
    return out, dated


def _told(m: Mention) -> bool:
    return m.frame in ("told", "supposed") or (m.frame == "led" and m.cited)


def _passive(r: ClaimReading, i: int) -> bool:
    """`was followed, some years later, by` puts first what stands before it."""
    before = set(r.words[max(0, i - 2) : i])
    mention = next((m.start for m in r.mentions if m.start > i), len(r.words))
    return "by" in r.words[i + 1 : mention] or bool(before & {"was", "were", "is", "are", "been"})


def _between(r: ClaimReading, i: int, dated: list[Mention]) -> bool:
    """Whether a word of order that ends a number (`8 years after`) stands between two dated lines."""
    return any(m.end <= i for m in dated) and any(m.start > i for m in dated)


NOT_EVENTS = wordset(
    "prediction index assessment baseline now onset then early mid late at in about around turning retirement "
    "midlife dementia adulthood childhood diagnosis five next"
)
"""What stands behind `before` or `since` where no event of the history does."""


def _to_now(r: ClaimReading, i: int) -> bool:
    """`before the prediction time`, `before the age of 70`, `since 48`, `by the time of assessment`."""
    end = r.end(i)
    following = [
        w
        for w in r.words[end : end + 4]
        if w not in ("the", "this", "her", "his", "of", "a", "an", "age", "reached")
    ]
    if following and following[0][0].isdigit():
        return True
    if any(end <= m.start <= end + 4 and m.lines for m in r.mentions):
        return False
    if not following:
        return r.words[i] in ("since", "earlier", "previously", "already", "prior")
    word = following[0]
    return word in NOT_EVENTS or word.endswith("tie")


def _lines(mentions: list[Mention], skeleton: str, span: tuple[int, int]) -> list[HistoryLine]:
    begin = skeleton[: span[0]].count("M")
    chosen = mentions[begin : begin + span[1] - span[0]]
    return [x for m in chosen for x in m.lines if x.age is not None]


def _check(first: list[HistoryLine], second: list[HistoryLine], findings: Findings) -> None:
    pairs = [(a, b) for a, b in product(first, second) if a.id != b.id]
    wrong = [(a, b) for a, b in pairs if _age(a) > _age(b) + 0.051]
    if not pairs:
        findings.doubt("unread", "an order of lines that cannot be told apart")
    elif len(wrong) == len(pairs):
        a, b = wrong[0]
        findings.fault(
            "wrong_order", f"puts {a.e.name} (age {_age(a):.1f}) before {b.e.name} (age {_age(b):.1f})"
        )
    elif wrong or any(abs(_age(a) - _age(b)) <= 0.051 for a, b in pairs):
        a, b = (wrong or pairs)[0]
        findings.doubt("unread", f"an order of {a.id} (age {_age(a):.1f}) and {b.id} (age {_age(b):.1f})")
    else:
        findings.holds(*first, *second, facts=1)


def _age(x: HistoryLine) -> float:
    assert x.age is not None
    return x.age


def _gaps(r: ClaimReading, first: list[HistoryLine], second: list[HistoryLine], findings: Findings) -> None:
    """`shortly after`, `long before`: as far apart as that."""
    known = [abs(_age(a) - _age(b)) for a in first for b in second if a.id != b.id]
    for start, end, meant in r.scan.vague:
        one = next((v for v in meant if v.what == "gap"), None)
        if one is None or not known:
            continue
        r.consumed.update(range(start, end))
        if any(one.low <= v <= one.high for v in known):
            findings.holds(facts=0)
        elif any(one.may_low <= v <= one.may_high for v in known):
            findings.doubt("unread", f"says {r.scan.phrase(start, end)!r}")
        else:
            findings.fault(
                "wrong_time", f"says {r.scan.phrase(start, end)!r}; the evidence says {known[0]:.1f} years"
            )


def _leftover(r: ClaimReading, dated: list[Mention], findings: Findings) -> None:
    """A word of order that no pattern reads."""
    lines = {x.id for m in dated for x in m.lines}
    if len(lines) < 2:
        return
    for i in (*r.starts("before"), *r.starts("after"), *r.starts("when")):
        spent = any(q.start - 1 <= i < q.end for q in r.quantities)
        if (
            not spent
            and not _to_now(r, i)
            and not any(m.start <= i < m.end for m in r.mentions)
            and not r.in_tail(i)
        ):
            findings.doubt("unread", f"{r.words[i]!r} tells an order")
            return


def extremes(r: ClaimReading, findings: Findings) -> None:
    """`the most recent diagnosis`, `the earliest vascular event`, `the only risk factor on record`."""
    for name in ("latest", "earliest", "only"):
        for p in r.starts(name):
            if p in r.consumed or any(q.start - 2 <= p < q.end for q in r.quantities):
                continue
            _extreme(r, name, p, findings)


def _extreme(r: ClaimReading, name: str, place: int, findings: Findings) -> None:
    end = r.end(place)
    noun = next(
        (
            i
            for i in range(end, min(end + 5, len(r.words)))
            if r.flags[i] & BIT["category noun"] or r.words[i] in NOUNS
        ),
        None,
    )
    kind = next((m for m in r.mentions if m.category is not None and place < m.start <= end + 3), None)
    if noun is None and kind is None:
        return
    dated = (m for m in r.linked if m.category is None and m.cited and m.lines[0].age is not None)
    subject = next(dated, None)
    if subject is None:
        findings.doubt("unread", f"says {r.scan.phrase(place, end)!r}")
        return
    lines = [x for x in r.facts.shown if x.age is not None and x.known.kind not in ("visit", "demographic")]
    if noun is not None and r.words[noun] in DIAGNOSES and kind is None:
        lines = [x for x in lines if x.known.kind == "condition"]
    if kind is not None and kind.category is not None:
        category = kind.category
        sure = [x for x in lines if x.known.relation(category) == "is"]
        perhaps = [x for x in lines if x.known.relation(category) in ("maybe", "unknown")]
    else:
        sure, perhaps = lines, []
    _verdict(r, name, place, subject.lines[0], sure, perhaps, findings)


NOUNS = wordset("entry line item finding vascular abnormality measurement reading value")
DIAGNOSES = wordset("diagnosis diagnose condition disease disorder illness comorbidity problem")


def _verdict(
    r: ClaimReading,
    name: str,
    place: int,
    x: HistoryLine,
    sure: list[HistoryLine],
    perhaps: list[HistoryLine],
    findings: Findings,
) -> None:
    text = r.scan.phrase(place, r.end(place))
    if name == "only":
        others = [y for y in sure if y.known is not x.known]
        maybe = [y for y in perhaps if y.known is not x.known]
    elif name == "latest":
        own = max(_age(x), r.facts.age - x.ago if x.ago is not None else 0.0)
        others = [y for y in sure if y.known is not x.known and _age(y) > own + 0.051]
        maybe = [y for y in perhaps if y.known is not x.known and _age(y) > own + 0.051]
        maybe += [
            y
            for y in sure
            if y.known is not x.known and y.ago is not None and x.ago is not None and y.ago < x.ago - 0.051
        ]
    else:
        others = [y for y in sure if y.known is not x.known and _age(y) < _age(x) - 0.051]
        maybe = [y for y in perhaps if y.known is not x.known and _age(y) < _age(x) - 0.051]
    if others:
        findings.fault("wrong_order", f"says {text!r}; {others[0]} is another")
    elif maybe:
        findings.doubt("unread", f"says {text!r}; {maybe[0]} may be another")
    else:
        findings.holds(x)


LASTED = re.compile(
    r"(more than |over |about |nearly |almost |roughly )?(twice|half|three time|3 x|2 time|3 time) as long"
    r"|(longer|older|shorter|younger) than|as long as"
)


def comparisons(r: ClaimReading, findings: Findings) -> None:
    """`longer than diabetes`, `twice as long as`."""
    words = " ".join(r.words)
    m = LASTED.search(words)
    if m is None or not r.starts("compare"):
        return
    place = len(words[: m.start()].split())
    before = [k for k in r.linked if k.end <= place and any(x.since is not None for x in k.lines)]
    behind = [k for k in r.linked if k.start >= place and any(x.since is not None for x in k.lines)]
    if not before or not behind:
        if any(k.start >= place for k in r.own):
            findings.doubt("unread", f"compares: {m[0]!r}")
        return
    a, b = before[-1].lines[0].since, behind[0].lines[0].since
    if a is None or b is None:
        return
    r.consumed.update(i for c in _CUES for i in r.starts(c))
    if m[2]:
        times = {"twice": 2.0, "2 time": 2.0, "half": 0.5}.get(m[2], 3.0)
        ratio = a / b if b else float("inf")
        fits = (
            ratio >= times * 0.97
            if m[1] and m[1].strip() in ("more than", "over")
            else abs(ratio - times) <= 0.15 * times
        )
    elif m[3]:
        fits = a > b if m[3] in ("longer", "older") else a < b
    else:
        fits = abs(a - b) <= max(1.0, 0.1 * b)
    if fits:
        findings.holds()
    else:
        findings.fault("wrong_order", f"says {m[0]!r}; the evidence says {a:.1f} and {b:.1f} years")
