"""The cells of the grid in worker processes of this machine; what one cell is, and how it stands.

Each process goes through all cells and passes by what is done, failed, or in another's hands. The lock on a cell's
folder is the only thing they share, so processes on other machines may work in the same run folder.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

import click

from ..study.config import Study
from ..study.errors import BusyError, StaleError
from ..study.grid import Cell
from ..study.layout import READING
from ..study.records import read_record
from ..study.runs import FAILURE, Manifest, complete, fail, locked, manifest, run_once, state
from . import corpus
from .over_ray import over_ray
from .records import FitReading
from .settings import OF_NEITHER, OF_THE_READING, Settings
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


def try_cell(study: Study, home: Path, cell: Cell, settings: Settings) -> str:
    """Do a cell unless another process is at it; what fails is recorded in its folder.

    Returns:
        What to say of it; empty where nothing was done.
    """
    folder, start = home / "train" / cell.id, time.monotonic()
    try:
        if do_cell(study, home, cell, settings):
            return f"train: {name(cell)} in {time.monotonic() - start:.0f} s{_parity(folder)}"
    except BusyError:
        pass
    except Exception as e:
        fail(folder, f"{type(e).__name__}: {e}", traceback.format_exc())
    return ""


def _parity(folder: Path) -> str:
    """How far the ways to run a fit are apart: `; merged: risks differ by at most 2e-07`."""
    path = folder / READING
    parity = read_record(path, FitReading).parity if path.exists() else ()
    return "".join(f"; {p.way}: risks differ by at most {p.largest:.0e}" for p in parity if p.largest)


def die_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however it ended."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def name(cell: Cell) -> str:
    """A cell in words, for people: `free_rationale n=1000 lr=0.001 seed=0 token_mean (a1b2c3d4e5f6)`."""
    corpus_ = "" if cell.corpus == corpus.TEACHER else f" {cell.corpus}"
    more = "".join(f" {a}={v:g}" for a in ("weight", "dropped") if (v := getattr(cell, a)) is not None)
    more += " projected" if cell.projected else ""
    about = f"n={cell.n} lr={cell.learning_rate:g} seed={cell.seed} {cell.loss}{corpus_}{more}"
    return f"{cell.target} {about} ({cell.id})"


def do_cell(study: Study, home: Path, cell: Cell, settings: Settings) -> bool:
    """Fit and read one cell, unless it is done; True when it was done now.

    Raises:
        StaleError: it is done, but from other settings or inputs.
        BusyError: another process is at it.
    """
    from .cell import work

    return run_once(
        home / "train" / cell.id,
        _asked(study, home, cell, settings),
        corpus.files(home),
        lambda folder: work(study, home, cell, settings, folder),
        again=lambda old: _only_read_anew(study, home, cell, settings, old),
    )


def is_done(study: Study, home: Path, cell: Cell, settings: Settings) -> bool:
    """Whether a cell needs no work: complete, and nothing else is to be read.

    Raises:
        StaleError: it is complete, but another fit is asked for.
    """
    folder = home / "train" / cell.id
    try:
        return complete(folder, _asked(study, home, cell, settings), corpus.files(home))
    except StaleError:
        old = manifest(folder)
        if old is not None and _only_read_anew(study, home, cell, settings, old):
            click.echo(f"train: {name(cell)}: fit kept, read-outs changed: reading again")
            return False
        raise


def _asked(study: Study, home: Path, cell: Cell, settings: Settings) -> dict[str, Any]:
    """What a cell's folder hangs on, besides its input files."""
    from .bases.models import fingerprint
    from .bases.sources import folder_of

    return {
        "cell": cell.model_dump(),
        "train": settings.model_dump(mode="json", exclude=set(OF_NEITHER)),
        **({"decoding": study.grid.decoding} if study.grid and study.grid.decoding else {}),
        "seed": study.seed,
        "base": fingerprint(folder_of(study, home, cell.base)),
    }


def _only_read_anew(study: Study, home: Path, cell: Cell, settings: Settings, old: Manifest) -> bool:
    """Whether a complete cell differs only in what is read, and its fit is the one that is asked for."""
    from .lesson import fitted, lesson

    same = _without_reading(old.settings) == _without_reading(_asked(study, home, cell, settings))
    return same and fitted(home / "train" / cell.id) == lesson(study, home, cell, settings).key


def _without_reading(identity: dict[str, Any]) -> dict[str, Any]:
    train = {k: v for k, v in identity["train"].items() if k not in OF_THE_READING | OF_NEITHER}
    return {**{k: v for k, v in identity.items() if k != "decoding"}, "train": train}
