"""What a run will take, before it starts: the teacher, its thinking, and the verifier."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean

from .answers.parse import ParsedAnswer
from .asking.spending import prompt_tokens
from .histories import histories
from .ledger.calls import cost
from .plan import RequestPlan, StudyTeacher
from .prompts import turns
from .records import Claim, Prompt
from .settings import Asking
from .styles import VERIFY
from .teaching import History, Request

SAMPLE = 50
"""Cases whose prompts are made to learn their length."""
COMPLETION = 200
"""Tokens of an answer of 40 to 80 words in JSON, and of a verifier's words on five claims; without thinking."""
THINKING = {"none": 0, "minimal": 100, "low": 500, "medium": 2000, "high": 8000, "xhigh": 16000}
"""Tokens of thinking assumed for an answer, by `reasoning_effort`."""
_THINKS = re.compile(
    r"gpt-5|gpt-oss|\bo\d|r1\b|reason|think|qwq|magistral|qwen3|gemini-(?:2\.5|3)|grok-[34]", re.IGNORECASE
)
"""Names of models that think unless told otherwise."""
CLAIMS = (
    Claim(text="The history shows this finding at that age, which speaks for the outcome.", cites=("E001",)),
) * 5


def price(plan: RequestPlan, cohort: Path, total: int) -> str:
    """Tokens and, where the study names prices, money of `total` rationales and of the verifier's word, in words."""
    sample = list(islice(histories(cohort, plan.settings.splits), SAMPLE))
    lengths = [
        sum(prompt_tokens(r.body) for r in _rounds(plan, first))
        for history in sample
        for first in plan.about(history)
    ]
    if not lengths:
        return "no case has a label that could be explained"
    written = _in_words(plan.teacher, plan.settings, total * plan.rounds, total * fmean(lengths))
    if plan.verifier is None or plan.settings.verifier is None:
        return written
    read = [_verifying(plan.verifier, history) for history in sample if history.case.label is not None]
    checked = _in_words(plan.verifier, plan.settings.verifier, total, total * fmean(read))
    return f"{written}; every rationale checked by {plan.verifier.title}: {checked}"


def _rounds(plan: RequestPlan, first: Request) -> Iterator[Request]:
    """The requests for one rationale: where the outcome is told late, the one after the draft too."""
    yield first
    if plan.dial.late:
        yield plan.after(first, ParsedAnswer(claims=CLAIMS, verdict=0))


def _in_words(teacher: StudyTeacher, asking: Asking, answers: int, prompt: float) -> str:
    """Tokens and money of so many answers to so many prompt tokens."""
    thinking, why = thinking_tokens(teacher, asking)
    answer, thought = answers * COMPLETION, answers * thinking
    words = f"about {prompt / 1e6:.2g} M prompt and {answer / 1e6:.2g} M answer tokens"
    if thinking:
        words += f", {thought / 1e6:.2g} M of thinking ({thinking:g} an answer, {why})"
    elif why:
        words += f" ({why})"
    money = cost(asking.prices, prompt, answer + thought)
    return words if money is None else f"{words}, cost about {money:.2f}"


def _verifying(verifier: StudyTeacher, history: History) -> float:
    """Prompt tokens of a request to the verifier about a rationale of five claims."""
    messages, template = turns(VERIFY, age=history.case.age, timeline=history.case.timeline, claims=CLAIMS)
    return prompt_tokens(
        verifier.body(Prompt(case="", style=VERIFY, messages=messages, template=template), 0)
    )


def thinking_tokens(teacher: StudyTeacher, asking: Asking) -> tuple[int, str]:
    """Tokens of thinking in an answer, and where the number comes from.

    The study's `thinking_tokens`, or what is assumed for the effort that it asks for; never more than `max_tokens`.
    """
    options = teacher.options.model_dump()
    if asking.thinking_tokens is not None:
        return asking.thinking_tokens, "as thinking_tokens says"
    if "reasoning_effort" not in options:
        return 0, ""
    effort = options["reasoning_effort"] or options["extra"].get("reasoning_effort")
    if effort is None and not _THINKS.search(options["model"]):
        return 0, "without thinking; set thinking_tokens where the model thinks"
    named = str(effort or "medium")
    assumed = THINKING.get(named, THINKING["medium"])
    most = options["max_tokens"] or assumed
    return min(assumed, most), f"assumed for effort {named}; set thinking_tokens if you know"
