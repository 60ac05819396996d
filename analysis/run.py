"""The analysis stage: predictions and ratings in, tables, figures and the report out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study import layout
from ..study.config import Study
from ..study.errors import StudyError, not_one_of
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
    from .performance.metrics import METRICS

    settings = study.section("analysis", Settings)
    for name in settings.compared:
        if name not in METRICS:
            raise StudyError(f"analysis.compared: {not_one_of('metric', name, METRICS)}")
    asked = "reference" in settings.model_fields_set
    if asked and study.grid and settings.reference not in study.grid.target:
        problem = not_one_of("target of the grid", settings.reference, study.grid.target)
        raise StudyError(f"analysis.reference: {problem}")
    return settings


def describe(study: Study, home: Path) -> str:
    """What the stage would do, in a line."""
    settings = resolve(study)
    return f"{settings.replicates} bootstrap draws, compared with {settings.reference} ({settings.reference_readout})"


def run(study: Study, home: Path, *, quiet: bool = False) -> bool:
    """Evaluate, compare, draw and report in `home/analysis`; True when it was done now.

    A finished folder made from other inputs is set aside, since nothing here costs anything to repeat.
    """
    settings = resolve(study)
    done = run_once(
        home / "analysis",
        _asked(study, settings),
        None,
        lambda folder: _work(study, home, settings, folder),
        set_aside=True,
    )
    if not quiet:
        click.echo(f"analysis: {outcome(done, layout.REPORT.at(home))}")
    return done


def evaluate(study: Study, home: Path) -> "Tables":
    """All numbers of a study, without writing anything."""
    from .evaluated import evaluated

    return evaluated(study, home, resolve(study))


def _asked(study: Study, settings: Settings) -> dict[str, Any]:
    """What changes the outcome beside the files read."""
    said = study.model_dump(
        mode="json", include={"name", "title", "seed", "data_use", "grid", "cohort", "synth"}
    )
    return {
        **said,
        "analysis": settings.model_dump(mode="json"),
        "wherefore": release(),
        "templates": _templates(),
    }


def _templates() -> str:
    """What the pages are made with: changed templates give another page."""
    from importlib.resources import files

    folder = files("wherefore.templates") / "report"
    return digest({f.name: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.is_file()})


def _work(study: Study, home: Path, settings: Settings, folder: Path) -> None:
    from .evaluated import evaluated
    from .report.page import write
    from .tables import save

    tables = evaluated(study, home, settings)
    save(tables, folder)
    write(study, home, settings, tables, folder)
