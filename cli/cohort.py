"""`wherefore cohort`: records become cases."""

from pathlib import Path

import click

from . import _common


@click.command()
@_common.with_study
def command(study: Path, runs: Path) -> None:
    """Make the cases of STUDY and show who was left out and why."""
    from ..cohort.run import run

    s = _common.opened(study)
    home = _common.home(s, runs)
    run(s, home)
    import pandas as pd

    click.echo(pd.read_csv(home / "cohort" / "flow.csv").to_string(index=False))
