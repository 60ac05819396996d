"""Reporting checklists, each item answered from an artefact and its row, or left to the authors.

The items are in `templates/report/checklists/`: number and topic as published, what is asked in our own short words,
and an answer as a template over what the study knows. The guideline's own wording is what counts.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template
from pydantic import Field

from ...study import layout
from ...study.records import Record
from ..cells import arm
from ..performance.contrasts import OWN_FORMAT, family
from ..records import Comparison
from ..words import number, span, words
from .material import Material
from .notices import limitations
from .shown import count, percent
from .task import every_fact

AUTHORS = "Authors must say."
"""Where nothing that the study has answers an item."""


class _Asked(Record):
    """An item as its file has it."""

    number: str
    topic: str
    asks: str
    answer: str = ""
    where: str = ""
    """Where the answer comes from: a section of the page, a file, a row."""
    scope: str = ""
    """As published: `D` development, `E` evaluation; research designs and tasks of TRIPOD-LLM."""


class _Guideline(Record):
    """A file of `templates/report/checklists/`."""

    title: str
    cite: str
    version: str
    item: tuple[_Asked, ...] = Field(min_length=1)


class ChecklistItem(NamedTuple):
    """One item of a checklist, answered."""

    number: str
    topic: str
    asks: str
    answer: str
    where: str
    """Empty where the authors must say."""


@dataclass(frozen=True)
class Checklist:
    """A guideline, filled in."""

    name: str
    title: str
    cite: str
    lines: tuple[ChecklistItem, ...]

    @property
    def open(self) -> int:
        """Items that the authors must answer."""
        return sum(not i.where for i in self.lines)


GUIDELINES = ("tripod_ai", "tripod_llm")
"""Files of `templates/report/checklists/`."""


def section(m: Material) -> dict[str, Any]:
    """Both checklists."""
    return {"checklists": [filled(m, name) for name in GUIDELINES], "authors": AUTHORS}


def filled(m: Material, name: str) -> Checklist:
    """A checklist with what the study knows."""
    text = (files("wherefore.templates") / "report" / "checklists" / f"{name}.toml").read_text(
        encoding="utf-8"
    )
    guideline = _Guideline.model_validate(tomllib.loads(text))
    known = known_facts(m)
    items = []
    for item in guideline.item:
        answer, where = (" ".join(_template(t).render(known).split()) for t in (item.answer, item.where))
        answer, where = (answer, where) if answer else (AUTHORS, "")
        items.append(ChecklistItem(item.number, item.topic, item.asks, answer, where))
    return Checklist(name, f"{guideline.title} ({guideline.version})", guideline.cite, tuple(items))


@cache
def _template(text: str) -> Template:
    env = Environment(undefined=StrictUndefined, autoescape=False)
    env.filters |= {"count": count, "percent": percent, "words": words, "number": number}
    env.globals |= {"span": span}
    return env.from_string(text)


def known_facts(m: Material) -> dict[str, Any]:
    """What the answers may use: facts of the task, counts, and the rows of the question."""
    evaluation = m.tables.evaluation
    cells = m.tables.cells
    fits = [f for s in cells if s.state == "done" and (f := s.fit()) is not None]
    compared = [
        c
        for c in m.tables.comparisons
        if c.family == family(OWN_FORMAT, "roc_auc") and c.difference is not None
    ]
    splits = {
        str(name): (int(part["subject"].nunique()), int((part["label"] == 1).sum()))
        for name, part in m.cases.groupby("split")
    }
    return {
        "task": dict(every_fact(m)),
        "study": m.study,
        "cells": len(cells),
        "fits": fits,
        "arms": [words(a) for a in dict.fromkeys(arm(s.cell) for s in cells)],
        "splits": splits,
        "held": evaluation.held if evaluation else None,
        "population": m.population,
        "asked": compared,
        "comparison": [_comparison(c) for c in compared],
        "rows": ", ".join(m.rows(c) for c in compared),
        "rationales": len(m.rationales),
        "refusals": len(m.refusals),
        "agreement": m.tables.agreement,
        "verdicts": len(m.verdicts),
        "sample_size": m.tables.sample_size,
        "limits": limitations(m),
        "missing": sum(
            a.n_missing for a in m.tables.averages if a.metric == "roc_auc" and a.population == "sample"
        ),
        "equity": [e for e in m.tables.equity if e.difference is not None],
        "grounding": m.tables.grounding,
        "seconds": sum(f.seconds for f in fits),
        "metrics": m.settings.compared,
        "cohort": m.cohort,
        "flow": m.csv(layout.FLOW),
        "written": m.tables.written,
        "taught": m.tables.taught,
    }


def _comparison(c: Comparison) -> str:
    sides = f"{words(c.a)} {number(c.a_value)} against {words(c.b)} {number(c.b_value)}"
    return f"{sides}: {number(c.difference)} ({span(c.low_adjusted, c.high_adjusted)})"


def as_rows(checklist: Checklist) -> list[Sequence[object]]:
    """The table to hand in: number, topic, what is asked, answer, where it comes from."""
    head = ["item", "topic", "asks", "answer", "from", "page of the manuscript"]
    return [head, *([*item, ""] for item in checklist.lines)]
