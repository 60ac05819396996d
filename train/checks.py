"""What a grid may not ask for: refused by `wherefore check`, before anything is made or paid for."""

from collections.abc import Sequence

from ..study.config import Study
from ..study.errors import StudyError, not_one_of
from ..study.grid import Cell
from ..synth.settings import Settings as Synth
from . import corpus
from .fitting.losses import loss as loss_of
from .reading.readouts import EARLY, NATIVE, asked, expanded
from .settings import Settings
from .targets import TARGETS


def refuse(study: Study, cells: Sequence[Cell], settings: Settings) -> None:
    """Refuse the first cell that could not be taught as it says.

    Args:
        study: whose rationales are taught.
        cells: of its grid; every target in them is known.
        settings: of the stage.
    Raises:
        StudyError: with what to change.
    """
    synth = study.section("synth", Synth)
    _readable(study, cells, settings)
    for cell in cells:
        _has_its_rationales(cell, synth)
        _takes_its_axes(cell, settings)
    _read_once(cells)


def _readable(study: Study, cells: Sequence[Cell], settings: Settings) -> None:
    """A read-out that does not exist, and a target that no read-out of the study fits."""
    ways = study.grid.decoding if study.grid else ()
    for name in settings.readouts:
        plain, _, how = name.partition("@")
        at = f"@{how}" if how else ""
        stands_for = {NATIVE: "direct", EARLY: f"{EARLY}_0"}.get(plain, plain)
        asked(f"{stands_for}{at}", settings.decodings)
    for way in ways:
        if way not in settings.decodings:
            raise StudyError(
                f"grid.decoding: {not_one_of('decoding', way, settings.decodings)} "
                "Decodings are described in [train.decodings]."
            )
    for target in dict.fromkeys(c.target for c in cells):
        if not expanded(settings.readouts, TARGETS[target], ways):
            raise StudyError(
                f"train.readouts: none of {', '.join(settings.readouts)} fits the target {target!r}. Add 'native'."
            )


def _has_its_rationales(cell: Cell, synth: Synth) -> None:
    """A target or a corpus whose rationales the study does not make: nothing would be taught in their place."""
    style, corpora = TARGETS[cell.target].style, (corpus.TEACHER, *synth.controls, *synth.corpora)
    if style is not None and style not in synth.styles:
        raise StudyError(
            f"grid.target: {cell.target!r} is taught with rationales in the style {style!r}, and synth.styles makes "
            f"{', '.join(synth.styles)}. Add {style!r} to synth.styles, or take the target out."
        )
    if style is not None and cell.corpus not in corpora:
        raise StudyError(
            f"grid.corpus: {not_one_of('corpus', cell.corpus, corpora)} Others are made by synth.controls and "
            "[synth.corpora]."
        )


def _takes_its_axes(cell: Cell, settings: Settings) -> None:
    """An axis that a target ignores: two cells would be the same fit under two names."""
    target, name = TARGETS[cell.target], repr(cell.target)
    if target.loss is not None and cell.loss != Cell.model_fields["loss"].default:
        raise StudyError(
            f"grid.loss: the target {name} has its own loss, {target.loss!r}, and stands with {cell.loss!r} here. "
            "Leave loss at its default for it: put its cells in grid.also, or into a study of their own."
        )
    loss_of(target.loss or cell.loss, cell.weight)
    for axis in ("weight", "projected"):
        if getattr(cell, axis) and not _has_two_parts(cell):
            raise StudyError(
                f"grid.{axis}: the loss of the target {name} has one part, the label's. Leave it out."
            )
    drops = cell.target == "rationale_dropout"
    if cell.dropped is not None and not drops:
        raise StudyError(
            f"grid.dropped: {name} leaves out no rationales; 'rationale_dropout' does. Leave it out."
        )
    changes = target.course is not None and not (drops and cell.dropped is not None)
    if changes and settings.epochs < 2:
        raise StudyError(
            f"train.epochs: the target {name} changes from epoch to epoch and needs at least two."
        )
    if target.course is not None and settings.early_stopping:
        raise StudyError(
            f"train.early_stopping: the target {name} changes from epoch to epoch, so its tuning losses cannot be "
            "compared. Leave early_stopping out."
        )


def _has_two_parts(cell: Cell) -> bool:
    """Whether something beside the label is taught."""
    target = TARGETS[cell.target]
    return target.fitted and (target.style is not None or cell.target == "auxiliary")


def _read_once(cells: Sequence[Cell]) -> None:
    """A base that is not trained is the same in every cell."""
    seen: set[str] = set()
    for cell in cells:
        if TARGETS[cell.target].fitted:
            continue
        if cell.base in seen:
            raise StudyError(
                f"grid.target: {cell.target!r} is not trained, so it is the same whatever n, seed or learning rate, "
                f"and appears more than once for the base {cell.base!r}. Put it in grid.also, once for each base."
            )
        seen.add(cell.base)
