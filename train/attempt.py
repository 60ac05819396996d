"""One cell as a unit of work: done once, whoever is at it, and how it stands."""

import time
import traceback
from pathlib import Path
from typing import Any

import click

from ..study.config import Study
from ..study.errors import BusyError, StaleError
from ..study.grid import Cell
from ..study.layout import READING
from ..study.records import read_record
from ..study.runs import Manifest, complete, fail, manifest, run_once
from . import corpus
from .records import FitReading
from .settings import OF_NEITHER, OF_THE_READING, Settings


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
