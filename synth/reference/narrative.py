"""The reference teacher's pen: which evidence is told, in what words, with which planted faults."""

from dataclasses import dataclass

import numpy as np

from ...cohort.records import Evidence
from ...cohort.words import number
from ..grounding.lexicon import BY_NAME, FINDINGS, finding_of
from ..styles import Style
from ..teaching import History
from .faults import plant
from .statement import Statement


@dataclass(slots=True)
class Narrative:
    """A whole explanation."""

    statements: list[Statement]
    verdict: int


RAISES = (
    "{name} at age {age:.1f} speaks for {through}.",
    "{name}, recorded at age {age:.1f}, adds to the risk through {through}.",
    "{name} {years:.1f} years before the prediction points to {through}.",
    "there is {name} from age {age:.1f} on, a known source of {through}.",
    "the history shows {name} {years:.1f} years earlier, which means {through}.",
)
LOWERS = (
    "{name} at age {age:.1f} is common at this age and says little.",
    "{name}, recorded at age {age:.1f}, has little bearing on cognition.",
    "{name} {years:.1f} years before the prediction is a weak signal by itself.",
    "there is {name} from age {age:.1f} on, as in many who stay well.",
)
COUNTS = (
    "{name} stands in the record {count} times, so it was no passing event.",
    "{name} was recorded {count} times, a lasting problem.",
)
MEASURES = (
    "{name} was {value} {unit} at age {age:.1f}, which fits this picture.",
    "at age {age:.1f} {name} measured {value} {unit}.",
)
ORDERS = (
    "{name} came before {name2}, a course that builds up over years.",
    "{name} preceded {name2}, one burden on top of another.",
)
UNDATED = (
    "{name} is part of the history and weighs in here.",
    "the record notes {name}, which counts in this judgement.",
)
ABSENT = (
    "no {absent} or {absent2} is recorded in this history.",
    "the history holds no {absent} and no {absent2}.",
)
YES = (
    "taken together these findings make a diagnosis within the horizon likely.",
    "on balance this pattern points towards a diagnosis in the coming years.",
    "the whole picture is one of accumulating risk, so a diagnosis is expected.",
)
NO = (
    "taken together these findings leave a diagnosis within the horizon unlikely.",
    "on balance this pattern does not point towards a diagnosis in the coming years.",
    "the whole picture is one of ordinary ageing, so no diagnosis is expected.",
)
COUNTER = (
    "had {name} been absent, the judgement would have moved most.",
    "the judgement rests most on {name}; in its absence it would change first.",
)

OTHER_SIDE = 0.2
"""Share of findings in flowing text that are told against the verdict, as an honest writer does."""

ROLES = {
    "Risk factors": "for", "For": "for", "Reasons": "side", "Evidence": "side", "Against": "against",
    "Judgement": "verdict", "Weighing": "verdict", "Counterfactual": "counter",
}  # fmt: skip
"""What is told under which heading; `side`: whatever supports the verdict."""


def narrative(
    history: History, style: Style, label: int | None, faults: float, rng: np.random.Generator
) -> Narrative:
    """Explain one case.

    Args:
        history: what may be told.
        style: how.
        label: the outcome to argue for; None: the teacher judges for itself, by age and recorded findings.
        faults: probability of a planted fault per claim.
        rng: of this one answer.
    """
    shown = [e for e in history.evidence if e.shown and e.kind != "demographic"]
    verdict = _judge(history, shown, rng) if label is None else label
    told = _ranked(shown, verdict, rng)
    out: list[Statement] = []
    for section in style.sections or ("",):
        role = ROLES.get(section, "flow")
        for statement in _role(role, history, told, verdict, rng):
            statement.section = section
            out.append(statement)
    _conclude(out, told)
    for statement in out:
        if rng.random() < faults:
            plant(statement, history, rng)
    return Narrative(out, verdict)


def weight(e: Evidence) -> float:
    """How much a line says about dementia; 0 where nothing is known."""
    found = finding_of(e.name, e.code)
    return BY_NAME[found].weight if found else 0.0


def _judge(history: History, shown: list[Evidence], rng: np.random.Generator) -> int:
    """A verdict without the label: age doubles the odds every five years, findings multiply, plus doubt."""
    found = {f for e in shown if (f := finding_of(e.name, e.code))}
    score = (
        0.139 * (history.case.age - 75)
        + sum(BY_NAME[f].weight for f in found)
        - 1.0
        + 0.7 * rng.standard_normal()
    )
    return int(score > 0)


def _ranked(shown: list[Evidence], verdict: int, rng: np.random.Generator) -> list[Evidence]:
    """Lines in the order in which they are told: what fits the verdict first, with some of a writer's freedom."""
    sign = 1.0 if verdict else -1.0
    score = [sign * weight(e) + 0.25 * rng.standard_normal() for e in shown]
    ranked = [shown[i] for i in np.argsort(score)[::-1]]
    return list({e.name: e for e in reversed(ranked)}.values())[::-1]


def _role(
    role: str, history: History, told: list[Evidence], verdict: int, rng: np.random.Generator
) -> list[Statement]:
    if role == "verdict":
        return [_verdict(verdict, rng)]
    if role == "counter":
        return [_say(COUNTER, told[0], rng), _verdict(verdict, rng)] if told else [_verdict(verdict, rng)]
    if role == "for":
        lines = sorted(told, key=weight, reverse=True)[: 2 + verdict]
        return [_tell(e, RAISES, rng) for e in lines] or [_absent(history, rng)]
    if role == "against":
        rest = sorted(told, key=weight)[: 2 - verdict]
        return [*(_tell(e, LOWERS, rng) for e in rest), _absent(history, rng)]
    return _flow(history, told, verdict, rng, conclude=role == "flow")


def _flow(
    history: History, told: list[Evidence], verdict: int, rng: np.random.Generator, conclude: bool
) -> list[Statement]:
    banks = (RAISES, LOWERS) if verdict else (LOWERS, RAISES)
    out = [_tell(e, banks[int(rng.random() < OTHER_SIDE)], rng) for e in told[: int(rng.integers(2, 5))]]
    dated = sorted((e for e in told[:6] if e.age is not None), key=lambda e: e.age or 0.0)
    if len(dated) >= 2 and dated[-1].age - dated[0].age >= 1 and rng.random() < 0.4:  # type: ignore[operator]
        out.append(_order(dated[0], dated[-1], rng))
    if not out or rng.random() < (0.3 if verdict else 0.7):
        out.append(_absent(history, rng))
    return [*out, _verdict(verdict, rng)] if conclude else out


def _tell(e: Evidence, bank: tuple[str, ...], rng: np.random.Generator) -> Statement:
    if e.age is None or e.years_before is None:
        bank = UNDATED
    elif e.value is not None and e.unit:
        bank = MEASURES
    elif e.count > 1 and rng.random() < 0.5:
        bank = COUNTS
    return _say(bank, e, rng)


def _say(bank: tuple[str, ...], e: Evidence, rng: np.random.Generator) -> Statement:
    found = finding_of(e.name, e.code)
    age = e.readings[-1].age if bank is MEASURES else e.age
    if e.count > 1:  # `age` is of the first event, `years_before` of the last
        bank = tuple(words for words in bank if "{years" not in words)
    values = {
        "name": spoken(e),
        "age": age,
        "years": e.years_before,
        "count": e.count,
        "value": None if e.value is None else number(e.value),
        "unit": e.unit,
        "through": BY_NAME[found].through if found else "a general burden of illness",
    }
    return Statement(str(rng.choice(bank)), [e], [e.id], values=values)


def _order(first: Evidence, second: Evidence, rng: np.random.Generator) -> Statement:
    values = {"name": spoken(first), "name2": spoken(second)}
    return Statement(str(rng.choice(ORDERS)), [first, second], [first.id, second.id], values=values)


def _absent(history: History, rng: np.random.Generator) -> Statement:
    """Two findings that the history lacks; they need no citation, for the whole history is the evidence."""
    there = {finding_of(e.name, e.code) for e in history.evidence}
    lacking = [f.name for f in FINDINGS[:13] if f.name not in there]
    if len(lacking) < 2:
        return Statement("the person is {own:.1f} years old.", [], [], values={"own": history.case.age})
    pair = rng.choice(lacking, size=2, replace=False)
    values = {"absent": pair[0], "absent2": pair[1]}
    return Statement(str(rng.choice(ABSENT)), [], [], kind="absence", values=values)


def _verdict(verdict: int, rng: np.random.Generator) -> Statement:
    return Statement(str(rng.choice(YES if verdict else NO)), [], ["*"], kind="judgement")


def _conclude(statements: list[Statement], told: list[Evidence]) -> None:
    """A judgement cites what was told before it."""
    before = list(dict.fromkeys(i for s in statements for i in s.cites if i != "*"))[:3]
    by_id = {e.id: e for e in told}
    for statement in statements:
        if statement.cites == ["*"]:
            statement.cites = before
            statement.evidence = [by_id[i] for i in before if i in by_id]


def spoken(e: Evidence) -> str:
    """A name as it stands in a sentence: without its code, small where it is no proper name."""
    name = e.name
    if (
        "(" in name and name.endswith(")") and name.split(" ", 1)[0].isupper()
    ):  # `I10 (essential hypertension)`
        name = name[name.index("(") + 1 : -1]
    return name[0].lower() + name[1:] if len(name) > 1 and name[1].islower() else name
