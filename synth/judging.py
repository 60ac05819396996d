"""What became of every question: a rationale, or a refusal by name. Pure, from the ledger."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..study.records import digest
from .answers import parse
from .answers.parse import ParsedAnswer
from .balance import balanced_away
from .histories import histories
from .ledger.ledger import Ledger
from .ledger.stored import StoredAnswer, stored
from .plan import RequestPlan
from .records import Rationale, Refusal
from .teaching import Body, History, Request


class Judged(NamedTuple):
    """One question, and what became of it."""

    history: History
    outcome: Rationale | Refusal
    body: Body | None
    """The raw answer."""


def judged(plan: RequestPlan, ledger: Ledger, cohort: Path) -> Iterator[Judged]:
    """Every question of a study, in order."""
    for history in histories(cohort, plan.settings.splits):
        yield from judge_case(plan, history, ledger)


def left_out_ids(plan: RequestPlan, ledger: Ledger, cohort: Path) -> frozenset[str]:
    """Of right rationales that go so that the classes keep their ratio; empty where nothing is filtered."""
    if plan.settings.label != "filtered":
        return frozenset()
    return balanced_away(((j.history.case, j.outcome) for j in judged(plan, ledger, cohort)), plan.study.seed)


def judge_case(plan: RequestPlan, history: History, ledger: Ledger) -> Iterator[Judged]:
    """Every question about a case."""
    case = history.case
    if case.label is None:
        for style in plan.styles:
            for sample in range(plan.settings.samples):
                why = "lost before the horizon ended"
                censored = Refusal(
                    case=case.id, style=style.name, sample=sample, reason="censored", detail=why
                )
                yield Judged(history, censored, None)
    for request in plan.about(history):
        yield _late(plan, request, ledger) if plan.dial.late else _judge(plan, request, ledger)


def revisions(plan: RequestPlan, history: History, ledger: Ledger) -> Iterator[Request]:
    """The second questions about a case, which tell the outcome: of those drafts that can be read."""
    for draft in plan.about(history):
        answer = _read(draft, stored(draft, ledger, plan.settings.reask))
        if answer.reason is None:
            yield plan.after(draft, answer)


def _late(plan: RequestPlan, draft: Request, ledger: Ledger) -> Judged:
    """The answer after the draft; a draft that cannot be read ends as its refusal."""
    draft_answer = stored(draft, ledger, plan.settings.reask)
    answer = _read(draft, draft_answer)
    if answer.reason is None:
        return _judge(plan, plan.after(draft, answer), ledger, answer.verdict)
    answer = answer.model_copy(update={"detail": f"the draft: {answer.detail}"})
    return Judged(draft.history, _refusal(draft, answer, draft_answer.key), draft_answer.body)


def _judge(plan: RequestPlan, request: Request, ledger: Ledger, draft: int | None = None) -> Judged:
    """A rationale from the stored answer, or why it is none.

    Args:
        plan: of the study.
        request: the last one about this question.
        ledger: with the answers.
        draft: the verdict of the draft before it.
    """
    entry = stored(request, ledger, plan.settings.reask)
    answer = _with_right_verdict(_read(request, entry), request, plan.settings.label == "filtered")
    if answer.reason is not None:
        return Judged(request.history, _refusal(request, answer, entry.key), entry.body)
    case, style, sample = request.history.case, request.style.name, request.sample
    rationale = Rationale(
        id=digest([case.id, style, sample, entry.key]),
        case=case.id,
        style=style,
        sample=sample,
        teacher=plan.teacher.title,
        claims=answer.claims,
        verdict=answer.verdict,
        unread=answer.unread,
        label_shown=request.label is not None,
        risk_told=request.risk,
        draft_verdict=draft,
        key=entry.key,
    )
    return Judged(request.history, rationale, entry.body)


def _read(request: Request, answer: StoredAnswer) -> ParsedAnswer:
    if answer.body is None:
        return ParsedAnswer(reason=answer.fault, detail=answer.detail)
    return parse.read(answer.body, request.style, request.body)


def _with_right_verdict(answer: ParsedAnswer, request: Request, filtered: bool) -> ParsedAnswer:
    """The answer, or a refusal where its verdict is missing or wrong and may not be."""
    is_told, truth = request.label is not None, request.history.case.label
    if answer.reason is not None:
        return answer
    if answer.verdict is None and not is_told:
        return ParsedAnswer(reason="no_verdict", detail="the answer names no verdict")
    if answer.verdict not in (None, truth) and (is_told or filtered):
        return ParsedAnswer(
            reason="wrong_verdict", detail=f"argues for {answer.verdict}, the outcome is {truth}"
        )
    return answer


def _refusal(request: Request, answer: ParsedAnswer, key: str) -> Refusal:
    return Refusal(
        case=request.history.case.id,
        style=request.style.name,
        sample=request.sample,
        reason=answer.reason or "",
        detail=answer.detail,
        key=key,
    )
