"""The report: every table of the analysis and what the other stages say of themselves, as one HTML file."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..cohort.records import Case
from ..study.config import Study
from ..study.records import read_table, write_text
from ..study.runs import manifest
from ..synth.records import Rationale, Refusal
from . import figures
from .answer import answer, effects, finding, number, span, words
from .compare import HINDSIGHT
from .example import example, rows, why_not
from .headline import ranked
from .records import Average, Comparison, Population
from .settings import Settings
from .strips import axis, ruler, stack, strip
from .tables import Tables

STAGES = ("cohort", "synth", "annotate", "train")


def write(study: Study, home: Path, settings: Settings, tables: Tables, folder: Path) -> None:
    """Draw the figures and write `report.html` beside them."""
    drawn = figures.write(folder / "figures", tables.curves)
    page = _environment().get_template("report.html.j2")
    write_text(folder / "report.html", page.render(context(study, home, settings, tables, drawn)))


def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("wherefore.templates", "report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    env.filters |= {"words": words, "number": number, "percent": percent, "p": p_text}
    env.globals |= {"span": span, "strip": strip, "ruler": ruler, "stack": stack, "finding": finding}
    return env


def percent(share: float | None, digits: int = 0) -> str:
    """A share as a percentage.

    >>> percent(0.1234), percent(0.004, 1), percent(None)
    ('12 %', '0.4 %', '–')
    """
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def p_text(p: float | None) -> str:
    """A p value as journals print it.

    >>> p_text(0.0004), p_text(0.0312), p_text(None)
    ('< 0.001', '0.031', '–')
    """
    return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def context(
    study: Study, home: Path, settings: Settings, tables: Tables, drawn: dict[str, str]
) -> dict[str, Any]:
    """Everything that the page shows, as plain values."""
    cases = read_table(home / "cohort" / "cases.parquet", Case)
    rationales = rows(home / "synth" / "rationales.jsonl", Rationale)
    held = tables.evaluation.held if tables.evaluation else None
    hidden = why_not(study, settings)
    head = ranked(list(tables.averages))
    targets = [c for c in tables.comparisons if c.unit == "target"]
    return {
        "study": study, "settings": settings, "held": held,
        "answer": answer(tables.comparisons, tables.averages, trained=bool(tables.cells)),
        "simulated": {"people": _source(study) == "simulated", "raters": any(a.simulated for a in tables.agreement)},
        "source": _source(study),
        "headline": head, "auc_axis": axis([v for a in head for v in (a.low, a.high, a.value)], 0.5),
        "other": _by_metric(tables.averages, held.populations[-1] if held else "sample"),
        "populations": held.populations if held else (),
        "hindsight": HINDSIGHT, "effects": effects(tables.comparisons),
        "comparisons": targets, "families": _families(targets, settings),
        "readouts": [c for c in tables.comparisons if c.family == "readouts: roc_auc"],
        "levels": [c for c in tables.comparisons if c.unit == "level" and c.metric == "roc_auc"],
        "axis": axis, "axis_of": _axis_of,
        "cells": tables.cells, "states": Counter(s.state for s in tables.cells), "agreement": tables.agreement,
        "dilution": _dilution(tables), "grounding": tables.grounding, "cited": _cited(tables),
        "figures": {name: Markup(text) for name, text in drawn.items()},
        "split": _split(cases), "flow": _csv(home / "cohort" / "flow.csv"),
        "table1": _csv(home / "cohort" / "table1.csv"),
        "example": None if hidden else example(home), "example_hidden": hidden,
        "teachers": sorted({r.teacher for r in rationales}), "n_rationales": len(rationales),
        "label_shown": any(r.label_shown for r in rationales),
        "refusals": Counter(r.reason for r in rows(home / "synth" / "refusals.jsonl", Refusal)),
        "spent": _json(home / "synth" / "summary.json"),
        "missing": _missing(tables), "subgroups": [m for m in tables.metrics if m.group != "all"],
        "made": {stage: made for stage in STAGES if (made := manifest(home / stage)) is not None},
        "fits": [fit for s in tables.cells if s.state == "done" and (fit := s.fit()) is not None],
        "provenance": _json(home / "provenance.json"),
    }  # fmt: skip


def _source(study: Study) -> str:
    source = study.cohort.get("source", "")
    return str(source.get("name", "")) if isinstance(source, dict) else str(source)


def _by_metric(
    averages: Sequence[Average], population: Population
) -> dict[str, dict[tuple[str, str], Average]]:
    """The averages of one population, to be looked up by metric, then by target and read-out."""
    out: dict[str, dict[tuple[str, str], Average]] = {}
    for a in averages:
        if a.population == population:
            out.setdefault(a.metric, {})[a.target, a.readout] = a
    return out


def _axis_of(found: Sequence[Comparison], step: float = 0.1) -> Any:
    return axis([v for c in found for v in (c.low, c.high, c.difference)], 0.0, step)


def _families(found: Sequence[Comparison], settings: Settings) -> list[tuple[str, list[Comparison]]]:
    """The comparisons of targets and baselines, a list a metric."""
    return [
        (m, [c for c in found if c.metric == m])
        for m in settings.compared
        if any(c.metric == m for c in found)
    ]


def _dilution(tables: Tables) -> list[dict[str, Any]]:
    """One row a target: the mean share of each loss group over its fits."""
    out = []
    for target in dict.fromkeys(d.target for d in tables.dilution):
        mine = [d for d in tables.dilution if d.target == target]
        fits = len({d.cell for d in mine})
        shares = {
            g: sum(d.share for d in mine if d.group == g) / fits for g in dict.fromkeys(d.group for d in mine)
        }
        out.append({"target": target, "fits": fits, "shares": dict(sorted(shares.items()))})
    return out


def _cited(tables: Tables, top: int = 12) -> dict[str, Any]:
    """The most cited evidence of the first style, and how many citations go to what tells nobody apart."""
    if not tables.cited:
        return {}
    mine = [c for c in tables.cited if c.style == tables.cited[0].style]
    total = sum(c.cited_cases + c.cited_controls for c in mine)
    blind = sum(c.cited_cases + c.cited_controls for c in mine if c.low <= 1 <= c.high)
    return {"style": mine[0].style, "rows": mine[:top], "kinds": len(mine), "total": total, "blind": blind}


def _split(cases: Any) -> list[dict[str, Any]]:
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


def _missing(tables: Tables) -> list[dict[str, Any]]:
    """Predictions without a risk, by set and reason."""
    if tables.evaluation is None:
        return []
    label = {s.cell.id: s.cell.target for s in tables.cells}
    return [
        {
            "cell": key.cell,
            "target": label.get(key.cell, key.cell),
            "readout": key.readout,
            "reason": reason,
            "n": n,
        }
        for key, reasons in tables.evaluation.scores.missing.items()
        for reason, n in reasons.items()
    ]


def _csv(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}
