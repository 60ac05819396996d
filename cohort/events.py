"""The event table that every source gives: one shard of people at a time, in columns.

A shard is what fits in memory. Days are counted from birth, so that an age is a division and no date is needed
past this point. Codes are numbers into a small table, because comparing numbers is what makes 10^7 events quick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .bad_rows import BadRows

if TYPE_CHECKING:
    import pandas as pd

YEAR = 365.25
"""Days."""
STATIC = int(np.iinfo(np.int32).min)
"""The day of what holds always (sex, education)."""

PEOPLE = ("subject", "sex", "site", "aged", "birth", "first_day", "last_day", "death_day", "split")
"""Columns of `Shard.people`. `aged`: whether days since birth are known; `birth`: a date, NaT where only ages are;
`first_day`, `last_day`: of observation; days are floats, NaN where there is none."""
CODES = ("code", "system", "kind", "name")
"""Columns of `Shard.codes`."""


@dataclass(frozen=True)
class Shard:
    """Some people and all their events, sorted by person and day."""

    people: "pd.DataFrame"
    """One row a person: the columns `PEOPLE`."""
    codes: "pd.DataFrame"
    """One row a code: the columns `CODES`."""
    person: NDArray[np.int32]
    """(events,) row in `people`, ascending."""
    day: NDArray[np.int32]
    """(events,) days since birth, ascending within a person; `STATIC` first."""
    code: NDArray[np.int32]
    """(events,) row in `codes`."""
    files: tuple[str, ...]
    """Where the events were read from, as it may stand in a report: no folders."""
    row: NDArray[np.int64]
    """(events,) row in the file, from 0."""
    file: NDArray[np.int32] | None = None
    """(events,) place in `files`; None: all from the first."""
    value: NDArray[np.float64] | None = None
    """(events,) NaN where there is none."""
    unit: NDArray[np.object_] | None = None
    """(events,) None where there is none."""
    text: NDArray[np.object_] | None = None
    """(events,) what was found in words; None where it was a number or nothing."""
    coded: NDArray[np.bool_] | None = None
    """(events,) whether the text is a word of a vocabulary; None: no text is."""

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """(people + 1,) where each person's events begin."""
        return np.searchsorted(self.person, np.arange(len(self.people) + 1, dtype=self.person.dtype))

    @cached_property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(people,) days of the first and of the last dated event; NaN where there is none."""
        static = np.bincount(self.person[self.day == STATIC], minlength=len(self.people))
        first, last = self.bounds[:-1] + static, self.bounds[1:] - 1
        if not len(self.day):
            return np.full(len(first), np.nan), np.full(len(first), np.nan)
        some = first <= last
        return (
            np.where(some, self.day[np.minimum(first, len(self.day) - 1)], np.nan),
            np.where(some, self.day[last], np.nan),
        )

    def source(self, event: int) -> str:
        """`file:row` of one event."""
        name = self.files[0 if self.file is None else int(self.file[event])]
        return f"{name}:{self.row[event]}"

    def take(self, rows: NDArray[np.int64]) -> "Shard":
        """The same people with some of their events."""

        def some(column: Any) -> Any:
            return None if column is None else column[rows]

        names = ("person", "day", "code", "row", "file", "value", "unit", "text", "coded")
        columns: dict[str, Any] = {name: some(getattr(self, name)) for name in names}
        return replace(self, **columns)


class Records(Protocol):
    """An opened source: can be gone through more than once, a shard at a time."""

    def __iter__(self) -> Iterator[Shard]: ...


@dataclass(frozen=True)
class Place:
    """What a source needs to know beside its own options."""

    path: Callable[[str], Path]
    """From a path in the study file to a path."""
    seed: int
    scratch: Path
    """An empty folder for intermediate files, removed afterwards."""
    bad: BadRows = field(default_factory=BadRows)


RiskOf = Callable[[list[str], NDArray[np.int64], float], NDArray[np.float64]]
"""(subjects, days since birth, horizon in years) -> risk: what a source knows that no real one can."""
