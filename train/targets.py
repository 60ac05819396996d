"""What a model is taught to write: a function from a case and its rationale to text with loss groups.

Every answer has the same two frames, `Reasons:` and `Answer:`. A target decides their order, what stands behind
them, and which tokens the loss counts in which group. A new target is one function and one line in the table.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..cohort.records import Case
from ..study.parts import Catalogue
from ..synth.records import Rationale
from .records import Example, Group, Segment

REASONS, ANSWER = "Reasons:", "\nAnswer:"
LABELS = (" no", " yes")
"""The label as text; one token each, see `train/encoding/encoder.py`."""

Build = Callable[[Case, Rationale | None, str], tuple[Example, ...]]
"""(case, its rationale or None, the question) to the examples that teach it: first the one whose label is read at
once, last the one with reasons; most targets have one that is both. Without a rationale the same function gives the
text that a read-out starts from."""


@dataclass(frozen=True)
class Target:
    """A way to supervise, and what it needs."""

    build: Build
    style: str | None
    """Of the rationales it is taught with; None: it needs none."""
    reasons_first: bool = False
    """The model writes its reasons before its label, so that risk can be read after them."""


def prompt(case: Case, question: str) -> Segment:
    """What every model is shown, whatever it is taught: the timeline, the age at the prediction, the question."""
    return Segment(text=f"{case.timeline}\nAge now: {case.age:.1f}\n{question}\n", group="prompt")


def label_only(case: Case, rationale: Rationale | None, question: str) -> tuple[Example, ...]:
    """The label after an empty rationale; only the label counts."""
    return (_example(case, "label_only", prompt(case, question), _p(REASONS), _p(ANSWER), _label(case)),)


def rationale_then_label(case: Case, rationale: Rationale | None, question: str) -> tuple[Example, ...]:
    """The reasons, then the label; both count. Its read-outs: an empty, an own, or the teacher's rationale."""
    reasons = _r(f" {rationale.text}" if rationale else "")
    return (
        _example(
            case, "rationale_then_label",
            prompt(case, question), _p(REASONS), reasons, _r(ANSWER), _label(case),
        ),
    )  # fmt: skip


def label_then_rationale(case: Case, rationale: Rationale | None, question: str) -> tuple[Example, ...]:
    """The label, then the reasons; both count, and at test time nothing is written before the label is read."""
    why = () if rationale is None else (_r(f"\n{REASONS} {rationale.text}"),)
    return (
        _example(
            case, "label_then_rationale",
            prompt(case, question), _p(ANSWER.lstrip()), _label(case), *why, end="rationale",
        ),
    )  # fmt: skip


def two_tasks(case: Case, rationale: Rationale | None, question: str) -> tuple[Example, ...]:
    """Distilling step by step (Hsieh et al. 2023, arXiv 2305.02301): to predict and to explain are two tasks.

    Under `group_mean` each task has a mean of its own; only the first is asked at test time.
    """
    why = () if rationale is None else (_r(f" {rationale.text}"),)
    explain = _example(case, "explain", prompt(case, question), _p(REASONS), *why, end="rationale")
    return (_answer(case, question), explain) if why else (_answer(case, question),)


def two_branches(case: Case, rationale: Rationale | None, question: str) -> tuple[Example, ...]:
    """The label alone, and beside it the reasons with the label behind them (arXiv 2510.16686).

    Under `token_mean` this is their Mix; under `group_mean`, where all of the second branch is one group, their Align
    with equal weights. A model taught so can be read either way.
    """
    (reason,) = rationale_then_label(case, rationale, question)
    *before, label = reason.segments
    return (
        _answer(case, question),
        _example(case, "reason", *before, Segment(text=label.text, group="rationale")),
    )


def _answer(case: Case, question: str) -> Example:
    return _example(case, "answer", prompt(case, question), _p(ANSWER.lstrip()), _label(case))


def _example(case: Case, target: str, *segments: Segment, end: Group | None = None) -> Example:
    return Example(case=case.id, target=target, segments=tuple(s for s in segments if s.text), end=end)


def _p(text: str) -> Segment:
    return Segment(text=text, group="prompt")


def _r(text: str) -> Segment:
    return Segment(text=text, group="rationale")


def _label(case: Case) -> Segment:
    """The label, or a place for it (`no`) where it is unknown: nothing at or after it is shown to a read-out."""
    return Segment(text=LABELS[case.label or 0], group="label")


_TARGETS: dict[str, Target] = {
    "label_only": Target(label_only, style=None),
    "free_rationale": Target(rationale_then_label, style="free", reasons_first=True),
    "stepwise_rationale": Target(rationale_then_label, style="stepwise", reasons_first=True),
    "label_then_rationale": Target(label_then_rationale, style="free"),
    "two_tasks": Target(two_tasks, style="free"),
    "two_branches": Target(two_branches, style="free", reasons_first=True),
}

TARGETS = Catalogue("wherefore.targets", "target", Target, _TARGETS)
"""By the name in `[grid] target`; other packages add to it by entry points."""
