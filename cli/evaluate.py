"""`wherefore evaluate`: every number about predictions, a study's own or those made elsewhere."""

from pathlib import Path

import click

from ..study import layout
from . import _common


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="STUDY | PREDICTIONS..."
)
@click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Folder that holds the run folders, for a study.",
)
@click.option(
    "--cases", type=click.Path(path_type=Path), help="Labels, weights and subgroups in a separate file."
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="ROLE=NAME",
    help="Which column is the case, person, time, label, risk, why_missing, weight, model or seed. Several for risk.",
)
@click.option(
    "--subgroup", "subgroups", multiple=True, metavar="NAME", help="A column that defines subgroups."
)
@click.option(
    "--reference", metavar="MODEL", help="The model to compare the others with; the first if not given."
)
@click.option(
    "--by-outcome/--not-by-outcome",
    default=None,
    help="Whether people were sampled by outcome; inferred from the weights if not given.",
)
@click.option(
    "--to", type=click.Path(path_type=Path), help="Write report.html, tables and figures into a new folder."
)
@_common.as_json
def command(
    files: tuple[Path, ...],
    runs: Path,
    cases: Path | None,
    columns: tuple[str, ...],
    subgroups: tuple[str, ...],
    reference: str | None,
    by_outcome: bool | None,
    to: Path | None,
    json_out: bool,
) -> None:
    """Compute metrics, comparisons, calibration and subgroups, and print the headline table.

    STUDY is a study file: its numbers are recomputed from its run folder. Fits that failed or are not done yet are
    counted in the table and in the report.

    PREDICTIONS are CSV or Parquet files from any model: one row per case, with the columns case, risk and label, and
    optionally person, weight, model, seed and subgroups. The schema of MEDS-Evaluation is read too.
    """
    if len(files) == 1 and files[0].suffix.lower() == ".toml":
        _study(files[0], runs, json_out)
        return
    _predictions(files, cases, columns, subgroups, reference, by_outcome, to, json_out)


def _study(study: Path, runs: Path, json_out: bool) -> None:
    from ..analysis.report.headline import as_data, headline
    from ..analysis.run import run

    s = _common.opened(study)
    run_folder = _common.existing(s, runs, study, layout.CASES)
    run(s, run_folder, quiet=json_out)
    _common.say("" if json_out else headline(run_folder), as_data(run_folder) if json_out else None, json_out)


def _predictions(
    files: tuple[Path, ...],
    cases: Path | None,
    columns: tuple[str, ...],
    subgroups: tuple[str, ...],
    reference: str | None,
    by_outcome: bool | None,
    to: Path | None,
    json_out: bool,
) -> None:
    from ..analysis.outside.arrays import evaluated
    from ..analysis.outside.read import PredictionReadSettings, read
    from ..analysis.report.headline import of_predictions
    from ..analysis.settings import Settings

    if to is not None:
        _check_new(to)
    settings = PredictionReadSettings(_roles(columns), subgroups, by_outcome)
    source = read(files, cases, settings)
    tables = evaluated(source.predictions, reference, Settings())
    page = None
    if to is not None:
        from ..analysis.outside.page import write

        page = write(tables, to, ", ".join(f.name for f in files), source.notes)
    if json_out:
        rows = {name: [r.model_dump() for r in getattr(tables, name)] for name in JSON_TABLES}
        _common.say("", {"notes": source.notes, **rows}, json_out=True)
        return
    for note in source.notes:
        click.echo(note, err=True)
    click.echo("\n".join(of_predictions(tables.averages, tables.comparisons)))
    if page is not None:
        click.echo(f"report: {page}")


JSON_TABLES = ("averages", "metrics", "comparisons", "equity", "risks", "called", "sample_size")


def _roles(columns: tuple[str, ...]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for text in columns:
        role, equals, name = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--column {text}: write ROLE=NAME, such as --column risk=xgb.")
        out.setdefault(role.strip(), []).append(name.strip())
    return out


def _check_new(folder: Path) -> None:
    """Refuse a folder that has something in it, or that cannot be made."""
    from ..study.errors import DataError

    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise DataError(f"{folder}: exists and is not empty. Choose a new folder for --to.")
    if not folder.absolute().parent.is_dir():
        raise DataError(
            f"{folder}: no folder {folder.absolute().parent}. Create it first, or choose another --to."
        )
