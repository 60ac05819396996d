"""What will be asked: cases x styles x samples, in order, and what decides the outcome of it."""

from collections.abc import Iterator
from typing import Any

from ..study import parts
from ..study.config import Study
from ..study.records import Record
from ..study.seeds import derive
from . import teachers
from .controls import CONTROLS
from .settings import Settings
from .styles import style
from .teaching import History, Request, key


class Plan:
    """The questions of a study, each made when it is needed.

    Raises:
        StudyError: the teacher or one of its options does not exist.
    """

    def __init__(self, study: Study, settings: Settings) -> None:
        self.study, self.settings = study, settings
        self.module: Any = parts.find(teachers, "teacher", settings.teacher.name)
        self.options: Record = settings.teacher.options(self.module.Options, "synth.teacher")
        if "path" in type(self.options).model_fields:
            self.options = self.options.model_copy(
                update={"path": str(study.path(self.options.model_dump()["path"]))}
            )
        getattr(self.module, "check", lambda options: None)(self.options)
        self.styles = tuple(style(name) for name in settings.styles)
        for name in settings.controls:
            parts.pick(CONTROLS, "control", name)
        self.size = len(self.styles) * settings.samples
        """Questions about one case."""

    @property
    def title(self) -> str:
        """The teacher, as it stands in a report."""
        title: str = self.module.title(self.options)
        return title

    def about(self, history: History) -> Iterator[Request]:
        """All questions about one case; none where it has no label that could be explained."""
        from .prompts import prompt

        case = history.case
        if case.label is None:
            return
        label = case.label if self.settings.label == "shown" else None
        for asked_style in self.styles:
            for sample in range(self.settings.samples):
                asked = prompt(case, asked_style, sample, label, self.settings)
                seed = derive(self.study.seed, "synth", case.id, asked_style.name, sample)
                body = self.module.body(self.options, asked, seed)
                yield Request(key(body), body, history, asked_style, sample, label)

    def identity(self) -> dict[str, Any]:
        """What decides the outcome: not how fast or by which door it was asked."""
        from . import grounding, prompts

        probe = self.module.body(self.options, prompts.empty(self.settings.styles[0]), 0)
        return {
            **self.settings.model_dump(mode="json", exclude={"job", "teacher"}),
            "seed": self.study.seed,
            "teacher": {
                "name": self.settings.teacher.name,
                **{k: v for k, v in probe.items() if k not in ("messages", "seed", "style")},
            },
            "templates": {name: prompts.template_hash(name) for name in self.settings.styles},
            "grounding": grounding.VERSION,
        }
