"""What will be asked: cases x styles x samples, in order, and what decides the outcome of it."""

from collections.abc import Iterator
from typing import Any

from ..study import parts
from ..study.config import Study
from ..study.records import Record
from ..study.seeds import derive
from . import teachers
from .settings import Settings
from .styles import style
from .teaching import History, Request, key


def teacher(settings: Settings) -> tuple[Any, Record]:
    """The teacher's module and its options."""
    module = parts.find(teachers, "teacher", settings.teacher.name)
    return module, settings.teacher.options(module.Options, "synth.teacher")


def identity(study: Study, settings: Settings) -> dict[str, Any]:
    """What decides the outcome: not how fast or by which door it was asked."""
    from . import grounding, prompts

    module, options = teacher(settings)
    given = settings.model_dump(mode="json", exclude={"job", "teacher"})
    probe = module.body(options, prompts.empty(settings.styles[0]), 0)
    return {
        **given,
        "seed": study.seed,
        "teacher": {k: v for k, v in probe.items() if k not in ("messages", "seed", "style")},
        "templates": {name: prompts.template_hash(name) for name in settings.styles},
        "grounding": grounding.VERSION,
    }


def requests(study: Study, settings: Settings, histories: Iterator[History]) -> Iterator[Request]:
    """The plan: cases x styles x samples, in order, each prompt made when needed; censored cases are not asked."""
    from .prompts import prompt

    module, options = teacher(settings)
    for history in histories:
        case = history.case
        if case.label is None:
            continue
        label = case.label if settings.label == "shown" else None
        for name in settings.styles:
            for sample in range(settings.samples):
                asked = prompt(case, style(name), sample, label, settings)
                body = module.body(options, asked, derive(study.seed, "synth", case.id, name, sample))
                yield Request(key(body), body, history, style(name), sample, label)
