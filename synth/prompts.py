"""Prompts from the templates, each with the content hash of everything that it was made from."""

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from .records import Message, Prompt
from .styles import Style

if TYPE_CHECKING:
    from jinja2 import Environment

    from ..cohort.question import Question
    from ..cohort.records import Case

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


def prompt(case: "Case", style: Style, sample: int, label: int | None, question: "Question") -> Prompt:
    """What the teacher is asked about one case.

    Args:
        case: whose history.
        style: how to explain.
        sample: which of several answers to the same question.
        label: the outcome that the teacher is told; None where it is to find out.
        question: of the study.
    """
    messages, template = turns(
        style.name,
        age=case.age,
        sex=case.sex,
        timeline=case.timeline,
        n_shown=case.n_shown,
        n_total=case.n_total,
        label=label,
        sections=style.sections,
        asked=question.teacher,
        question=question.text,
    )
    return Prompt(case=case.id, style=style.name, sample=sample, messages=messages, template=template)


def turns(name: str, **values: Any) -> tuple[tuple[Message, ...], str]:
    """The messages of a template filled with values, and the template's hash."""
    system, _, rest = environment().get_template(f"{name}.jinja").render(**values).partition(USER)
    user, _, begun = rest.partition(ASSISTANT)
    found = (
        Message(role="system", content=system.strip()),
        Message(role="user", content=user.strip()),
        Message(role="assistant", content=begun.strip()),
    )
    return tuple(turn for turn in found if turn.content), template_hash(name)
