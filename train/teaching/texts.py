"""The texts that targets are made of, as segments with loss groups.

Every answer has the same two frames, `Reasons:` and `Answer:`. A text decides their order, what stands behind them,
and which tokens the loss counts in which group.
"""

from ...cohort.records import Case
from ...synth.records import Rationale
from ..records import Example, Group, Segment
from . import wording

REASONS, ANSWER = "Reasons:", "\nAnswer:"
LABELS = (" no", " yes")
"""The label as text; one token each, see `train/encoding/encoder.py`."""

Examples = tuple[Example, ...]


def prompt(case: Case, question: str) -> Segment:
    """What every model is shown, whatever it is taught: the timeline, the age at the prediction, the question."""
    return shown(f"{case.timeline}\nAge now: {case.age:.1f}\n{question}\n")


def label_only(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The label after an empty rationale; only the label counts."""
    return (example(case, "label_only", prompt(case, question), shown(REASONS), shown(ANSWER), label(case)),)


def rationale_then_label(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The reasons, then the label; both count. Its read-outs: an empty, an own, or the teacher's rationale."""
    return _reasons_first(case, rationale.text if rationale else None, question)


def label_then_rationale(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The label, then the reasons; both count, and at test time nothing is written before the label is read."""
    return _label_first(case, rationale.text if rationale else None, question)


def two_tasks(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """Distilling step by step (Hsieh et al. 2023, arXiv 2305.02301): to predict and to explain are two tasks.

    Under `group_mean` each task has a mean of its own; only the first is asked at test time.
    """
    if rationale is None:
        return (answer(case, question),)
    why = taught(f" {rationale.text}")
    explain = example(case, "explain", prompt(case, question), shown(REASONS), why, end="rationale")
    return answer(case, question), explain


def two_branches(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The label alone, and beside it the reasons with the label behind them (arXiv 2510.16686).

    Under `token_mean` this is their Mix; under `group_mean`, where the second branch is one group, their Align.
    A model taught so can be read either way.
    """
    (reason,) = rationale_then_label(case, rationale, question)
    *before, last = reason.segments
    second = example(case, "reason", *before, Segment(text=last.text, group="rationale"))
    return answer(case, question), second


def one_order(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """Both sides, then the label. Which side comes first hangs on the case's id alone."""
    first = wording.SIDES[wording.draws(case.id, "order").integers(2)]
    return rationale_then_label(case, wording.side_first(rationale, first), question)


def both_orders(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """Both sides, then the label, once in either order (after TRIAGE, arXiv 2606.09030)."""
    if rationale is None:
        return rationale_then_label(case, None, question)
    orders = (wording.side_first(rationale, side) for side in wording.SIDES)
    return tuple(e for order in orders for e in rationale_then_label(case, order, question))


def label_then_shuffled(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The label, then the words of the reasons in a random order (Wadhwa et al. 2024, arXiv 2406.14511)."""
    text = wording.shuffled(rationale.text, case.id) if rationale else None
    return _label_first(case, text, question)


def label_then_key_words(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The label, then only the names of the findings that the reasons cite (the same paper's key tokens)."""
    text = wording.cited_names(rationale, case.timeline) if rationale else None
    return _label_first(case, text or None, question)


def answer(case: Case, question: str) -> Example:
    """The label at once, without a place for reasons."""
    return example(case, "answer", prompt(case, question), shown(ANSWER.lstrip()), label(case))


def example(case: Case, name: str, *segments: Segment, end: Group | None = None) -> Example:
    """An example without its empty segments."""
    return Example(case=case.id, target=name, segments=tuple(s for s in segments if s.text), end=end)


def shown(text: str) -> Segment:
    """Text that the model is given."""
    return Segment(text=text, group="prompt")


def taught(text: str) -> Segment:
    """Text of the reasons that the model learns to write."""
    return Segment(text=text, group="rationale")


def label(case: Case) -> Segment:
    """The label, or a place for it (`no`) where it is unknown: nothing at or after it is shown to a read-out."""
    return Segment(text=LABELS[case.label or 0], group="label")


def _reasons_first(case: Case, text: str | None, question: str) -> Examples:
    reasons = taught(f" {text}" if text else "")
    segments = (prompt(case, question), shown(REASONS), reasons, taught(ANSWER), label(case))
    return (example(case, "rationale_then_label", *segments),)


def _label_first(case: Case, text: str | None, question: str) -> Examples:
    why = () if text is None else (taught(f"\n{REASONS} {text}"),)
    segments = (prompt(case, question), shown(ANSWER.lstrip()), label(case), *why)
    return (example(case, "label_then_rationale", *segments, end="rationale"),)
