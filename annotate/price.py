"""What asking the judge will take, before there is a rationale to grade."""

import json
from itertools import islice
from pathlib import Path
from statistics import fmean

from ..study.config import Study
from ..study.runs import manifest
from ..synth.asking.spending import CHARACTERS, prompt_tokens
from ..synth.histories import count, histories
from ..synth.plan import StudyTeacher
from ..synth.plan import resolve as rationales
from ..synth.price import CLAIMS, SAMPLE, Price, price
from ..synth.settings import Asking
from . import judge
from .records import Rubric
from .settings import Settings


def judge_price(study: Study, settings: Settings, rubric: Rubric, home: Path) -> Price | None:
    """What the judge's replies take; None without a judge, and before the cohort is made.

    Args:
        study: as written.
        settings: of the stage.
        rubric: what is asked about a rationale.
        home: the run folder.
    """
    if settings.judge is None or manifest(home / "cohort") is None:
        return None
    asking = Asking(
        teacher=settings.judge.teacher,
        prices=settings.judge.prices,
        thinking_tokens=settings.judge.thinking_tokens,
    )
    teacher = StudyTeacher(study, asking.teacher, "annotate.judge")
    lengths = [
        prompt_tokens(teacher.body(judge.asked(rubric, settings.question, history.case, CLAIMS), 0))
        for history in islice(histories(home / "cohort", settings.splits), SAMPLE)
    ]
    if not lengths:
        return None
    synth = rationales(study)
    there = count(home / "cohort", settings.splits) * len(synth.styles) * synth.samples
    return price(teacher, asking, min(settings.items, there), fmean(lengths), _reply(rubric))


def _reply(rubric: Rubric) -> float:
    """Tokens of a reply that answers every question."""
    claim, whole = (
        {d.name: d.categories[0] for d in rubric.dimensions if bool(d.per_claim) is per_claim}
        for per_claim in (True, False)
    )
    return len(json.dumps({"sentences": [claim] * len(CLAIMS), "whole": whole})) / CHARACTERS
