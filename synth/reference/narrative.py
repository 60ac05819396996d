"""The reference teacher's pen: which evidence is told, in what words, with which planted faults."""

from dataclasses import dataclass

import numpy as np

from ...cohort.records import Evidence
from ...cohort.words import number
from ..dial.told import Hint
from ..grounding.lexicon import BY_NAME, FINDINGS, finding_of
from ..styles import Style
from ..teaching import History
from .faults import plant
from .statement import Statement
from .view import View, view_of, weight


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
OPEN = (
    "taken together these findings leave it open whether a diagnosis follows within the horizon.",
    "on balance this pattern points neither way with any certainty.",
)
"""In place of a verdict, where the writer does not lean on what it was told."""
COUNTER = (
    "had {name} been absent, the judgement would have moved most.",
    "the judgement rests most on {name}; in its absence it would change first.",
)

OTHER_SIDE = 0.2
"""Share of findings in flowing text that are told against the verdict, as an honest writer does."""

ROLES = {
    "Risk factors": "for",
    "For": "for",
    "Reasons": "side",
    "Evidence": "side",
    "Against": "against",
    "Judgement": "verdict",
    "Weighing": "verdict",
    "Counterfactual": "counter",
}
"""What is told under which heading; `side`: whatever supports the verdict."""


def narrative(
    history: History,
    style: Style,
    hint: Hint,
    faults: float,
    rng: np.random.Generator,
    hindsight: float = 1.0,
) -> Narrative:
    """Explain one case.

    Args:
        history: what may be told.
        style: how.
        hint: of the outcome; nothing: the teacher judges for itself, by age and recorded findings.
        faults: probability of a planted fault per claim.
        rng: of this one answer.
        hindsight: how far what it is told decides what it writes, in [0, 1].
    """
    shown = [e for e in history.evidence if e.shown and e.kind != "demographic"]
    view = view_of(history, shown, hint, hindsight, rng)
    picked = _ranked(shown, view.choice, rng)
    out: list[Statement] = []
    for section in style.sections or ("",):
        role = ROLES.get(section, "flow")
        for statement in _role(role, history, picked, view, rng):
            statement.section = section
            out.append(statement)
    _conclude(out, picked)
    for statement in out:
        if rng.random() < faults:
            plant(statement, history, rng)
    return Narrative(out, view.verdict)


def _ranked(shown: list[Evidence], choice: float, rng: np.random.Generator) -> list[Evidence]:
    """Lines in the order in which they are told: what fits the choice first, with some of a writer's freedom."""
    sign = 2 * choice - 1
    score = [sign * weight(e) + 0.25 * rng.standard_normal() for e in shown]
    ranked = [shown[i] for i in np.argsort(score)[::-1]]
    return list({e.name: e for e in reversed(ranked)}.values())[::-1]


def _role(
    role: str, history: History, picked: list[Evidence], view: View, rng: np.random.Generator
) -> list[Statement]:
    if role == "verdict":
        return [_verdict(view, rng)]
    if role == "counter":
        return [_say(COUNTER, picked[0], rng), _verdict(view, rng)] if picked else [_verdict(view, rng)]
    if role == "for":
        lines = sorted(picked, key=weight, reverse=True)[: 2 + view.side(rng)]
        return [_tell(e, RAISES, rng) for e in lines] or [_absent(history, rng)]
    if role == "against":
        rest = sorted(picked, key=weight)[: 2 - view.side(rng)]
        return [*(_tell(e, LOWERS, rng) for e in rest), _absent(history, rng)]
    return _flow(history, picked, view, rng, conclude=role == "flow")


def _flow(
    history: History, picked: list[Evidence], view: View, rng: np.random.Generator, conclude: bool
) -> list[Statement]:
    out = [_tell(e, _bank(view, rng), rng) for e in picked[: int(rng.integers(2, 5))]]
    dated = sorted((e for e in picked[:6] if e.age is not None), key=lambda e: e.age or 0.0)
    if len(dated) >= 2 and dated[-1].age - dated[0].age >= 1 and rng.random() < 0.4:  # type: ignore[operator]
        out.append(_order(dated[0], dated[-1], rng))
    if not out or rng.random() < (0.3 if view.side(rng) else 0.7):
        out.append(_absent(history, rng))
    return [*out, _verdict(view, rng)] if conclude else out


def _bank(view: View, rng: np.random.Generator) -> tuple[str, ...]:
    """Sentences for the side that the writer takes, and now and then for the other."""
    banks = (RAISES, LOWERS) if view.side(rng) else (LOWERS, RAISES)
    return banks[int(rng.random() < OTHER_SIDE)]


def _tell(e: Evidence, bank: tuple[str, ...], rng: np.random.Generator) -> Statement:
    if e.age is None or e.years_before is None:
        bank = UNDATED
    elif e.value is not None and e.unit:
        bank = MEASURES
    elif e.count > 1 and rng.random() < 0.5:
        bank = COUNTS
    return _say(bank, e, rng)


def _say(bank: tuple[str, ...], e: Evidence, rng: np.random.Generator) -> Statement:
    finding = finding_of(e.name, e.code)
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
        "through": BY_NAME[finding].through if finding else "a general burden of illness",
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


def _verdict(view: View, rng: np.random.Generator) -> Statement:
    outright = view.concludes == 1 or rng.random() < view.concludes
    bank = OPEN if not outright else YES if view.verdict else NO
    return Statement(str(rng.choice(bank)), [], ["*"], kind="judgement")


def _conclude(statements: list[Statement], picked: list[Evidence]) -> None:
    """A judgement cites what was told before it."""
    before = list(dict.fromkeys(i for s in statements for i in s.cites if i != "*"))[:3]
    by_id = {e.id: e for e in picked}
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
