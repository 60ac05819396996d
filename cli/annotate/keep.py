"""`wherefore annotate backup` and `restore`: all of a grading study in one file, and back."""

from pathlib import Path

import click

from .. import _common
from . import grading


@click.command()
@_common.with_study
@click.argument("to", type=click.Path(path_type=Path, dir_okay=False))
def backup(study: Path, runs: Path, to: Path) -> None:
    """Back up all grading data into TO: the server's data, accounts, grades, and their inputs.

    The server may keep running. The file holds patient text and passwords; it is readable by you only.
    """
    from ...annotate.label_studio import backup as backup_
    from ...study.runs import locked

    _, settings, run_folder = grading.people(study, runs, finished_too=True)
    with locked(run_folder / "annotate"):
        n = backup_.backup(run_folder, to, grading.database(settings))
    click.echo(f"{to}: {n} files, {to.stat().st_size / 1e6:.1f} MB")


@click.command()
@_common.with_study
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(study: Path, runs: Path, file: Path) -> None:
    """Restore a backup into a run folder without grading data, on this machine or another."""
    from ...annotate.label_studio import backup as backup_
    from ...annotate.run import resolve

    s = _common.opened(study)
    settings = resolve(s)
    run_folder = runs / s.name
    note = backup_.restore(file, run_folder, grading.database(settings))
    click.echo(f"{run_folder}: restored (Label Studio {note.label_studio}, {note.database})")
