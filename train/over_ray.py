"""The cells of the grid on Ray workers, of this machine or of many that share the run folder.

This process alone deals them out, one to a worker at a time. A worker that dies costs the cell in its hands, which
another takes up from its last checkpoint; when the head or this process dies, the same command goes on.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

import click

from ..study.config import Study
from ..study.errors import DataError
from ..study.grid import Cell
from ..study.runs import LOCK, fail, held, locked
from ..study.scale import Lost, run_tasks
from .settings import Settings, settings_of


def over_ray(study: Study, home: Path, cells: Sequence[Cell], settings: Settings) -> None:
    """Do the cells on `settings.ray` workers; a failure is recorded in the cell's folder and the others go on.

    Raises:
        MissingPartError: Ray is not installed.
        StudyError: a GPU is asked for and the cluster has none.
        DataError: a worker does not share this run folder, or not its locks.
        BusyError: another Ray run is at this run folder.
    """
    where = str(study.folder.absolute()), str(home.absolute())
    tasks = [(study.model_dump_json(), *where, c.model_dump_json()) for c in cells]
    with locked(home.absolute() / "train" / SIGN):
        for place, outcome in run_tasks(__name__, one.__name__, tasks, settings.ray or 1, settings.gpus):
            if isinstance(outcome, Lost):
                fail(home / "train" / cells[place].id, outcome.why, "")
            elif outcome:
                click.echo(outcome)


SIGN = ".ray"
"""A folder in `train/` that this process holds while it deals: what a worker must see held."""


def one(study: str, folder: str, home: str, cell: str) -> str:
    """One cell in a process of Ray's."""
    import torch

    from .attempt import try_cell

    _check_shared(Path(home))
    torch.set_num_threads(1)
    loaded = Study.model_validate_json(study).model_copy(update={"folder": Path(folder)})
    return try_cell(loaded, Path(home), Cell.model_validate_json(cell), settings_of(loaded))


def _check_shared(home: Path) -> None:
    """Refuse a run folder of which this machine does not see the files and locks of the others.

    Raises:
        DataError: two workers could be at one cell here without knowing.
    """
    sign, node = home / "train" / SIGN, socket.gethostname()
    if not (sign / LOCK).exists():
        raise DataError(f"{home}: not seen by {node}. Give a folder that all machines share with --runs.")
    if not held(sign):
        raise DataError(
            f"{home}: {node} does not see the locks of the other machines. Mount the file system with locks "
            "(NFS: without nolock; Lustre: flock), or choose another folder with --runs."
        )
