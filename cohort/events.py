"""The event table that every source gives: one shard of people at a time, in columns.

A shard is what fits in memory. Days are counted from birth, so that an age is a division and no date is needed
past this point. Codes are numbers into a small table, because comparing numbers is what makes 10^7 events quick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from .bad_rows import BadRows

if TYPE_CHECKING:
    import pandas as pd

YEAR = 365.25
"""Days."""
STATIC = np.iinfo(np.int32).min
"""The day of what holds always (sex, education)."""

PEOPLE = ("subject", "sex", "site", "birth", "first_day", "last_day", "death_day", "split")
"""Columns of `Shard.people`: `birth` a date (NaT: unknown); days are floats, NaN where there is none."""
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
    file: str
    """Where it was read from, as it may stand in a report: no folders."""
    row: NDArray[np.int64]
    """(events,) row in `file`."""
    value: NDArray[np.float64] | None = None
    """(events,) NaN where there is none."""
    unit: NDArray[np.object_] | None = None
    text: NDArray[np.object_] | None = None

    @property
    def bounds(self) -> NDArray[np.int64]:
        """(people + 1,) where each person's events begin."""
        return np.searchsorted(self.person, np.arange(len(self.people) + 1))


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
