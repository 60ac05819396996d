"""Faults that the reference teacher plants in its claims, named as the grounding check names what it finds."""

from collections.abc import Callable

import numpy as np

from ...cohort.line import evidence_id
from ...cohort.records import Evidence
from ...cohort.words import number
from ..grounding.lexicon import finding_of, stems
from ..teaching import History
from .statement import Statement

Plant = Callable[[Statement, History, np.random.Generator], bool]
"""Spoils a statement, or returns False where this fault cannot be planted in it."""


def plant(statement: Statement, history: History, rng: np.random.Generator) -> None:
    """Plant one fault of a kind that this statement can carry, each such kind as likely as another."""
    if not statement.evidence or "{name}" not in statement.words:
        return
    for i in rng.permutation(len(FAULTS)):
        kind = list(FAULTS)[i]
        if FAULTS[kind](statement, history, rng):
            statement.planted = kind
            return


def _uncited(s: Statement, history: History, rng: np.random.Generator) -> bool:
    s.cites = []
    return True


def _unknown_id(s: Statement, history: History, rng: np.random.Generator) -> bool:
    s.cites = [evidence_id(len(history.evidence) + int(rng.integers(5, 60)))]
    return True


def _not_shown(s: Statement, history: History, rng: np.random.Generator) -> bool:
    hidden = [e.id for e in history.evidence if not e.shown]
    if not hidden:
        return False
    s.cites = [str(rng.choice(hidden))]
    return True


def _wrong_name(s: Statement, history: History, rng: np.random.Generator) -> bool:
    line = s.evidence[0]
    others = [e.id for e in history.evidence if e.shown and _differs(e, line)]
    if not others or len(s.evidence) > 1:
        return False
    s.cites = [str(rng.choice(others))]
    return True


def _differs(a: Evidence, b: Evidence) -> bool:
    kind = finding_of(a.name, a.code)
    return (
        a.kind == b.kind
        and not stems(a.name) & stems(b.name)
        and (kind is None or kind != finding_of(b.name, b.code))
    )


def _wrong_age(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if "{age" not in s.words:
        return False
    age = s.values["age"] - float(rng.uniform(1.5, 9))
    if age < 1:
        return False
    s.values["age"] = age
    return True


def _wrong_time(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if "{years" not in s.words:
        return False
    s.values["years"] += float(rng.uniform(1.5, 9))
    return True


def _wrong_count(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if "{count" not in s.words:
        return False
    s.values["count"] += int(rng.integers(1, 5))
    return True


def _wrong_value(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if "{value" not in s.words:
        return False
    wrong = float(s.values["value"]) * float(rng.choice([0.5, 0.75, 1.3, 1.6])) + 1
    s.values["value"] = number(round(wrong, 1))
    return True


def _wrong_unit(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if "{unit" not in s.words:
        return False
    s.values["unit"] = str(
        rng.choice([u for u in ("mg/dL", "mmol/L", "mmHg", "kg", "%") if u != s.values["unit"]])
    )
    return True


def _wrong_order(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if "{name2}" not in s.words:
        return False
    s.values["name"], s.values["name2"] = s.values["name2"], s.values["name"]
    return True


def _contradiction(s: Statement, history: History, rng: np.random.Generator) -> bool:
    if len(s.evidence) > 1:
        return False
    s.words = str(rng.choice(DENIALS))
    return True


DENIALS = (
    "there is no record of {name}, which argues against a burden.",
    "{name} is absent from this history.",
    "the person never had {name}.",
)


def _unsupported_number(s: Statement, history: History, rng: np.random.Generator) -> bool:
    tail = rng.choice([", which raises the risk by {made_up} %.", " and multiplies the odds by {made_up}."])
    s.words = s.words.rstrip(".") + str(tail)
    s.values["made_up"] = int(rng.integers(11, 60))
    return True


def _future(s: Statement, history: History, rng: np.random.Generator) -> bool:
    tail = rng.choice(
        [", and cognitive decline followed at age {later:.1f}.", ", and dementia was later diagnosed."]
    )
    s.words = s.words.rstrip(".") + str(tail)
    s.values["later"] = history.case.age + float(rng.uniform(0.5, 4.5))
    return True


FAULTS: dict[str, Plant] = {
    "uncited": _uncited,
    "unknown_id": _unknown_id,
    "not_shown": _not_shown,
    "wrong_name": _wrong_name,
    "wrong_age": _wrong_age,
    "wrong_time": _wrong_time,
    "wrong_count": _wrong_count,
    "wrong_value": _wrong_value,
    "wrong_unit": _wrong_unit,
    "wrong_order": _wrong_order,
    "contradiction": _contradiction,
    "unsupported_number": _unsupported_number,
    "future": _future,
}
