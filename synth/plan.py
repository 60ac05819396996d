"""What will be asked: cases x styles x samples, in order, and what decides the outcome of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cohort.question import Question, question
from ..study import parts, permission
from ..study.config import Study
from ..study.errors import StudyError, not_one_of
from ..study.records import Record, digest
from ..study.seeds import derive
from . import teachers
from .controls import CONTROLS
from .dial.told import NOTHING, Dial, Hint
from .records import Prompt
from .settings import Settings
from .styles import LATE, VERIFY, Style, style
from .teaching import Body, History, Request, key

if TYPE_CHECKING:
    from .answers.parse import ParsedAnswer


class StudyTeacher:
    """One who is asked, with its options read and checked.

    Args:
        study: whose folder relative paths start from.
        part: as in the study file.
        where: the key there, for messages.
    Raises:
        StudyError: no such teacher, or one of its options is wrong.
    """

    def __init__(self, study: Study, part: parts.Part, where: str) -> None:
        self.module: Any = parts.find(teachers, "teacher", part.name, teachers.Teacher)
        if not (hasattr(self.module, "doors") or hasattr(self.module, "collect")):
            raise StudyError(f"{where}: teacher {part.name!r} has neither 'doors' nor 'collect'.")
        self.options: Record = part.options(self.module.Options, where)
        if "path" in type(self.options).model_fields:
            self.options = self.options.model_copy(
                update={"path": str(study.path(self.options.model_dump()["path"]))}
            )
        getattr(self.module, "check", lambda options: None)(self.options)

    @property
    def title(self) -> str:
        """As it stands in a report."""
        title: str = self.module.title(self.options)
        return title

    @property
    def urls(self) -> tuple[str, ...]:
        """Where patient text goes."""
        urls: tuple[str, ...] = self.module.urls(self.options)
        return urls

    def body(self, prompt: Prompt, seed: int) -> Body:
        """The whole request."""
        body: Body = self.module.body(self.options, prompt, seed)
        return body

    def settings(self, style: str) -> dict[str, Any]:
        """What of a request in some style is the same for every case."""
        probe = self.body(Prompt(case="", style=style, messages=(), template=""), 0)
        return {k: v for k, v in probe.items() if k not in ("messages", "seed", "style")}


class RequestPlan:
    """The questions of a study, each made when it is needed.

    Args:
        study: as written.
        settings: of the stage.
        cohort: folder of the cohort stage; None where nothing is asked yet.
    Raises:
        StudyError: a name or option in the section does not exist.
    """

    def __init__(self, study: Study, settings: Settings, cohort: Path | None = None) -> None:
        self.study, self.settings, self._cohort = study, settings, cohort
        self.teacher = StudyTeacher(study, settings.teacher, "synth.teacher")
        self.verifier = verifier(study, settings)
        self.tables = tables(study, settings)
        self.risks = risks(study, settings)
        self.dial = Dial(settings.label, settings.shown_share, self.risks, cohort, study.seed)
        self.styles = tuple(style(name) for name in settings.styles)
        self.question = asked_of(study)
        for name in settings.controls:
            parts.pick(CONTROLS, "control", name)
        self.size = len(self.styles) * settings.samples
        """Rationales asked for about one case."""
        self.rounds = 2 if self.dial.late else 1
        """Requests for each of them."""

    def others(self) -> dict[str, "RequestPlan"]:
        """Plans of the corpora beside the study's own, by name: the same questions, the teacher told otherwise."""
        return {
            name: RequestPlan(
                self.study,
                self.settings.model_copy(update={**corpus.model_dump(), "corpora": {}, "controls": ()}),
                self._cohort,
            )
            for name, corpus in self.settings.corpora.items()
        }

    @property
    def requests(self) -> int:
        """Requests about one case, for every corpus."""
        return self.size * self.rounds + sum(p.requests for p in self.others().values())

    def about(self, history: History) -> Iterator[Request]:
        """All questions about one case, as they are first asked; none where it has no label to explain."""
        from .prompts import prompt

        if history.case.label is None:
            return
        first = self.dial.first(history.case)
        for asked_style in self.styles:
            hint = NOTHING if asked_style.form == "text" else first  # asked as a student is
            for sample in range(self.settings.samples):
                filled = prompt(history.case, asked_style, sample, hint, self.question)
                yield self._request(filled, history, asked_style, hint)

    def after(self, draft: Request, answer: "ParsedAnswer") -> Request:
        """The question that tells the outcome after a draft.

        Args:
            draft: what was asked.
            answer: the draft.
        """
        from .prompts import prompt, revision

        case, asked_style = draft.history.case, draft.style
        assert case.label is not None
        first = prompt(case, asked_style, draft.sample, NOTHING, self.question)
        filled = revision(first, asked_style, answer, case.label)
        return self._request(filled, draft.history, asked_style, Hint(label=case.label, late=True))

    def _request(self, prompt: Prompt, history: History, asked_style: Style, hint: Hint) -> Request:
        seed = derive(self.study.seed, "synth", prompt.case, prompt.style, prompt.sample)
        body = self.teacher.body(prompt, seed)
        return Request(
            key(body, prompt.sample),
            body,
            history,
            asked_style,
            prompt.sample,
            hint.label,
            hint.risk,
            hint.late,
        )

    def identity(self) -> dict[str, Any]:
        """What decides the outcome: not how fast or by which door it was asked."""
        from . import prompts
        from .answers import parse
        from .grounding import checks as grounding

        used = (*self.settings.styles, LATE) if self.dial.late else self.settings.styles
        teacher = {
            "name": self.settings.teacher.name,
            **self.teacher.settings(self.settings.styles[0]),
        }
        identity = {
            **self.settings.model_dump(
                mode="json", exclude={"job", "teacher", "verifier", "thinking_tokens", "corpora"}
            ),
            "seed": self.study.seed,
            "question": self.question.model_dump(),
            "teacher": teacher,
            "templates": {name: prompts.template_hash(name) for name in used},
            "grounding": grounding.VERSION,
            "tables": {p.name: digest(p.read_text()) for p in sorted(self.tables.iterdir())}
            if self.tables
            else None,
            "risks": self.risks if isinstance(self.risks, str) else digest(self.risks),
            "reading": parse.VERSION,
        }
        if self.verifier is not None:
            identity["verifier"] = {
                **self.verifier.settings(VERIFY),
                "template": prompts.template_hash(VERIFY),
            }
        if self.settings.corpora:
            identity["corpora"] = {name: other.identity() for name, other in self.others().items()}
        return identity


def resolve(study: Study) -> Settings:
    """The section `[synth]`, every name in it looked up.

    Raises:
        StudyError: a wrong key, value or name, or a teacher elsewhere without leave.
    """
    settings = study.section("synth", Settings)
    plan = RequestPlan(study, settings)
    for teacher in (plan.teacher, plan.verifier):
        permission.check(study, teacher.urls if teacher else ())
    return settings


def tables(study: Study, settings: Settings) -> Path | None:
    """The folder with the study's own tables for the grounding check; None where there is none.

    Raises:
        StudyError: no such folder, or a file in it is no table.
        DataError: a row of a table is wrong.
    """
    if settings.tables is None:
        return None
    from .grounding.language.tables import COLUMNS, unknown
    from .grounding.language.vocabulary import vocabulary

    folder = study.path(settings.tables)
    if not folder.is_dir():
        raise StudyError(f"synth.tables: no folder {folder}.")
    if stray := unknown(folder):
        names = [f"{name}.tsv" for name in COLUMNS]
        raise StudyError(f"synth.tables: {not_one_of('table', stray[0], names)}")
    vocabulary(folder)
    return folder


def risks(study: Study, settings: Settings) -> str | dict[str, float]:
    """The probabilities that the teacher is told: a name in the table `RISKS`, or those of a file by case.

    Raises:
        StudyError: neither.
        DataError: the file is no table of risks.
    """
    from .dial.risks import RISKS, from_table

    if settings.risks in RISKS or settings.label != "probability":
        return settings.risks
    path = study.path(settings.risks)
    if not path.is_file():
        wrong = not_one_of("source of risks", settings.risks, list(RISKS))
        raise StudyError(f"synth.risks: {wrong} Nor is there a file {path}.")
    return from_table(path)


def verifier(study: Study, settings: Settings) -> StudyTeacher | None:
    """Who reads the claims after the rules have; None where nobody does.

    Raises:
        StudyError: the reference teacher, which can only write.
    """
    if settings.verifier is None:
        return None
    name = settings.verifier.teacher.name
    if name == "reference":
        raise StudyError(
            "synth.verifier.teacher: 'reference' writes rationales and cannot judge any. Name a language model: "
            "openai, openai_batch or transformers."
        )
    return StudyTeacher(study, settings.verifier.teacher, "synth.verifier.teacher")


def asked_of(study: Study) -> Question:
    """What the study asks; where `[train]` words the question in its own way, so does the style `own`."""
    default = question(study)
    return default.model_copy(update={"text": str(study.train.get("question") or default.text)})
