"""The analysis stage: predictions and ratings in, tables, figures and the report out."""

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study import layout
from ..study.config import Study
from ..study.errors import StudyError, not_one_of
from ..study.parts import plugins
from ..study.provenance import release
from ..study.records import digest
from ..study.runs import outcome, run_once
from .settings import Settings

if TYPE_CHECKING:
    from .tables import Tables


def resolve(study: Study) -> Settings:
    """Check `[analysis]`.

    Raises:
        StudyError: a wrong key or value, or a reference that the grid does not have.
    """
    from .measures.metrics import METRICS

    settings = study.section("analysis", Settings)
    for name in settings.compared:
        if name not in METRICS:
            raise StudyError(f"analysis.compared: {not_one_of('metric', name, METRICS)}")
    is_named = "reference" in settings.model_fields_set
    if is_named and study.grid and settings.reference not in study.grid.target:
        problem = not_one_of("target of the grid", settings.reference, study.grid.target)
        raise StudyError(f"analysis.reference: {problem}")
    _reference_is_read(study, settings)
    return settings


def _reference_is_read(study: Study, settings: Settings) -> None:
    """Refuse a reference that the study does not read so: there would be nothing to compare with.

    Raises:
        StudyError: with the read-outs of the reference.
    """
    from ..train.reading.readouts import expanded
    from ..train.settings import Settings as Train
    from ..train.targets import TARGETS

    name = settings.reference
    if study.grid is None or name not in study.grid.target or name not in TARGETS:
        return
    read = expanded(study.section("train", Train).readouts, TARGETS[name], study.grid.decoding)
    if settings.reference_readout not in read:
        raise StudyError(
            f"analysis.reference_readout: {name!r} is not read by {settings.reference_readout!r} in this study, but "
            f"by {', '.join(read) or 'nothing'}. Choose one of these, or add it to train.readouts."
        )


def describe(study: Study, run_folder: Path) -> str:
    """What the stage would do, in a line."""
    settings = resolve(study)
    return f"{settings.replicates} bootstrap draws, compared with {settings.reference} ({settings.reference_readout})"


def run(study: Study, run_folder: Path, *, quiet: bool = False) -> bool:
    """Evaluate, compare, draw and report in `run_folder/analysis`; True when it was done now.

    A finished folder made from other inputs is set aside, since nothing here costs anything to repeat.
    """
    settings = resolve(study)
    done = run_once(
        run_folder / "analysis",
        _asked(study, settings),
        None,
        lambda folder: _work(study, run_folder, settings, folder),
        set_aside=True,
    )
    if not quiet:
        click.echo(f"analysis: {outcome(done, layout.REPORT.at(run_folder))}")
    return done


def evaluate(study: Study, run_folder: Path) -> "Tables":
    """All numbers of a study, without writing anything."""
    from .evaluated import evaluated

    return evaluated(study, run_folder, resolve(study))


def _asked(study: Study, settings: Settings) -> dict[str, Any]:
    """What changes the outcome beside the files read."""
    return {
        **study.model_dump(mode="json"),
        "analysis": settings.model_dump(mode="json"),
        "wherefore": release(),
        "plugins": plugins(),
        "templates": _templates(),
    }


def _templates() -> str:
    """What the pages are made with: changed templates give another page."""
    from importlib.resources import files

    folder = files("wherefore.templates") / "report"
    return digest(dict(_texts(folder)))


def _texts(folder: Traversable) -> Iterator[tuple[str, str]]:
    """Name and text of every file, also in folders inside."""
    for entry in sorted(folder.iterdir(), key=lambda f: f.name):
        if entry.is_dir():
            yield from ((f"{entry.name}/{name}", text) for name, text in _texts(entry))
        else:
            yield entry.name, entry.read_text(encoding="utf-8")


def _work(study: Study, run_folder: Path, settings: Settings, folder: Path) -> None:
    from .evaluated import evaluated
    from .report.page import write
    from .tables import save

    tables = evaluated(study, run_folder, settings)
    save(tables, folder)
    write(study, run_folder, settings, tables, folder)
