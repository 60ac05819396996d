"""`wherefore annotate`: hand the rationales to people and bring the grades back."""

from pathlib import Path

import click

from .. import _common
from . import back, grading, keep, plan, serve


@click.group()
def command() -> None:
    """Have people grade rationales in Label Studio, bring the grades back, and follow progress.

    `serve` starts a Label Studio on this machine and hands out what is due. With a server of your own, `push` hands
    out and `pull` brings back. Without one, `export` and `import` do it by files. `wherefore run` goes on when all
    grades are in.
    """


@command.command("run")
@_common.with_study
def run_(study: Path, runs: Path) -> None:
    """Compute ratings and verdicts from the forms received."""
    from ...annotate.run import run

    s = _common.opened(study)
    _common.check_done(s, runs, study, "cohort", "synth")
    with _common.run_folder(s, runs) as run_folder:
        run(s, run_folder)


@command.command()
@_common.with_study
@grading.PAST_GATE
@click.option("--restore", is_flag=True, help="Put back pages that were changed on the server.")
@click.option(
    "--new-round", is_flag=True, help="The rubric changed: hand everything out again under the new one."
)
@click.option("--reworded", is_flag=True, help="The rubric changed in words only: keep the forms.")
@click.option(
    "--prune", is_flag=True, help="Remove ungraded tasks that are no longer needed from the server."
)
def push(study: Path, runs: Path, **options: bool) -> None:
    """Hand out the round that is due, and print every rater's link; safe to repeat."""
    s, settings, run_folder = grading.people(study, runs)
    with grading.server_of(settings, run_folder) as server:
        grading.push_due(s, settings, run_folder, server, **options)
    for line in grading.links(run_folder, settings):
        click.echo(line)


for part in (
    serve.install,
    serve.serve,
    serve.page,
    serve.links,
    keep.backup,
    keep.restore,
    back.pull,
    back.export,
    back.import_,
    back.status,
    back.reopen,
    back.accept,
    plan.plan,
    plan.judge,
):
    command.add_command(part)
