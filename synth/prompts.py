"""Prompts from the templates, each with the content hash of everything that it was made from."""

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from .records import Message, Prompt
from .styles import LATE, Style

if TYPE_CHECKING:
    from jinja2 import Environment

    from ..cohort.question import Question
    from ..cohort.records import Case
    from .answers.parse import ParsedAnswer
    from .dial.told import Hint

USER, ASSISTANT = "=== user ===\n", "=== assistant ===\n"
"""The lines in a template that end the system message, and the user's where the answer is begun for the model."""


@cache
def environment() -> "Environment":
    """Of the templates in `templates/prompts/`; a name that a template lacks is an error, never an empty string."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("wherefore", "templates/prompts"), undefined=StrictUndefined, autoescape=False
    )


@cache
def template_hash(name: str) -> str:
    """Twelve hex digits of the template called `name` and of all templates that it includes."""
    from jinja2 import meta

    templates = environment()
    assert templates.loader is not None
    source, seen, todo = "", set[str](), [f"{name}.jinja"]
    while todo:
        file = todo.pop(0)
        if file in seen:
            continue
        seen.add(file)
        text = templates.loader.get_source(templates, file)[0]
        source += f"{file}\n{text}"
        todo += sorted(t for t in meta.find_referenced_templates(templates.parse(text)) if t)
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def prompt(case: "Case", style: Style, sample: int, hint: "Hint", question: "Question") -> Prompt:
    """What the teacher is asked about one case.

    Args:
        case: whose history.
        style: how to explain.
        sample: which of several answers to the same question.
        hint: what the teacher knows of the outcome.
        question: of the study.
    """
    messages, template = turns(
        style.name,
        age=case.age,
        sex=case.sex,
        timeline=case.timeline,
        n_shown=case.n_shown,
        n_total=case.n_total,
        label=hint.label,
        risk=None if hint.risk is None else percent(hint.risk),
        sections=style.sections,
        asked=question.teacher,
        question=question.text,
    )
    return Prompt(case=case.id, style=style.name, sample=sample, messages=messages, template=template)


def revision(first: Prompt, style: Style, answer: "ParsedAnswer", label: int) -> Prompt:
    """The same conversation after a draft: the teacher is told the outcome and writes again.

    Args:
        first: what the draft answered.
        style: of both.
        answer: the draft.
        label: the outcome.
    """
    turns_after, template = turns(LATE, prose=style.form == "text", label=label)
    draft = Message(role="assistant", content=written(style, answer))
    before = tuple(m for m in first.messages if m.role != "assistant")
    return first.model_copy(
        update={"messages": (*before, draft, *turns_after), "template": f"{first.template}+{template}"}
    )


def written(style: Style, answer: "ParsedAnswer") -> str:
    """An answer as the teacher was asked to write it."""
    if style.form == "text":
        sentences = (f"{c.text} [{', '.join(c.cites)}]" if c.cites else c.text for c in answer.claims)
        verdict = "" if answer.verdict is None else f"\nAnswer: {'yes' if answer.verdict else 'no'}"
        return f"Reasons: {' '.join(sentences)}{verdict}"
    rows = [
        {"section": c.section, "kind": c.kind, "text": c.text, "evidence": c.cites} for c in answer.claims
    ]
    return json.dumps({"claims": rows, "verdict": answer.verdict}, ensure_ascii=False)


def percent(p: float) -> str:
    """A probability as a teacher is told it.

    >>> percent(0.123), percent(0.2), percent(0.00001), percent(1.0)
    ('12.3 %', '20 %', 'less than 0.1 %', 'more than 99.9 %')
    """
    if p < 0.001:
        return "less than 0.1 %"
    if p > 0.999:
        return "more than 99.9 %"
    return f"{f'{100 * p:.1f}'.removesuffix('.0')} %"


def turns(name: str, **values: Any) -> tuple[tuple[Message, ...], str]:
    """The messages of a template filled with values, and the template's hash."""
    system, _, rest = environment().get_template(f"{name}.jinja").render(**values).partition(USER)
    user, _, begun = rest.partition(ASSISTANT)
    messages = (
        Message(role="system", content=system.strip()),
        Message(role="user", content=user.strip()),
        Message(role="assistant", content=begun.strip()),
    )
    return tuple(turn for turn in messages if turn.content), template_hash(name)
