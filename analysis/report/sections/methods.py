"""Methods in words, and the settings as the study file has them."""

from typing import Any

from ....study.config import Study
from ...measures.inference import FEWEST_SEEDS
from ..material import Material, ReportNumbers
from ..section import Section
from ..task import facts, models, question, teacher


def section(m: Material) -> dict[str, Any]:
    """What a methods section needs."""
    fits = [fit for s in m.tables.cells if s.state == "done" and (fit := s.fit()) is not None]
    seeds = sorted({c.seeds for c in m.tables.comparisons if c.unit == "target"})
    return {
        "facts": dict(facts(m)),
        "question": question(m),
        "models": models(m),
        "teacher": teacher(m),
        "cells": m.tables.cells,
        "fits": fits,
        "asked": asked(m.study),
        "seeds": seeds,
        "enough": FEWEST_SEEDS,
        "grid": bool(m.tables.cells),
        "evaluation": m.tables.evaluation,
        "held": m.tables.evaluation.held if m.tables.evaluation else None,
        "agreement": m.tables.agreement,
        "cohort": m.cohort,
    }


def statistics(m: ReportNumbers) -> dict[str, Any] | None:
    """How the numbers were made, for a page without a study; None without predictions."""
    if m.tables.evaluation is None:
        return None
    return {
        "evaluation": m.tables.evaluation,
        "held": m.tables.evaluation.held,
        "enough": FEWEST_SEEDS,
        "grid": False,
    }


def asked(study: Study) -> list[tuple[str, str]]:
    """The settings as written in the study file, section by section.

    Of a path or an address the last part only: a report travels, and says nothing about the machine.
    """
    grid = study.grid.model_dump(exclude={"expect"}, exclude_defaults=True) if study.grid else {}
    parts = {"cohort": study.cohort, "synth": study.synth, "annotate": study.annotate, "bases": study.bases}
    parts |= {"train": study.train, "grid": grid, "analysis": study.analysis}
    return [(name, _plain(part)) for name, part in parts.items() if part]


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"({_plain(v)})" if isinstance(v, dict) else _plain(v) for v in value)
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.rstrip("/").rpartition("/")[2] if "/" in text else text


SECTION = Section("Methods", section, "methods.html.j2")
