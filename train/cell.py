"""One cell of the grid: fit, then read the risk of every held-out case. What a worker process does."""

from pathlib import Path

from ..study import layout
from ..study.config import Study
from ..study.grid import Cell
from ..study.records import write_text
from .lesson import fitted, lesson
from .read import loaded, read
from .records import Fit
from .settings import Settings
from .targets import TARGETS


def work(study: Study, run_folder: Path, cell: Cell, settings: Settings, folder: Path) -> None:
    """Fill a cell's folder; a fit of the same base, examples and settings that is there is taken over."""
    from .fitting.fit import fit
    from .fitting.processes import Processes

    processes = Processes.launched()
    taught = lesson(study, run_folder, cell, settings)
    target, missing = TARGETS[cell.target], fitted(folder) != taught.key
    processes.wait()
    if missing:
        if processes.first:
            for name in (layout.FIT, layout.READING):  # what was read from another fit is read again
                (folder / name).unlink(missing_ok=True)
            write_text(folder / "cell.json", cell.model_dump_json(indent=1))
        if target.fitted:
            model, encoder = loaded(study, run_folder, cell, settings)
            rows = taught.epochs[0] if len(taught.epochs) == 1 else taught.epochs
            classes = encoder.labels.tokens
            fit(
                model,
                rows,
                cell,
                settings,
                folder,
                taught.cuts,
                taught.key,
                taught.tuning,
                processes,
                target,
                classes,
            )
            del model
        elif processes.first:
            write_text(folder / layout.FIT, _unfitted(cell, taught.key).model_dump_json(indent=1))
    processes.wait()
    if not processes.first:
        return
    read(study, run_folder, cell, settings, folder)


def _unfitted(cell: Cell, key: str) -> Fit:
    """The record of a base that is read as it is."""
    return Fit(
        cell=cell.id,
        base=cell.base,
        key=key,
        parameters=0,
        trained_parameters=0,
        examples=0,
        epochs=0,
        steps=0,
        tokens={},
        final_loss={},
        seconds=0,
    )
