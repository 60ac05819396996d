"""A target: the label, then the latest line of the history. A task that needs no teacher."""

from wherefore.cohort.records import Case
from wherefore.synth.records import Rationale
from wherefore.train.records import Example, Segment
from wherefore.train.targets import ANSWER, LABELS, Target, prompt


def label_then_latest(case: Case, rationale: Rationale | None, question: str) -> tuple[Example, ...]:
    """The loss counts the label in one group and the line in another; a prompt is never counted."""
    latest = case.timeline.rstrip().rpartition("\n")[2]
    segments = (
        prompt(case, question),
        Segment(text=ANSWER.lstrip(), group="prompt"),
        Segment(text=LABELS[case.label or 0], group="label"),
        Segment(text=f"\nLatest: {latest}", group="rationale"),
    )
    return (Example(case=case.id, target="label_then_latest", segments=segments, end="rationale"),)


LABEL_THEN_LATEST = Target(label_then_latest, style=None)
