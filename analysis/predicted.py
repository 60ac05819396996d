"""Where the predictions of a study are, and what they are judged on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..study import layout
from ..study.config import Study
from ..study.reads import exists
from ..study.seeds import derive
from ..train.records import Baseline
from .cells import CellState
from .performance.evaluate import Evaluation
from .performance.scores import held_out, read_scores
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StudyPredictions:
    """Where the predictions of a study are, and how its people were drawn."""

    study: Study
    run_folder: Path
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
        paths = [s.folder / name for s in self.cells if s.state == "done"] + [beside.at(self.run_folder)]
        return [p for p in paths if exists(p)]

    def evaluation(self, cases: "pd.DataFrame", split: str) -> Evaluation | None:
        """The predictions for one split, before those made elsewhere are added.

        None where there are none, or one class only to judge them by.
        """
        files, known = self.files(split), cases[(cases["split"] == split) & (cases["weight"] > 0)]
        outside = split == "held_out" and self.settings.outside
        if not (files or outside) or (split != "held_out" and known["label"].nunique() < 2):
            return None
        held = held_out(cases, split, self.study.cohort.get("sampling") is not None, self.settings.age_bands)
        optima = frozenset(b.cell for b in self.baselines if b.optimum)
        seed = derive(self.study.seed, "analysis", "bootstrap")
        return Evaluation(held, read_scores(files, held, optima), self.settings, seed)
