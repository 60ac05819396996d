"""What a cell is taught: the examples of its fit, encoded, and the key of everything that makes the fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cohort.records import Case
from ..study import layout
from ..study.config import Study
from ..study.errors import DataError
from ..study.grid import Cell
from ..study.records import digest, read_record
from . import corpus
from .bases import models as bases
from .bases.models import fingerprint
from .bases.sources import folder_of
from .encoding.encoder import EncodedRow, Encoder
from .encoding.history import Cuts, HistoryShortener, answer_tokens
from .records import Fit
from .settings import OF_THE_FIT, Settings
from .settings import bases as bases_of
from .targets import TARGETS, Target
from .teaching.course import Moment


@dataclass(frozen=True)
class Lesson:
    """What a cell is taught, encoded."""

    epochs: list[list[EncodedRow]]
    """The rows of every epoch; one list where all are the same."""
    tuning: list[EncodedRow]
    """Of the tuning split, where the fit stops early."""
    cuts: Cuts
    key: str
    """Of everything that makes the fit: base, rows, settings."""


def fitted(folder: Path) -> str | None:
    """Key of the fit in a folder; None where none is finished."""
    path = folder / layout.FIT
    return read_record(path, Fit).key if path.exists() else None


def lesson(study: Study, run_folder: Path, cell: Cell, settings: Settings) -> Lesson:
    """The examples of a cell, and the key of its fit; needs the base's tokenizer and not its weights."""
    target = TARGETS[cell.target]
    base, folder = bases_of(study)[cell.base], folder_of(study, run_folder, cell.base)
    encoder = bases.encoder(base, folder, settings, f"bases.{cell.base}")
    shorten, cuts = histories(encoder, run_folder, settings), Cuts()
    rationales = corpus.read(run_folder, cell.corpus, settings) if target.style else {}

    def rows(cases: Sequence[Case], cuts: Cuts, moment: Moment) -> list[EncodedRow]:
        out = []
        for case in cases:
            rationale, history = rationales.get((case.id, target.style or "")), shorten(case)
            if target.style and rationale is None:
                raise DataError(f"case {case.id}: no {target.style} rationale in the corpus {cell.corpus!r}.")
            cuts.add(history, rationale)
            examples = target.taught(history.case, rationale, settings.question, moment)
            out += [encoder.row(e) for e in examples]
        return out

    moments = [Moment(e, settings.epochs, cell.seed, cell.dropped) for e in range(settings.epochs)]
    cases = corpus.first(corpus.order_for(study, run_folder, settings), cell.n) if target.fitted else []
    taught = [rows(cases, cuts, moments[0])]
    if target.course is not None:
        taught += [rows(cases, Cuts(), moment) for moment in moments[1:]]
    tuning = []
    if settings.early_stopping and target.fitted:
        tuning = rows(_tuning(run_folder, target, rationales), Cuts(), moments[0])
    key = digest(
        {
            "base": fingerprint(folder),
            "rows": [[r.case, r.ids, r.groups] for epoch in (*taught, tuning) for r in epoch],
            "cell": cell.model_dump(include={"loss", "learning_rate", "seed"}),
            **_beyond_rows(cell, target),
            "settings": settings.model_dump(mode="json", include=set(OF_THE_FIT)),
        }
    )
    return Lesson(taught, tuning, cuts, key)


def _beyond_rows(cell: Cell, target: Target) -> dict[str, Any]:
    """What else makes a fit, where it is not what every fit has: so keys of fits that exist stay as they are."""
    extras = {
        "weight": cell.weight,
        "projected": cell.projected or None,
        "own_loss": target.loss,
        "stages": target.stages if target.stages > 1 else None,
    }
    return {k: v for k, v in extras.items() if v is not None}


def _tuning(run_folder: Path, target: Target, rationales: corpus.Corpus) -> list[Case]:
    """Labelled cases of the tuning split that the target can be taught on.

    Raises:
        DataError: there are none.
    """
    usable = [c for c in corpus.cases(run_folder) if c.split == "tuning" and c.label is not None]
    usable = [c for c in usable if target.style is None or (c.id, target.style) in rationales]
    if not usable:
        raise DataError(
            "train.early_stopping: no labelled case of the tuning split has a usable rationale. Add `tuning` to "
            "synth.splits, enlarge the tuning split, or leave early_stopping out."
        )
    return usable


def histories(encoder: Encoder, run_folder: Path, settings: Settings) -> HistoryShortener:
    """What shortens the cases of a study for a base, alike for all of its cells."""
    answer = settings.answer_tokens
    if answer is None:
        rationales = [r for name in corpus.corpora(run_folder) for r in corpus.all_of(run_folder, name)]
        answer = answer_tokens(encoder, rationales, settings.max_new_tokens)
    return HistoryShortener(encoder, settings.question, answer)
