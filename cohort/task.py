"""Who is asked about, when, and what came after."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.errors import DataError
from ..study.seeds import derive
from .events import STATIC, YEAR, Shard
from .phenotype import CodeSet, first_day, matches, onset
from .settings import Followup, Predict, Settings

Floats = NDArray[np.float64]

STEPS = (
    ("no_birth_date", "no date of birth, so no age"),
    ("no_prediction_time", "never at the prediction time (no eligible visit, or too young to have come so far)"),
    ("outside_ages", "outside the ages asked for at the prediction time"),
    ("dead_before", "died before the prediction time"),
    ("lost_before", "left observation before the prediction time"),
    ("short_history", "observed for less than the history required"),
    ("prevalent", "had the disease, or a drug for it, at the prediction time"),
    ("early_signs", "had a sign that the leakage policy excludes, before the prediction time"),
    ("no_events", "no dated event before the prediction time"),
    ("lost_to_followup", "lost before the horizon ended, with neither onset nor death seen"),
)  # fmt: skip
"""Reasons to be left out, in the order of the flow table."""


def asked(
    shard: Shard, settings: Settings, codes: CodeSet, seed: int, rows: dict[str, list[float]] | None = None
) -> pd.DataFrame:
    """One row a person (or a prediction): day, exclusion reason or None, label, outcome, follow-up.

    Args:
        shard: people and events.
        settings: of the section.
        codes: of the disease.
        seed: of the study, for the random ages.
        rows: for the rule `per_row`, subject -> days since birth.
    Returns:
        Columns: person (row in `shard.people`), subject, sex, site, split_given, birth, day, reason, outcome, label,
        followup (years), censored_at (years).
    """
    person, day = _days(shard, settings.predict, seed, rows)
    people = shard.people.iloc[person]
    took_ill = onset(shard, codes, settings.phenotype.confirm)[person]
    any_code = first_day(shard, matches(shard.codes, codes.onset))[person]
    death, last = people["death_day"].to_numpy(float), _last_day(shard, settings.followup)[person]
    frame = pd.DataFrame({
        "person": person, "subject": people["subject"].to_numpy(), "sex": people["sex"].to_numpy(),
        "site": people["site"].to_numpy(), "split_given": people["split"].to_numpy(),
        "birth": people["birth"].to_numpy(), "day": day,
    })  # fmt: skip
    frame["reason"] = _reasons(shard, settings, codes, frame, death, last, any_code)
    return frame.assign(**_outcome(day, took_ill, death, last, settings.horizon_years))


def _days(
    shard: Shard, predict: Predict, seed: int, rows: dict[str, list[float]] | None
) -> tuple[NDArray[np.int64], Floats]:
    """Person and day of each prediction; NaN where the rule gives none."""
    n = len(shard.people)
    everybody = np.arange(n)
    if predict.rule == "fixed_age":
        assert predict.age is not None
        return everybody, np.full(n, np.ceil(predict.age * YEAR))
    if predict.rule == "landmark":
        return everybody, days_since_birth(shard.people, str(predict.date))
    if predict.rule == "per_row":
        given = rows or {}
        pairs = [(i, d) for i, s in enumerate(shard.people["subject"]) for d in given.get(s, [np.nan])]
        return np.array([p for p, _ in pairs], dtype=np.int64), np.array([d for _, d in pairs], dtype=float)
    return everybody, _visit_after(shard, _drawn_ages(shard.people["subject"], predict, seed))


def days_since_birth(people: pd.DataFrame, date: str) -> Floats:
    """(people,) days from each birth to a calendar date; NaN where the birth is unknown."""
    span = pd.Timestamp(date) - people["birth"]
    return np.asarray(span.dt.total_seconds().to_numpy(float) / 86_400)


def _drawn_ages(subjects: "pd.Series[str]", predict: Predict, seed: int) -> Floats:
    """(people,) an age for each, uniform in [min_age, max_age), from the id alone: nothing of the record is used.

    A visit drawn from all visits of a person would look ahead: who falls ill or dies soon has few visits, so that
    each of them is likelier, and cases pile up before their onset.
    """
    u = np.array([derive(seed, "cohort", "age", s) for s in subjects], dtype=float) / 2**63
    return predict.min_age + u * (predict.max_age - predict.min_age)


def _visit_after(shard: Shard, age: Floats) -> Floats:
    """(people,) day of the first visit at or after the drawn age; of the first event where a source has no visits."""
    visit = (shard.codes["kind"] == "visit").to_numpy()
    use = shard.day != STATIC
    if visit.any():
        use &= visit[shard.code]
    use &= shard.day >= (age * YEAR)[shard.person]
    out = np.full(len(shard.people), np.nan)
    hit = np.flatnonzero(use)[::-1]
    out[shard.person[hit]] = shard.day[hit]
    return out


def _last_day(shard: Shard, followup: Followup) -> Floats:
    """(people,) last day of observation, not counting death."""
    people = shard.people
    last = people["last_day"].to_numpy(float)
    if followup.until == "last_event":
        last = np.full(len(people), np.nan)
        dated = np.flatnonzero(shard.day != STATIC)
        last[shard.person[dated]] = shard.day[dated]
    ends = []
    if followup.until_age is not None:
        ends.append(np.full(len(people), followup.until_age * YEAR))
    if followup.until_date is not None:
        ends.append(days_since_birth(people, followup.until_date))
    return np.minimum.reduce(ends) if ends else last


def _reasons(shard: Shard, settings: Settings, codes: CodeSet, frame: pd.DataFrame, death: Floats, last: Floats,
             any_code: Floats) -> NDArray[np.object_]:  # fmt: skip
    """(rows,) the first reason of `STEPS` that applies, or None; the last one is decided after the outcome."""
    person, day = frame["person"].to_numpy(), frame["day"].to_numpy(float)
    people = shard.people.iloc[person]
    drug = first_day(shard, matches(shard.codes, codes.drugs))[person]
    first = people["first_day"].to_numpy(float)
    earliest = first_day(shard, np.ones(len(shard.codes), dtype=bool))[person]
    age = day / YEAR
    tests = {
        "no_birth_date": people["birth"].isna().to_numpy(),
        "no_prediction_time": np.isnan(day),
        "outside_ages": (age < settings.predict.min_age) | (age >= settings.predict.max_age),
        "dead_before": death <= day,
        "lost_before": ~(last >= day),
        "short_history": ~(first <= day - settings.history_years * YEAR),
        "prevalent": (any_code <= day) | ((drug <= day) if settings.leakage.drugs == "exclude" else False),
        "early_signs": _signs(shard, settings, codes)[person] < day,
        "no_events": ~(earliest < day - settings.gap_days),
    }
    out = np.full(len(frame), None, dtype=object)
    for name in reversed(tests):
        out[tests[name]] = name
    return out


def _signs(shard: Shard, settings: Settings, codes: CodeSet) -> Floats:
    """(people,) first day of a sign that the leakage policy excludes."""
    out = np.full(len(shard.people), np.nan)
    for policy, wanted in (
        (settings.leakage.mci, codes.mci),
        (settings.leakage.cognitive_tests, codes.cognitive_tests),
    ):
        if policy == "exclude":
            out = np.fmin(out, first_day(shard, matches(shard.codes, wanted)))
    return out


def _outcome(day: Floats, took_ill: Floats, death: Floats, last: Floats, horizon: float) -> dict[str, object]:
    """What ended follow-up first within the horizon. Onset on the day of death or loss is an onset."""
    end = day + horizon * YEAR
    ill = np.where((took_ill > day) & (took_ill <= np.minimum(end, last)), took_ill, np.inf)
    dead = np.where(death <= end, death, np.inf)
    lost = np.where((last < end) & ~(death <= last), last, np.inf)
    stop = np.minimum.reduce([ill, dead, lost, end])
    outcome = np.select(
        [ill <= stop, dead <= stop, stop >= end], ["onset", "death", "event_free"], "censored"
    )
    return {"outcome": outcome, "followup": np.maximum(stop - day, 0) / YEAR}


def check_days(shard: Shard, followup: Followup) -> None:
    """Refuse what cannot be: events before birth, after death, or after the end of the data.

    Raises:
        DataError: how many, and one of them.
    """
    dated = shard.day != STATIC
    death = shard.people["death_day"].to_numpy(float)
    limits = [
        ("before birth", shard.day < 0),
        ("more than 31 days after death", shard.day > (death + 31)[shard.person]),
    ]
    if followup.until_date is not None:
        end = days_since_birth(shard.people, followup.until_date)
        limits.append(
            (
                f"after the end of the data, {followup.until_date} (cohort.followup.until_date)",
                shard.day > end[shard.person],
            )
        )
    for what, wrong in limits:
        at = np.flatnonzero(wrong & dated)
        if len(at):
            who = shard.people["subject"].iloc[shard.person[at[0]]]
            raise DataError(f"{shard.file}: row {shard.row[at[0]]}: an event {what} ({len(at)} such events; subject {who}). "
                            "Correct the records.")  # fmt: skip
