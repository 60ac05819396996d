"""`wherefore report`: one HTML file about all of it."""

from pathlib import Path

import click

from ..study import layout
from . import _common


@click.command()
@_common.with_study
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Also copy the report here.")
@click.option(
    "--pdf", type=click.Path(path_type=Path, dir_okay=False), help="Also print it here as PDF, with Chromium."
)
@click.option(
    "--paper", type=click.Choice(["A4", "Letter"]), default="A4", show_default=True, help="Of the PDF."
)
def command(study: Path, runs: Path, to: Path | None, pdf: Path | None, paper: str) -> None:
    """Write the report of STUDY from what is finished, and print its path.

    The report is one file that needs no network, and says what is missing or failed. A PDF needs Chromium or
    Chrome on this machine; any browser prints the same page.
    """
    from ..analysis.run import run

    s = _common.opened(study)
    run_folder = _common.existing(s, runs, study, layout.CASES)
    for path in (to, pdf):
        if path is not None:
            _common.check_writable(path)
    if pdf is not None:
        from ..analysis.report.pdf import browser

        browser()  # there is none: said before anything is computed
    run(s, run_folder)
    page = layout.REPORT.at(run_folder)
    if to is not None:
        _common.copy(page, to)
        click.echo(f"report: {to}")
    if pdf is not None:
        from ..analysis.report.pdf import printed

        printed(page, pdf, paper)
        click.echo(f"report: {pdf}")
