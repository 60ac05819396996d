"""The study file: one TOML, read once, refused whole when a key is unknown.

The sections belong to the stages: `[cohort]` is checked by `cohort/settings.py`, and so on. What stands here is
what every stage needs: the name, the seed, the grid, and what may be done with the data.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from .errors import StudyError
from .grid import Grid
from .records import Record, first_fault

R = TypeVar("R", bound=Record)


class DataUse(Record):
    """What the records are and by whose leave they may be sent to a teacher outside this machine."""

    kind: Literal["synthetic", "deidentified", "agreement"]
    """Nobody's; nobody's that can be known; somebody's, under an agreement that covers the teacher."""
    name: str
    """The data set or the agreement, as it should stand in the report."""
    licence: str = ""
    """What the licence of the data or the agreement says of passing them on."""


class Study(Record):
    """Everything that a run needs to know, as written in the study file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    """Also the name of the run folder: letters, digits, `_` and `-`."""
    title: str = ""
    """The report's heading; the name where empty."""
    seed: int = Field(default=0, ge=0)
    """Every stage derives its own from it by name."""
    data_use: DataUse | None = None
    """None: the records stay on this machine; a teacher elsewhere is refused."""
    cohort: dict[str, Any]
    """Source, prediction time, label, splits, timeline: `cohort/settings.py`."""
    synth: dict[str, Any] = Field(default_factory=dict)
    """Teacher and styles: `synth/settings.py`."""
    annotate: dict[str, Any] = Field(default_factory=dict)
    """Rubric, design, raters, verdict rule: `annotate/settings.py`."""
    train: dict[str, Any] = Field(default_factory=dict)
    """What all fits share: `train/settings.py`."""
    bases: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Base models by name: `train/settings.py`."""
    grid: Grid | None = None
    """The fits. None: the study ends with the verdicts."""
    analysis: dict[str, Any] = Field(default_factory=dict)
    """Intervals and comparisons: `analysis/settings.py`."""
    folder: Path = Field(default=Path(), exclude=True)
    """Where the study file stands; relative paths in it start here."""
    text: str = Field(default="", exclude=True)
    """The study file, verbatim."""

    def section(self, name: str, kind: type[R]) -> R:
        """One section, checked by the record of the stage that owns it.

        Raises:
            StudyError: a wrong key or value, with its place in the study file.
        """
        try:
            return kind.model_validate(getattr(self, name))
        except ValidationError as e:
            raise StudyError(f"{name}.{first_fault(e, kind)}") from e

    def path(self, text: str) -> Path:
        """A path written in the study file, from the folder of the file."""
        return (self.folder / Path(text).expanduser()).resolve()


def load(path: Path | str) -> Study:
    """Read a study file.

    Raises:
        StudyError: not there, not TOML, or a key that is unknown, missing or wrong; one line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(text)
    except OSError as e:
        raise StudyError(f"{path}: cannot be read: {e.strerror}. Give the path of a study file.") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise StudyError(f"{path}: not TOML: {e}.") from e
    try:
        return Study.model_validate({**raw, "folder": path.parent, "text": text})
    except ValidationError as e:
        raise StudyError(f"{path}: {first_fault(e, Study)}") from e
