"""What the commands share: the study argument, where runs are, and how a result is printed."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from ..study import layout
from ..study.config import Study, load

F = TypeVar("F", bound=Callable[..., Any])


def with_study(command: F) -> F:
    """Adds the argument STUDY and the option --runs; the command receives `study: Path, runs: Path`."""
    return click.argument("study", type=click.Path(path_type=Path))(with_runs(command))


def with_runs(command: F) -> F:
    """Adds the option --runs; the command receives `runs: Path`."""
    return click.option(
        "--runs",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("runs"),
        show_default=True,
        help="Folder that holds the run folders.",
    )(command)


def as_json(command: F) -> F:
    """Adds the option --json; the command receives `json_out: bool`."""
    return click.option("--json", "json_out", is_flag=True, help="Print JSON for scripts.")(command)


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


def existing(study: Study, runs: Path, path: Path, needs: layout.RunFile) -> Path:
    """The run folder of a study, which must have a file by now.

    Args:
        study: as opened.
        runs: where run folders are.
        path: of the study file, for the message.
        needs: the file.
    Raises:
        DataError: it is not there, with the command that makes it.
    """
    from ..study.errors import DataError

    folder = runs / study.name
    if not needs.at(folder).exists():
        stage = needs.path.partition("/")[0]
        raise DataError(
            f"{needs.at(folder)}: not found. Run `wherefore {stage} {path}` first, or give its folder with --runs."
        )
    return folder


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written, before anything is computed for it.

    Raises:
        DataError: no such folder, or one that cannot be written to.
    """
    from ..study.errors import DataError

    folder = path.absolute().parent
    if not folder.is_dir():
        raise DataError(f"{path}: no folder {folder}. Create it first, or choose another place.")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{path}: {folder} is not writable. Choose another place.")


def copy(source: Path, to: Path) -> None:
    """Copy a file; it appears whole."""
    part = to.with_name(to.name + ".part")
    shutil.copyfile(source, part)
    part.replace(to)


def check_done(study: Study, runs: Path, path: Path, *stages: str) -> None:
    """Refuse before anything is written where a stage that the command builds on is not finished.

    Args:
        study: as opened.
        runs: where run folders are.
        path: of the study file, for the message.
        stages: that must be finished, the first of the data first.
    Raises:
        DataError: one is not, with the command that finishes it.
    """
    from ..study.errors import DataError
    from ..study.runs import state

    for stage in stages:
        folder = runs / study.name / stage
        if (now := state(folder)) != "done":
            reason = {
                "missing": "not found",
                "failed": "its stage failed",
                "running": "its stage is still running",
            }[now]
            raise DataError(
                f"{folder}: {reason}. Run `wherefore {stage} {path}` first, or give the folder of runs with --runs."
            )


@contextmanager
def run_folder(study: Study, runs: Path) -> Iterator[Path]:
    """The run folder, `runs/<study>`, which then says what was asked of it: `study.toml`, `resolved.json`.

    In a new folder they are written at once; in an old one when the command has done something, so that a refused
    command leaves it as it was.
    """
    from ..study.errors import BusyError, DataError, MissingPartError, StaleError, StudyError

    folder = runs / study.name
    if not (folder / "study.toml").exists():
        _describe(study, folder)
    try:
        yield folder
    except (StudyError, StaleError, BusyError, DataError, MissingPartError):
        raise
    except BaseException:
        _describe(study, folder)
        raise
    _describe(study, folder)


def _describe(study: Study, folder: Path) -> None:
    """Write what was asked, and on what, where it differs from what is there."""
    from ..study.provenance import provenance
    from ..study.records import write_text

    texts = {
        "study.toml": study.text,
        "resolved.json": study.model_dump_json(indent=1),
        "provenance.json": json.dumps(provenance(), indent=1),
    }
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text, shared=True)
