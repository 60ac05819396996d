"""The rubric named in the study file: a ready one, a file, or written out in place."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..study.config import Study
from ..study.errors import StudyError, not_one_of
from ..study.records import first_fault
from .records import Rubric


def ready() -> list[str]:
    """Names of the rubrics that come with the package."""
    folder = files("wherefore.templates") / "grading" / "rubrics"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def load(study: Study, rubric: str | dict[str, Any]) -> Rubric:
    """A rubric by what the study file says: a ready one's name, a path ending in `.toml`, or the rubric itself.

    Raises:
        StudyError: no such rubric, an unreadable file, or a rubric that contradicts itself.
    """
    if isinstance(rubric, dict):
        return _checked("annotate.rubric", rubric)
    if rubric.endswith(".toml"):
        return _from_file(study.path(rubric))
    if rubric not in ready():
        raise StudyError(
            f"annotate.rubric: {not_one_of('rubric', rubric, ready())} Or give a path ending in .toml."
        )
    text = (files("wherefore.templates") / "grading" / "rubrics" / f"{rubric}.toml").read_text(
        encoding="utf-8"
    )
    return _checked(rubric, tomllib.loads(text))


def _from_file(path: Path) -> Rubric:
    try:
        return _checked(str(path), tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as e:
        raise StudyError(
            f"annotate.rubric: {path}: cannot be read: {e.strerror}. Give a rubric's path."
        ) from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise StudyError(f"annotate.rubric: {path}: not TOML: {e}.") from e


def _checked(where: str, raw: dict[str, Any]) -> Rubric:
    try:
        return Rubric.model_validate(raw)
    except ValidationError as e:
        raise StudyError(f"{where}: {first_fault(e, Rubric)}") from e
