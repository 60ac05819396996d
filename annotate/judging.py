"""Asking the judge, and asking again where a reply does not fit the rubric."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..study import layout
from ..study.config import Study
from ..study.records import write_jsonl
from ..synth.questions import ModelSettings, ObjectQuestion, RefusedReply, ask_objects
from . import judge
from .graded import GradedForm
from .plan import GradingPlan
from .settings import Judge


class JudgeAnswers(NamedTuple):
    """What the judge said of every item, and which replies were not used."""

    forms: tuple[GradedForm, ...]
    refused: tuple[RefusedReply, ...]

    @property
    def lines(self) -> list[str]:
        """Why items have no grades, and how many replies were sent back."""
        back = Counter(r.reason for r in self.refused if not r.final)
        counts = ", ".join(f"{n} {reason}" for reason, n in back.most_common())
        sent = [f"asked again: {counts}"] if back else []
        return sent + [f"{r.name}: {r.reason}: {r.detail}" for r in self.refused if r.final]


def ask(study: Study, plan: GradingPlan, settings: Judge, folder: Path) -> JudgeAnswers:
    """Ask about every item and write the answers; what is stored in `folder/judge/` is not asked again.

    Args:
        study: whose permission it is.
        plan: what is graded.
        settings: who is asked.
        folder: `runs/<study>/annotate`.
    Raises:
        StudyError: the records may not be sent there.
        ServiceError: no request can succeed.
        PendingError: stopped before the end.
    """
    model = ModelSettings(
        part=settings.teacher,
        key="annotate.judge",
        parallel=settings.parallel,
        reask=settings.reask,
    )
    questions = [
        ObjectQuestion(name=item.id, case=plan.cases[item.case], prompt=judge.prompt(plan, item))
        for item in plan.items.values()
    ]

    def check(name: str, reply: Mapping[str, Any]) -> str | None:
        return judge.unfit(plan.items[name], reply, plan.rubric)

    answers = ask_objects(study, model, questions, folder / judge.NAME, check)
    forms = [judge.answer(plan.items[name], o, plan.rubric) for name, o in answers.objects.items()]
    write_jsonl(folder / judge.FILE, forms)
    write_jsonl(folder / layout.JUDGE_FAULTS.name, answers.refused)
    return JudgeAnswers(tuple(forms), tuple(answers.refused))
