"""An ACES task configuration: what its YAML says, or the key that is not understood here.

Predicates say what is counted at a moment, the trigger which moments may become predictions, and windows what must
and must not lie between two points in time. Each window has one end that is bound to the trigger or to another
window, and one that is bound to its own other end. Source of the language: ACES 0.7.3, `docs/source/configuration.md`
(arXiv 2406.19653).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

ANY, RECORD_START, RECORD_END = "_ANY_EVENT", "_RECORD_START", "_RECORD_END"
SPECIAL = (ANY, RECORD_START, RECORD_END)
TRIGGER = "trigger"


class Plain(NamedTuple):
    """Rows of the record that count."""

    codes: frozenset[str] | re.Pattern[str]
    """These codes, or those in which the expression is found."""
    low: float | None
    high: float | None
    low_inclusive: bool
    high_inclusive: bool
    static: bool
    """It holds always, on a row without a time; who has none is not in the task."""
    columns: Mapping[str, object]
    """Other columns and what must stand in them."""


class Derived(NamedTuple):
    """A moment that has all (`and`) or any (`or`) of some predicates."""

    every: bool
    of: tuple[str, ...]


class Point(NamedTuple):
    """A point in time, told from another one."""

    of: tuple[str, str]
    """The trigger, as `("trigger", "")`, or a window and its `start` or `end`."""
    step: int = 0
    """Microseconds after it."""
    event: str | None = None
    """The next moment with this predicate ..."""
    back: bool = False
    """... or the last one before."""


class Window(NamedTuple):
    """A stretch of time and what must be in it."""

    start: Point
    end: Point
    start_inclusive: bool
    end_inclusive: bool
    has: Mapping[str, tuple[int | None, int | None]]
    """Predicate -> fewest and most."""
    from_end: bool
    """Its end is bound to something outside, and its start to its end."""


class Task(NamedTuple):
    """What is predicted, when, for whom."""

    predicates: Mapping[str, Plain | Derived]
    """Those that are used, inputs before what is derived from them."""
    trigger: str
    windows: Mapping[str, Window]
    label: tuple[str, str]
    """The window and the predicate that is to be found in it."""
    predicted: tuple[str, str]
    """The window and its `start` or `end`: when the prediction is made."""


_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPAN = re.compile(
    r"(?:(?P<w>[\d.]+)\s*w(?:ks?|eeks?)?,?\s*)?(?:(?P<d>[\d.]+)\s*d(?:ys?|ays?)?,?\s*)?"
    r"(?:(?P<h>[\d.]+)\s*h(?:rs?|ours?)?,?\s*)?(?:(?P<m>[\d.]+)\s*m(?:ins?|inutes?)?,?\s*)?"
    r"(?:(?P<s>[\d.]+)\s*s(?:ecs?|econds?)?)?(?:(?P<hour>\d+):(?P<minute>\d{2}):(?P<second>\d{2}(?:\.\d+)?))?"
)


def duration(text: str) -> int | None:
    """A span of time in microseconds, as `pytimeparse` reads it; None where it is none. Years have no fixed length.

    >>> [duration(t) / 3_600e6 for t in ("24h", "1 days 2 hours 3 minutes", "1 day, 14:20:16", "0.5d")]
    [24.0, 26.05, 38.33777777777778, 12.0]
    >>> duration("5 years"), duration("")
    (None, None)
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        return None
    parts = found.groupdict()
    try:
        seconds = sum(float(parts[u]) * n for u, n in _UNITS.items() if parts[u])
    except ValueError:
        return None
    if parts["hour"]:
        seconds += int(parts["hour"]) * 3_600 + int(parts["minute"]) * 60 + float(parts["second"])
    return round(seconds * 1_000_000)
