"""`wherefore run`: all stages in order, each skipped when it is done."""

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
    with _common.run_folder(study, Path(runs)) as run_folder:
        import_module("wherefore.train.run").preflight(study, run_folder)  # a useless base costs no teacher
        for stage in layout.STAGES:
            import_module(f"wherefore.{stage}.run").run(study, run_folder)
    (run_folder / "report.html").unlink(missing_ok=True)  # a copy that older versions left
    return run_folder


def finish(run_folder: Path) -> None:
    """Print the headline table and name the report."""
    from ..analysis.report.headline import headline

    click.echo(headline(run_folder))
    click.echo(f"report: {layout.REPORT.at(run_folder)}")


@click.command()
@_common.with_study
def command(study: Path, runs: Path) -> None:
    """Run every stage of STUDY that is not done yet; print the headline table and the report's path.

    If it is stopped at any point, the same command resumes.
    """
    finish(run(_common.opened(study), runs))
