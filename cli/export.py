"""`wherefore export`: the corpus, or the predictions, in a form that others read."""

from pathlib import Path

import click

from . import _common


@click.command()
@_common.with_study
@click.option("--to", "target", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option(
    "--form",
    default="datasets",
    show_default=True,
    help="Of the corpus: datasets (a Hugging Face folder), parquet or jsonl; of the predictions: meds-evaluation.",
)
@click.option(
    "--with-history", is_flag=True, help="Include the histories. The corpus then contains patient text."
)
def command(study: Path, runs: Path, target: Path, form: str, with_history: bool) -> None:
    """Export the rationales of STUDY, one file per split, with the corpus card; or its predictions."""
    if form == "meds-evaluation":
        if with_history:
            raise click.UsageError("--with-history: predictions have no history. Leave it out.")
        _predictions(study, runs, target)
        return
    from ..synth.corpus.export import export

    counts = export(runs / _common.opened(study).name, target, form, with_history)
    click.echo(f"export: {', '.join(f'{n} {split}' for split, n in counts.items())}; written: {target}")


def _predictions(study: Path, runs: Path, target: Path) -> None:
    from ..analysis.meds_evaluation import export

    opened = _common.opened(study)
    for line in export(opened, runs / opened.name, target):
        click.echo(f"export: {line}")
    click.echo(f"written: {target}")
