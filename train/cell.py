"""One cell of the grid: fit, then read the risk of every held-out case. What a worker process does."""

from pathlib import Path
from typing import Any

from ..study import layout
from ..study.config import Study
from ..study.grid import Cell
from ..study.records import digest, to_frame, write_table, write_text
from . import corpus
from .bases import models as bases
from .bases.sources import folder_of
from .encoding.encoder import Encoder
from .encoding.history import Cuts, Histories, answer_tokens
from .reading.readouts import READOUTS, Reader
from .records import Fit, Prediction
from .settings import Settings
from .settings import bases as bases_of
from .targets import TARGETS


def work(study: Study, run_folder: Path, cell: Cell, settings: Settings, folder: Path) -> None:
    """Fill a cell's folder; a fit that an interrupted earlier call finished is taken over."""
    ask = {"cell": cell.model_dump(), "train": settings.model_dump(mode="json"), "seed": study.seed}
    mark = folder / "asked.txt"
    if not (mark.exists() and mark.read_text() == digest(ask) and (folder / layout.FIT).exists()):
        (folder / layout.FIT).unlink(missing_ok=True)
        write_text(folder / "cell.json", cell.model_dump_json(indent=1))
        write_text(mark, digest(ask))
        _fit(study, run_folder, cell, settings, folder)
    made = read(study, run_folder, cell, settings, folder)
    write_table(folder / layout.PREDICTIONS, to_frame(made, Prediction), Prediction)


def _fit(study: Study, run_folder: Path, cell: Cell, settings: Settings, folder: Path) -> Fit:
    from .fitting.fit import fit

    target = TARGETS[cell.target]
    chosen = corpus.first(corpus.order_for(study, run_folder, settings), cell.n)
    rationales = corpus.read(run_folder, cell.corpus, settings) if target.style else {}
    model, encoder = _loaded(study, run_folder, cell, settings)
    shorten = histories(encoder, run_folder, settings)
    rows, cuts = [], Cuts()
    for case in chosen:
        rationale = rationales.get((case.id, target.style or ""))
        history = shorten(case)
        cuts.add(history, rationale)
        rows += [encoder.row(e) for e in target.build(history.case, rationale, settings.question)]
    return fit(model, rows, cell, settings, folder, cuts)


def read(study: Study, run_folder: Path, cell: Cell, settings: Settings, folder: Path) -> list[Prediction]:
    """Every read-out that fits the target, of every held-out case, from the adapter as it stands on disk."""
    target = TARGETS[cell.target]
    model, encoder = _loaded(study, run_folder, cell, settings, folder / "adapter")
    rationales = corpus.teacher_rationales(run_folder, target.style)
    shorten = histories(encoder, run_folder, settings)
    reader = Reader(model, encoder, settings, cell.id, target, rationales, shorten)
    names = [n for n in settings.readouts if READOUTS[n].fits(target)]
    return reader.predictions(names, corpus.held_out(corpus.cases(run_folder)))


def histories(encoder: Encoder, run_folder: Path, settings: Settings) -> Histories:
    """What shortens the cases of a study for a base, alike for all of its cells."""
    answer = settings.answer_tokens
    if answer is None:
        rationales = [r for name in corpus.corpora(run_folder) for r in corpus.all_of(run_folder, name)]
        answer = answer_tokens(encoder, rationales, settings.max_new_tokens)
    return Histories(encoder, settings.question, answer)


def _loaded(
    study: Study, run_folder: Path, cell: Cell, settings: Settings, adapter: Path | None = None
) -> tuple[Any, Encoder]:
    base, folder = bases_of(study)[cell.base], folder_of(study, run_folder, cell.base)
    return bases.load(base, folder, settings, adapter, f"bases.{cell.base}")
