"""A language model reads every claim after the rules have: what they cannot decide, it may.

It is shown the lines that the teacher was shown and the numbered claims, never the outcome. Where the rules support
a claim and it does not, the claim has the fault `verify`. What they leave undecided it decides, where the study says
so: a suspicion (`uncited`, `unsupported_number`, ...) is cleared or confirmed. A fault that the rules are sure of
stays one. Its answers stand in a ledger of their own, `synth/verifier/`, so that a re-run asks nothing twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..study.seeds import derive
from .answers import parse
from .answers.parse import ParsedAnswer
from .derive import Check as Checker
from .grounding.checks import HistoryFacts, ground
from .judging import judged
from .ledger.calls import PricedLedger
from .ledger.ledger import Ledger, set_aside
from .ledger.stored import stored
from .plan import RequestPlan
from .prompts import turns
from .records import Check, Grounding, Prompt, Rationale
from .settings import Asking
from .shards import ask_all
from .styles import VERIFY, Style
from .teaching import History, Request, key

STYLE = Style(name=VERIFY, form="checks")


class Verifier:
    """The rules and a model's word, behind the interface of `grounding.ground`.

    Args:
        plan: with a verifier.
        ledger: of the verifier's answers.
    """

    def __init__(self, plan: RequestPlan, ledger: Ledger) -> None:
        assert plan.verifier is not None
        assert plan.settings.verifier is not None
        self.settings: Asking = plan.settings.verifier
        self.ledger, self._plan, self._teacher = ledger, plan, plan.verifier

    def request(self, rationale: Rationale, history: History) -> Request:
        """What is asked about one rationale."""
        messages, template = turns(
            VERIFY, age=history.case.age, timeline=history.case.timeline, claims=rationale.claims
        )
        prompt = Prompt(case=history.case.id, style=VERIFY, messages=messages, template=template)
        seed = derive(self._plan.study.seed, "synth", "verifier", rationale.id)
        body = self._teacher.body(prompt, seed)
        return Request(key(body), body, history, STYLE, rationale.sample, None)

    def ground(self, rationale: Rationale, facts: HistoryFacts) -> Grounding:
        """Check every claim of a rationale by the rules, then by what the model said of it."""
        grounding = ground(rationale, facts)
        request = self.request(rationale, facts.history)
        body = stored(request, self.ledger, self.settings.reask).body
        words = parse.read_checks(body, len(grounding.checks)) if body is not None else ParsedAnswer()
        if isinstance(words, ParsedAnswer):
            return grounding
        decides = self._plan.settings.decides == "verifier"
        checks = tuple(_joined(c, word, decides) for c, word in zip(grounding.checks, words, strict=True))
        return Grounding(rationale=rationale.id, checks=checks)


def _joined(check: Check, word: tuple[bool, str] | None, decides: bool) -> Check:
    """The check with the model's word; it settles what the rules left undecided where it `decides`."""
    if word is None:
        return check
    supported, why = word
    checked = check.model_copy(update={"verifier": supported, "rules": check.verdict})
    if check.verdict == "fault" or (check.verdict == "undecided" and not decides):
        return checked
    if supported:
        return checked.model_copy(update={"verdict": "supported", "doubt": None, "why": ""})
    return checked.model_copy(update={"verdict": "fault", "doubt": None, "fault": VERIFY, "why": why})


@contextmanager
def checking(
    plan: RequestPlan, ledger: Ledger, cohort: Path, folder: Path, expected: int, left_out: frozenset[str]
) -> Iterator[tuple[list[PricedLedger], Checker]]:
    """How claims are checked, and the ledgers whose calls count; the verifier, where there is one, is asked first.

    Args:
        plan: of the study.
        ledger: with the teacher's answers.
        cohort: folder of the cohort stage.
        folder: of this stage.
        expected: about how many rationales there are.
        left_out: ids of those that are left out.
    Raises:
        PendingError: stopped before the end.
    """
    ledgers: list[PricedLedger] = [(ledger, plan.settings.prices)]
    if plan.verifier is None:
        yield ledgers, ground
        return
    with Ledger(folder / "verifier", expected=expected, also=set_aside(folder.parent, "verifier")) as own:
        verifier = Verifier(plan, own)
        requests = (
            verifier.request(j.outcome, j.history)
            for j in judged(plan, ledger, cohort)
            if isinstance(j.outcome, Rationale) and j.outcome.id not in left_out
        )
        ask_all(plan.verifier, verifier.settings, own, requests, expected, "verifier")
        yield [*ledgers, (own, verifier.settings.prices)], verifier.ground
