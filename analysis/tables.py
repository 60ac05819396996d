"""All numbers of a study in one place: what `wherefore evaluate` computes and the report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..study.records import Record, to_frame, write_table
from .cells import CellState
from .performance.evaluate import Evaluation
from .performance.scores import PredictionKey
from .records import (
    Agreement,
    Alarm,
    Average,
    Called,
    Cited,
    Comparison,
    Curve,
    Dilution,
    Effect,
    Equity,
    Grounded,
    Metric,
    RiskSpread,
    SampleSize,
    Taught,
    Written,
)


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
    effects: Sequence[Effect] = ()
    equity: Sequence[Equity] = ()
    risks: Sequence[RiskSpread] = ()
    sample_size: Sequence[SampleSize] = ()
    taught: Sequence[Taught] = ()
    curves: Sequence[Curve] = ()
    models: Mapping[str, PredictionKey] = field(default_factory=dict)
    """The few sets of predictions that the figures show, by their name there."""
    evaluation: Evaluation | None = None

    @property
    def optima(self) -> frozenset[str]:
        """Names, among the models shown, of those whose risk is the true one."""
        return frozenset(c.series for c in self.curves if c.kind == "optimum")


@dataclass(frozen=True)
class TableFile:
    """A table of `Tables` as a file: `<name>.parquet` in `analysis/`."""

    kind: type[Record]
    prefix: str
    """Of the ids by which the report cites its rows: `C12`."""
    title: str
    """What its rows are, in the words of the report."""


TABLES: dict[str, TableFile] = {
    "metrics": TableFile(Metric, "M", "single fits"),
    "averages": TableFile(Average, "A", "averages"),
    "comparisons": TableFile(Comparison, "C", "comparisons"),
    "equity": TableFile(Equity, "Q", "subgroups against the rest"),
    "risks": TableFile(RiskSpread, "R", "spread of risks"),
    "called": TableFile(Called, "T", "people flagged"),
    "alarms": TableFile(Alarm, "F", "false alarms"),
    "effects": TableFile(Effect, "V", "interventions"),
    "sample_size": TableFile(SampleSize, "N", "sample size"),
    "agreement": TableFile(Agreement, "G", "agreement"),
    "grounding": TableFile(Grounded, "K", "grounding"),
    "written": TableFile(Written, "W", "texts of the models"),
    "dilution": TableFile(Dilution, "D", "dilution"),
    "cited": TableFile(Cited, "E", "cited evidence"),
    "taught": TableFile(Taught, "L", "what was taught"),
}
"""By the name of the field."""


def save(tables: Tables, folder: Path) -> None:
    """Write every table."""
    for name, table in TABLES.items():
        write_table(folder / f"{name}.parquet", to_frame(getattr(tables, name), table.kind), table.kind)
