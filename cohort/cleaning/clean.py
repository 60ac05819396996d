"""Events that cannot have happened when they say so, and what lies after the end of the study."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..events import UNDATED, YEAR, Shard, days_since_birth
from ..reading.bad_rows import BadRows
from ..settings import Followup

AFTER_DEATH = 31
"""Days after death within which a record is still believed: certificates and discharge codes come late."""


OLDEST = 125
"""Years. Nobody has lived to be older; an event at a greater age has a date that is wrong."""


def cleaned(shard: Shard, followup: Followup, bad: BadRows) -> Shard:
    """The shard as it stood at the end of the study, in which no event has a day that cannot be.

    An event before birth, past 125 years of age, or more than a month after death is counted and listed. It happened,
    on another day than it says: so it stays, without a day, and does not tell how long the person was watched.
    """
    shard = _until(_believed(shard, bad), followup, bad)
    first, last = shard.ends
    death = shard.people["death_day"].to_numpy(float) + AFTER_DEATH
    wrong = np.zeros(len(shard.day), dtype=bool)
    if (first < 0).any():
        wrong |= _listed(shard, (shard.day < 0) & (shard.day > UNDATED), "an event before birth", bad)
    if (last > OLDEST * YEAR).any():
        late = shard.day > OLDEST * YEAR
        wrong |= _listed(shard, late, f"an event past {OLDEST} years of age", bad)
    if (last > death).any():
        late = shard.day > death[shard.person]
        wrong |= _listed(shard, late & ~wrong, "an event more than a month after death", bad)
    return undated(shard, wrong) if wrong.any() else shard


def _believed(shard: Shard, bad: BadRows) -> Shard:
    """The shard in which nobody died before birth, and nobody died or was watched past 125 years of age.

    Such a death happened, on a day that is not known; such an end of observation is none.
    """
    death, last = (shard.people[c].to_numpy(float) for c in ("death_day", "last_day"))
    wrong = (death < 0) | (death > OLDEST * YEAR)
    endless = (last > OLDEST * YEAR) | (wrong & (last == death))
    if not (wrong.any() or endless.any()):
        return shard
    bad.note(
        f"deaths before birth or past {OLDEST} years of age, taken for deaths on an unknown day",
        int(wrong.sum()),
    )
    said = endless & ~(last == death)
    bad.note(
        f"ends of observation past {OLDEST} years of age, taken for none",
        int((said & ~(last == shard.ends[1])).sum()),
    )
    died = np.where(wrong, np.nan, death)
    watched = np.where(endless, np.fmax(shard.ends[1], died), last)
    return replace(shard, people=shard.people.assign(death_day=died, last_day=watched))


def undated(shard: Shard, wrong: NDArray[np.bool_]) -> Shard:
    """The shard with these events on no known day; they no longer tell the first and last day of observation."""
    day = np.where(wrong, np.int32(UNDATED), shard.day)
    order = np.lexsort((np.arange(len(day)), day, shard.person))
    out = replace(shard, day=day).take(order)
    people, death = shard.people, shard.people["death_day"].to_numpy(float)
    first, last = people["first_day"].to_numpy(float), people["last_day"].to_numpy(float)
    last_known = np.fmax(shard.ends[1], death)
    watched = people.assign(
        first_day=np.where(first == shard.ends[0], out.ends[0], first),
        last_day=np.where(last == last_known, np.fmax(out.ends[1], death), last),
    )
    return replace(out, people=watched)


def _until(shard: Shard, followup: Followup, bad: BadRows) -> Shard:
    """The shard without what came after `until_date`: the study ends there, deaths included."""
    if followup.until_date is None:
        return shard
    end = days_since_birth(shard.people, followup.until_date)
    late = shard.day > end[shard.person]
    bad.note(f"events after cohort.followup.until_date, {followup.until_date}, cut", int(late.sum()))
    died = shard.people["death_day"].to_numpy(float) > end
    people = shard.people.assign(
        death_day=shard.people["death_day"].where(~died), dead=shard.people["dead"].to_numpy(bool) & ~died
    )
    kept = replace(shard, people=people)
    return kept.take(np.flatnonzero(~late)) if late.any() else kept


def _listed(shard: Shard, wrong: NDArray[np.bool_], reason: str, bad: BadRows) -> NDArray[np.bool_]:
    """Counts and lists these events; returns them."""
    rows = np.flatnonzero(wrong)
    file = np.zeros(len(rows), dtype=int) if shard.file is None else shard.file[rows]
    for number in np.unique(file):
        own = rows[file == number]
        subjects = shard.people["subject"].to_numpy()[shard.person[own]]
        ages = shard.day[own] / YEAR
        values = [f"subject {s}, age {a:.1f}" for s, a in zip(subjects, ages, strict=True)]
        bad.add(shard.files[number], reason, shard.row[own].tolist(), values)
    return wrong
