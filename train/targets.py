"""What a model is taught to write: a function from a case and its rationale to text with loss groups.

The functions stand in `train/teaching/`. A new target is one function and one line in the table below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..cohort.records import Case
from ..study.parts import Catalogue
from ..synth.records import Rationale
from .records import Example
from .teaching import course, sides, texts
from .teaching.course import Moment
from .teaching.texts import ANSWER as ANSWER
from .teaching.texts import LABELS as LABELS
from .teaching.texts import REASONS as REASONS
from .teaching.texts import prompt as prompt

Build = Callable[[Case, Rationale | None, str], tuple[Example, ...]]
"""(case, its rationale or None, the question) to the examples that teach it: first the one whose label is read at
once, last the one with reasons; most targets have one that is both. Without a rationale the same function gives the
text that a read-out starts from."""

Course = Callable[[Case, Rationale, str, Moment], tuple[Example, ...]]
"""The same at a moment of the fit."""


@dataclass(frozen=True)
class Target:
    """A way to supervise, and what it needs."""

    build: Build
    style: str | None
    """Of the rationales it is taught with; None: it needs none."""
    reasons_first: bool = False
    """The model writes its reasons before its label, so that risk can be read after them."""
    loss: str | None = None
    """A loss of its own, in `train/fitting/losses.py`; None: the grid's."""
    course: Course | None = None
    """What is taught when, for targets that change in the course of a fit; None: `build`, always."""
    stages: int = 1
    """Stages of the fit, each with an optimiser and a schedule of its own."""
    reads: Literal["reasons_first", "label_first"] | None = None
    """The format in which it is meant to be read; None: the one it is written in."""
    fitted: bool = True
    """False: the base as it is."""

    @property
    def format(self) -> Literal["reasons_first", "label_first"]:
        """The format in which its risk is read unless a study asks otherwise."""
        return self.reads or ("reasons_first" if self.reasons_first else "label_first")

    def taught(
        self, case: Case, rationale: Rationale | None, question: str, moment: Moment
    ) -> tuple[Example, ...]:
        """The examples of a case at a moment of the fit."""
        if self.course is None or rationale is None:
            return self.build(case, rationale, question)
        return self.course(case, rationale, question, moment)


def _reasons(style: str, build: Build = texts.rationale_then_label) -> Target:
    return Target(build, style=style, reasons_first=True)


_TARGETS: dict[str, Target] = {
    "untrained": Target(texts.label_only, style=None, fitted=False),
    "label_only": Target(texts.label_only, style=None),
    "brier": Target(texts.label_only, style=None, loss="brier"),
    "log_score": Target(texts.label_only, style=None, loss="log_score"),
    "auxiliary": Target(sides.with_side_questions, style=None),
    "free_rationale": _reasons("free"),
    "stepwise_rationale": _reasons("stepwise"),
    "evidence_list": _reasons("evidence_list"),
    "counterfactual": _reasons("counterfactual"),
    "own": _reasons("own"),
    "for_and_against": _reasons("for_and_against", texts.one_order),
    "dialectical": _reasons("for_and_against", texts.both_orders),
    "label_weighted": Target(
        texts.rationale_then_label, style="free", reasons_first=True, loss="label_weighted"
    ),
    "rationale_dropout": Target(
        texts.rationale_then_label,
        "free",
        reasons_first=True,
        course=course.rationale_dropout,
        reads="label_first",
    ),
    "internalise": Target(
        texts.rationale_then_label, "free", reasons_first=True, course=course.internalise, reads="label_first"
    ),
    "sft_key": Target(
        texts.rationale_then_label, "free", reasons_first=True, course=course.label_last, stages=2
    ),
    "label_then_rationale": Target(texts.label_then_rationale, style="free"),
    "token_shuffle": Target(texts.label_then_shuffled, style="free"),
    "key_tokens": Target(texts.label_then_key_words, style="free"),
    "two_tasks": Target(texts.two_tasks, style="free"),
    "two_branches": _reasons("free", texts.two_branches),
    "mix": Target(texts.two_branches, style="free", reasons_first=True, loss="token_mean"),
    "align": Target(texts.two_branches, style="free", reasons_first=True, loss="group_mean"),
}

TARGETS = Catalogue("wherefore.targets", "target", Target, _TARGETS)
"""By the name in `[grid] target`; other packages add to it by entry points."""
