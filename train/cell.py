"""One cell of the grid: fit, then read the risk of every held-out case. What a worker process does."""

from pathlib import Path

from ..study import layout
from ..study.config import Study
from ..study.grid import Cell
from ..study.records import digest, to_frame, write_table, write_text
from . import corpus
from .bases import models as bases
from .reading.readouts import READOUTS, Reader
from .records import Fit, Prediction
from .settings import Settings
from .settings import bases as bases_of
from .targets import TARGETS


def work(study: Study, home: Path, cell: Cell, settings: Settings, folder: Path) -> None:
    """Fill a cell's folder; a fit that an interrupted earlier call finished is taken over."""
    ask = {"cell": cell.model_dump(), "train": settings.model_dump(mode="json"), "seed": study.seed}
    mark = folder / "asked.txt"
    if not (mark.exists() and mark.read_text() == digest(ask) and (folder / layout.FIT).exists()):
        (folder / layout.FIT).unlink(missing_ok=True)
        write_text(folder / "cell.json", cell.model_dump_json(indent=1))
        write_text(mark, digest(ask))
        _fit(study, home, cell, settings, folder)
    made = read(study, home, cell, settings, folder)
    write_table(folder / layout.PREDICTIONS, to_frame(made, Prediction), Prediction)


def _fit(study: Study, home: Path, cell: Cell, settings: Settings, folder: Path) -> Fit:
    from .fitting.fit import fit

    target = TARGETS[cell.target]
    chosen = corpus.first(corpus.order_for(study, home, settings), cell.n)
    rationales = corpus.read(home, cell.corpus, settings) if target.style else {}
    base = bases_of(study)[cell.base]
    model, encoder = bases.load(base, base_folder(study, home, cell.base), settings)
    rows = [
        encoder.row(example)
        for c in chosen
        for example in target.build(c, rationales.get((c.id, target.style or "")), settings.question)
    ]
    return fit(model, rows, cell, settings, folder)


def read(study: Study, home: Path, cell: Cell, settings: Settings, folder: Path) -> list[Prediction]:
    """Every read-out that fits the target, of every held-out case, from the adapter as it stands on disk."""
    target = TARGETS[cell.target]
    base = bases_of(study)[cell.base]
    model, encoder = bases.load(base, base_folder(study, home, cell.base), settings, folder / "adapter")
    reader = Reader(model, encoder, settings, cell.id, target, corpus.teacher_rationales(home, target.style))
    cases = corpus.held_out(corpus.cases(home))
    names = [n for n in settings.readouts if READOUTS[n].fits(target)]
    return [p for name in names for p in READOUTS[name].read(reader, cases)]


def base_folder(study: Study, home: Path, name: str) -> Path:
    """Where the weights of a base model are."""
    base = bases_of(study)[name]
    return home / "train" / "bases" / name / "model" if hasattr(base, "make") else study.path(base.path)
