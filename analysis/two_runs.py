"""Two run folders side by side: what differs in what was asked, whether the people are the same, and by how much each
kind of fit predicts better in one than in the other."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..cohort.question import duration
from ..cohort.records import Case
from ..cohort.settings import Settings as Cohort
from ..study import layout
from ..study.config import Study
from ..study.errors import DataError
from ..study.files import rows
from ..study.grid import Cell
from ..study.records import read_record, read_table
from ..study.runs import differences
from ..train.records import Baseline
from .cells import CellState, arm, states
from .performance.compare import Pair, adjusted, contrast
from .performance.evaluate import Evaluation
from .performance.formats import YARDSTICKS
from .performance.scores import HeldOut, PredictionKey, Scores
from .predicted import StudyPredictions
from .records import Comparison
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd

WHO = ("id", "subject", "age", "sex", "day", "label", "weight", "sampling_weight")
"""What makes a held-out case the same one in two runs: the person, the prediction time, the truth, what it counts."""


@dataclass(frozen=True)
class Run:
    """A run folder that has predictions.

    Raises:
        DataError: when a part is asked for that is not there.
    """

    folder: Path
    name: str
    """As the page calls it."""

    @cached_property
    def study(self) -> Study:
        """The study as it was resolved."""
        path = self.folder / "resolved.json"
        if not path.is_file():
            raise DataError(
                f"{self.folder}: no run folder, as it has no resolved.json. Give one, such as runs/demo."
            )
        return read_record(path, Study)

    @cached_property
    def made(self) -> dict[str, Any]:
        """Versions and commit that made it."""
        path = self.folder / "provenance.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {name: found.get(name) for name in ("commit", "packages", "gpu")}

    @cached_property
    def question(self) -> dict[str, Any]:
        """What is predicted: the disease's codes and the horizon, defaults filled in."""
        cohort = Cohort.model_validate({"source": {"name": "none"}, **self.study.cohort})
        return {"phenotype": cohort.phenotype.model_dump(), "horizon": duration(cohort.horizon_years)}

    @cached_property
    def cases(self) -> "pd.DataFrame":
        """All cases."""
        if not layout.CASES.at(self.folder).is_file():
            raise DataError(f"{self.folder}: no cohort/cases.parquet. Run the study first.")
        return read_table(layout.CASES.at(self.folder), Case)

    @property
    def held(self) -> HeldOut:
        """The held-out cases."""
        return self.evaluation.held

    @cached_property
    def who(self) -> "pd.DataFrame":
        """The held-out cases by what makes them the same, sorted by id."""
        found = self.cases[self.cases["id"].isin(self.held.case)][list(WHO)]
        return found.sort_values("id").reset_index(drop=True)

    @cached_property
    def settings(self) -> Settings:
        """How its predictions are judged."""
        return self.study.section("analysis", Settings)

    @cached_property
    def cells(self) -> list[CellState]:
        """Its finished fits."""
        return [s for s in states(self.study, self.folder) if s.state == "done"]

    @cached_property
    def evaluation(self) -> Evaluation:
        """Every risk that it predicted for held-out people, its own models' and its baselines'."""
        baselines = rows(layout.BASELINES.at(self.folder), Baseline)
        own = StudyPredictions(self.study, self.folder, self.cells, self.settings, baselines)
        evaluation = own.evaluation(self.cases, "held_out")
        if evaluation is None or not evaluation.scores.risk:
            raise DataError(
                f"{self.folder}: no fit is finished, so there is nothing to compare. Run the study first."
            )
        return evaluation


class People(NamedTuple):
    """The held-out cases of two runs."""

    a: int
    b: int
    shared: int
    """With the same id."""
    alike: int
    """Of these, the same in everything that counts."""

    @property
    def same(self) -> bool:
        """Whether all are the same, so that differences can be paired."""
        return self.a == self.b == self.alike

    @property
    def words(self) -> str:
        """In a sentence."""
        if self.same:
            return f"The same {self.a:,} held-out cases in both, so every difference is paired."
        if not self.shared:
            return f"Other people: {self.a:,} held-out cases and {self.b:,}, none with the same id."
        return (
            f"Not the same people: {self.a:,} held-out cases and {self.b:,}; {self.shared:,} have the same id, and "
            f"{self.alike:,} of these the same age, sex, outcome and weight."
        )


@dataclass(frozen=True)
class Own:
    """What one run alone says of a kind of fit: the mean over its fits."""

    run: str
    what: str
    readout: str
    metric: str
    value: float | None
    fits: int


@dataclass(frozen=True)
class TwoRuns:
    """Two runs side by side."""

    a: Run
    b: Run
    settings: list[tuple[str, Any, Any]]
    """Name, in the first, in the second: of every setting that differs."""
    versions: list[tuple[str, Any, Any]]
    people: People
    comparisons: list[Comparison]
    """First minus second, with Holm's correction over the kinds of fits of a metric; empty where people differ."""
    alone: list[Own]
    """Kinds of fits that are not paired."""

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics, the first of them the main one."""
        return self.a.settings.compared


def two_runs(a: Path, b: Path) -> TwoRuns:
    """Compare two run folders.

    Raises:
        DataError: one is none, has no predictions, or they do not ask the same question.
    """
    plain = a.resolve().name != b.resolve().name
    first, second = (Run(f, f.resolve().name if plain else str(f)) for f in (a, b))
    _same_question(first, second)
    people = _people(first, second)
    comparisons = list(_compared(first, second)) if people.same else []
    paired = {(c.a, c.a_readout) for c in comparisons if c.difference is not None}
    return TwoRuns(
        first,
        second,
        settings=_moved(first.study.model_dump(mode="json"), second.study.model_dump(mode="json")),
        versions=_moved(first.made, second.made),
        people=people,
        comparisons=adjusted(comparisons),
        alone=[
            own for run in (first, second) for own in _alone(run) if (own.what, own.readout) not in paired
        ],
    )


def _moved(was: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(name, old, new) for name, old, new in differences(was, now) if name not in ("name", "title")]


def _same_question(a: Run, b: Run) -> None:
    """Refuse two runs that predict different things: no difference between them would mean anything."""
    for name, x, y in differences(a.question, b.question):
        raise DataError(
            f"{a.folder} and {b.folder}: they predict different things ({name}: {x} and {y}), so their numbers "
            "cannot be compared. Give two runs of one outcome and horizon."
        )


def _people(a: Run, b: Run) -> People:
    both = a.who.merge(b.who, on="id", suffixes=("_a", "_b"))
    alike = np.ones(len(both), dtype=bool)
    for name in WHO[1:]:
        x, y = both[f"{name}_a"], both[f"{name}_b"]
        alike &= ((x == y) | (x.isna() & y.isna())).to_numpy(dtype=bool)
    return People(len(a.who), len(b.who), len(both), int(alike.sum()))


Kinds = Mapping[tuple[str, str], Mapping[Cell | str, PredictionKey]]
"""By what was taught (or the baseline's name) and read-out: the sets of predictions, by cell or by baseline."""


def _kinds(run: Run) -> Kinds:
    by_id = {s.cell.id: s.cell for s in run.cells}
    out: dict[tuple[str, str], dict[Cell | str, PredictionKey]] = {}
    for key in run.evaluation.scores.risk:
        cell = by_id.get(key.cell)
        if cell is not None:
            out.setdefault((arm(cell), key.readout), {})[cell] = key
        elif key.readout in YARDSTICKS:
            out.setdefault((key.cell, key.readout), {})[key.cell] = key
    return out


def _compared(a: Run, b: Run) -> Iterator[Comparison]:
    """Every kind of fit that both have, over the cells that both have."""
    mine, other = _kinds(a), _kinds(b)
    evaluation = _together(a, b)
    for metric in a.settings.compared:
        for (what, readout), cells in mine.items():
            of_b = other.get((what, readout), {})
            pairs = [_pair(cell, readout) for cell in cells if cell in of_b]
            if not pairs:
                continue
            yield Comparison(
                metric=metric,
                unit="target",
                family=f"runs: {metric}",
                a=what,
                a_readout=readout,
                b=what,
                b_readout=readout,
                pairs_expected=len(cells.keys() | of_b.keys()),
                **contrast(evaluation, metric, pairs, a.held.population),
            )


def _pair(cell: Cell | str, readout: str) -> Pair:
    """The same cell in both runs."""
    name, seed = (cell, 0) if isinstance(cell, str) else (cell.id, cell.seed)
    point = cell if isinstance(cell, str) else cell.model_copy(update={"seed": 0})
    return Pair(PredictionKey(f"a {name}", readout), PredictionKey(f"b {name}", readout), point, seed)


def _together(a: Run, b: Run) -> Evaluation:
    """The predictions of both about the same people, each in the population that the first is about."""
    risk, missing = {}, {}
    for name, run in (("a", a), ("b", b)):
        for key in run.evaluation.scores.risk:
            risk[PredictionKey(f"{name} {key.cell}", key.readout)] = run.evaluation.scores.on(
                key, a.held.population
            )
            missing[PredictionKey(f"{name} {key.cell}", key.readout)] = run.evaluation.scores.missing[key]
    return Evaluation(a.held, Scores(risk, missing, shift=0.0), a.settings, a.evaluation.seed)


def _alone(run: Run) -> Iterator[Own]:
    """The mean of each metric over the fits of each kind, without an interval: the run's own report has it."""
    for (what, readout), keys in _kinds(run).items():
        for metric in run.settings.compared[:1]:
            found = [run.evaluation.metric(metric, key, run.held.population).value for key in keys.values()]
            known = [v for v in found if v is not None]
            value = float(np.mean(known)) if len(known) == len(found) else None
            yield Own(run.name, what, readout, metric, value, len(found))
