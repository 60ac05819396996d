"""`wherefore evaluate`: every number about the predictions and the ratings, and the headline."""

from pathlib import Path

import click

from ..study import layout
from . import _common


@click.command()
@_common.with_study
@_common.as_json
def command(study: Path, runs: Path, json_out: bool) -> None:
    """Compute metrics, comparisons and agreement of STUDY, and print the headline table.

    Works on what is there: fits that failed or are not done yet are counted, in the table and in the report.
    """
    from ..analysis.report.headline import as_data, headline
    from ..analysis.run import run
    from ..study.errors import DataError

    s = _common.opened(study)
    home = runs / s.name
    if not (layout.CASES.at(home)).exists():
        raise DataError(
            f"{home}: no cohort here. Run `wherefore run {study}` first, or give its folder with --runs."
        )
    run(s, home, quiet=json_out)
    _common.say("" if json_out else headline(home), as_data(home) if json_out else None, json_out)
