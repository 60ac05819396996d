"""`wherefore report`: one HTML file about all of it."""

import shutil
from pathlib import Path

import click

from ..study import layout
from . import _common


@click.command()
@_common.with_study
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Also copy the report here.")
def command(study: Path, runs: Path, to: Path | None) -> None:
    """Write the report of STUDY from what is there, and name it.

    The report is one file that needs no network. What is missing or failed is said in it.
    """
    from ..analysis.run import run
    from ..study.errors import DataError

    s = _common.opened(study)
    home = runs / s.name
    if not (layout.CASES.at(home)).exists():
        raise DataError(
            f"{home}: no cohort here. Run `wherefore run {study}` first, or give its folder with --runs."
        )
    run(s, home)
    if to is not None:
        shutil.copyfile(layout.REPORT.at(home), to)
        click.echo(f"report: {to}")
