"""What running a grid costs besides the fits: `python benchmarks/engine.py [--only nothing|ray] [--cells 6]`.

Nothing: 504 cells that do nothing, by two local processes, as `wherefore train` runs them: dealt out, locked, their
inputs hashed, manifests and the page of the grid written; then the same call again, which finds all done. Ray: real
cells of a small study on one Ray worker and on two, wall-clock seconds between the first beginning and the last end,
so that Ray's own start counts for neither. Exits 1 where a goal is missed.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from wherefore import load
from wherefore.study.config import Study
from wherefore.study.grid import Grid
from wherefore.study.runs import MANIFEST
from wherefore.train import cell as cells_work
from wherefore.train.grid_page import page_kept
from wherefore.train.run import run
from wherefore.train.settings import settings_of
from wherefore.train.workers import run_cells

QUICK = Path(__file__).parents[1] / "examples" / "quick.toml"


def no_work(*_: object) -> None:
    """In place of fitting and reading: what is left is the engine."""


if __name__ == "__mp_main__":  # a worker process
    cells_work.work = no_work


def small(home: Path) -> Study:
    """A study with cohort, rationales and a made base, and no cell."""
    from wherefore.cohort.run import run as cohort
    from wherefore.synth.run import run as synth

    study = load(QUICK)
    for stage in (cohort, synth):
        stage(study, home)
    return study


def with_grid(study: Study, grid: Grid, **train: object) -> Study:
    return study.model_copy(update={"grid": grid, "train": {**study.train, "baselines": [], **train}})


def nothing(study: Study, home: Path) -> tuple[float, float]:
    """(seconds for 504 cells without work, seconds to find them done)."""
    grid = Grid(
        expect=504,
        target=("label_only", "free_rationale", "stepwise_rationale"),
        n=(50, 100, 120),
        learning_rate=(1e-5, 3e-5, 1e-4, 3e-4),
        seed=tuple(range(14)),
    )
    many = with_grid(study, grid)
    settings, cells, spent = settings_of(many), grid.cells(), []
    for _ in range(2):
        start = time.perf_counter()
        with page_kept(many, home, cells, settings):
            run_cells(many, home, cells, settings)
        spent.append(time.perf_counter() - start)
    assert all((home / "train" / c.id / MANIFEST).exists() for c in cells)
    return spent[0], spent[1]


def on_ray(study: Study, home: Path, workers: int, cells: int) -> float:
    """Seconds from the first beginning of a cell to the last end."""
    seeds = tuple(range(100 * workers, 100 * workers + cells))
    grid = Grid(expect=cells, target=("free_rationale",), n=(120,), seed=seeds)
    variant = with_grid(study, grid, ray=workers, epochs=4, readouts=["own_rationale"])
    run(variant, home)
    folders = [home / "train" / c.id for c in grid.cells()]
    begins = [(f / "cell.json").stat().st_mtime for f in folders]
    return max((f / MANIFEST).stat().st_mtime for f in folders) - min(begins)


def row(name: str, ours: float, limit: float, ok: bool) -> bool:
    print(f"{name:<78}{ours:>9.2f}{limit:>9.2f}  {'ok' if ok else 'SHORT'}", flush=True)
    return ok


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("nothing", "ray"), help="only these rows")
    parser.add_argument("--cells", type=int, default=6, help="real cells a Ray row")
    options = parser.parse_args()
    done = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "quick"
        study = small(home)
        run(with_grid(study, Grid(expect=1, target=("label_only",), n=(50,))), home)  # makes the base
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        if options.only != "ray":
            first, again = nothing(study, home)
            done.append(row("504 cells that do nothing, s, against 60 s", first, 60, first < 60))
            done.append(row("the same found done, s, against 15 s", again, 15, again < 15))
        if options.only != "nothing":
            one, two = (on_ray(study, home, workers, options.cells) for workers in (1, 2))
            about = f"{options.cells} real cells on Ray, two workers against one"
            done.append(row(f"{about}, {one:.0f} s / {two:.0f} s", one / two, 1.6, one / two >= 1.6))
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
