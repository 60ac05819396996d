"""What a run will take, before it starts: the teacher, its thinking, and the verifier."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean

from ..study.records import Record
from .answers.parse import ParsedAnswer
from .asking.spending import prompt_tokens
from .histories import count, histories
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
"""What a rationale is taken to hold before there is one."""


class Price(Record):
    """What asking one model takes in all, where every answer can be read at once and none is stored already."""

    who: str
    """As it stands in a report."""
    requests: int
    prompt_tokens: int
    answer_tokens: int
    thinking_tokens: int
    thinking_from: str
    """Where that number comes from; empty: this model cannot think."""
    money: float | None
    """Of everything, in the currency of `prices`; 0 for what runs on this machine; None: no prices are set."""
    thinking_money: float | None
    """The part of it that thinking takes."""

    @property
    def words(self) -> str:
        """Tokens and money in a phrase."""
        words = f"about {self.prompt_tokens / 1e6:.2g} M prompt and {self.answer_tokens / 1e6:.2g} M answer tokens"
        if self.thinking_tokens:
            each = self.thinking_tokens / self.requests
            words += (
                f", {self.thinking_tokens / 1e6:.2g} M of thinking ({each:g} an answer, {self.thinking_from})"
            )
        elif self.thinking_from:
            words += f" ({self.thinking_from})"
        if self.money:
            words += f", cost about {self.money:.2f}"
        return words


@dataclass(frozen=True)
class Priced:
    """Who is asked for the rationales, and who checks them."""

    teacher: Price
    verifier: Price | None

    @property
    def words(self) -> str:
        """Both in a phrase."""
        if self.verifier is None:
            return self.teacher.words
        return f"{self.teacher.words}; every rationale checked by {self.verifier.who}: {self.verifier.words}"


def priced_corpora(plan: RequestPlan, cohort: Path) -> dict[str, Priced | None]:
    """The study's own corpus, named by an empty string, and the others beside it."""
    return {name: priced(of, cohort) for name, of in {"": plan, **plan.others()}.items()}


def priced(plan: RequestPlan, cohort: Path) -> Priced | None:
    """What the rationales and the verifier's word on them take; None where no case has a label to explain."""
    total = count(cohort, plan.settings.splits) * plan.size
    sample = list(islice(histories(cohort, plan.settings.splits), SAMPLE))
    lengths = [
        sum(prompt_tokens(r.body) for r in _rounds(plan, first))
        for history in sample
        for first in plan.about(history)
    ]
    if not lengths:
        return None
    teacher = price(plan.teacher, plan.settings, total * plan.rounds, fmean(lengths) / plan.rounds)
    if plan.verifier is None or plan.settings.verifier is None:
        return Priced(teacher, None)
    read = [_verifying(plan.verifier, history) for history in sample if history.case.label is not None]
    return Priced(teacher, price(plan.verifier, plan.settings.verifier, total, fmean(read)))


def price(
    teacher: StudyTeacher, asking: Asking, requests: int, prompt: float, completion: float = COMPLETION
) -> Price:
    """What so many requests take.

    Args:
        teacher: who is asked.
        asking: the settings that go with it: prices, budget, thinking.
        requests: how many.
        prompt: tokens of one.
        completion: tokens of an answer, without thinking.
    """
    thinking, why = thinking_tokens(teacher, asking)
    local = asking.prices is None and not teacher.urls
    return Price(
        who=teacher.title,
        requests=requests,
        prompt_tokens=round(requests * prompt),
        answer_tokens=round(requests * completion),
        thinking_tokens=requests * thinking,
        thinking_from=why,
        money=0.0 if local else cost(asking.prices, requests * prompt, requests * (completion + thinking)),
        thinking_money=0.0 if local else cost(asking.prices, 0, requests * thinking),
    )


def _rounds(plan: RequestPlan, first: Request) -> Iterator[Request]:
    """The requests for one rationale: where the outcome is told late, the one after the draft too."""
    yield first
    if plan.dial.late:
        yield plan.after(first, ParsedAnswer(claims=CLAIMS, verdict=0))


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
