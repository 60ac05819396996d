"""Units in one spelling, and values from one unit to another."""

from functools import cache
from pathlib import Path

from .tables import parts, rows
from .tokens import tokens
from .vocabulary import matches


class Units:
    """The unit and conversion tables.

    Args:
        own: folder with tables of the study's own.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._spelled: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._plain: dict[str, str] = {}
        for unit, spellings in rows("units", own):
            for spelling in parts(spellings):
                spelled = tokens(spelling)
                if spelled and not (len(spelled) == 1 and spelled[0] in ("in", "st", "/")):
                    self._spelled.setdefault(spelled[0], []).append((tuple(spelled[1:]), unit))
                self._plain["".join(spelled)] = unit
        for known in self._spelled.values():
            known.sort(key=lambda x: -len(x[0]))
        self._ways: dict[tuple[str, str, str], tuple[float, float]] = {}
        for what, first, second, factor, offset in rows("conversions", own):
            self._ways[what, first, second] = (float(factor), float(offset))

    def at(self, words: list[str], start: int) -> tuple[str, int]:
        """The unit that stands at a place, and where it ends; "" where none does."""
        if start < len(words):
            for rest, unit in self._spelled.get(words[start], ()):
                if matches(rest, words, start + 1):
                    return unit, start + 1 + len(rest)
        return "", start

    def plain(self, unit: str) -> str:
        """A record's unit in the spelling of the table; as it is where the table lacks it.

        >>> units().plain("mm[Hg]"), units().plain("mL/min/{1.73_m2}")
        ('mmhg', 'ml/min/1.73m2')
        """
        joined = "".join(tokens(unit))
        return self._plain.get(joined, joined)

    def converted(self, what: str, value: float, first: str, second: str) -> float | None:
        """A value in another unit; None where there is no way.

        >>> round(units().converted("hba1c", 7.8, "%", "mmol/mol"), 1), units().converted("pulse", 70, "bpm", "kg")
        (61.7, None)
        """
        for name in (what, "*"):
            if (way := self._ways.get((name, first, second))) is not None:
                return value * way[0] + way[1]
            if (way := self._ways.get((name, second, first))) is not None:
                return (value - way[1]) / way[0]
        return None


@cache
def units(own: Path | None = None) -> Units:
    """The tables of the project, or of a study with tables of its own."""
    return Units(own)
