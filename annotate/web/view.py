"""What the page shows of an item, and a form as it travels between the page and Label Studio."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from ...cohort.line import evidence_ids
from ...study.records import Record
from ..answers import FormCheck, control
from ..design.items import Item, claim_text
from ..graded import GradedForm, Mark, Text, TextKind
from ..label_studio import forms, page
from ..plan import GradingPlan
from ..records import Rubric, Task

TEXTS: Mapping[str, TextKind] = {"note": "note", "comment": "comment", "edited": "edited"}


class PageForm(Record):
    """A form as the page sends it: answers and texts by name, with the number of the sentence behind it."""

    answers: dict[str, str] = Field(default_factory=dict, max_length=1000)
    texts: dict[str, str] = Field(default_factory=dict, max_length=1000)
    seconds: float = Field(default=0.0, ge=0, le=10**7)


def rubric(plan: GradingPlan) -> dict[str, Any]:
    """The questions as the page asks them."""
    r: Rubric = plan.rubric
    dimensions = [
        {
            "name": d.name,
            "title": d.heading,
            "question": d.question,
            "per_claim": d.per_claim,
            "options": [list(pair) for pair in zip(d.categories, d.labels, strict=True)],
            "when": d.when.model_dump() if d.when else None,
        }
        for d in r.dimensions
    ]
    return {
        "dimensions": dimensions,
        "guideline": page.as_html(r.guideline),
        "note_when": r.note_when.model_dump() if r.note_when else None,
        "edit_when": r.edit_when.model_dump() if r.edit_when else None,
        "comment": r.comment,
    }


def item(plan: GradingPlan, shown: Item) -> dict[str, Any]:
    """One item: the timeline line by line, and the sentences in parts, of which some are evidence ids."""
    case = plan.cases[shown.case]
    return {
        "item": shown.id,
        "question": plan.settings.question,
        "person": f"Age {case.age:.1f} at the prediction",
        "outcome": page.outcome(case) if plan.settings.show_label else "",
        "lines": list(page.rows(case.timeline, plan.kinds.get(shown.case, {}))),
        "sentences": [_parts(claim_text(c)) for c in shown.claims],
        "rationale": shown.text,
    }


def _parts(text: str) -> list[list[str]]:
    """`[["text", "A stroke. ["], ["id", "E003"], ["text", "]"]]`."""
    out: list[list[str]] = []
    rest = text
    for id in evidence_ids(text):
        before, _, rest = rest.partition(id)
        out += [["text", before], ["id", id]]
    return [part for part in [*out, ["text", rest]] if part[1]]


def to_page(result: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A stored form, as the page reads it."""
    marks, texts = forms.read(result)
    return {
        "answers": {control(m.dimension, m.claim): m.value for m in marks},
        "texts": {control(t.kind, t.claim): t.text for t in texts},
    }


def from_page(form: PageForm, task: Task) -> GradedForm:
    """A form of the page as a graded form; what is wrong with it is found by `answers.accept`."""
    marks = [
        Mark(dimension=name, claim=claim, value=v)
        for key, v in form.answers.items()
        for name, claim in [_split(key)]
    ]
    texts = [
        Text(kind=TEXTS[name], claim=claim, text=v.strip())
        for key, v in form.texts.items()
        for name, claim in [_split(key)]
        if name in TEXTS and v.strip()
    ]
    return GradedForm(
        item=task.item,
        rater=task.rater,
        round=task.round,
        marks=tuple(marks),
        texts=tuple(texts),
        seconds=form.seconds,
    )


def _split(key: str) -> tuple[str, int | None]:
    name, _, number = key.rpartition("_")
    return (name, int(number) - 1) if name and number.isdecimal() else (key, None)


class Wrong(Record):
    """Something that is lacking or wrong."""

    at: str
    """The name of the control; empty: the form."""
    why: str


class CheckedForm(Record):
    """Whether a form can be sent."""

    wrong: tuple[Wrong, ...]
    """In the order of the page."""
    doubts: tuple[str, ...]
    """What the rater is asked about before it is sent."""


def check(plan: GradingPlan, form: GradedForm) -> CheckedForm:
    """Check a form by the same door as everything that is pulled; a correction may cite only what is there."""
    checked = FormCheck(form, plan.items[form.item], plan.rubric, plan.lines)
    wrong = [Wrong(at=f.at, why=f.detail) for f in checked.faults if not f.counted]
    if any(f.fault == "unchanged_edit" for f in checked.faults):
        wrong.append(Wrong(at="edited", why="the text is unchanged; correct it, or choose another answer"))
    return CheckedForm(
        wrong=tuple(wrong),
        doubts=tuple(f.detail for f in checked.faults if f.fault == "contradiction"),
    )
