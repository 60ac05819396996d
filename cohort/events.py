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

from .reading.bad_rows import BadRows

if TYPE_CHECKING:
    import pandas as pd

YEAR = 365.25
"""Days."""
STATIC = int(np.iinfo(np.int32).min)
"""The day of what holds always (sex, education)."""
UNDATED = STATIC + 1
"""The day of what happened on a day that is not known. It may lie after the prediction, so no timeline shows it; a
disease of unknown date excludes the person."""

PEOPLE = ("subject", "sex", "site", "aged", "birth", "first_day", "last_day", "death_day", "dead", "split")
"""Columns of `Shard.people`. `aged`: whether days since birth are known; `birth`: a date, NaT where only ages are;
`first_day`, `last_day`: of observation; days are floats, NaN where there is none; `dead`: whether the person is known
to have died, on whatever day."""
CODES = ("code", "system", "kind", "name", "also")
"""Columns of `Shard.codes`. `also`: other codes of the same fact, a tuple of (system, code): further codings, the
source code beside the standard one, parents in a hierarchy. A code set matches any of them."""
HAPPENS = frozenset({"condition", "drug", "measurement", "procedure", "visit"})
"""Kinds of facts that happen on a day; without one their day is not known. Others may hold always."""


@dataclass(frozen=True)
class Periods:
    """Spans of observation, sorted by person and day; they neither touch nor overlap."""

    person: NDArray[np.int32]
    """(periods,) row in the people."""
    first: NDArray[np.float64]
    last: NDArray[np.float64]
    """(periods,) days since birth, both included."""


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
    """(events,) days since birth, ascending within a person; `STATIC` and `UNDATED` first."""
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
    periods: "Periods | None" = None
    """When people were under observation, where that was not one period each."""

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """(people + 1,) where each person's events begin."""
        return np.searchsorted(self.person, np.arange(len(self.people) + 1, dtype=self.person.dtype))

    @cached_property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(people,) days of the first and of the last dated event; NaN where there is none."""
        static = np.bincount(self.person[self.day <= UNDATED], minlength=len(self.people))
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


def no_others(n: int) -> NDArray[np.object_]:
    """(n,) a column `also` of codes that have no others."""
    out = np.empty(n, dtype=object)
    out[:] = [()] * n
    return out


def days_since_birth(people: "pd.DataFrame", date: str) -> NDArray[np.float64]:
    """(people,) days from each birth to a calendar date; NaN where the birth is unknown."""
    import pandas as pd

    span = pd.Timestamp(date) - people["birth"]
    return np.asarray(span.dt.total_seconds().to_numpy(float) / 86_400)


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
