"""Numbers in cells: decimal commas, per cent signs, codes for missing values, and what scale they may be of."""

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ....study.errors import DataError
from .words import DECIMAL_COMMA, MISSING_CODES, THOUSANDS, as_number, tidy

STEPS = 11
"""Different numbers up to which a scale of halves or whole steps is taken as ordinal."""


class CellNumbers(NamedTuple):
    """The numbers among some cells."""

    of: dict[str, int | float]
    """Cell -> number; cells that are none are left out."""
    note: str = ""


def numbers(cells: Sequence[str], dimension: str) -> CellNumbers:
    """The number that each kind of cell is.

    Args:
        cells: every kind of cell once.
        dimension: for messages.
    Raises:
        DataError: commas that may divide thousands, or labels.
    """
    plain = {c: n for c in cells if (n := as_number(c)) is not None}
    rest = [c for c in cells if c not in plain]
    if not rest:
        return CellNumbers(plain)
    commas = [c for c in rest if DECIMAL_COMMA.fullmatch(tidy(c))]
    if commas and not any("." in c for c in plain):
        _check_commas(commas, plain, dimension)
        with_comma = {c: n for c in commas if (n := as_number(tidy(c), comma=True)) is not None}
        return CellNumbers(plain | with_comma, f"decimal commas: {commas[0]!r} is {with_comma[commas[0]]:g}")
    if plain and all(as_number(c, loose=True) is not None for c in rest):
        return CellNumbers(plain | {c: n for c in rest if (n := as_number(c, loose=True)) is not None})
    signs = {c: n for c in rest if c.strip().endswith("%") and (n := as_number(c.strip()[:-1])) is not None}
    if signs and len(signs) == len(rest) and not plain:
        return CellNumbers(signs, "per cent signs left out")
    return CellNumbers(plain)


def _check_commas(commas: Sequence[str], plain: Collection[str], dimension: str) -> None:
    if all(THOUSANDS.fullmatch(tidy(c)) for c in commas):
        raise DataError(
            f"{dimension}: {commas[0]!r}: is the comma a decimal sign or does it divide thousands? Write "
            "the numbers with a "
            "point, without signs between thousands."
        )
    pairs = [tidy(c).split(",") for c in commas]
    rising = all(len(a) == len(b) == 1 and a < b for a, b in pairs)
    if rising and {part for pair in pairs for part in pair} <= {tidy(p) for p in plain}:
        raise DataError(
            f"{dimension}: {commas[0]!r}: one number with a decimal comma, or two labels? Say "
            "--label-separator ',' for labels, "
            "or write the number with a point."
        )


def missing_codes(values: Collection[int | float]) -> tuple[set[int | float], set[int | float]]:
    """Codes for a missing value among numbers: those to ask about, and those to mention.

    A code is asked about where it lies far outside the other values: 99 above 1 to 5, -9 below them. It is mentioned
    where it only stands apart.

    >>> missing_codes([1, 2, 3, 4, 5, 99]), missing_codes([-1, 0, 1]), missing_codes([1, 2, 3, 4, 5, 6, 7, 9])
    (({99}, set()), (set(), set()), (set(), {9}))
    """
    kinds = sorted(set(values))
    ask: set[int | float] = set()
    say: set[int | float] = set()
    for side in (1, -1):
        order = kinds[::side]
        tail: list[int | float] = []
        while len(order) > len(tail) + 2 and order[-1 - len(tail)] in MISSING_CODES:
            tail.append(order[-1 - len(tail)])
            rest = [k for k in order if k not in tail]
            gaps = [abs(b - a) for a, b in itertools.pairwise(rest)]
            gap = abs(tail[-1] - rest[-1])
            if gap <= 1.5 * max(gaps):
                continue
            far = tail[-1] > 1.4 * rest[-1] if side == 1 else min(rest) >= 0 > tail[-1]
            (ask if far else say).update(tail)
    return ask, say - ask


def ordinal_numbers(values: Collection[int | float]) -> bool:
    """Few steps of one or a half: a scale rather than a measurement.

    >>> ordinal_numbers([0, 0.5, 1, 2, 3]), ordinal_numbers(range(0, 101, 5)), ordinal_numbers([26.3, 41.5])
    (True, False, False)
    """
    kinds = set(values)
    return (
        len(kinds) <= STEPS
        and max(kinds) - min(kinds) <= 20
        and all(float(2 * k).is_integer() for k in kinds)
    )


def outliers(values: Collection[int | float], counts: Collection[int]) -> list[int | float]:
    """Rare values farther from the others than these are from each other: a slip, a total, a code for missing.

    Args:
        values: different numbers.
        counts: how often each occurs.

    >>> outliers([1, 2, 3, 4, 5, 34, 45], [9, 9, 9, 9, 9, 1, 1]), outliers([0, 20, 55, 100], [1, 1, 1, 1])
    ([34, 45], [])
    """
    times = dict(zip(values, counts, strict=True))
    total, order = sum(times.values()), sorted(times)
    for ends in (order, order[::-1]):
        tail: list[int | float] = []
        for value in ends[:0:-1]:
            tail.append(value)
            rest = [v for v in ends if v not in tail]
            if len(rest) < 3 or sum(times[v] for v in tail) > max(1, 0.05 * total):
                break
            if abs(value - rest[-1]) > max(rest) - min(rest):
                return sorted(tail)
    return []
