"""What the report shows, section by section, as plain values: the templates only lay it out."""

import base64
import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ...cohort.question import question
from ...cohort.records import Case, Evidence
from ...study import layout
from ...study.config import Study
from ...study.files import rows
from ...study.records import from_frame, read_table
from ...study.runs import manifest
from ...study.seeds import derive
from ...synth.records import Rationale, Refusal
from ..cells import arm
from ..performance.contrasts import WITHIN, family
from ..performance.formats import YARDSTICKS
from ..performance.metrics import METRICS
from ..records import Average, Population
from ..settings import Settings
from ..tables import Tables
from ..written import Sample, samples, shown_ids
from .answer import answer
from .example import example, why_not
from .grading import grading
from .headline import MAIN, ranked
from .strips import axis

if TYPE_CHECKING:
    import pandas as pd


def sections(
    study: Study, home: Path, settings: Settings, tables: Tables, drawn: dict[str, str]
) -> dict[str, Any]:
    """Everything that the page needs, by the names that its templates use."""
    return {
        "study": study, "settings": settings, "source": source(study), "asked": asked(study),
        "question": question(study),
        "effect": _effect(study), "yardsticks": YARDSTICKS, "metrics": METRICS,
        "answer": answer(tables.comparisons, tables.averages, [s.cell for s in tables.cells]),
        "simulated": {"people": source(study) == "simulated", "raters": any(a.simulated for a in tables.agreement)},
        "synthetic": study.data_use is not None and study.data_use.kind == "synthetic",
        "figures": {name: Markup(text) for name, text in drawn.items()},
        **_models(tables), **_people(home), **_reasons(study, home, settings, tables),
        **_comparison(tables, settings), **_mechanism(tables), **_gaps(home, tables), **_made(home, tables),
        "agreement": tables.agreement, "main": MAIN,
        "grading": grading(home, derive(study.seed, "analysis", "calibration")),
    }  # fmt: skip


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


def source(study: Study) -> str:
    """The name of the cohort's source."""
    said = study.cohort.get("source", "")
    return str(said.get("name", "")) if isinstance(said, dict) else str(said)


def _effect(study: Study) -> float | None:
    """How many times the published strength the simulator's risk factors have, where the study file says so."""
    said = study.cohort.get("source")
    return said.get("effect") if isinstance(said, dict) and source(study) == "simulated" else None


def _models(tables: Tables) -> dict[str, Any]:
    held = tables.evaluation.held if tables.evaluation else None
    head = ranked(tables.averages)
    population: Population = held.population if held else "sample"
    return {
        "held": held, "headline": head, "auc_axis": axis([v for a in head for v in (a.low, a.high, a.value)], 0.5),
        "populations": held.populations if held else (), "other": _by_metric(tables.averages, population),
        "as_sampled": _by_metric(tables.averages, "sample"), "called": tables.called,
        "subgroups": _subgroups(tables), "alarms": tables.alarms, "models": tables.models,
    }  # fmt: skip


def _by_metric(
    averages: Sequence[Average], population: Population
) -> dict[str, dict[tuple[str, str], Average]]:
    """The averages of one population, to be looked up by metric, then by target and read-out."""
    out: dict[str, dict[tuple[str, str], Average]] = {}
    for a in averages:
        if a.population == population:
            out.setdefault(a.metric, {})[a.target, a.readout] = a
    return out


def _subgroups(tables: Tables) -> dict[str, Any]:
    """ROC-AUC of the models shown, a row a model and a column a group."""
    found = {(m.cell, m.readout, m.group): m for m in tables.metrics if m.group != "all"}
    groups = list(dict.fromkeys(group for _, _, group in found))
    return {"groups": groups, "rows": {n: [found[(*k, g)] for g in groups] for n, k in tables.models.items()}}


def _people(home: Path) -> dict[str, Any]:
    cases = read_table(layout.CASES.at(home), Case)
    flow, table1 = (_csv(file.at(home)) for file in (layout.FLOW, layout.TABLE_ONE))
    return {
        "split": _split(cases),
        "flow": flow,
        "flow_picture": _picture(layout.FLOW_PICTURE.at(home)),
        "table1": table1,
    }


def _picture(path: Path) -> str | None:
    """An SVG file as an address that holds it: its own style sheet then touches nothing else on the page."""
    if not path.exists():
        return None
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode()


def _split(cases: "pd.DataFrame") -> list[dict[str, Any]]:
    """People, cases and events of each split."""
    out = []
    for name in ("train", "tuning", "held_out"):
        part = cases[cases["split"] == name]
        if len(part):
            out.append({
                "split": name, "people": part["subject"].nunique(), "cases": len(part),
                "events": int((part["label"] == 1).sum()), "censored": int(part["label"].isna().sum()),
                "age": part["age"].median(), "lines": part["n_shown"].median(),
            })  # fmt: skip
    return out


def _reasons(study: Study, home: Path, settings: Settings, tables: Tables) -> dict[str, Any]:
    rationales = rows(layout.RATIONALES.at(home), Rationale)
    hidden = why_not(study, settings)
    return {
        "teachers": sorted({r.teacher for r in rationales}), "n_rationales": len(rationales),
        "label_shown": any(r.label_shown for r in rationales),
        "outcome_was": _json(layout.CARD.at(home)).get("told", "told to the teacher"),
        "readable": _json(layout.CARD.at(home)).get("readability", []),
        "example": None if hidden else example(home), "example_hidden": hidden,
        "samples": (None, []) if hidden else _samples(home, tables),
    }  # fmt: skip


def _samples(home: Path, tables: Tables) -> tuple[Case | None, list[Sample]]:
    """What the models wrote about one held-out person, and who that is."""
    evidence = read_table(layout.EVIDENCE.at(home), Evidence)
    case, found = samples(tables.cells, shown_ids(evidence))
    cases = read_table(layout.CASES.at(home), Case)
    return (from_frame(cases[cases["id"] == case], Case)[0] if case else None), found


def _comparison(tables: Tables, settings: Settings) -> dict[str, Any]:
    targets = [c for c in tables.comparisons if c.unit in ("target", "yardstick")]
    families = [(m, [c for c in targets if c.metric == m]) for m in settings.compared]
    return {
        "families": [(m, found, _step(m)) for m, found in families if found],
        "readouts": [c for c in tables.comparisons if c.family == family(WITHIN, "roc_auc")],
        "levels": [c for c in tables.comparisons if c.unit == "level" and c.metric == "roc_auc"],
    }  # fmt: skip


def _step(metric: str) -> float:
    """Between the ticks of an axis of differences."""
    return 0.05 if metric == "brier" else 0.1


def _mechanism(tables: Tables) -> dict[str, Any]:
    cells = {s.cell.id: arm(s.cell) for s in tables.cells}
    dilution = []
    for name in dict.fromkeys(cells[d.cell] for d in tables.dilution):
        mine = [d for d in tables.dilution if cells[d.cell] == name]
        fits = len({d.cell for d in mine})
        label = [d for d in mine if d.group == "label"]
        share, weight = sum(d.share for d in label) / fits, sum(d.weight for d in label) / fits
        dilution.append({"target": name, "fits": fits, "share": share, "weight": weight})
    return {
        "dilution": dilution,
        "grounding": tables.grounding,
        "cited": _cited(tables),
        "written": tables.written,
    }


def _cited(tables: Tables, top: int = 12) -> dict[str, Any]:
    """The most cited evidence of the first style, and how many citations go to what tells nobody apart."""
    mine = [c for c in tables.cited if c.style == tables.cited[0].style]
    total = sum(c.cited_cases + c.cited_controls for c in mine)
    if not total:
        return {}
    blind = sum(c.cited_cases + c.cited_controls for c in mine if c.low <= 1 <= c.high)
    return {"style": mine[0].style, "rows": mine[:top], "kinds": len(mine), "total": total, "blind": blind}


def _gaps(home: Path, tables: Tables) -> dict[str, Any]:
    """What is not there, by reason and count."""
    names = {s.cell.id: arm(s.cell) for s in tables.cells}
    missing = tables.evaluation.scores.missing if tables.evaluation else {}
    return {
        "cells": tables.cells, "states": Counter(s.state for s in tables.cells),
        "missing": [
            {"target": names.get(key.cell, key.cell), "readout": key.readout, "reason": reason, "n": n}
            for key, reasons in missing.items()
            for reason, n in reasons.items()
        ],
        "refusals": Counter(r.reason for r in rows(layout.REFUSALS.at(home), Refusal)),
    }  # fmt: skip


def _made(home: Path, tables: Tables) -> dict[str, Any]:
    return {
        "made": {stage: made for stage in layout.STAGES[:-1] if (made := manifest(home / stage)) is not None},
        "fits": [fit for s in tables.cells if s.state == "done" and (fit := s.fit()) is not None],
        "provenance": _json(home / "provenance.json"),
    }


def _csv(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}
