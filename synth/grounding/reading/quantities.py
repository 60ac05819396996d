"""Numbers in a sentence, and what each is: an age, a time before, a length, a gap, a count, a value."""

import math
from typing import NamedTuple

from ..language.tokens import wordset
from ..language.units import Units
from ..language.vocabulary import BIT
from .scan import Scan

YEARS = frozenset(("year", "years", "y", "yr"))
SCALE = {
    **dict.fromkeys(("month", "months", "mo"), 1 / 12),
    **dict.fromkeys(("week", "weeks"), 1 / 52.18),
    **dict.fromkeys(("day", "days"), 1 / 365.25),
    **dict.fromkeys(("decade", "decades"), 10.0),
    **dict.fromkeys(("century", "centurie"), 100.0),
    **dict.fromkeys(YEARS, 1.0),
}
"""Years in each word for a length of time."""
TIMES = wordset(
    "time occasion episode bout entry entrie record visit prescription reading instance event issue "
    "attack consultation encounter incident relapse recording admission line diagnosis diagnose code "
    "recurrence repeat mention contact attendance appointment dispensing script supply supplie refill "
    "exacerbation spell separate measurement"
)
ITEMS = wordset(
    "condition diagnosis diagnose disease disorder illness factor finding problem comorbiditie "
    "comorbidity drug medication medicine line insult event marker hit contributor burden exposure "
    "element item fact feature piece independent reason"
)
BACK = wordset("before earlier ago prior previously back pre preceding beforehand")
ON = wordset("after later following since post afterward past")
NOW = wordset("prediction index assessment baseline now this present evaluation cut landmark date today the")
DECADES = {
    **{f"{decade}s": decade for decade in range(20, 100, 10)},
    "twentie": 20,
    "thirtie": 30,
    "fortie": 40,
    "fourtie": 40,
    "fiftie": 50,
    "sixtie": 60,
    "seventie": 70,
    "eightie": 80,
    "ninetie": 90,
}
PART = {
    "early": (0.0, 4.999),
    "mid": (3.0, 7.0),
    "middle": (3.0, 7.0),
    "late": (5.0, 9.999),
    "low": (0.0, 3.999),
    "lower": (0.0, 4.999),
    "high": (6.0, 9.999),
    "upper": (5.0, 9.999),
}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}
PERSONS = frozenset(("she", "he", "patient", "person", "you", "woman", "man"))
OFTEN = frozenset(("once", "twice", "thrice"))
LIMITS = frozenset(("by", "before", "after", "until", "past"))
_ABOUT = wordset("about around roughly approximately approx some circa ca ~ estimated close")
_NEARLY = frozenset(("nearly", "almost", "approaching", "practically", "virtually"))
_MORE = wordset("over above exceeding exceeded exceed beyond > surpassing surpassed topping topped")
_LESS = frozenset(("under", "below", "<", "beneath"))
_SLIGHT = wordset("just slightly little marginally only shortly barely bit well still far")
_THAN = {
    **dict.fromkeys(wordset("more greater higher longer older later better"), "more"),
    **dict.fromkeys(wordset("less fewer lower shorter younger earlier worse"), "less"),
}
_AGE = wordset("age aged at @ from since when dx onset onward around by until till")
_AND = wordset("to and - or through until")
_EQUALS = wordset("= : of was is at were read measured score value level scored")
_FEWER = "less"
_PEOPLE = BIT["judge"]


class Quantity:
    """A number with what it is and the range that it stands for."""

    __slots__ = ("end", "high", "low", "pair", "role", "start", "text", "unit", "value")

    def __init__(self, start: int, end: int, text: str, value: float) -> None:
        self.start, self.end, self.text, self.value = start, end, text, value
        self.role = "bare"
        self.low = self.high = value
        self.unit = ""
        self.pair = ""
        """`from` or `to` where two numbers are the ends of a change; `end` where they are those of a spread."""

    def matches(self, value: float) -> bool:
        """Whether a value may be written so."""
        return self.low <= value <= self.high

    def __repr__(self) -> str:
        return f"{self.role} {self.text} [{self.low:g}, {self.high:g}] {self.unit}".rstrip()


class _Hedge(NamedTuple):
    kind: str
    start: int


def quantities(scan: Scan, units: Units) -> list[Quantity]:
    """All numbers of a sentence, in order; horizons of the question and the like have the role `none`."""
    words = scan.words
    numbers: list[Quantity] = []
    for start, end, value in scan.values:
        if not numbers or start >= numbers[-1].end:  # the figure of `mL/min/1.73 m2` is none
            numbers.append(_read(scan, units, start, end, value))
    numbers += [d for i in (*scan.unread, *_digits(scan)) if (d := _decade(scan, i)) is not None]
    numbers.sort(key=lambda q: q.start)
    out: list[Quantity] = []
    _ends(words, numbers)
    for q in numbers:
        if out and not (q.pair or out[-1].pair) and out[-1].end <= q.start:
            joined = _joined(words, out[-1], q)
            if joined == "range":
                last = out.pop()
                q.start, q.low, q.text = last.start, last.value - 0.051, f"{last.text} to {q.text}"
                q.high = q.value + (0.951 if q.role in ("age", "at", "bare") and "." not in q.text else 0.051)
                if last.role != "bare" and (q.role == "bare" or last.role in ("age", "at")):
                    q.role = last.role
            elif joined:
                out[-1].pair, q.pair = ("end", "end") if _spread(words, out[-1]) else ("from", "to")
                _agree(out[-1], q)
        out.append(q)
    spent = {i for q in out for i in range(q.start, q.end)}
    scan.unread = [i for i in scan.unread if i not in spent]
    return [q for q in out if q.role != "none"]


def _digits(scan: Scan) -> list[int]:
    return [i for i, _, _ in scan.values if scan.words[i] in DECADES]


def _read(scan: Scan, units: Units, start: int, end: int, value: float) -> Quantity:
    words = scan.words
    text = " ".join(words[start:end])
    q = Quantity(start, end, text, value)
    if text in DECADES:
        q.role = "none"  # read as a decade
        return q
    hedge = _limit(words, _hedge(words, start))
    if any(f & BIT["again bound"] for f in scan.flags[max(0, start - 4) : start]):
        q.role, (_, q.end) = "none", units.at(words, end)
        return q
    before = words[hedge.start - 1] if hedge.start else ""
    q.unit, behind = units.at(words, end)
    if q.unit == "%" and _share(scan, behind):
        q.role, q.end = "share", behind
    elif q.unit:
        q.role, q.end = "value", behind
    elif text[-2:] in ("st", "nd", "rd", "th") and text[0].isdigit():
        q.role = "ordinal"
    else:
        q.role, scale = _role(scan, q, before, hedge.start)
        if q.role in ("at", "age") and value > 121:
            q.role = "bare"
        if (
            q.role == "bare"
            and hedge.kind in ("less", "most", "more")
            and before in LIMITS
            and 14 < value < 121
        ):
            q.role = "age"
        if q.role == "gap" and before == "by":
            hedge = _hedge(words, start)  # `followed it by five years` is no limit, as `by 70` is
        q.value *= scale
        q.low, q.high = _range(q, scale, hedge.kind)
        _inverted(words, hedge, q)
        return q
    q.low, q.high = _range(q, 1.0, hedge.kind)
    _inverted(words, hedge, q)
    return q


def _inverted(words: list[str], hedge: _Hedge, q: Quantity) -> None:
    """`never dropped below 120`: the limit holds the other way round."""
    if hedge.kind in ("less", "more") and {"never", "not"} & set(
        words[max(0, hedge.start - 4) : hedge.start]
    ):
        q.low, q.high = (q.value - 0.05, math.inf) if hedge.kind == "less" else (-math.inf, q.value + 0.05)


def _role(scan: Scan, q: Quantity, before: str, left: int) -> tuple[str, float]:
    """What a number without a unit is, and how many years one of it has."""
    words, n = scan.words, len(scan.words)
    i = q.end
    word = words[i] if i < n else ""
    digits = words[q.start][0].isdigit() or words[q.start][0] == "."
    if before in ("stage", "type", "grade", "class", "category", "g", "phase", "level", "quintile", "covid"):
        return "name", 1.0
    if word in ("fold", "percent") or (word == "time" and words[i + 1 : i + 2] and words[i + 1] in _MULTIPLE):
        return "share", 1.0
    if word == "/" and i + 1 < n and words[i + 1][0].isdigit():
        q.end = i
        return "value", 1.0
    if before == "/" and left >= 2 and words[left - 2][0].isdigit():
        return ("none" if q.value in (10, 30, 100, 27, 21, 15) else "value"), 1.0
    if (
        word in SCALE
        and (word not in ("day", "days") or digits)
        and not (word == "y" and words[i + 1 : i + 2] == ["/"])
    ):
        return _time(scan, q, before, left, i)
    if word in ("old", "yo", "f", "m") and digits and q.value < 121:
        q.end = i + 1
        return "own age", 1.0
    if word == "of" and words[i + 1 : i + 2] == ["age"]:
        return "age", 1.0
    if digits and len(words[q.start]) == 4 and 1880 <= q.value <= 2100 and before != "of":
        return "calendar", 1.0
    if before == "by" and {"odd", "risk", "hazard", "chance", "likelihood"} & set(
        words[max(0, left - 5) : left]
    ):
        return "share", 1.0
    if before in ("age", "aged"):
        return "age", 1.0
    if before == "x" or (word == "x" and (i + 1 >= n or not words[i + 1][0].isdigit())):
        q.end = i + (word == "x")
        return "count", 1.0
    if words[q.start] in OFTEN and word not in ("as", "a", "the", "daily", "weekly", "that", "her", "his"):
        return (
            "count" if words[q.start] != "once" or scan.flags[q.start - 1] & BIT["record"] else "none"
        ), 1.0
    timed = before in ("at", "@", "since", "from", "by") and (q.value > 14 or "." in q.text)
    role = "" if timed or q.value != int(q.value) else _counted(scan, q, i)
    if role:
        return role, 1.0
    if not digits:
        return "none", 1.0
    if before in ("age", "aged") or (before == "of" and left >= 2 and words[left - 2] in ("age", "ages")):
        return "age", 1.0
    if before in ("is", "now") and left > 1 and words[left - 2] in PERSONS:
        return "own age", 1.0
    if (
        before in ("was", "were", "turned", "reached")
        and left > 1
        and words[left - 2] in PERSONS
        and q.value > 5
    ):
        return "age", 1.0
    if before == "between" or before in _AGE:
        return (
            "at"
            if before in ("at", "@", "from", "since", "around", "by", "until", "till", "between")
            else "age"
        ), 1.0
    return "bare", 1.0


_MULTIPLE = wordset("higher lower more less greater as the that likelier a her his")


def _time(scan: Scan, q: Quantity, before: str, left: int, i: int) -> tuple[str, float]:
    """A length of time: of what, or before what."""
    words, n = scan.words, len(scan.words)
    scale = SCALE[words[i]]
    i += 1
    if words[i : i + 1] == ["or"] and words[i + 1 : i + 2] and words[i + 1] in ("so", "more", "two"):
        i += 2
    q.end = i
    word = words[i] if i < n else ""
    following = words[i : i + 4]
    if word in ("old", "of") and (word == "old" or words[i + 1 : i + 2] == ["age"]):
        q.end = i + (1 if word == "old" else 2)
        return ("own age" if words[left - 1 : left] != ["at"] and scale == 1 else "age"), scale
    if (
        word == "of"
        and words[i + 1 : i + 2]
        and words[i + 1] in ("education", "schooling", "study", "school", "training", "formal")
    ):
        return "education", scale
    ahead = {"next", "coming", "following"} & {before, words[left - 2] if left >= 2 else ""}
    if ahead or word in (
        "risk",
        "horizon",
        "window",
        "outlook",
        "ahead",
        "period",
        "follow",
        "forecast",
        "prediction",
        "probability",
        "outcome",
    ):
        return "none", scale
    if before in ("within", "inside"):
        if word == "of" or word in BACK:
            q.end = i + 1
            return "window", scale
        return "none", scale
    if before in ("last", "past", "previous", "final", "preceding") and not (
        word in BACK and before in ("last", "final")
    ):
        return "window", scale
    for k, w in enumerate(following):
        if w in BACK:
            q.end = i + k + 1
            return ("before" if _to_now(scan, q.end, w) else "gap"), scale
        if w in ON:
            q.end = i + k + 1
            return "gap", scale
        if w in ("apart", "between", "separate", "separating", "elapsed"):
            return "gap", scale
        if not (scan.flags[i + k] & (BIT["function"] | BIT["person"])) or w in (
            "of",
            "and",
            "with",
            "at",
            "is",
        ):
            break
    if before in ("by", "preceding") or (before == "predates"):
        return "gap", scale
    if (
        before in ("for", "over", "x", "lasted", "lasting", "spanning", "of", "during", "throughout")
        or word == "of"
    ):
        return "span", scale
    if before == "in" and scale == 1 and left >= 1:
        return "years", scale
    if before in ("age", "aged") or (before in ("at", "since", "from", "@", "(") and "." in q.text):
        return "age", scale
    if before == "at" and q.value > 14:
        return "age", scale
    return "years", scale


def _to_now(scan: Scan, end: int, word: str) -> bool:
    """Whether `before` means before the prediction time, and not before another event."""
    if word in ("ago", "back", "pre", "previously", "beforehand"):
        return True
    words = scan.words
    i = end
    while i < len(words) and words[i] in ("the", "this", "her", "his", "our", "to", "that"):
        i += 1
    if i >= len(words) or words[i] in NOW or words[i] in ",.;)":
        return True
    return not any(m.start >= end for m in scan.mentions)


def _counted(scan: Scan, q: Quantity, i: int) -> str:
    """`count` of events or `items` on a list, by the noun behind a number."""
    words, n = scan.words, len(scan.words)
    starts = {m.start: m for m in scan.mentions}
    for k in range(i, min(i + 4, n)):
        mention = starts.get(k)
        word = words[k]
        if mention is not None and mention.category is not None and word not in TIMES:
            return "items"
        if mention is not None:
            timed = scan.words[q.start - 1 : q.start] and scan.words[q.start - 1] in _AGE
            return "count" if q.value == int(q.value) and not timed and _adjectives(scan, i, k) else ""
        if word in TIMES:
            return "items" if word in ITEMS and _listing(scan, i, k) else "count"
        if word in ITEMS:
            return "items"
        if (
            not (scan.flags[k] & (BIT["judge"] | BIT["degree"] | BIT["record"] | BIT["only"] | BIT["all"]))
            or word in _STOP
        ):
            return ""
    return ""


_STOP = wordset("of in on at to and with for is was are were has have had the a an . , ; : ( )")


def _adjectives(scan: Scan, start: int, end: int) -> bool:
    return all(
        scan.flags[k] & (BIT["judge"] | BIT["degree"] | BIT["record"]) or k in scan.unread
        for k in range(start, end)
    ) and not any(w in _STOP for w in scan.words[start:end])


def _listing(scan: Scan, start: int, end: int) -> bool:
    """`three vascular diagnoses`: an adjective of a kind of illness between number and noun."""
    return any(scan.facts.vocabulary.look(w).category for w in scan.words[start:end])


def _share(scan: Scan, end: int) -> bool:
    """A per cent of risk or of people, and no measured one."""
    near = scan.words[end : end + 3]
    risk = {
        "risk",
        "chance",
        "probability",
        "likelihood",
        "odd",
        "higher",
        "greater",
        "increase",
        "of",
        "increased",
        "more",
        "excess",
        "lower",
        "reduction",
    }
    if near and near[0] == "of" and near[1:2] and near[1] in ("people", "patients", "those", "all", "cases"):
        return True
    return bool(set(near) & (risk - {"of", "higher", "lower"})) or bool(
        {"risk", "chance", "probability", "likelihood", "odd"} & set(scan.words[max(0, end - 8) : end])
    )


def _hedge(words: list[str], start: int) -> _Hedge:
    """What limits a number, and where that begins."""
    i, kind = start, ""
    while i > 0:
        w = words[i - 1]
        two = words[i - 2] if i > 1 else ""
        if w in _ABOUT:
            kind, i = "about", i - 1
        elif w == "to" and two in ("close", "up", "near"):
            kind, i = ("most" if two == "up" else "about"), i - 2
        elif w in _NEARLY:
            kind, i = "nearly", i - 1
        elif w in _MORE or w in _LESS:
            side = "more" if w in _MORE else "less"
            slight = two in _SLIGHT and two not in ("well", "still", "far", "only")
            kind, i = (f"just {side}" if slight else side), i - 1
            while i > 0 and words[i - 1] in _SLIGHT | {"a"}:
                i -= 1
        elif w == "than" and two in _THAN:
            side = _THAN[two]
            slight = i > 2 and words[i - 3] in ("slightly", "little", "just", "marginally", "bit")
            negated = i > 2 and words[i - 3] in ("no", "not")
            kind = f"just {side}" if slight else {"more": "most", "less": "least"}[side] if negated else side
            i -= 3 if negated or slight else 2
        elif w in (">=", "least") or (w == "least" and two == "at"):
            kind, i = "least", i - (2 if two == "at" else 1)
        elif w in ("<=", "most") and (w == "<=" or two == "at"):
            kind, i = "most", i - (2 if two == "at" else 1)
        elif w in ("minimum", "maximum"):
            kind, i = ("least" if w == "minimum" else "most"), i - 1
        elif w in (
            "only",
            "just",
            "the",
            "a",
            "an",
            "another",
            "mere",
            "merely",
            "full",
            "total",
            "his",
            "her",
            "these",
            "those",
            "all",
            "exactly",
            "precisely",
        ):
            i -= 1
        else:
            break
    return _Hedge(kind, i)


def _limit(words: list[str], hedge: _Hedge) -> _Hedge:
    """`before the age of 75`, `by 60`, `after 70`: a limit in time."""
    i = hedge.start
    while i > 0 and words[i - 1] in (
        "age",
        "of",
        "the",
        "she",
        "he",
        "was",
        "reached",
        "turned",
        "turning",
        "reaching",
    ):
        i -= 1
    word = words[i - 1] if i else ""
    if hedge.kind or (i == hedge.start and word not in ("by", "before", "after", "past", "until")):
        return hedge
    if word in ("before", "until") or (word == "to" and words[i - 2 : i - 1] == ["prior"]):
        return _Hedge("less", hedge.start)
    if word == "by":
        return _Hedge("most", hedge.start)
    return _Hedge("more", hedge.start) if word in ("after", "past", "beyond") else hedge


def _range(q: Quantity, scale: float, hedge: str) -> tuple[float, float]:
    """Half a unit of the last digit that was written; for whole years almost one (66.9 is age 66)."""
    v = q.value
    number = q.text.split(" ")[0]
    _, dot, digits = number.partition(".")
    if dot and digits.isdigit():
        slack = 0.5 * 10.0 ** -len(digits) * scale + 0.0501 * (q.role not in ("value", "bare", "count", "at"))
    elif q.role in ("count", "items", "ordinal", "share"):
        slack = 0.0
    elif q.role == "value":
        slack = 0.5
    elif scale == 1:
        slack = 0.95 if v >= 3 else 0.75
    else:
        slack = {10.0: 2.5, 100.0: 5.0, 25.0: 2.0}.get(scale, 0.5 * scale + 0.03)
    low, high = v - slack, v + slack
    wide = max(0.08 * v, (1.0 if v > 3 else 0.4) * scale if q.role != "value" else 0.0)
    near = 0.07 * v if q.role == "value" else max(0.1 * v, 1.2 * scale)
    if q.role == "count":
        wide = max(0.15 * v, 0.0)
    return {
        "": (low, high),
        "about": (low - wide, high + wide),
        "nearly": (v - max(0.12 * v, 1.0 * min(scale, 10)), v + 0.02 * v),
        "more": (v - 0.049 if scale == 1 else v - 0.3, math.inf),
        "less": (-math.inf, v + 0.001),
        "least": (v - 0.049, math.inf),
        "most": (-math.inf, v + (slack if scale == 1 and not dot else 0.05)),
        "just more": (v - 0.049, v + near),
        "just less": (v - near, v + 0.001),
    }[hedge]


def _decade(scan: Scan, i: int) -> Quantity | None:
    """An age told as a decade (`in her early fifties`), or a value (`in the low forties`)."""
    words = scan.words
    tens = DECADES.get(words[i])
    if tens is None:
        return None
    part = words[i - 1] if i else ""
    low, high = PART.get(part, (0.0, 9.999))
    start = i - 1 if part in PART else i
    q = Quantity(start, i + 1, " ".join(words[start : i + 1]), float(tens))
    q.role = "value" if part in ("low", "high", "lower", "upper") else "decade"
    q.low, q.high = tens + low - 0.06, tens + high
    limit = words[max(0, start - 3) : start]
    if "by" in limit or "before" in limit:
        q.low = -math.inf
    elif "after" in limit or "beyond" in limit or "past" in limit:
        q.high, q.low = math.inf, q.high
    elif ("since" in limit or "from" in limit) and q.role == "decade":
        pass
    return q


def _joined(words: list[str], first: Quantity, second: Quantity) -> str:
    """How two numbers belong together: `range` (between 7 and 8), `change` (from 158 to 134, 158 -> 134), or not."""
    between = words[first.end : second.start]
    if between == ["->"]:
        return "change"
    if len(between) not in (1, 2) or between[0] not in _AND:
        return ""
    if len(between) == 2 and between[1] not in ("age", "about", "at", "year", "around", "nearly"):
        return ""
    if first.role in ("count", "items", "share", "own age", "name", "calendar"):
        return ""
    left = words[max(0, first.start - 5) : first.start]
    if "between" in left or between[0] == "-":
        return "range"
    if "from" in left[-2:] and between[0] == "to":
        return "change"
    if between[0] == "to" and (second.role == first.role or first.role == "bare"):
        return "range"
    return ""


def _spread(words: list[str], first: Quantity) -> bool:
    return bool(
        {"ranged", "range", "ranging", "varied", "vary", "varying", "lay", "lie"}
        & set(words[max(0, first.start - 4) : first.start])
    )


def _ends(words: list[str], numbers: list[Quantity]) -> None:
    """`from 66.5 kg at 70.0 to 58 kg at 77.0`: the ends of a change with something between."""
    for i, first in enumerate(numbers):
        if words[first.start - 1 : first.start] != ["from"]:
            continue
        second = next(
            (q for q in numbers[i + 1 :] if words[q.start - 1] == "to" and q.role == first.role), None
        )
        if second is not None and second is not numbers[i + 1]:
            first.pair, second.pair = "from", "to"


def _agree(first: Quantity, second: Quantity) -> None:
    """Both ends of a change are of one kind; `61.0 -> 78.0 years` are ages."""
    if second.role in ("years", "span") and first.role == "bare" and min(first.value, second.value) > 14:
        first.role = second.role = "age"
    if second.unit and not first.unit:
        first.role, first.unit = "value", second.unit
        first.low, first.high = _range(first, 1.0, "")
    elif first.unit and not second.unit:
        second.role, second.unit = "value", first.unit
        second.low, second.high = _range(second, 1.0, "")
