"""The train stage: base models, baselines, and the cells of the grid in worker processes of this machine."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from ..study import layout
from ..study.config import Study
from ..study.errors import StudyError, WhereforeError, not_one_of
from ..study.grid import Cell
from ..study.permission import loopback
from ..study.records import to_frame, write_jsonl, write_table, write_text
from ..study.runs import FAILURE, failure, manifest, run_once, state
from ..study.scale import check_installed
from ..study.seeds import derive
from . import corpus
from .attempt import name
from .baselines import BASELINES
from .bases.inspection import Inspection, cut_share, inspected
from .bases.sources import cheap_check, folder_of
from .checks import refuse
from .grid_page import page_kept
from .reading.readouts import expanded
from .records import Prediction
from .settings import Made, Settings, StoredBase, settings_of
from .settings import bases as bases_of
from .targets import TARGETS
from .workers import run_cells


class CellsFailedError(WhereforeError, RuntimeError):
    """Some fits failed; all others are done."""


def resolve(study: Study) -> Settings:
    """The stage's settings, with every base, target, read-out and baseline looked up; no heavy import.

    Raises:
        StudyError: a name that does not exist, a wrong value, a grid that is not as expected.
    """
    settings = settings_of(study)
    known = bases_of(study)
    for base_name, base in known.items():
        if isinstance(base, StoredBase):
            cheap_check(base, f"bases.{base_name}", study.folder)
    if settings.served and study.data_use is None and not loopback(settings.served.base_url):
        raise StudyError(
            f"train.served.base_url: {settings.served.base_url} is not on this machine, and the study has no "
            "[data_use] section that allows patient text to leave it. Add one, or serve the model here."
        )
    for baseline in settings.baselines:
        _known("train.baselines", "baseline", baseline, BASELINES)
    for cell in grid(study):
        _known("grid.target", "target", cell.target, TARGETS)
        _known("grid.base", "base", cell.base, known)
    refuse(study, grid(study), settings)
    return settings


def grid(study: Study) -> list[Cell]:
    """The cells of the study; none where it has no grid."""
    return study.grid.cells() if study.grid else []


def _known(where: str, kind: str, name: str, table: Iterable[str]) -> None:
    if name not in table:
        raise StudyError(f"{where}: {not_one_of(kind, name, table)}")


def preflight(study: Study, run_folder: Path) -> list[Inspection]:
    """Look over every base of the grid that exists: before a teacher is paid, and before a worker starts.

    Raises:
        StudyError: one cannot be loaded, adapted or read.
    """
    settings, known = resolve(study), bases_of(study)
    names = sorted({c.base for c in grid(study)})
    return [
        inspected(base, folder_of(study, run_folder, name), settings, f"bases.{name}")
        for name in names
        if isinstance(base := known[name], StoredBase)
    ]


def describe(study: Study, home: Path) -> str:
    """What the stage would do, in a line: fits, and configurations counted as fits times their read-outs."""
    s, cells = resolve(study), grid(study)
    ways = study.grid.decoding if study.grid else ()
    read = sum(len(expanded(s.readouts, TARGETS[c.target], ways)) for c in cells)
    done = sum(manifest(home / "train" / c.id) is not None for c in cells)
    lines = [
        f"{len(cells)} fits ({done} done), {read} configurations with their read-outs, on "
        + (f"{s.ray} Ray workers" if s.ray else f"{s.workers} workers")
    ]
    for inspection in preflight(study, home):
        lines.append(inspection.line(s))
        if layout.CASES.at(home).exists():
            cut, of = cut_share(inspection, corpus.cases(home), s.question)
            lines += [f"{inspection.name}: {cut} of {of} histories are shortened to fit"] if cut else []
    return "\n            ".join(lines)


def run(study: Study, home: Path, only: Sequence[str] = (), shard: tuple[int, int] = (1, 1)) -> bool:
    """Make the base models, the baselines and the cells that are not there yet.

    Args:
        study: resolved.
        home: the run folder.
        only: ids (or their first digits) of the cells to do; empty: all.
        shard: (i, n): of the cells in order, every n-th from the i-th, for n machines at once.
    Raises:
        CellsFailedError: some fits failed; the others are done and stay.
    """
    settings = resolve(study)
    cells = grid(study)
    if not cells:
        click.echo("train: the study has no grid, so there is nothing to fit")
        return False
    start = time.monotonic()
    preflight(study, home)
    if settings.ray:
        check_installed("train.ray")  # said before anything is made
    own = chosen(cells, only, shard)
    worked = [_base(study, home, name, settings) for name in sorted({c.base for c in own})]
    worked.append(_baselines(study, home, settings, cells))
    before = {c.id for c in own if state(home / "train" / c.id) == "done"}
    _write_cells(home, cells)
    with page_kept(study, home, cells, settings):
        run_cells(study, home, own, settings)
    _write_cells(home, cells)
    _report(home, own, before, time.monotonic() - start)
    return any(worked) or len(before) < len(own)


def chosen(cells: Sequence[Cell], only: Sequence[str], shard: tuple[int, int]) -> list[Cell]:
    """The cells asked for.

    Raises:
        StudyError: an id that no cell has, or a shard that is none.
    """
    i, n = shard
    if not 1 <= i <= n:
        raise StudyError(f"--shard: invalid shard {i}/{n}. Write i/n with i from 1 to n.")
    for prefix in only:
        if not any(c.id.startswith(prefix) for c in cells):
            raise StudyError(f"--cells: {not_one_of('cell', prefix, [c.id for c in cells])}")
    return [c for c in cells if not only or c.id.startswith(tuple(only))][i - 1 :: n]


def _base(study: Study, home: Path, name: str, settings: Settings) -> bool:
    """Make a base model where the study asks for a made one."""
    base = bases_of(study)[name]
    if not isinstance(base, Made):
        return False
    shape = base

    def work(folder: Path) -> None:
        import torch

        from .made.base import make

        torch.set_num_threads(settings.workers)
        cases = corpus.cases(home)
        words = corpus.training_words(home, cases)
        train = [c for c in cases if c.split == "train"]
        make(shape, train, words, settings.question, study.seed, folder)

    given = base.model_dump(exclude={"forms"} if base.forms == Made.model_fields["forms"].default else set())
    settings_of = {"base": given, "seed": study.seed, "question": settings.question}
    start = time.monotonic()
    worked = run_once(
        home / "train" / "bases" / name,
        settings_of,
        [layout.CASES.at(home), corpus.corpus_path(home, corpus.TEACHER)],
        work,
        wait=True,
    )
    click.echo(
        f"train: base {name} " + (f"made in {time.monotonic() - start:.0f} s" if worked else "up to date")
    )
    return worked


def _baselines(study: Study, home: Path, settings: Settings, cells: Sequence[Cell]) -> bool:
    """Fit the baselines on the very cases of the fits that they are compared with: once for each size of the grid."""
    sizes = sorted({c.n for c in cells})

    def work(folder: Path) -> None:
        from ..cohort.records import Evidence
        from ..study.records import read_table
        from .baselines import fitted, predictions

        cases, evidence = corpus.cases(home), read_table(layout.EVIDENCE.at(home), Evidence)
        order = corpus.order_for(study, home, settings)
        parts = {layout.PREDICTIONS: corpus.held_out(cases), layout.TUNING: corpus.of_split(cases, "tuning")}
        identity = [c for part in parts.values() for c in part]
        seeds = {name: derive(study.seed, "train", name) for name in settings.baselines}
        fits = fitted(seeds, {n: corpus.first(order, n) for n in sizes}, identity, evidence)
        write_jsonl(layout.BASELINES.at(home), [b for b, _ in fits])
        for file, part in parts.items():
            rows = [p for b, risks in fits for p in predictions(b.cell, part, [risks[c.id] for c in part])]
            write_table(folder / file, to_frame(rows, Prediction), Prediction)

    identity = {
        "baselines": settings.baselines,
        "n": sizes,
        "seed": study.seed,
        "rationales": settings.rationales,
        "faulty": settings.faulty,
        "min_support": settings.min_support,
        "min_facts": settings.min_facts,
    }
    inputs = [layout.EVIDENCE.at(home), *corpus.files(home)]
    return run_once(  # quick, so a longer grid is welcome
        home / "train" / "baselines", identity, inputs, work, set_aside=True, wait=True
    )


def _write_cells(home: Path, cells: Sequence[Cell]) -> None:
    """`cells.csv`: every cell of the grid with its settings and its state."""
    import pandas as pd

    rows = [{"id": c.id, **c.model_dump(), "state": state(home / "train" / c.id)} for c in cells]
    write_text(layout.CELLS.at(home), pd.DataFrame(rows).to_csv(index=False), shared=True)


def _report(home: Path, cells: Sequence[Cell], before: set[str], seconds: float) -> None:
    states = [state(home / "train" / c.id) for c in cells]
    failed = [c for c, now in zip(cells, states, strict=True) if now == "failed"]
    now = states.count("done") - len(before)
    elsewhere = states.count("missing") + states.count("running")
    click.echo(
        f"train: {states.count('done')} of {len(cells)} cells done ({now} now, {seconds:.0f} s), "
        f"{len(failed)} failed{f', {elsewhere} taken by other workers' if elsewhere else ''}: {home / 'train'}"
    )
    if failed:
        first = failure(home / "train" / failed[0].id)
        error = (first.error if first else "another worker is retrying it").splitlines()[0].rstrip(".")
        raise CellsFailedError(
            f"train: {len(failed)} of {len(cells)} cells failed; first {name(failed[0])}: {error}. "
            f"Tracebacks: {home / 'train'}/<cell>/{FAILURE}. Run again to retry them."
        )
