"""`wherefore synth`: the teacher explains every case."""

from pathlib import Path

import click

from . import _common


@click.command()
@_common.with_study
def command(study: Path, runs: Path) -> None:
    """Ask the teacher of STUDY about every case and check every claim."""
    from ..synth.run import run

    opened = _common.opened(study)
    run(opened, _common.home(opened, runs))
