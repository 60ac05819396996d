"""Where the reference teacher leans: what it sees for itself, and what it is told."""

from dataclasses import dataclass

import numpy as np

from ...cohort.records import Evidence
from ..dial.told import Hint, odds
from ..grounding.lexicon import BY_NAME, finding_of
from ..teaching import History


@dataclass(frozen=True, slots=True)
class View:
    """Where a writer leans, between 0 (no diagnosis) and 1 (a diagnosis)."""

    choice: float
    """In the findings that it picks."""
    words: float
    """In how it words them: the probability that it argues for a diagnosis, drawn for each sentence."""
    verdict: int
    concludes: float
    """Probability that it says its verdict outright."""

    def side(self, rng: np.random.Generator) -> int:
        """Which side the next sentence takes; nothing is drawn where it is certain."""
        return int(self.words) if self.words in (0, 1) else int(rng.random() < self.words)


def view_of(
    history: History, shown: list[Evidence], hint: Hint, hindsight: float, rng: np.random.Generator
) -> View:
    """What a writer makes of what it is told and of what it sees for itself."""
    if hint.label is not None and hindsight == 1 and not hint.late:
        return View(hint.label, hint.label, hint.label, 1.0)
    own = _judge(history, shown, rng, hindsight * odds(hint.risk) if hint.risk is not None else 0.0)
    if hint.label is None:
        return View(own, own, own, 1.0)
    leans = (1 - hindsight) * own + hindsight * hint.label
    return View(own if hint.late else leans, leans, hint.label, hindsight)


def weight(e: Evidence) -> float:
    """How much a line says about dementia; 0 where nothing is known."""
    finding = finding_of(e.name, e.code)
    return BY_NAME[finding].weight if finding else 0.0


def _judge(history: History, shown: list[Evidence], rng: np.random.Generator, prior: float) -> int:
    """A verdict without the label: age doubles the odds every five years, findings multiply, plus doubt.

    Args:
        history: of the case.
        shown: its lines that may be told.
        rng: of this answer.
        prior: log odds that it was told, beside its own.
    """
    findings = {f for e in shown if (f := finding_of(e.name, e.code))}
    score = (
        0.139 * (history.case.age - 75)
        + sum(BY_NAME[f].weight for f in findings)
        - 1.0
        + 0.7 * rng.standard_normal()
        + prior
    )
    return int(score > 0)
