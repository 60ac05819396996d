"""A language model that grades by the same rubric. Its grades never come near a blind round or people's agreement."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cohort.records import Case
from ..study.errors import DataError
from ..study.files import rows
from ..synth.records import Claim, Message, Prompt
from .answers import FormCheck, accept, required
from .design.items import Item, claim_text
from .graded import GradedForm, Mark
from .label_studio import forms, page
from .label_studio.client import FILLED_IN
from .plan import GradingPlan
from .records import Anchoring, Dimension, Rating, Rubric, Task
from .rounds import GradingState

NAME = "judge"
"""Of the rater and of the round."""
FILE = "judge.jsonl"
MOST = 10
"""Faults of one reply that are named."""


def prompt(plan: GradingPlan, item: Item) -> Prompt:
    """What the judge is asked about one item; the same text that people see, and nothing more."""
    return asked(plan.rubric, plan.settings.question, plan.cases[item.case], item.claims)


def asked(rubric: Rubric, question: str, case: Case, claims: Sequence[Claim]) -> Prompt:
    """What the judge is asked about some claims on a case."""
    text = page.text(
        "judge.txt.j2",
        guideline=rubric.guideline.strip(),
        dimensions=rubric.dimensions,
        question=question,
        timeline=case.timeline,
        claims=[claim_text(c) for c in claims],
    )
    return Prompt(
        case=case.id,
        style="judge",
        messages=(Message(role="user", content=text),),
        template=page.template_hash("judge.txt.j2"),
    )


def answer(item: Item, reply: Mapping[str, Any], rubric: Rubric) -> GradedForm:
    """A reply, an object by now, as a form; what does not fit the rubric is found by `unfit`.

    An anchor, other capitals or a number stand for their category, and what is said of questions that the answers do
    not ask is left out: models fill in every key.

    Raises:
        DataError: not the object that was asked for.
    """
    try:
        whole = dict(reply.get("whole") or {})
        marks = [m for n, sentence in enumerate(_sentences(reply)) for m in _marks(dict(sentence), rubric, n)]
        marks += _marks(whole, rubric, None)
    except (ValueError, TypeError, AttributeError) as e:
        raise DataError(f"{item.id}: the reply is not the JSON that was asked for: {str(reply)[:80]}") from e
    given = {(m.dimension, m.claim): m.value for m in marks}
    questions = {(d.name, claim) for d, claim in required(rubric, given, len(item.claims))}
    conditional = {d.name for d in rubric.dimensions if d.when}
    kept = tuple(m for m in marks if m.dimension not in conditional or (m.dimension, m.claim) in questions)
    return GradedForm(item=item.id, rater=NAME, round=NAME, marks=kept, simulated=True)


def _sentences(reply: Mapping[str, Any]) -> list[Any]:
    """A list, or an object with the number of each sentence."""
    given = reply.get("sentences") or []
    return [given[k] for k in sorted(given, key=int)] if isinstance(given, Mapping) else list(given)


def _marks(answers: Mapping[str, Any], rubric: Rubric, claim: int | None) -> list[Mark]:
    dimensions = [(d, answers[d.name]) for d in rubric.dimensions if answers.get(d.name) is not None]
    return [Mark(dimension=d.name, claim=claim, value=_category(d, v)) for d, v in dimensions]


def _category(d: Dimension, value: Any) -> str:
    """The category that is meant, or the value as it is."""
    text = " ".join(str(value).split())
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    names = {c.casefold(): c for c in d.categories}
    labels = {label.casefold(): c for c, label in zip(d.categories, d.labels, strict=True)}
    return names.get(text.casefold()) or labels.get(text.casefold()) or text


def unfit(item: Item, reply: Mapping[str, Any], rubric: Rubric) -> str | None:
    """Why a reply does not fit the rubric; None where it does."""
    try:
        form = answer(item, reply, rubric)
    except DataError as e:
        return str(e)
    wrong = [f.detail for f in FormCheck(form, item, rubric, None).faults if not f.counted]
    return "; ".join(wrong[:MOST]) or None


def answers(folder: Path) -> dict[str, GradedForm]:
    """What the judge said so far, by item."""
    path = folder / FILE
    return {a.item: a for a in rows(path, GradedForm)}


def ratings(plan: GradingPlan, given: Mapping[str, GradedForm]) -> list[Rating]:
    """The judge's answers that pass the door, as ratings of a program."""
    tasks = [
        Task(item=i.id, rater=NAME, rationale=i.rationale, case=i.case, round=NAME, order=n)
        for n, i in enumerate(plan.items.values())
    ]
    return list(accept(given.values(), tasks, plan.items, plan.rubric).ratings)


def prediction(a: GradedForm) -> list[dict[str, Any]]:
    """The judge's answer as Label Studio shows it in advance, for the assisted arm."""
    return [{"model_version": FILLED_IN, "result": forms.write(a)}]


def anchoring(state: GradingState, given: Mapping[str, GradedForm]) -> list[Anchoring]:
    """For every dimension, the share of answers that equal the judge's, blind and assisted."""
    judged = {(r.item, r.dimension, r.claim): r.value for r in ratings(state.plan, given)}
    out = []
    for d in state.plan.rubric.dimensions:
        hits: dict[str, list[bool]] = {"main": [], "assisted": []}
        for r in state.ratings():
            key = (r.item, r.dimension, r.claim)
            if r.dimension == d.name and r.round in hits and key in judged:
                hits[r.round].append(r.value == judged[key])
        blind, assisted = hits["main"], hits["assisted"]
        out.append(
            Anchoring(
                dimension=d.name,
                blind=sum(blind) / len(blind) if blind else None,
                assisted=sum(assisted) / len(assisted) if assisted else None,
                n_blind=len(blind),
                n_assisted=len(assisted),
            )
        )
    return out


def check_assisted(rubric: Rubric, plan: GradingPlan, given: Mapping[str, GradedForm]) -> None:
    """The assisted arm needs the judge's grades first.

    Raises:
        DataError: some item has none.
    """
    wanted = {t.item for t in plan.of_round("assisted")}
    if lacking := wanted - {r.item for r in ratings(plan, given)}:
        raise DataError(
            f"assisted round: {len(lacking)} of {len(wanted)} items have no grades by the judge "
            f"(rubric {rubric.name!r}). Run `wherefore annotate judge` first."
        )
