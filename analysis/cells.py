"""Which fits of the grid are finished, which failed, which are missing: every average says how many it rests on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ..study.config import Study
from ..study.errors import DataError
from ..study.grid import Cell
from ..study.runs import MANIFEST, Failure
from ..train.records import Fit

State = Literal["done", "failed", "missing"]


class CellState(NamedTuple):
    """One cell of the grid as it stands on disk."""

    cell: Cell
    state: State
    folder: Path
    why: str = ""
    """The error of a failed fit, one line."""

    @property
    def predictions(self) -> Path:
        """Where a finished cell has its predictions."""
        return self.folder / "predictions.parquet"

    def fit(self) -> Fit | None:
        """What the fit took; None where nothing was fitted."""
        path = self.folder / "fit.json"
        if not path.exists():
            return None
        try:
            return Fit.model_validate_json(path.read_text())
        except ValueError as e:
            raise DataError(
                f"{path}: not the record of a fit. Remove the folder to have the cell done again."
            ) from e


def states(study: Study, home: Path) -> list[CellState]:
    """Every cell of the grid, in its order; empty where the study has no grid."""
    return [_state(cell, home / "train" / cell.id) for cell in study.grid.cells()] if study.grid else []


def _state(cell: Cell, folder: Path) -> CellState:
    if (folder / MANIFEST).exists():
        return CellState(cell, "done", folder)
    failure = folder / "failure.json"
    if failure.exists():
        return CellState(cell, "failed", folder, Failure.model_validate_json(failure.read_text()).error)
    return CellState(cell, "missing", folder)


def varying(cells: Sequence[Cell]) -> list[str]:
    """The axes, beside the target, that have more than one value: what a cell must be named by.

    >>> a = Cell(base="tiny", target="label_only", n=100, learning_rate=1e-3, seed=0)
    >>> varying([a, a.model_copy(update={"n": 200})])
    ['n']
    """
    axes = [name for name in Cell.model_fields if name != "target"]
    return [axis for axis in axes if len({getattr(c, axis) for c in cells}) > 1]


def label(cell: Cell, axes: Sequence[str]) -> str:
    """A cell in words: its target, then what else varies in the grid.

    >>> a = Cell(base="tiny", target="label_only", n=100, learning_rate=1e-3, seed=0)
    >>> label(a, ["n", "learning_rate"])
    'label_only, n 100, learning_rate 0.001'
    """
    parts = [f"{axis} {getattr(cell, axis):g}" if isinstance(getattr(cell, axis), int | float)
             else f"{axis} {getattr(cell, axis)}" for axis in axes]  # fmt: skip
    return ", ".join([cell.target, *parts])


def matched(a: Cell, others: Sequence[Cell], axis: str, value: object) -> Cell | None:
    """The cell that differs from `a` in one axis alone, where it has `value`."""
    wanted = a.model_copy(update={axis: value})
    return next((c for c in others if c == wanted), None)
