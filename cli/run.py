"""`wherefore run`: all stages in order, each skipped when it is done."""

import shutil
from importlib import import_module
from pathlib import Path

import click

from ..study import layout
from ..study.config import Study
from . import _common


def run(study: Study, runs: Path | str = "runs") -> Path:
    """Do every stage that is not done; return the run folder.

    Raises:
        WhereforeError: what stopped it. Everything finished so far stays; the same call goes on from there.
    """
    home = _common.home(study, Path(runs))
    import_module("wherefore.train.run").preflight(study, home)  # a base that cannot be used costs no teacher
    for stage in layout.STAGES:
        import_module(f"wherefore.{stage}.run").run(study, home)
    part = home / "report.html.part"
    shutil.copyfile(layout.REPORT.at(home), part)
    part.replace(home / "report.html")
    return home


def finish(home: Path) -> None:
    """Print the headline table and name the report."""
    from ..analysis.report.headline import headline

    click.echo(headline(home))
    click.echo(f"report: {home / 'report.html'}")


@click.command()
@_common.with_study
def command(study: Path, runs: Path) -> None:
    """Do every stage of STUDY that is not done yet; print the headline table and name the report.

    Stopped anywhere, by whatever, the same command goes on from there.
    """
    finish(run(_common.opened(study), runs))
