"""`wherefore report`: one HTML file about all of it."""

from pathlib import Path

import click

from ..study import layout
from . import _common


@click.command()
@click.argument("study", type=click.Path(path_type=Path), required=False)
@_common.with_runs
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="RUN RUN",
    help="Two run folders, such as runs/a runs/b, instead of STUDY: one page about how they differ.",
)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Also copy the report here.")
@click.option(
    "--pdf", type=click.Path(path_type=Path, dir_okay=False), help="Also print it here as PDF, with Chromium."
)
@click.option(
    "--paper", type=click.Choice(["A4", "Letter"]), default="A4", show_default=True, help="Of the PDF."
)
def command(
    study: Path | None,
    runs: Path,
    compare: tuple[Path, Path] | None,
    to: Path | None,
    pdf: Path | None,
    paper: str,
) -> None:
    """Write the report of STUDY from what is finished, and print its path.

    The report is one file that needs no network, and says what is missing or failed. A PDF needs Chromium or
    Chrome on this machine; any browser prints the same page.

    With --compare the page is about two runs: which settings differ, whether they judge the same people, and if so
    the paired differences. It is written to <first>-and-<second>.html here, or where --to says.
    """
    if (study is None) == (compare is None):
        raise click.UsageError("give a STUDY, or two run folders with --compare.")
    if compare is not None:
        to = to or Path(f"{compare[0].resolve().name}-and-{compare[1].resolve().name}.html")
    for path in (to, pdf):
        if path is not None:
            _common.check_writable(path)
    if pdf is not None:
        from ..analysis.report.pdf import browser

        browser()  # there is none: said before anything is computed
    if compare is not None and to is not None:
        page = _two_runs(compare, to)
    else:
        assert study is not None
        page = _one(study, runs, to)
    if pdf is not None:
        from ..analysis.report.pdf import printed

        printed(page, pdf, paper)
        click.echo(f"report: {pdf}")


def _one(study: Path, runs: Path, to: Path | None) -> Path:
    """The report of a study."""
    from ..analysis.run import run

    s = _common.opened(study)
    run_folder = _common.existing(s, runs, study, layout.CASES)
    run(s, run_folder)
    page = layout.REPORT.at(run_folder)
    if to is not None:
        _common.copy(page, to)
        click.echo(f"report: {to}")
    return page


def _two_runs(folders: tuple[Path, Path], to: Path) -> Path:
    """The page about two runs."""
    from ..analysis.report.two_runs import headline, write
    from ..analysis.two_runs import two_runs

    found = two_runs(*folders)
    write(found, to)
    click.echo(headline(found, found.compared[0]))
    click.echo(f"report: {to}")
    return to
