"""Who is asked about, when, and what came after."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..study.seeds import derive
from .cleaning.clean import OLDEST
from .events import UNDATED, YEAR, Shard, days_since_birth
from .phenotype import CodeSet, Section, first_day, matches, onset, without_day
from .settings import Followup, Predict, Settings

GRACE = 31
"""Days between the last sign of observation and a death that still counts as seen."""
Floats = NDArray[np.float64]
Rows = pd.DataFrame
"""Predictions asked for: columns subject, `time` (a date), `moment` (the same with its time of day, where that is
said), `age` (years), `label` (0, 1, NaN)."""

STEPS = (
    ("not_in_records", "a prediction is asked for, but the records do not have the person"),
    ("no_birth_date", "no date of birth, so no age"),
    ("impossible_time", "asked for before birth or past 125 years of age"),
    (
        "no_prediction_time",
        "never at the prediction time (no eligible visit, or too young to have come so far)",
    ),
    ("outside_ages", "outside the ages asked for at the prediction time"),
    ("dead_before", "died before the prediction time"),
    ("undated_death", "died on a day that is not known"),
    ("lost_before", "left observation before the prediction time"),
    ("not_yet_observed", "entered observation after the prediction time"),
    ("between_periods", "in a gap between two periods of observation at the prediction time"),
    ("short_history", "observed for less than the history required"),
    ("prevalent", "had the disease, or a drug for it, at the prediction time"),
    ("undated_disease", "has the disease, or a drug for it, without a date"),
    ("early_signs", "had a sign that the leakage policy excludes, before the prediction time"),
    ("no_events", "no dated event before the prediction time (and the gap)"),
    ("lost_to_followup", "left observation before the horizon ended, with neither onset nor death"),
    (
        "died_unobserved",
        "died within the horizon after observation had ended, so that an onset may have been missed",
    ),
)
"""Reasons to be left out, in the order of the flow table."""


def asked(
    shard: Shard,
    settings: Settings,
    codes: CodeSet,
    seed: int,
    rows: Rows | None = None,
    visits: bool = True,
) -> pd.DataFrame:
    """One row a person (or a prediction): day, exclusion reason or None, label, outcome, follow-up.

    Args:
        shard: people and events.
        settings: of the section.
        codes: of the disease.
        seed: of the study, for the random ages.
        rows: for the rule `per_row`.
        visits: for `random_visit`: whether the records have visits; without any, every dated event is one.
    Returns:
        Columns: person (row in `shard.people`), subject, sex, site, split_given, birth, day, prediction_time (NaT
        where only ages are known), reason, outcome, followup (years), label (0 or 1; says nothing where the outcome
        is `censored`), died_unobserved.
    """
    person, day = _days(shard, settings.predict, seed, rows, visits)
    people = shard.people.iloc[person]
    span = _observed(shard, settings.followup, person, day)
    death = people["death_day"].to_numpy(float)
    frame = pd.DataFrame(
        {
            "person": person,
            "subject": people["subject"].to_numpy(),
            "sex": people["sex"].to_numpy(),
            "site": people["site"].to_numpy(),
            "split_given": people["split"].to_numpy(),
            "birth": people["birth"].to_numpy(),
            "day": day,
            "prediction_time": _moments(people, day, rows),
        }
    )
    tests = _tests(shard, settings, codes, frame, death, span)
    if settings.predict.labelled:
        assert rows is not None
        tests = {name: test for name, test in tests.items() if name in DECIDED_ELSEWHERE}
        label = rows.loc[rows["subject"].isin(shard.people["subject"]), "label"].to_numpy(float)
        outcome: dict[str, Any] = {
            "outcome": "labelled",
            "followup": np.nan,
            "label": label,
            "died_unobserved": False,
        }
    else:
        took_ill = onset(shard, codes, settings.phenotype.confirm)[person]
        outcome = _outcome(day, took_ill, death, span.last, settings.horizon_years)
        outcome["label"] = np.where(outcome["outcome"] == "onset", 1.0, 0.0)
    frame["reason"] = _first_reason(tests, len(frame))
    for name, column in outcome.items():
        frame[name] = column
    return frame


class Span(NamedTuple):
    """The period of observation around each prediction time; NaN where there is none."""

    first: Floats
    last: Floats
    """(rows,) days since birth, both included."""
    entry: Floats
    exit: Floats
    """(rows,) first day of the first period and last day of the last one."""


def _observed(shard: Shard, followup: Followup, person: NDArray[np.int64], day: Floats) -> Span:
    """When each person was under observation around the prediction time; death does not count as an end."""
    people = shard.people
    first, last = people["first_day"].to_numpy(float)[person], _last_day(shard, followup)[person]
    periods = shard.periods
    if periods is None or not len(periods.person):
        return Span(first, last, first, last)
    starts = periods.person.astype(np.float64) * _WIDE + periods.first
    at = np.searchsorted(starts, person * _WIDE + np.nan_to_num(day, nan=-_WIDE), side="right") - 1
    hit = np.maximum(at, 0)
    inside = (at >= 0) & (periods.person[hit] == person) & (day <= periods.last[hit])
    has = np.isin(person, periods.person)
    began = np.where(inside, periods.first[hit], np.where(has, np.nan, first))
    final = np.append(periods.person[1:] != periods.person[:-1], True)[hit]
    ended = np.where(has & ~final, periods.last[hit], last)
    return Span(began, np.where(inside | ~has, ended, np.nan), first, last)


_WIDE = 1e6
"""More days than anybody lives: a person and a day in one number."""


def _days(
    shard: Shard, predict: Predict, seed: int, rows: Rows | None, visits: bool
) -> tuple[NDArray[np.int64], Floats]:
    """Person and day of each prediction; NaN where the rule gives none."""
    n = len(shard.people)
    everybody = np.arange(n)
    if predict.rule == "fixed_age":
        assert predict.age is not None
        return everybody, np.full(n, np.ceil(predict.age * YEAR))
    if predict.rule == "enrolment":
        return everybody, shard.people["first_day"].to_numpy(float) + predict.after_days
    if predict.rule == "landmark":
        return everybody, days_since_birth(shard.people, str(predict.date))
    if predict.asked:
        assert rows is not None
        return _listed(shard.people, rows)
    return everybody, _visit_after(shard, _drawn_ages(shard.people["subject"], predict, seed), visits)


def _listed(people: pd.DataFrame, rows: "Rows") -> tuple[NDArray[np.int64], Floats]:
    """Person and day of the predictions that are asked for these people."""
    at = pd.Index(people["subject"]).get_indexer(pd.Index(rows["subject"]))
    requested = rows[at >= 0]
    person = at[at >= 0]
    span = (requested["time"] - people["birth"].iloc[person].set_axis(requested.index)).dt.days.to_numpy(
        float
    )
    return person, np.where(np.isnan(span), np.ceil(requested["age"].to_numpy(float) * YEAR), span)


def _moments(people: pd.DataFrame, day: Floats, rows: "Rows | None") -> NDArray[np.datetime64]:
    """(rows,) when each prediction is made: the time of day that was asked for, else the beginning of the day."""
    birth = people["birth"].to_numpy().astype("M8[us]")
    known = ~np.isnat(birth) & ~np.isnan(day)
    whole = np.where(known, day, 0).astype(np.int64).astype("m8[D]")
    out = np.where(known, birth.astype("M8[D]") + whole, np.datetime64("NaT")).astype("M8[us]")
    if rows is None:
        return out
    asked = rows.loc[rows["subject"].isin(people["subject"]), "moment"].to_numpy().astype("M8[us]")
    return np.where(np.isnat(asked), out, asked)


def _drawn_ages(subjects: "pd.Series[str]", predict: Predict, seed: int) -> Floats:
    """(people,) an age for each, uniform in [min_age, max_age), from the id alone: nothing of the record is used.

    A visit drawn from all visits of a person would look ahead: who falls ill or dies soon has few visits, so that
    each of them is likelier, and cases pile up before their onset.
    """
    u = np.array([derive(seed, "cohort", "age", s) for s in subjects], dtype=float) / 2**63
    return predict.min_age + u * (predict.max_age - predict.min_age)


def has_visits(shard: Shard) -> bool:
    """Whether a visit stands in the records of these people."""
    visit = (shard.codes["kind"] == "visit").to_numpy()
    return bool(visit.any() and visit[shard.code].any())


def _visit_after(shard: Shard, age: Floats, visits: bool) -> Floats:
    """(people,) day of the first visit at or after the drawn age; of the first event where there are no visits."""
    use = shard.day > UNDATED
    if visits:
        use &= (shard.codes["kind"] == "visit").to_numpy()[shard.code]
    use &= shard.day >= (age * YEAR)[shard.person]
    out = np.full(len(shard.people), np.nan)
    hit = np.flatnonzero(use)[::-1]
    out[shard.person[hit]] = shard.day[hit]
    return out


def _last_day(shard: Shard, followup: Followup) -> Floats:
    """(people,) last day of observation, not counting death."""
    people = shard.people
    last, death = people["last_day"].to_numpy(float), people["death_day"].to_numpy(float)
    if followup.until == "last_event":
        last = np.fmax(shard.ends[1], death)
    ends: list[Floats] = []
    if followup.until_age is not None:
        ends.append(np.full(len(people), followup.until_age * YEAR))
    if followup.until_date is not None:
        ends.append(days_since_birth(people, followup.until_date))
    # who died on an unknown day was alive at the last event, and nothing is known of the time after it
    unknown = people["dead"].to_numpy(bool) & np.isnan(death)
    return np.where(unknown, shard.ends[1], np.minimum.reduce(ends) if ends else last)


DECIDED_ELSEWHERE = ("no_birth_date", "impossible_time", "no_prediction_time", "no_events")
"""The only reasons to leave somebody out whose label comes with the prediction time."""


def _tests(
    shard: Shard, settings: Settings, codes: CodeSet, frame: pd.DataFrame, death: Floats, span: Span
) -> dict[str, NDArray[np.bool_]]:
    """Reason -> (rows,) whether it applies, in the order of `STEPS`."""
    person, day = frame["person"].to_numpy(), frame["day"].to_numpy(float)
    people = shard.people.iloc[person]
    ill, drugs = matches(shard.codes, codes, "onset"), matches(shard.codes, codes, "drugs")
    prevalent = first_day(shard, ill)[person] <= day
    undated = without_day(shard, ill)[person]
    if settings.leakage.drugs == "exclude":
        prevalent |= first_day(shard, drugs)[person] <= day
        undated |= without_day(shard, drugs)[person]
    dead = people["dead"].to_numpy(bool) & np.isnan(death)
    age = day / YEAR
    return {
        "no_birth_date": ~people["aged"].to_numpy(bool),
        "impossible_time": ((day < 0) | (day > OLDEST * YEAR)) & settings.predict.asked,
        "no_prediction_time": np.isnan(day),
        "outside_ages": (age < settings.predict.min_age) | (age >= settings.predict.max_age),
        "dead_before": death <= day,
        "undated_death": dead & (settings.followup.undated_death == "exclude"),
        "lost_before": ~(span.exit >= day),
        "not_yet_observed": span.entry > day,
        "between_periods": ~(span.last >= day),
        "short_history": ~(span.first <= day - settings.history_years * YEAR),
        "prevalent": prevalent,
        "undated_disease": undated,
        "early_signs": _signs(shard, settings, codes)[person] < day,
        "no_events": ~(shard.ends[0][person] < day - settings.gap_days) & (settings.min_events > 0),
    }


def _first_reason(tests: dict[str, NDArray[np.bool_]], n: int) -> NDArray[np.object_]:
    """(rows,) the first reason that applies, or None."""
    out = np.full(n, None, dtype=object)
    for name in reversed(tests):
        out[tests[name]] = name
    return out


def _signs(shard: Shard, settings: Settings, codes: CodeSet) -> Floats:
    """(people,) first day of a sign that the leakage policy excludes; a sign without a date counts as an old one."""
    out = np.full(len(shard.people), np.nan)
    policies: tuple[tuple[str, Section], ...] = (
        (settings.leakage.mci, "mci"),
        (settings.leakage.cognitive_tests, "cognitive_tests"),
    )
    for policy, section in policies:
        if policy == "exclude":
            wanted = matches(shard.codes, codes, section)
            out = np.fmin(out, first_day(shard, wanted))
            out[without_day(shard, wanted)] = -np.inf
    return out


def _outcome(day: Floats, took_ill: Floats, death: Floats, last: Floats, horizon: float) -> dict[str, Any]:
    """What ended follow-up first within the horizon. Onset on the day of death or loss is an onset."""
    end = day + horizon * YEAR
    ill = np.where((took_ill > day) & (took_ill <= np.minimum(end, last)), took_ill, np.inf)
    dead = np.where(death <= end, death, np.inf)
    unseen = (last < end) & ~(death <= last + GRACE)
    lost = np.where(unseen, last, np.inf)
    stop = np.minimum.reduce([ill, dead, lost, end])
    outcome = np.select(
        [ill <= stop, dead <= stop, stop >= end], ["onset", "death", "event_free"], "censored"
    )
    followup = np.maximum(stop - day, 0) / YEAR
    return {"outcome": outcome, "followup": followup, "died_unobserved": unseen & (death <= end)}
