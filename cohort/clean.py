"""Events that cannot be true are left out, counted and listed."""

import numpy as np
from numpy.typing import NDArray

from .bad_rows import BadRows
from .events import STATIC, Shard
from .settings import Followup
from .task import days_since_birth

AFTER_DEATH = 31
"""Days after death within which a record is still believed: certificates and discharge codes come late."""


def cleaned(shard: Shard, followup: Followup, bad: BadRows) -> Shard:
    """The shard without events before birth, more than a month after death, or after the end of the data."""
    first, last = shard.ends
    death = shard.people["death_day"].to_numpy(float) + AFTER_DEATH
    out = np.zeros(len(shard.day), dtype=bool)
    if (first < 0).any():
        out |= _left_out(shard, (shard.day < 0) & (shard.day != STATIC), "an event before birth", bad)
    if (last > death).any():
        late = shard.day > death[shard.person]
        out |= _left_out(shard, late & ~out, "an event more than a month after death", bad)
    if followup.until_date is not None:
        end = days_since_birth(shard.people, followup.until_date)
        reason = f"an event after the end of the data, {followup.until_date} (cohort.followup.until_date)"
        if (last > end).any():
            out |= _left_out(shard, (shard.day > end[shard.person]) & ~out, reason, bad)
    return shard.take(np.flatnonzero(~out)) if out.any() else shard


def _left_out(shard: Shard, wrong: NDArray[np.bool_], reason: str, bad: BadRows) -> NDArray[np.bool_]:
    rows = np.flatnonzero(wrong)
    if len(rows):
        file = np.zeros(len(rows), dtype=int) if shard.file is None else shard.file[rows]
        for number in np.unique(file):
            mine = rows[file == number]
            subjects = shard.people["subject"].to_numpy()[shard.person[mine]]
            found = [
                f"subject {s}, age {d / 365.25:.1f}" for s, d in zip(subjects, shard.day[mine], strict=True)
            ]
            bad.add(shard.files[number], reason, shard.row[mine].tolist(), found)
    return wrong
