"""From the ledger to the stage's files, by pure functions: a better parser or check needs no request."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..study import layout
from ..study.files import writing
from ..study.records import Record, digest, write_text
from .answers import parse
from .balance import balanced_away
from .grounding.checks import Facts
from .histories import histories
from .ledger.calls import Accounts, Books, write_calls
from .ledger.ledger import Ledger
from .plan import Plan
from .prompts import template_hash
from .records import Grounding, Planted, Rationale, Refusal
from .teaching import Body, History, Request, again

Judged = tuple[History, Rationale | Refusal, Body | None]
"""Of one question: whom it was about, what became of it, the raw answer."""
Check = Callable[[Rationale, Facts], Grounding]
"""By the rules alone, or by the rules and a verifier."""


def derive_all(
    plan: Plan, ledgers: Sequence[Books], cohort: Path, folder: Path, away: frozenset[str], check: Check
) -> None:
    """Write rationales, groundings, refusals, calls and the summary into the stage's folder, row by row.

    Args:
        plan: what was asked.
        ledgers: the teacher's with its prices, then others whose calls count too.
        cohort: folder of the cohort stage.
        folder: of this stage.
        away: ids of rationales that are left out.
        check: of every claim.
    """
    ledger = ledgers[0][0]
    settings, tally = plan.settings, Tally()
    with ExitStack() as stack:
        kinds = (
            FILES
            if settings.teacher.name == "reference"
            else {k: v for k, v in FILES.items() if k is not Planted}
        )
        put = {kind: stack.enter_context(writing(folder / f"{name}.jsonl")) for kind, name in kinds.items()}

        facts: Facts | None = None
        for history, made, body in judged(plan, ledger, cohort):
            if facts is None or facts.case is not history.case:
                facts = Facts(history, plan.tables)
            for row in _rows(facts, made, body, away, check):
                if isinstance(row, Grounding) and settings.decides == "clinicians":
                    row = _left_to_clinicians(row)
                put[type(row)](row)
                tally.add(row)
    accounts = write_calls(ledgers, folder / layout.CALLS.name)
    lost = sum(len(attempts) for books, _ in ledgers for attempts in books.unanswered.values())
    summary = _summary(plan, tally, accounts, lost)
    write_text(folder / layout.SYNTH_SUMMARY.name, json.dumps(summary, indent=1))


def judged(plan: Plan, ledger: Ledger, cohort: Path) -> Iterator[Judged]:
    """What became of every question of a study, in order."""
    for history in histories(cohort, plan.settings.splits):
        yield from judge_case(plan, history, ledger)


def left_out(plan: Plan, ledger: Ledger, cohort: Path) -> frozenset[str]:
    """Ids of right rationales that go so that the classes keep their ratio; none where nothing is filtered."""
    if plan.settings.label != "filtered":
        return frozenset()
    return balanced_away(((h.case, made) for h, made, _ in judged(plan, ledger, cohort)), plan.study.seed)


def judge_case(plan: Plan, history: History, ledger: Ledger) -> Iterator[Judged]:
    """For every question about a case: a rationale, or why there is none."""
    if history.case.label is None:
        for style in plan.styles:
            for sample in range(plan.settings.samples):
                yield (
                    history,
                    _refusal(
                        history.case.id, style.name, sample, "censored", "lost before the horizon ended"
                    ),
                    None,
                )
    for request in plan.about(history):
        name, body = last_answer(request, ledger, plan.settings.reask)
        yield history, judge(plan, request, name, body, ledger), body


def judge(plan: Plan, request: Request, name: str, body: Body | None, ledger: Ledger) -> Rationale | Refusal:
    """A rationale from the answer stored under `name`, or why it is none."""
    history, style, sample = request.history, request.style, request.sample
    if body is None:
        kind, why = ledger.faults.get(name, ("not_asked", "no answer is stored"))
        return _refusal(history.case.id, style.name, sample, kind, why, name)
    answer = parse.read(body, style, request.body)
    reason, detail, truth = answer.reason, answer.detail, history.case.label
    told = request.label is not None
    if reason is None and answer.verdict is None and not told:
        reason, detail = "no_verdict", "the answer names no verdict"
    elif (
        reason is None and answer.verdict not in (None, truth) and (told or plan.settings.label == "filtered")
    ):
        reason, detail = "wrong_verdict", f"argues for {answer.verdict}, the outcome is {truth}"
    if reason is not None:
        return _refusal(history.case.id, style.name, sample, reason, detail, name)
    return Rationale(
        id=digest([history.case.id, style.name, sample, name]),
        case=history.case.id,
        style=style.name,
        sample=sample,
        teacher=plan.teacher.title,
        claims=answer.claims,
        verdict=answer.verdict,
        unread=answer.unread,
        label_shown=told,
        key=name,
    )


def last_answer(request: Request, ledger: Ledger, reask: int) -> tuple[str, Body | None]:
    """The answer that counts, with its key: the first that could be read when it came, or else the last."""
    name = request.key
    for repeat in range(1, reask + 1):
        later = again(request, repeat).key
        if name not in ledger.unreadable or later not in ledger:
            break
        name = later
    return name, ledger.body(name)


def _refusal(
    case: str, style: str, sample: int, reason: str, detail: str, name: str | None = None
) -> Refusal:
    return Refusal(case=case, style=style, sample=sample, reason=reason, detail=detail, key=name)


def _rows(
    facts: Facts, made: Rationale | Refusal, body: Body | None, away: frozenset[str], check: Check
) -> Iterator[Record]:
    """The rows that one judged question gives."""
    if isinstance(made, Refusal):
        yield made
        return
    if made.id in away:
        detail = "right, and left out so that the classes keep their ratio"
        yield _refusal(facts.case.id, made.style, made.sample, "balanced_away", detail, made.key)
        return
    yield made
    yield check(made, facts)
    for i, kind in enumerate((body or {}).get("planted") or ()):
        if kind:
            yield Planted(rationale=made.id, claim=i, fault=kind)


def _left_to_clinicians(grounding: Grounding) -> Grounding:
    checks = (
        c.model_copy(update={"left_to_clinicians": True}) if c.verdict == "undecided" else c
        for c in grounding.checks
    )
    return grounding.model_copy(update={"checks": tuple(checks)})


FILES: dict[type[Record], str] = {
    Rationale: "rationales",
    Grounding: "groundings",
    Refusal: "refusals",
    Planted: "planted",
}


class Tally:
    """Counts of what was written."""

    def __init__(self) -> None:
        self.styles, self.reasons = Counter[str](), Counter[str]()
        self.verdicts, self.faults, self.doubts = Counter[str](), Counter[str](), Counter[str]()
        self.kinds = Counter[str]()
        self.facts = self.without_facts = self.without_verdict = self.unread = 0
        self.verified = Counter[tuple[str, bool | None]]()
        """By what the rules found, and what the verifier said."""

    def add(self, row: Record) -> None:
        """Count one row."""
        if isinstance(row, Rationale):
            self.styles[row.style] += 1
            self.unread += row.unread
            self.without_verdict += row.verdict is None
        elif isinstance(row, Refusal):
            self.reasons[row.reason] += 1
        elif isinstance(row, Grounding):
            self.facts += row.facts
            self.without_facts += not row.facts
            self.verdicts.update(c.verdict for c in row.checks)
            self.kinds.update(c.kind for c in row.checks)
            self.faults.update(c.fault for c in row.checks if c.fault)
            self.doubts.update(c.doubt for c in row.checks if c.doubt)
            self.verified.update((c.rules or c.verdict, c.verifier) for c in row.checks)


def _summary(plan: Plan, tally: Tally, accounts: Accounts, lost: int) -> dict[str, Any]:
    return {
        "teacher": plan.teacher.title,
        "label": plan.settings.label,
        "rationales": tally.styles.total(),
        "by_style": tally.styles,
        "refusals": tally.reasons.total(),
        "refused": tally.reasons,
        "without_verdict": tally.without_verdict,
        "unread_claims": tally.unread,
        "claims": tally.verdicts.total(),
        "supported_claims": tally.verdicts["supported"],
        "faulty_claims": tally.verdicts["fault"],
        "undecided_claims": tally.verdicts["undecided"],
        "faults": tally.faults,
        "doubts": tally.doubts,
        "kinds": tally.kinds,
        "facts": tally.facts,
        "rationales_without_facts": tally.without_facts,
        "undecided": plan.settings.decides,
        "calls": accounts.calls,
        "possibly_billed_not_received": lost,
        "prompt_tokens": accounts.prompt_tokens,
        "completion_tokens": accounts.completion_tokens,
        "token_counts_that_do_not_add_up": accounts.uneven,
        "cost": accounts.cost,
        "verifier": _verified(plan, tally),
        "templates": {style.name: template_hash(style.name) for style in plan.styles},
    }


def _verified(plan: Plan, tally: Tally) -> dict[str, Any] | None:
    """Claims by what the rules found and what the verifier said; None where there is no verifier."""
    if plan.verifier is None:
        return None
    said = {True: "supported", False: "objected", None: "no_word"}
    return {
        "model": plan.verifier.title,
        "table": {
            rules: {said[word]: tally.verified[rules, word] for word in said}
            for rules in ("supported", "fault", "undecided")
        },
    }
