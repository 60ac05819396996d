"""Targets whose text changes in the course of a fit: reasons are left out, taken away, or no longer counted.

A course is a function of the moment; it hangs on the case's id, the epoch and the fit's seed alone, so that a fit
that is resumed is taught the same.
"""

from dataclasses import dataclass

from ...cohort.records import Case
from ...study.seeds import derive
from ...synth.records import Rationale
from ..records import Segment
from . import texts, wording
from .texts import Examples


@dataclass(frozen=True)
class Moment:
    """When in a fit an example is taught."""

    epoch: int
    epochs: int
    seed: int = 0
    """Of the fit."""
    dropped: float | None = None
    """Share of rationales that are left out, where the study gives one."""

    @property
    def progress(self) -> float:
        """From 0 in the first epoch to 1 in the last."""
        return self.epoch / (self.epochs - 1) if self.epochs > 1 else 1.0


def rationale_dropout(case: Case, rationale: Rationale, question: str, moment: Moment) -> Examples:
    """Reasons and label, or with some probability the label alone, drawn anew for each case and epoch.

    The probability is the study's; without one it rises from 0 in the first epoch to 1 in the last.
    """
    probability = moment.progress if moment.dropped is None else moment.dropped
    draw = derive(moment.seed, "train", "dropout", moment.epoch, case.id) / 2**63
    build = texts.label_only if draw < probability else texts.rationale_then_label
    return build(case, rationale, question)


def internalise(case: Case, rationale: Rationale, question: str, moment: Moment) -> Examples:
    """The reasons without their first words, of which more go with each epoch, until the label stands alone.

    Stepwise internalisation (Deng et al. 2024, arXiv 2405.14838), by words, so the same for every tokenizer.
    """
    left = wording.without_beginning(rationale.text, moment.progress)
    if not left:
        return texts.label_only(case, None, question)
    (whole,) = texts.rationale_then_label(case, rationale, question)
    segments = [texts.taught(f" {left}") if s.text == f" {rationale.text}" else s for s in whole.segments]
    return (texts.example(case, whole.target, *segments),)


def label_last(case: Case, rationale: Rationale, question: str, moment: Moment) -> Examples:
    """Reasons and label; in the second stage the reasons are shown and the label alone counts.

    SFTKey (arXiv 2512.21017), with the two stages inside the epochs of the study, so that compute is equal.
    """
    (whole,) = texts.rationale_then_label(case, rationale, question)
    if moment.epoch < first_stage(moment.epochs):
        return (whole,)
    segments = [
        Segment(text=s.text, group="label" if s.group == "label" else "prompt") for s in whole.segments
    ]
    return (texts.example(case, whole.target, *segments),)


def first_stage(epochs: int) -> int:
    """Epochs of the first of two stages: half, rounded up.

    >>> [first_stage(n) for n in (2, 3, 4)]
    [1, 2, 2]
    """
    return (epochs + 1) // 2
