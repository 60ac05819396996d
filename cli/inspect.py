"""`wherefore inspect`: a rationale beside its evidence."""

from itertools import islice
from pathlib import Path

import click

from . import _common


@click.command()
@_common.with_study
@click.option("--case", help="Only rationales about this case.")
@click.option("--fault", help="Only rationales in which the grounding check found this fault, or `any`.")
@click.option("--most", default=3, show_default=True, help="How many to show.")
def command(study: Path, runs: Path, case: str | None, fault: str | None, most: int) -> None:
    """Show rationales of STUDY: each claim, what it cites, and what the grounding check says of it."""
    from ..synth.look import look

    home = runs / _common.opened(study).name
    shown = 0
    for text in islice(look(home, case, fault), most):
        click.echo(text + "\n")
        shown += 1
    if not shown:
        click.echo("inspect: no rationale is like that.")
