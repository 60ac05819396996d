"""All numbers of a study in one place: what `wherefore evaluate` computes and the report shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..annotate.records import Rating, Rubric
from ..cohort.records import Case, Evidence
from ..study.config import Study
from ..study.records import Record, read_table, to_frame, write_table
from ..study.seeds import derive
from ..synth.records import Grounding, Rationale
from .cells import CellState, states
from .compare import Comparer
from .curves import calibration, net_benefit, precision_recall, roc
from .evaluate import Evaluation, all_metrics, by_subgroup
from .example import rows
from .mechanism import cited, dilution, grounded
from .metrics import METRICS
from .records import Agreement, Average, Cited, Comparison, Curve, Dilution, Grounded, Metric
from .scores import Key, held_out, read_scores
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tables:
    """Every table of the analysis; an empty one where the study has no such part."""

    cells: Sequence[CellState] = ()
    metrics: Sequence[Metric] = ()
    averages: Sequence[Average] = ()
    comparisons: Sequence[Comparison] = ()
    agreement: Sequence[Agreement] = ()
    dilution: Sequence[Dilution] = ()
    cited: Sequence[Cited] = ()
    grounding: Sequence[Grounded] = ()
    curves: Sequence[Curve] = ()
    evaluation: Evaluation | None = None


FILES: dict[str, type[Record]] = {
    "metrics": Metric, "averages": Average, "comparisons": Comparison, "agreement": Agreement,
    "dilution": Dilution, "cited": Cited, "grounding": Grounded,
}  # fmt: skip
"""Each is `<name>.parquet` in `analysis/`."""


def save(tables: Tables, folder: Path) -> None:
    """Write every table."""
    for name, kind in FILES.items():
        write_table(folder / f"{name}.parquet", to_frame(getattr(tables, name), kind), kind)


def evaluated(study: Study, home: Path, settings: Settings) -> Tables:
    """Compute everything that the run folder allows."""
    cases = read_table(home / "cohort" / "cases.parquet", Case)
    rationales = rows(home / "synth" / "rationales.jsonl", Rationale)
    cells = states(study, home)
    evaluation = _evaluation(study, home, cases, cells, settings)
    evidence = read_table(home / "cohort" / "evidence.parquet", Evidence) if rationales else None
    spoken = cited(rationales, evidence, cases, settings.level) if evidence is not None else []
    comparer = Comparer(evaluation, cells) if evaluation else None
    averages = list(comparer.averages(METRICS)) if comparer else []
    keys = list(evaluation.scores.risk) if evaluation else []
    return Tables(
        cells=cells,
        metrics=[*all_metrics(evaluation, keys), *by_subgroup(evaluation, keys)] if evaluation else [],
        averages=averages,
        comparisons=comparer.all() if comparer else [],
        agreement=_agreement(study, home, settings),
        dilution=list(dilution(cells)),
        cited=spoken,
        grounding=grounded(rationales, rows(home / "synth" / "groundings.jsonl", Grounding)),
        curves=[*_curves(evaluation, comparer), *_evidence_curve(spoken)],
        evaluation=evaluation,
    )


def _evaluation(
    study: Study, home: Path, cases: "pd.DataFrame", cells: Sequence[CellState], settings: Settings
) -> Evaluation | None:
    files = [s.predictions for s in cells if s.state == "done"]
    files += [p for p in [home / "train" / "baselines" / "predictions.parquet"] if p.exists()]
    if not files:
        return None
    held = held_out(cases)
    return Evaluation(held, read_scores(files, held), settings, derive(study.seed, "analysis", "bootstrap"))


def _agreement(study: Study, home: Path, settings: Settings) -> list[Agreement]:
    from .agreement import agreements

    ratings = rows(home / "annotate" / "ratings.jsonl", Rating)
    rubric = home / "annotate" / "rubric.json"
    if not ratings or not rubric.exists():
        return []
    seed = derive(study.seed, "analysis", "agreement")
    return agreements(ratings, Rubric.model_validate_json(rubric.read_text()), seed, settings.replicates)


def shown(evaluation: Evaluation, comparer: Comparer) -> dict[str, Key]:
    """The few models that the figures show, by the name in the legend: the best reference cell, the best of each
    target that reasons first, and the best baseline beside the optimum."""

    def best(keys: list[Key]) -> Key | None:
        scored = [(evaluation.value("roc_auc", k, "sample", evaluation.present(k)), k) for k in keys]
        known = [(v, k) for v, k in scored if v is not None]
        return max(known)[1] if known else None

    risk = evaluation.scores.risk
    wanted: dict[str, list[Key]] = {}
    for target in comparer.targets:
        readout = "own_rationale" if "own_rationale" in comparer.readouts[target] else "direct"
        name = target.replace("_", " ")
        wanted[name] = [
            Key(c.id, readout) for c in comparer.done if c.target == target and Key(c.id, readout) in risk
        ]
    baselines = [k for k in risk if k.readout == "baseline"]
    wanted["best baseline"] = [k for k in baselines if k.cell != "bayes"]
    wanted["optimum"] = [k for k in baselines if k.cell == "bayes"]
    return {name: key for name, keys in wanted.items() if (key := best(keys)) is not None}


def _curves(evaluation: Evaluation | None, comparer: Comparer | None) -> list[Curve]:
    if evaluation is None or comparer is None:
        return []
    held = evaluation.held
    out: list[Curve] = []
    population = held.populations[-1]
    top = min(0.6, 4 * held.prevalence(population))
    for name, key in shown(evaluation, comparer).items():
        where = evaluation.present(key)
        if evaluation.why_not(where):
            continue
        y, risk = held.y[where], evaluation.scores.on(key, population)[where]
        weight, plain = held.weights(population)[where], held.weights("sample")[where]
        out += calibration(y, risk, weight, name, evaluation.settings.bins, evaluation.settings.level)
        out += roc(y, risk, plain, name)
        out += precision_recall(y, risk, plain, name)
        out += net_benefit(y, risk, weight, name, top)
    everybody = np.ones(len(held.y))
    out += net_benefit(held.y, everybody, held.weights(population), "treat all", top)
    return out


def _evidence_curve(rows: Sequence[Cited], top: int = 40) -> list[Curve]:
    """The most cited evidence of the first style: odds ratio of presence, and share cited where present."""
    first = [r for r in rows if r.style == rows[0].style and r.cited_cases + r.cited_controls > 0][:top]
    return [
        Curve(
            figure="evidence", series=r.name, x=r.odds_ratio, low=r.low, high=r.high,
            y=(r.cited_cases + r.cited_controls) / (r.present_cases + r.present_controls),
            n=r.cited_cases + r.cited_controls,
        )
        for r in first
    ]  # fmt: skip
