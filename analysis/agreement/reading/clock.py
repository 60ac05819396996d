"""When a rating was given: a rank, or a moment in one of the ways people write it."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..coefficients.table import Floats
from .words import as_number, tidy

DAY_FIRST = ("%d{s}%m{s}%Y", "%d{s}%m{s}%y")
MONTH_FIRST = ("%m{s}%d{s}%Y", "%m{s}%d{s}%y")
YEAR_FIRST = ("%Y{s}%m{s}%d",)
HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S", ", %I:%M:%S %p")
ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
DIGITS = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
EPOCH = (6e8, 5e12)
"""Seconds or milliseconds since 1970 lie between."""


class Clock(NamedTuple):
    """The moments of a column, or why there are none."""

    moments: Floats
    """(cells,) rising with time; NaN for an empty cell."""
    why: str = ""
    """Why the column is of no use; empty where it is."""


def clock(cells: Sequence[str | None], rank: bool = True) -> Clock:
    """The moments or ranks of a column.

    Args:
        cells: of the column.
        rank: small whole numbers count as ranks; not where the column's name speaks of time, since a number of
            seconds is how long a rating took, not when it was given.
    """
    none = np.full(len(cells), np.nan)
    if not any(cells):
        return Clock(none, "it is empty")
    texts = [tidy(c) if c else "" for c in cells]
    kinds = {t for t in texts if t}
    numbers = {t: n for t in kinds if (n := as_number(t)) is not None}
    if len(numbers) == len(kinds):
        if not rank and not all(EPOCH[0] <= n <= EPOCH[1] for n in numbers.values()):
            return Clock(none, "its numbers look like durations; --column order=NAME takes them as ranks")
        return Clock(np.array([numbers[t] if t else np.nan for t in texts], dtype=float))
    moments, why = _moments(kinds)
    if why:
        return Clock(none, why)
    return Clock(np.array([moments[t] if t else np.nan for t in texts], dtype=float))


def _moments(kinds: set[str]) -> tuple[dict[str, float], str]:
    """Every text as seconds since 1970; or an example of one that cannot be read."""
    iso = {t: _iso(t) for t in kinds if ISO.match(t)}
    rest = sorted(kinds - set(iso))
    bad = next((t for t, at in iso.items() if at is None), None)
    if bad is not None:
        return {}, f"{bad!r} is not a time"
    known = {t: at for t, at in iso.items() if at is not None}
    if not rest:
        return known, ""
    ways = [w for w in _ways(rest[0]) if all(_parsed(t, w) is not None for t in rest)]
    if not ways:
        return {}, f"{rest[0]!r} is neither a number nor a time such as 2026-11-22T10:30:00"
    if len({tuple(_parsed(t, w) for t in rest) for w in ways}) > 1:
        return {}, f"{rest[0]!r} may begin with the day or with the month; write 2026-11-22"
    return known | {t: at for t in rest if (at := _parsed(t, ways[0])) is not None}, ""


def _ways(text: str) -> list[tuple[str, ...]]:
    """Orders of day and month that a text of this shape may have, each with all ways to write the hour."""
    m = DIGITS.match(text)
    if m is None:
        return []
    s = m[2]
    orders = YEAR_FIRST if len(m[1]) == 4 else DAY_FIRST if s == "." else None
    families = [orders] if orders else [DAY_FIRST, MONTH_FIRST]
    return [tuple(d.format(s=s) + h for d in family for h in HOURS) for family in families]


def _parsed(text: str, ways: Sequence[str]) -> float | None:
    for way in ways:
        try:
            return datetime.strptime(text, way).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    return None


def _iso(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def looks_like_time(cells: Sequence[str]) -> bool:
    """Most of some cells are written like a date."""
    some = [tidy(c) for c in islice((c for c in cells if c), 40)]
    return len(some) > 0 and sum(bool(ISO.match(t) or DIGITS.match(t)) for t in some) > 0.6 * len(some)
