"""What the commands share: the study argument, where runs are, and how a result is printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..study import layout
from ..study.config import Study, load

F = TypeVar("F", bound=Callable[..., Any])


def with_study(command: F) -> F:
    """Adds the argument STUDY and the option --runs; the command receives `study: Path, runs: Path`."""
    command = click.option(
        "--runs",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Where run folders are.",
    )(command)
    return click.argument("study", type=click.Path(path_type=Path))(command)


def as_json(command: F) -> F:
    """Adds the option --json; the command receives `json_out: bool`."""
    return click.option("--json", "json_out", is_flag=True, help="Print JSON for a script to read.")(command)


def opened(path: Path) -> Study:
    """The study, every name in it looked up and every section checked: what is wrong stops here, before any work.

    Raises:
        StudyError: the first thing that is wrong.
    """
    from importlib import import_module

    from ..study.errors import StudyError

    study = load(path)
    try:
        for stage in layout.STAGES:
            import_module(f"wherefore.{stage}.run").resolve(study)
    except StudyError as e:
        raise type(e)(f"{path}: {e}") from e
    return study


def say(text: str, data: dict[str, Any] | None = None, json_out: bool = False) -> None:
    """Print `text`, or `data` as JSON where a script asked for it."""
    click.echo(json.dumps(data, default=str) if json_out else text)


def home(study: Study, runs: Path) -> Path:
    """The run folder, `runs/<study>`, with the study file in it as it was asked for."""
    from ..study.provenance import provenance
    from ..study.records import write_text

    folder = runs / study.name
    write_text(folder / "study.toml", study.text)
    write_text(folder / "resolved.json", study.model_dump_json(indent=1))
    write_text(folder / "provenance.json", json.dumps(provenance(), indent=1))
    return folder
