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
from ..train.records import Baseline
from . import mechanism
from .cells import CellState, states
from .performance import curves, errors
from .performance.averages import averages
from .performance.choice import Choice
from .performance.contrasts import Comparer
from .performance.evaluate import Evaluation, all_metrics, by_subgroup
from .performance.formats import OUTSIDE
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
    inputs = _Inputs(study, home, told.cells, settings, rows(layout.BASELINES.at(home), Baseline))
    evaluation = inputs.evaluation(cases, "held_out")
    if evaluation is None:
        return told
    comparer = Comparer(evaluation, told.cells, inputs.baselines)
    choice = Choice(evaluation, inputs.evaluation(cases, "tuning"))
    models, keys = shown(comparer, choice), list(evaluation.scores.risk)
    reference = models.get(settings.reference)
    return replace(
        told,
        metrics=[*all_metrics(evaluation, keys), *by_subgroup(evaluation, keys)],
        averages=list(averages(comparer, choice, METRICS)),
        comparisons=comparer.all(),
        dilution=list(mechanism.dilution(told.cells)),
        written=list(written(told.cells, shown_ids(evidence))),
        called=list(errors.called(evaluation, models, reference)) if reference else [],
        alarms=list(errors.alarms(evaluation, models, evidence)),
        curves=[*curves.models(evaluation, models, comparer.optima), *told.curves],
        models=models,
        evaluation=evaluation,
    )


def shown(comparer: Comparer, choice: Choice) -> dict[str, Key]:
    """The few sets of predictions for the figures, by name: one fit of each arm in its own format, and the yardsticks
    that matter, the best baseline and the optimum where it is known."""
    groups = {
        name: [k for _, k in comparer.keys(name, own)]
        for name in comparer.arms
        if (own := comparer.native(name))
    }
    out = {name: choice.shown(keys) for name, keys in groups.items()}
    yardsticks = {name: [k for k, _ in keys] for name, keys in comparer.yardsticks.items()}
    simple = [k for name, keys in yardsticks.items() for k in keys if name not in comparer.optima]
    best = choice.shown(simple)
    for name, keys in yardsticks.items():
        if name in comparer.optima or best in keys or keys[0].readout == OUTSIDE:
            out[name] = best if best in keys else keys[0]
    return {name: key for name, key in out.items() if key is not None}


@dataclass(frozen=True)
class _Inputs:
    """Where the predictions of a study are, and how its people were drawn."""

    study: Study
    home: Path
    cells: Sequence[CellState]
    settings: Settings
    baselines: Sequence[Baseline]

    def files(self, split: str) -> list[Path]:
        """The prediction files of the finished cells and of the baselines."""
        held_out = split == "held_out"
        name, beside = (
            (layout.PREDICTIONS, layout.BASELINE_PREDICTIONS)
            if held_out
            else (layout.TUNING, layout.BASELINE_TUNING)
        )
        found = [s.folder / name for s in self.cells if s.state == "done"] + [beside.at(self.home)]
        return [p for p in found if p.exists()]

    def evaluation(self, cases: "pd.DataFrame", split: str) -> Evaluation | None:
        """The predictions for one split; None where there are none, or one class only to judge them by."""
        files, known = self.files(split), cases[(cases["split"] == split) & (cases["weight"] > 0)]
        if not files or (split != "held_out" and known["label"].nunique() < 2):
            return None
        held = held_out(cases, split, by_outcome=self.study.cohort.get("sampling") is not None)
        optima = frozenset(b.cell for b in self.baselines if b.optimum)
        seed = derive(self.study.seed, "analysis", "bootstrap")
        return Evaluation(held, read_scores(files, held, optima), self.settings, seed)


def _agreement(study: Study, home: Path) -> list[Agreement]:
    from .agreement import agreements

    ratings = rows(layout.RATINGS.at(home), Rating)
    rubric = layout.RUBRIC.at(home)
    if not ratings or not rubric.exists():
        return []
    seed = derive(study.seed, "analysis", "agreement")
    return agreements(ratings, read_record(rubric, Rubric), seed)
