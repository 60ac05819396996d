"""Which fits of the grid are finished, which failed, which are missing: every average says how many it rests on."""

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Literal, NamedTuple

from ..study import layout
from ..study.config import Study
from ..study.grid import Cell
from ..study.reads import exists
from ..study.records import read_record
from ..study.runs import failure, state
from ..train.records import Fit


class CellState(NamedTuple):
    """One cell of the grid as it stands on disk."""

    cell: Cell
    state: Literal["done", "failed", "missing"]
    folder: Path
    why: str = ""
    """The error of a failed fit, one line."""

    @property
    def predictions(self) -> Path:
        """Where a finished cell has its predictions."""
        return self.folder / layout.PREDICTIONS

    def fit(self) -> Fit | None:
        """What the fit took; None where nothing was fitted."""
        path = self.folder / layout.FIT
        remedy = "Remove the folder to run the cell again."
        return read_record(path, Fit, remedy) if exists(path) else None


def states(study: Study, home: Path) -> list[CellState]:
    """Every cell of the grid, in its order; empty where the study has no grid."""
    return [_state(cell, home / "train" / cell.id) for cell in study.grid.cells()] if study.grid else []


def _state(cell: Cell, folder: Path) -> CellState:
    """A cell that is under way counts as missing: what it will say is not known yet."""
    now = state(folder)
    why = failure(folder) if now == "failed" else None
    return CellState(cell, "missing" if now == "running" else now, folder, why.line if why else "")


ARM = ("target", "loss", "corpus", "weight", "dropped", "projected")
"""The axes that say how a model is taught. Cells that share them are one arm; the others are design."""


def arm(cell: Cell) -> str:
    """What a cell was taught: its target, then loss and corpus where they are not the default.

    >>> a = Cell(base="tiny", target="label_then_rationale", n=100, learning_rate=1e-3, seed=0)
    >>> arm(a), arm(a.model_copy(update={"loss": "group_mean"}))
    ('label_then_rationale', 'label_then_rationale, group_mean')
    """
    changed = [f for f in ARM[1:] if getattr(cell, f) != Cell.model_fields[f].default]
    return ", ".join([cell.target, *(_said(f, getattr(cell, f)) for f in changed)])


def _said(axis: str, value: object) -> str:
    """A value of an axis as it reads behind a target: `group_mean`, `weight 0.7`, `projected`."""
    return str(value) if isinstance(value, str) else axis if value is True else f"{axis} {value:g}"


def reference_of(cell: Cell, grid: AbstractSet[Cell], target: str) -> Cell | None:
    """The cell to compare with: the reference target, all design axes alike.

    Of the same loss and corpus where the grid has it, else of the defaults; None where the grid has neither.
    """
    defaults = {f: Cell.model_fields[f].default for f in ARM[1:]}
    near = cell.model_copy(update={"target": target})
    candidates = (c for c in (near, near.model_copy(update=defaults)) if c in grid)
    return next(candidates, None)


def matched(cell: Cell, grid: AbstractSet[Cell], axis: str, value: object) -> Cell | None:
    """The cell that differs in one axis alone, where it has `value`; None where the grid has no such cell."""
    other = cell.model_copy(update={axis: value})
    return other if other in grid else None
