"""The ways to explain. A style is one template in `templates/prompts/` and one line in the table below."""

from typing import Literal

from ..study import parts
from ..study.records import Record


class Style(Record):
    """What a rationale in this style is made of."""

    name: str
    sections: tuple[str, ...] = ()
    """Headings, in order; empty: flowing text."""
    form: Literal["json", "text", "checks", "object"] = "json"
    """What the answer looks like: an object, a student's text with `Answer: yes` at its end, a verifier's checks,
    any object."""


STYLES = {
    style.name: style
    for style in (
        Style(name="free"),
        Style(name="stepwise", sections=("Risk factors", "Against", "Judgement")),
        Style(name="for_and_against", sections=("For", "Against", "Weighing")),
        Style(name="against_and_for", sections=("Against", "For", "Weighing")),
        Style(name="evidence_list", sections=("Evidence", "Judgement")),
        Style(name="counterfactual", sections=("Reasons", "Counterfactual")),
        Style(name="own", form="text"),
    )
}

PROSE = frozenset(name for name, style in STYLES.items() if style.form == "text")
"""Styles whose answers are text; no endpoint is to hold them to JSON."""

LATE = "late"
"""The template of the turn after a draft, which tells the outcome; no style to choose."""
VERIFY = "verify"
"""The template by which claims are checked; it explains nothing and is no style to choose."""


def style(name: str) -> Style:
    """The style called `name`.

    Raises:
        StudyError: no such style, with what there is.
    """
    return parts.pick(STYLES, "style", name)
