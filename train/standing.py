"""How the cells of a grid stand on disk: done, running, failed or missing, and the time that is left."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from ..study.grid import Cell
from ..study.runs import MANIFEST, State, failure, manifest, since, state


@dataclass(frozen=True)
class Stand:
    """A cell as it stands now."""

    cell: Cell
    state: State
    seconds: float | None = None
    """That it took, or has been running for; None where it does neither."""
    why: str = ""
    """What stopped it, in a line."""


class Standing:
    """How all cells of a grid stand. Ask it again with `look`: what is done is read once.

    Args:
        home: the run folder.
        cells: of the grid.
        workers: that do cells at the same time.
    """

    def __init__(self, home: Path, cells: Sequence[Cell], workers: int) -> None:
        self.home, self.cells, self.workers = home, cells, workers
        self.stands: list[Stand] = []
        self._done: dict[str, tuple[int, float]] = {}
        self.look()

    def look(self) -> "Standing":
        """Read the run folder now."""
        self.stands = [self._stand(cell) for cell in self.cells]
        return self

    def _stand(self, cell: Cell) -> Stand:
        folder = self.home / "train" / cell.id
        now = state(folder)
        if now == "done":
            return Stand(cell, now, self._took(folder))
        if now == "running":
            began = since(folder)
            return Stand(cell, now, None if began is None else max(0.0, time.time() - began))
        why = failure(folder) if now == "failed" else None
        return Stand(cell, now, why=why.line if why else "")

    def _took(self, folder: Path) -> float | None:
        stamp = (folder / MANIFEST).stat().st_mtime_ns
        if self._done.get(folder.name, (0, 0.0))[0] != stamp:
            finished = manifest(folder)
            self._done[folder.name] = stamp, finished.seconds if finished else 0.0
        return self._done[folder.name][1]

    @property
    def counts(self) -> dict[str, int]:
        """How many cells stand in each state, all four named."""
        counts = Counter(s.state for s in self.stands)
        return {name: counts[name] for name in ("done", "running", "failed", "missing")}

    @property
    def spent(self) -> float | None:
        """Seconds of all cells that are done; None where none is."""
        done = [s.seconds or 0.0 for s in self.stands if s.state == "done"]
        return sum(done) if done else None

    @property
    def left(self) -> float | None:
        """Seconds until the last cell that is missing or running is done, by those that are; None: not known yet.

        A cell is taken to last as long as the mean of those with its target and training size, or else its target, or
        else of all. As many go on at a time as are running now, or else as there are workers.
        """
        todo = [s for s in self.stands if s.state in ("running", "missing")]
        if not todo:
            return 0.0
        known = [s for s in self.stands if s.state == "done" and s.seconds]
        if not known:
            return None
        each = [max(0.0, _expected(s.cell, known) - (s.seconds or 0.0)) for s in todo]
        return max(sum(each) / (self.counts["running"] or self.workers), *each)


def _expected(cell: Cell, known: Sequence[Stand]) -> float:
    """Seconds of a cell like this one."""
    near = (
        [s for s in known if (s.cell.target, s.cell.n) == (cell.target, cell.n)]
        or [s for s in known if s.cell.target == cell.target]
        or known
    )
    return fmean(s.seconds or 0.0 for s in near)


def in_words(seconds: float) -> str:
    """A time to wait: `40 s`, `12 min`, `3.5 h`.

    >>> in_words(40.4), in_words(700), in_words(12600)
    ('40 s', '12 min', '3.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
