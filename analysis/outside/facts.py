"""What files say about a case beside its risk: label, person, weight, subgroups. It must be the same everywhere."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from ...study.errors import DataError
from ..measures.arrays import Floats
from ..performance.scores import age_band
from .source import SourceFile, as_number, cell

T = TypeVar("T")
YES, NO = ("1", "1.0", "true", "yes", "t", "y"), ("0", "0.0", "false", "no", "f", "n")
AGES = ("age", "age_years", "age_at_prediction")
MOST_LEVELS = 12
"""Distinct values of a column of subgroups."""


class CaseFacts:
    """By case, in the order in which cases first appear.

    Raises:
        DataError: a label that is not 0 or 1, a weight that is not above 0, or two rows that differ about a case.
    """

    def __init__(self, sources: Sequence[SourceFile]) -> None:
        self.label: dict[str, int | None] = {}
        self.person: dict[str, str] = {}
        self.weight: dict[str, float] = {}
        self.levels: dict[str, dict[str, str]] = {}
        self._first: dict[tuple[str, str], tuple[str | None, str]] = {}
        for source in sources:
            self._take(source, "label", self.label, _label)
            self._take(source, "person", self.person, lambda place, text: text or place)
            self._take(source, "weight", self.weight, _weight)
            for column in source.roles.others:
                levels = self.levels.setdefault(column, {})
                for case, value in zip(source.case_ids(), source.frame[column], strict=True):
                    if (level := cell(value)) is not None:
                        levels.setdefault(case, level)

    def _take(
        self, source: SourceFile, role: str, into: dict[str, T], meaning: Callable[[str, str | None], T]
    ) -> None:
        if not source.has(role):
            return
        for i, (case, text) in enumerate(zip(source.case_ids(), source.cells(role), strict=True)):
            first, place = self._first.setdefault((role, case), (text, source.place(i)))
            if first != text:
                raise DataError(f"{source.place(i)}: {role} {text} of case {case}; {place} has {first}.")
            if case not in into:
                into[case] = meaning(source.place(i), text)

    def labelled(self) -> list[str]:
        """The cases that have a label."""
        return [case for case, label in self.label.items() if label is not None]

    def weights(self, cases: Sequence[str]) -> Floats | None:
        """(n,) of these cases; None where no file has weights.

        Raises:
            DataError: some have one and others have none.
        """
        if not self.weight:
            return None
        lacking = next((c for c in cases if c not in self.weight), None)
        if lacking is not None:
            raise DataError(f"case {lacking} has no weight, but others have one.")
        return np.array([self.weight[c] for c in cases], dtype=float)

    def groups(
        self, cases: Sequence[str], columns: Sequence[str], age_bands: Sequence[float]
    ) -> tuple[dict[str, list[str | None]], list[str]]:
        """Levels of each case by attribute, and the columns that were not used.

        Args:
            cases: in this order.
            columns: columns of subgroups; none: every column with few values that is not the label in other words.
            age_bands: years where a new band starts.
        Raises:
            DataError: no such column, or one with too many values.
        """
        out: dict[str, list[str | None]] = {}
        unused = []
        for name in columns or self.levels:
            if name not in self.levels:
                known = ", ".join(self.levels) or "none"
                raise DataError(f"--subgroup {name}: no such column. Columns that are left: {known}.")
            levels = [self.levels[name].get(c) for c in cases]
            if name.lower() in AGES:
                levels = [None if (a := as_number(v)) is None else age_band(a, age_bands) for v in levels]
            distinct = set(levels) - {None}
            if columns and len(distinct) > MOST_LEVELS:
                raise DataError(
                    f"--subgroup {name}: {len(distinct)} different values; at most {MOST_LEVELS} are allowed. "
                    "Put them into bands."
                )
            if 1 < len(distinct) <= MOST_LEVELS and not self._tells(levels, cases):
                out["age" if name.lower() in AGES else name] = levels
            else:
                unused.append(name)
        return out, unused

    def _tells(self, levels: Sequence[str | None], cases: Sequence[str]) -> bool:
        """Whether levels are the label in other words: none of them has both outcomes."""
        seen = {(v, self.label[c]) for v, c in zip(levels, cases, strict=True) if v is not None}
        return len(seen) == len({v for v, _ in seen})


def _label(place: str, text: str | None) -> int | None:
    if text is None:
        return None
    if text.lower() in YES:
        return 1
    if text.lower() in NO:
        return 0
    raise DataError(f"{place}: label {text!r}; labels are 0 and 1, or empty where follow-up was lost.")


def _weight(place: str, text: str | None) -> float:
    value = as_number(text)
    if value is None or not 0 < value < np.inf:
        raise DataError(f"{place}: weight {text or 'empty'}; weights are numbers above 0.")
    return value
