"""What the record shows of simulated people: codes as a general practice would hold them, and noise around them."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..events import STATIC, YEAR, Shard, no_others
from ._simulated_world import World

_CODES = [
    # key, code, system, kind, name
    ("male", "M", "SEX", "demographic", "Sex: male"),
    ("female", "F", "SEX", "demographic", "Sex: female"),
    ("education", "EDUCATION", "DEMO", "demographic", "Years of education"),
    ("current_smoker", "Z72.0", "ICD10", "demographic", "Current smoker"),
    ("never_smoker", "Z72.0-", "DEMO", "demographic", "Does not smoke"),
    ("lives_alone", "Z60.2", "ICD10", "demographic", "Lives alone"),
    ("deprivation_top_quintile", "IMD5", "DEMO", "demographic", "Lives in a most deprived area"),
    ("hypertension", "I10", "ICD10", "condition", "Essential hypertension"),
    ("diabetes", "E11", "ICD10", "condition", "Type 2 diabetes mellitus"),
    ("stroke_tia", "I63", "ICD10", "condition", "Cerebral infarction"),
    ("depression", "F32", "ICD10", "condition", "Depressive episode"),
    ("high_cholesterol", "E78", "ICD10", "condition", "Disorders of lipoprotein metabolism"),
    ("hearing_loss", "H91", "ICD10", "condition", "Hearing loss"),
    ("atrial_fibrillation", "I48", "ICD10", "condition", "Atrial fibrillation"),
    ("copd", "J44", "ICD10", "condition", "Chronic obstructive pulmonary disease"),
    ("heart_disease", "I25", "ICD10", "condition", "Chronic ischaemic heart disease"),
    ("tbi", "S06", "ICD10", "condition", "Intracranial injury"),
    ("alcohol_problem", "F10", "ICD10", "condition", "Harmful use of alcohol"),
    ("alzheimer", "G30", "ICD10", "condition", "Alzheimer disease"),
    ("vascular", "F01", "ICD10", "condition", "Vascular dementia"),
    ("unspecified", "F03", "ICD10", "condition", "Unspecified dementia"),
    ("visit", "VISIT", "VISIT", "visit", "General practice visit"),
    ("antihypertensive", "C09AA05", "ATC", "drug", "Ramipril"),
    ("metformin", "A10BA02", "ATC", "drug", "Metformin"),
    ("statin", "C10AA05", "ATC", "drug", "Atorvastatin"),
    ("antidepressant", "N06AB06", "ATC", "drug", "Sertraline"),
    ("systolic", "8480-6", "LOINC", "measurement", "Systolic blood pressure"),
    ("bmi", "39156-5", "LOINC", "measurement", "Body mass index"),
]
_NOISE = [
    # code, name, per year from age 35 (assumed)
    ("M54", "Dorsalgia", 0.024),
    ("K21", "Gastro-oesophageal reflux disease", 0.013),
    ("J06", "Acute upper respiratory infection", 0.030),
    ("H26", "Cataract", 0.012),
    ("M17", "Arthrosis of the knee", 0.012),
    ("L30", "Dermatitis", 0.014),
    ("N39", "Urinary tract infection", 0.016),
    ("K57", "Diverticular disease of intestine", 0.010),
    ("R07", "Pain in throat and chest", 0.013),
    ("H40", "Glaucoma", 0.006),
    ("M81", "Osteoporosis", 0.007),
    ("D50", "Iron deficiency anaemia", 0.007),
    ("E03", "Hypothyroidism", 0.008),
    ("G56", "Carpal tunnel syndrome", 0.006),
    ("K80", "Gallstones", 0.007),
    ("B02", "Herpes zoster", 0.007),
    ("J45", "Asthma", 0.006),
    ("R51", "Headache", 0.010),
    ("S52", "Fracture of forearm", 0.005),
    ("K64", "Haemorrhoids", 0.008),
]
_TREATED = {
    "hypertension": "antihypertensive",
    "diabetes": "metformin",
    "high_cholesterol": "statin",
    "depression": "antidepressant",
}
VISITS_PER_YEAR = 1.5
_UNITS = np.array(
    [{"systolic": "mm[Hg]", "bmi": "kg/m2"}.get(key) for key, *_ in _CODES] + [None] * len(_NOISE),
    dtype=object,
)
"""Unit of each code."""
_AT = {key: i for i, (key, *_) in enumerate(_CODES)}

Rows = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""(person, age in years or NaN for always, code, value)."""


def code_table() -> pd.DataFrame:
    """All codes that a simulated record may hold."""
    rows = [c[1:] for c in _CODES] + [(code, "ICD10", "condition", name) for code, name, _ in _NOISE]
    return pd.DataFrame(rows, columns=["code", "system", "kind", "name"]).assign(also=no_others(len(rows)))


def shard(w: World, first: int, rng: np.random.Generator, noise: float) -> Shard:
    """The record of one chunk of people, up to death or loss."""
    n = len(w.male)
    birth = np.datetime64("1935-01-01") + rng.integers(0, 20 * 365, n)
    parts = [_always(w), _conditions(w, rng), _dementia(w, rng), _drugs(w, rng), _background(n, rng, noise)]
    visits = _visits(w, rng)
    parts += [visits, *_measurements(w, visits, rng)]
    person, age, code, value = (np.concatenate([p[i] for p in parts]) for i in range(4))
    seen = ~(age >= w.observed_until[person])
    day = np.where(np.isnan(age), STATIC, np.floor(np.nan_to_num(age) * YEAR)).astype(np.int64)
    order = np.flatnonzero(seen)
    order = order[np.lexsort((code[order], day[order], person[order]))]
    dead = w.death <= w.loss
    return Shard(
        people=pd.DataFrame(
            {
                "subject": [f"S{first + i:06d}" for i in range(n)],
                "sex": np.where(w.male, "male", "female"),
                "site": None,
                "aged": True,
                "birth": birth.astype("datetime64[s]"),
                "first_day": np.floor(35 * YEAR),
                "last_day": np.floor(w.observed_until * YEAR),
                "death_day": np.where(dead, np.floor(w.death * YEAR), np.nan),
                "dead": dead,
                "split": None,
            }
        ),
        codes=code_table(),
        person=person[order].astype(np.int32),
        day=day[order].astype(np.int32),
        code=code[order].astype(np.int32),
        files=("simulated",),
        row=np.arange(len(order)),
        value=value[order],
        unit=_UNITS[code[order]],
    )


def _rows(
    person: NDArray[np.int64],
    age: NDArray[np.float64] | float,
    key: str,
    value: NDArray[Any] | float = np.nan,
) -> Rows:
    size = len(person)
    return person, np.broadcast_to(age, size), np.full(size, _AT[key]), np.broadcast_to(value, size)


def _joined(parts: list[Rows]) -> Rows:
    person, age, code, value = (np.concatenate([p[i] for p in parts]) for i in range(4))
    return person, age, code, value


def _always(w: World) -> Rows:
    everybody = np.arange(len(w.male))
    smokes = w.fixed["current_smoker"] > 0
    parts = [_rows(np.flatnonzero(w.male), np.nan, "male"), _rows(np.flatnonzero(~w.male), np.nan, "female")]
    parts += [_rows(everybody, np.nan, "education", w.fixed["education"])]
    parts += [
        _rows(np.flatnonzero(smokes), np.nan, "current_smoker"),
        _rows(np.flatnonzero(~smokes), np.nan, "never_smoker"),
    ]
    parts += [
        _rows(np.flatnonzero(w.fixed[k] > 0), np.nan, k) for k in ("lives_alone", "deprivation_top_quintile")
    ]
    return _joined(parts)


def _conditions(w: World, rng: np.random.Generator) -> Rows:
    """Each condition on the day it began; head injury and alcohol, which the hazards count from birth, before 35."""
    parts = []
    for name, age in w.onset.items():
        who = np.flatnonzero(np.isfinite(age))
        parts.append(_rows(who, age[who], name))
    for name in ("tbi", "alcohol_problem"):
        who = np.flatnonzero(w.fixed[name] > 0)
        parts.append(_rows(who, rng.uniform(18, 35, len(who)), name))
    return _joined(parts)


def _dementia(w: World, rng: np.random.Generator) -> Rows:
    """A first code on the day of onset, and a second one within the year."""
    who = np.flatnonzero(np.isfinite(w.dementia))
    kind = rng.choice(3, len(who), p=[0.55, 0.2, 0.25])
    parts = []
    for i, key in enumerate(("alzheimer", "vascular", "unspecified")):
        people = who[kind == i]
        parts += [
            _rows(people, w.dementia[people], key),
            _rows(people, w.dementia[people] + rng.uniform(0.1, 0.9, len(people)), key),
        ]
    return _joined(parts)


def _drugs(w: World, rng: np.random.Generator) -> Rows:
    """Three of four people are treated within months, which says no more than the condition does."""
    parts = []
    for condition, drug in _TREATED.items():
        age = w.onset[condition]
        who = np.flatnonzero(np.isfinite(age) & (rng.random(len(age)) < 0.75))
        parts.append(_rows(who, age[who] + rng.uniform(0.02, 0.5, len(who)), drug))
    return _joined(parts)


def _background(n: int, rng: np.random.Generator, noise: float) -> Rows:
    """Poisson from age 35 on, the same for everybody."""
    parts: list[Rows] = []
    for i, (_, _, rate) in enumerate(_NOISE):
        count = rng.poisson(noise * rate * 60, n)
        person = np.repeat(np.arange(n), count)
        size = len(person)
        parts.append(
            (person, rng.uniform(35, 95, size), np.full(size, len(_CODES) + i), np.full(size, np.nan))
        )
    return _joined(parts)


def _visits(w: World, rng: np.random.Generator) -> Rows:
    """From age 60 to the end of observation."""
    span = np.clip(w.observed_until - 60, 0, 45)
    person = np.repeat(np.arange(len(span)), rng.poisson(VISITS_PER_YEAR * span))
    return _rows(person, 60 + rng.random(len(person)) * span[person], "visit")


def _measurements(w: World, visits: Rows, rng: np.random.Generator) -> list[Rows]:
    """Blood pressure at one visit in five, body mass index at one in ten; the latter says nothing."""
    person, age = visits[0], visits[1]
    bp, bmi = np.flatnonzero(rng.random(len(person)) < 0.2), np.flatnonzero(rng.random(len(person)) < 0.1)
    raised = 14 * (w.onset["hypertension"][person[bp]] < age[bp])
    usual = rng.normal(27, 4, len(w.male))
    systolic = np.round(rng.normal(128, 12, len(bp)) + raised)
    mass: NDArray[Any] = np.round(np.clip(usual[person[bmi]] + rng.normal(0, 0.7, len(bmi)), 16, 50), 1)
    return [_rows(person[bp], age[bp], "systolic", systolic), _rows(person[bmi], age[bmi], "bmi", mass)]
