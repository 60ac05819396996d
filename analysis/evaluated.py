"""From a run folder to every number that it allows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..annotate.records import Rating, Rubric
from ..cohort.records import Case, Evidence
from ..study import layout
from ..study.config import Study
from ..study.files import rows
from ..study.reads import exists
from ..study.records import read_record, read_table
from ..study.seeds import derive
from ..synth.records import Grounding, Rationale
from ..train.records import Baseline
from . import mechanism
from .cells import CellState, arm, states
from .cited import cited
from .measures.metrics import METRICS
from .outside.study import with_outside
from .performance import curves, errors
from .performance.averages import averages
from .performance.choice import Choice
from .performance.contrasts import Comparer
from .performance.evaluate import all_metrics
from .performance.formats import OUTSIDE
from .performance.interventions import effects
from .performance.scores import PredictionKey
from .performance.spread import risk_spread, sample_size
from .performance.subgroups import by_subgroup, equity
from .predicted import StudyPredictions
from .records import Agreement
from .settings import Settings
from .tables import Tables
from .taught import taught
from .written import Claims, shown_ids, written

if TYPE_CHECKING:
    import pandas as pd


def evaluated(study: Study, run_folder: Path, settings: Settings) -> Tables:
    """Compute everything that the run folder allows."""
    cases = read_table(layout.CASES.at(run_folder), Case)
    evidence = read_table(layout.EVIDENCE.at(run_folder), Evidence)
    rationales = rows(layout.RATIONALES.at(run_folder), Rationale)
    citations = cited(rationales, evidence, cases)
    tables = Tables(
        cells=states(study, run_folder),
        agreement=_agreement(study, run_folder),
        cited=citations,
        grounding=mechanism.grounded(rationales, rows(layout.GROUNDINGS.at(run_folder), Grounding)),
        curves=list(curves.evidence(citations)),
    )
    return _predicted(tables, study, run_folder, cases, evidence, settings)


def _predicted(
    tables: Tables,
    study: Study,
    run_folder: Path,
    cases: "pd.DataFrame",
    evidence: "pd.DataFrame",
    settings: Settings,
) -> Tables:
    """Add everything that rests on predictions; nothing where there are none."""
    inputs = StudyPredictions(
        study, run_folder, tables.cells, settings, rows(layout.BASELINES.at(run_folder), Baseline)
    )
    evaluation = inputs.evaluation(cases, "held_out")
    if evaluation is None:
        return tables
    evaluation, beside = with_outside(study, evaluation)
    comparer = Comparer(evaluation, tables.cells, [*inputs.baselines, *beside])
    choice = Choice(evaluation, inputs.evaluation(cases, "tuning"))
    models, keys = shown(comparer, choice), list(evaluation.scores.risk)
    reference = models.get(settings.reference)
    return replace(
        tables,
        metrics=[*all_metrics(evaluation, keys), *by_subgroup(evaluation, keys)],
        averages=list(averages(comparer, choice, METRICS)),
        comparisons=comparer.all(),
        dilution=list(mechanism.dilution(tables.cells)),
        written=list(written(tables.cells, shown_ids(evidence), Claims(study, run_folder / "cohort"))),
        called=list(errors.called(evaluation, models, reference)) if reference else [],
        alarms=list(errors.alarms(evaluation, models, evidence)),
        effects=list(
            effects(evaluation.scores, evaluation.held, {s.cell.id: arm(s.cell) for s in tables.cells})
        ),
        equity=equity(evaluation, models),
        risks=list(risk_spread(evaluation, keys)),
        sample_size=sample_size(evaluation, reference, _parameters(inputs.baselines), _sizes(tables.cells)),
        taught=list(taught(study, run_folder, tables.cells)),
        curves=[*curves.models(evaluation, models, comparer.optima), *tables.curves],
        models=models,
        evaluation=evaluation,
    )


def _parameters(baselines: Sequence[Baseline]) -> int | None:
    """Predictor parameters of the largest regression baseline."""
    return max((b.parameters for b in baselines if b.parameters), default=None)


def _sizes(cells: Sequence[CellState]) -> list[int]:
    return sorted({s.cell.n for s in cells if s.state == "done"})


def shown(comparer: Comparer, choice: Choice) -> dict[str, PredictionKey]:
    """The few sets of predictions for the figures, by name: one fit of each arm in its own format, and the yardsticks
    that matter, the best baseline and the optimum where it is known."""
    groups = {
        name: [k for _, k in comparer.keys(name, own)]
        for name in comparer.arms
        if (own := comparer.native(name))
    }
    out = {name: choice.shown(keys) for name, keys in groups.items()}
    yardsticks = {name: [k for k, _ in keys] for name, keys in comparer.yardsticks.items()}
    simple = [
        k
        for name, keys in yardsticks.items()
        for k in keys
        if name not in comparer.optima and k.readout != OUTSIDE
    ]
    best = choice.shown(simple)
    for name, keys in yardsticks.items():
        if name in comparer.optima or best in keys or keys[0].readout == OUTSIDE:
            out[name] = best if best in keys else keys[0]
    return {name: key for name, key in out.items() if key is not None}


def _agreement(study: Study, run_folder: Path) -> list[Agreement]:
    from .agreement import agreements

    ratings = rows(layout.RATINGS.at(run_folder), Rating)
    rubric = layout.RUBRIC.at(run_folder)
    if not ratings or not exists(rubric):
        return []
    seed = derive(study.seed, "analysis", "agreement")
    return agreements(ratings, read_record(rubric, Rubric), seed)
