"""From the ledger to the stage's files, by pure functions: a better parser or check needs no request."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..study import layout
from ..study.files import writing
from ..study.records import Record, write_text
from .dial.told import IN_WORDS
from .grounding.checks import HistoryFacts
from .judging import Judged, judged
from .ledger.calls import Accounts, PricedLedger, write_calls
from .plan import RequestPlan
from .prompts import template_hash
from .records import Grounding, Planted, Rationale, Refusal

Check = Callable[[Rationale, HistoryFacts], Grounding]
"""By the rules alone, or by the rules and a verifier."""


def derive_all(
    plan: RequestPlan,
    ledgers: Sequence[PricedLedger],
    cohort: Path,
    folder: Path,
    left_out: frozenset[str],
    check: Check,
    accounts: bool = True,
) -> None:
    """Write rationales, groundings, refusals, calls and the summary into a corpus's folder, row by row.

    Args:
        plan: what was asked.
        ledgers: the teacher's with its prices, then others whose calls count too.
        cohort: folder of the cohort stage.
        folder: of this stage.
        left_out: ids of rationales that are left out.
        check: of every claim.
        accounts: whether the ledgers' calls are written and counted here.
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

        facts: HistoryFacts | None = None
        for question in judged(plan, ledger, cohort):
            if facts is None or facts.case is not question.history.case:
                facts = HistoryFacts(question.history, plan.tables)
            for row in _rows(facts, question, left_out, check):
                if isinstance(row, Grounding) and settings.decides == "clinicians":
                    row = _left_to_clinicians(row)
                put[type(row)](row)
                tally.add(row, question.history.case.label)
    account = write_calls(ledgers, folder / layout.CALLS.name) if accounts else Accounts(cost=None)
    lost = sum(len(attempts) for opened, _ in ledgers for attempts in opened.unanswered.values())
    summary = _summary(plan, tally, account, lost)
    write_text(folder / layout.SYNTH_SUMMARY.name, json.dumps(summary, indent=1))


def _rows(facts: HistoryFacts, question: Judged, left_out: frozenset[str], check: Check) -> Iterator[Record]:
    """The rows that one judged question gives."""
    rationale = question.outcome
    if isinstance(rationale, Refusal):
        yield rationale
        return
    if rationale.id in left_out:
        yield Refusal(
            case=rationale.case,
            style=rationale.style,
            sample=rationale.sample,
            reason="balanced_away",
            detail="right, and left out so that the classes keep their ratio",
            key=rationale.key,
        )
        return
    yield rationale
    yield check(rationale, facts)
    for i, kind in enumerate((question.body or {}).get("planted") or ()):
        if kind:
            yield Planted(rationale=rationale.id, claim=i, fault=kind)


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
        self.facts = self.without_facts = self.without_verdict = self.unread = self.outcome_told = 0
        self.blind = Counter[bool]()
        """Verdicts that the teacher gave before it was told the outcome, if ever: whether they are right."""
        self.verified = Counter[tuple[str, bool | None]]()
        """By what the rules found, and what the verifier said."""

    def add(self, row: Record, label: int | None) -> None:
        """Count one row about a case with this outcome."""
        if isinstance(row, Rationale):
            blind = row.draft_verdict if row.label_shown else row.verdict
            self.blind.update([] if blind is None else [blind == label])
            self.outcome_told += row.label_shown
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


def _summary(plan: RequestPlan, tally: Tally, accounts: Accounts, lost: int) -> dict[str, Any]:
    return {
        "teacher": plan.teacher.title,
        "label": plan.settings.label,
        "told": IN_WORDS[plan.settings.label],
        "outcome_told": tally.outcome_told,
        "verdicts_without_the_outcome": tally.blind.total(),
        "right_without_the_outcome": tally.blind[True],
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


def _verified(plan: RequestPlan, tally: Tally) -> dict[str, Any] | None:
    """Claims by what the rules found and what the verifier said; None where there is no verifier."""
    if plan.verifier is None:
        return None
    word_for = {True: "supported", False: "objected", None: "no_word"}
    return {
        "model": plan.verifier.title,
        "table": {
            rules: {word_for[word]: tally.verified[rules, word] for word in word_for}
            for rules in ("supported", "fault", "undecided")
        },
    }
