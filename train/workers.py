"""The cells of the grid in worker processes of this machine.

Each process goes through all cells and passes by what is done, failed, or in another's hands. The lock on a cell's
folder is the only thing they share, so processes on other machines may work in the same run folder.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

import click

from ..study.config import Study
from ..study.errors import BusyError
from ..study.grid import Cell
from ..study.runs import FAILURE, fail, locked, state
from .attempt import do_cell, is_done, try_cell
from .over_ray import over_ray
from .settings import Settings
from .targets import TARGETS


def run_cells(study: Study, home: Path, cells: Sequence[Cell], settings: Settings) -> None:
    """Do the cells that are not done; a failure is recorded in the cell's folder and the others go on.

    Raises:
        StaleError: a finished cell was made from other settings or inputs; nothing is touched.
    """
    left = [c for c in cells if not is_done(study, home, c, settings)]
    for cell in left:
        (home / "train" / cell.id / FAILURE).unlink(missing_ok=True)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _together(study, home, left, settings)
        return
    # Reasons make a fit long, so those go first and the workers end together.
    order = sorted(left, key=lambda c: (TARGETS[c.target].style is None, -c.n))
    if settings.ray:
        over_ray(study, home, order, settings)
        return
    context = get_context("spawn")
    workers = [
        context.Process(target=_worker, args=(study, home, order, settings), daemon=True)
        for _ in range(min(settings.workers, len(left)))
    ]
    with _ctrl_c_ignored():
        for w in workers:
            w.start()
    for w in workers:
        w.join()
    codes = sorted({w.exitcode for w in workers if w.exitcode})
    for cell in left:
        if state(home / "train" / cell.id) == "missing":
            _abandoned(home / "train" / cell.id, codes)


def _together(study: Study, home: Path, cells: Sequence[Cell], settings: Settings) -> None:
    """Cell by cell, all processes of a launcher on each; the first of them holds the folder and reads."""
    from .cell import work
    from .fitting.processes import Processes

    first = Processes.launched().first
    for cell in cells:
        if first:
            do_cell(study, home, cell, settings)
        else:
            work(study, home, cell, settings, home / "train" / cell.id)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Processes started inside are deaf to Ctrl-C: this one hears it, ends in one line, and ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heard)


def _abandoned(folder: Path, codes: Sequence[int]) -> None:
    """Record that a cell's process ended without a word, unless another process is at the cell."""
    try:
        with locked(folder):
            fail(
                folder,
                f"its process ended without an error message (exit {codes}): out of memory, or killed",
                "",
            )
    except BusyError:
        pass


def _worker(study: Study, home: Path, cells: Sequence[Cell], settings: Settings) -> None:
    """Go through the cells in a process of its own, which ends when its parent does."""
    die_with_parent()
    import torch

    torch.set_num_threads(1)
    for cell in cells:
        if not (home / "train" / cell.id / FAILURE).exists() and (
            message := try_cell(study, home, cell, settings)
        ):
            click.echo(message)


def die_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however it ended."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
