"""The analysis stage: predictions and ratings in, tables, figures and the report out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..study import layout
from ..study.config import Study
from ..study.errors import StudyError, not_one_of
from ..study.provenance import release
from ..study.runs import FAILURE, MANIFEST, outcome, run_once
from .settings import Settings

if TYPE_CHECKING:
    from .tables import Tables

READ = (
    layout.CASES, layout.EVIDENCE, layout.FLOW, layout.TABLE_ONE,
    layout.RATIONALES, layout.GROUNDINGS, layout.REFUSALS, layout.CARD,
    layout.RATINGS, layout.RUBRIC, layout.VERDICTS,
    layout.PROGRESS, layout.NOTICED, layout.JUDGE_RATINGS, layout.ANCHORING,
    layout.BASELINES, layout.BASELINE_PREDICTIONS, layout.BASELINE_TUNING,
)  # fmt: skip
"""What other stages may have left; a part that is absent is absent from the report, which says so."""


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
        home / "analysis", _asked(study, settings), inputs(study, home),
        lambda folder: _work(study, home, settings, folder), set_aside=True,
    )  # fmt: skip
    if not quiet:
        click.echo(f"analysis: {outcome(done, layout.REPORT.at(home))}")
    return done


def evaluate(study: Study, home: Path) -> "Tables":
    """All numbers of a study, without writing anything."""
    from .tables import evaluated

    return evaluated(study, home, resolve(study))


def inputs(study: Study, home: Path) -> list[Path]:
    """Every file that the tables and the report read, where it exists."""
    from importlib.resources import as_file, files

    cells = [home / "train" / c.id for c in study.grid.cells()] if study.grid else []
    found = [file.at(home) for file in READ] + [home / stage / MANIFEST for stage in layout.STAGES[:-1]]
    found += [
        f / n for f in cells for n in (MANIFEST, layout.PREDICTIONS, layout.TUNING, layout.FIT, FAILURE)
    ]
    with as_file(files("wherefore.templates") / "report") as templates:
        found += sorted(templates.iterdir())
    return [path for path in found if path.is_file()]


def _asked(study: Study, settings: Settings) -> dict[str, Any]:
    """What changes the outcome beside the files read."""
    said = study.model_dump(
        mode="json", include={"name", "title", "seed", "data_use", "grid", "cohort", "synth"}
    )
    return {**said, "analysis": settings.model_dump(mode="json"), "wherefore": release()}


def _work(study: Study, home: Path, settings: Settings, folder: Path) -> None:
    from .report.page import write
    from .tables import evaluated, save

    tables = evaluated(study, home, settings)
    save(tables, folder)
    write(study, home, settings, tables, folder)
