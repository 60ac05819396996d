"""`wherefore demo`: the whole study on the built-in cohort, teacher and model."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

from . import _common
from .run import finish, run


@click.command()
@click.option(
    "--runs", type=click.Path(path_type=Path, file_okay=False), default=Path("runs"), show_default=True
)
def command(runs: Path) -> None:
    """Run the whole study on simulated people, a built-in teacher and a small model made on the spot.

    Needs no account, no network and no GPU; ends with a report. The study file is written beside the run folder,
    `runs/demo.toml`, to edit and run with `wherefore run`.
    """
    with as_file(files("wherefore.examples") / "demo.toml") as packaged:
        runs.mkdir(parents=True, exist_ok=True)
        study_file = runs / "demo.toml"
        if not study_file.exists():
            shutil.copyfile(packaged, study_file)
    study = _common.opened(study_file)
    finish(run(study, runs))
