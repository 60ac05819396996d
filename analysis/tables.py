"""All numbers of a study in one place: what `wherefore evaluate` computes and the report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..annotate.records import Rating, Rubric
from ..cohort.records import Case, Evidence
from ..study import layout
from ..study.config import Study
from ..study.files import rows
from ..study.records import Record, read_record, read_table, to_frame, write_table
from ..study.seeds import derive
from ..synth.records import Grounding, Rationale
from . import mechanism
from .cells import CellState, states
from .performance import curves, errors
from .performance.averages import averages
from .performance.compare import Comparer
from .performance.evaluate import Evaluation, all_metrics, by_subgroup
from .performance.metrics import METRICS
from .performance.scores import Key, held_out, read_scores
from .records import (
    Agreement,
    Alarm,
    Average,
    Called,
    Cited,
    Comparison,
    Curve,
    Dilution,
    Grounded,
    Metric,
    Written,
)
from .settings import Settings
from .written import shown_ids, written

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
    written: Sequence[Written] = ()
    called: Sequence[Called] = ()
    alarms: Sequence[Alarm] = ()
    curves: Sequence[Curve] = ()
    models: Mapping[str, Key] = field(default_factory=dict)
    """The few sets of predictions that the figures show, by their name there."""
    evaluation: Evaluation | None = None


FILES: dict[str, type[Record]] = {
    "metrics": Metric, "averages": Average, "comparisons": Comparison, "agreement": Agreement,
    "dilution": Dilution, "cited": Cited, "grounding": Grounded, "written": Written, "called": Called,
    "alarms": Alarm,
}  # fmt: skip
"""Each is `<name>.parquet` in `analysis/`."""


def save(tables: Tables, folder: Path) -> None:
    """Write every table."""
    for name, kind in FILES.items():
        write_table(folder / f"{name}.parquet", to_frame(getattr(tables, name), kind), kind)


def evaluated(study: Study, home: Path, settings: Settings) -> Tables:
    """Compute everything that the run folder allows."""
    cases = read_table(layout.CASES.at(home), Case)
    evidence = read_table(layout.EVIDENCE.at(home), Evidence)
    rationales = rows(layout.RATIONALES.at(home), Rationale)
    spoken = mechanism.cited(rationales, evidence, cases)
    told = Tables(
        cells=states(study, home),
        agreement=_agreement(study, home),
        cited=spoken,
        grounding=mechanism.grounded(rationales, rows(layout.GROUNDINGS.at(home), Grounding)),
        curves=list(curves.evidence(spoken)),
    )
    return _predicted(told, study, home, cases, evidence, settings)


def _predicted(
    told: Tables,
    study: Study,
    home: Path,
    cases: "pd.DataFrame",
    evidence: "pd.DataFrame",
    settings: Settings,
) -> Tables:
    """Add everything that rests on predictions; nothing where there are none."""
    files = [s.predictions for s in told.cells if s.state == "done"]
    files += [p for p in [layout.BASELINE_PREDICTIONS.at(home)] if p.exists()]
    if not files:
        return told
    held = held_out(cases)
    evaluation = Evaluation(
        held, read_scores(files, held), settings, derive(study.seed, "analysis", "bootstrap")
    )
    comparer = Comparer(evaluation, told.cells)
    models, keys = comparer.shown(), list(evaluation.scores.risk)
    reference = models.get(settings.reference)
    return replace(
        told,
        metrics=[*all_metrics(evaluation, keys), *by_subgroup(evaluation, keys)],
        averages=list(averages(comparer, METRICS)),
        comparisons=comparer.all(),
        dilution=list(mechanism.dilution(told.cells)),
        written=list(written(told.cells, shown_ids(evidence))),
        called=list(errors.called(evaluation, models, reference)) if reference else [],
        alarms=list(errors.alarms(evaluation, models, evidence)),
        curves=[*curves.models(evaluation, models), *told.curves],
        models=models,
        evaluation=evaluation,
    )


def _agreement(study: Study, home: Path) -> list[Agreement]:
    from .agreement import agreements

    ratings = rows(layout.RATINGS.at(home), Rating)
    rubric = layout.RUBRIC.at(home)
    if not ratings or not rubric.exists():
        return []
    seed = derive(study.seed, "analysis", "agreement")
    return agreements(ratings, read_record(rubric, Rubric), seed)
