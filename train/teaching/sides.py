"""Questions beside the main one whose answers stand in the record, so that they can be taught without a teacher."""

from collections.abc import Iterator

from ...cohort.line import Line, lines
from ...cohort.records import Case
from ...synth.grounding.lexicon import FINDINGS, finding_of, findings_in
from ...synth.records import Rationale
from ..records import Example, Segment
from . import texts
from .texts import ANSWER, LABELS, Examples
from .wording import draws

ASKED = tuple(f.name for f in FINDINGS if f.weight > 0)
"""Findings that are asked about: those with a known part in the outcome's models."""


def with_side_questions(case: Case, rationale: Rationale | None, question: str) -> Examples:
    """The label, and beside it three questions about the record: a finding that is there, one that is not, a count.

    Verifiable side tasks, after Dementia-R1 (arXiv 2601.03018). Each answer is of the loss group `auxiliary`.
    """
    sides = (_side(case, text, answer) for text, answer in side_questions(case))
    return (texts.answer(case, question), *sides)


def side_questions(case: Case) -> Iterator[tuple[str, str]]:
    """Questions about a case's timeline, with their answers; the same each time."""
    draw, shown = draws(case.id, "side questions"), lines(case.timeline)
    present = {name for line in shown if (name := finding_of(line.what, ""))}
    named = {name for line in shown for name, _, _ in findings_in(line.said)}  # in whatever sense
    for names, answer in (
        ([n for n in ASKED if n in present], LABELS[1]),
        ([n for n in ASKED if n not in named], LABELS[0]),
    ):
        if names:
            yield f"Does the history show {names[draw.integers(len(names))]}?", answer
    yield "How many lines does the history have?", f" {len(shown)}"
    drugs = _under("Drugs:", case.timeline)
    if drugs is not None:
        yield "How many drugs does the history list?", f" {len(drugs)}"


def _under(heading: str, timeline: str) -> list[Line] | None:
    """The lines under a heading; None where the timeline has no headings."""
    every = timeline.splitlines()
    if not any(text.endswith(":") for text in every):
        return None
    if heading not in every:
        return []
    below = every[every.index(heading) + 1 :]
    end = next((i for i, text in enumerate(below) if text.endswith(":")), len(below))
    return lines("\n".join(below[:end]))


def _side(case: Case, question: str, answer: str) -> Example:
    segments = (
        texts.prompt(case, question),
        texts.shown(ANSWER.lstrip()),
        Segment(text=answer, group="auxiliary"),
    )
    return texts.example(case, "side_question", *segments)
