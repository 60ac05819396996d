"""Where the weights of a base are: a folder, a GGUF file, a hub id or a packaged model, each brought to a folder."""

import os
import subprocess
import sys
from pathlib import Path

from ...study import weights
from ...study.config import Study
from ...study.errors import ServiceError, StudyError
from ..settings import Made, StoredBase
from ..settings import bases as bases_of
from . import gguf

_DOWNLOAD = """
import sys
from huggingface_hub import snapshot_download
print(snapshot_download(sys.argv[1], revision=sys.argv[2]))
"""


def folder_of(study: Study, run_folder: Path, name: str) -> Path:
    """Folder with the weights of a base of the study.

    Raises:
        StudyError: it is not on this machine, and may not be downloaded.
    """
    base = bases_of(study)[name]
    if isinstance(base, Made):
        return run_folder / "train" / "bases" / name / "model"
    return stored(base, f"bases.{name}", study.folder)


def stored(base: StoredBase, name: str, beside: Path) -> Path:
    """The folder of a base that exists; a GGUF file is converted at the first call.

    Args:
        base: as the study file has it.
        name: for errors, such as `bases.qwen`.
        beside: folder where relative paths begin.
    """
    if base.package is not None:
        return gguf.converted(_package(base, name))
    if base.hub is not None:
        return _hub(base, name)
    return _path((beside / Path(base.path or "").expanduser()).resolve(), name)


def cheap_check(base: StoredBase, name: str, beside: Path) -> None:
    """What can be said of a place without loading anything.

    Raises:
        StudyError: no folder, no GGUF file, or no such package.
    """
    if base.package is not None:
        weights.packaged(base.package)
    elif base.path is not None:
        place = (beside / Path(base.path).expanduser()).resolve()
        if not (place.is_file() and place.suffix == ".gguf"):
            _path(place, name)


def _path(place: Path, name: str) -> Path:
    if place.is_file() and place.suffix == ".gguf":
        return gguf.converted(place)
    if not place.is_dir():
        what = "is a file, not a folder or a .gguf file" if place.is_file() else "does not exist"
        raise StudyError(
            f"{name}.path: {place} {what}. Give the folder of a causal language model or a .gguf file; "
            'an id of the hub is written hub = "organisation/name".'
        )
    if not (place / "config.json").exists():
        files = sorted(p.name for p in place.glob("*.gguf"))
        hint = (
            f"Give the file: {place / files[0]}." if files else "Give the folder of a causal language model."
        )
        raise StudyError(f"{name}.path: {place} has no config.json. {hint}")
    return place


def _package(base: StoredBase, name: str) -> Path:
    package = base.package or ""
    if not weights.place(package).exists() and base.offline:
        raise StudyError(
            f"{name}.package: {package} is not on this machine. Run `wherefore base fetch {package}`, or set "
            "offline = false."
        )
    return weights.fetch(package)


def _hub(base: StoredBase, name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    hub = base.hub or ""
    try:
        return Path(snapshot_download(hub, revision=base.revision, local_files_only=True))
    except HFValidationError as e:
        raise StudyError(f"{name}.hub: {hub!r} is not an id of the hub (organisation/name).") from e
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as e:
        if base.offline:
            raise StudyError(
                f"{name}.hub: {hub} at revision {base.revision} is not in the hub cache of this machine, and would "
                "have to be downloaded. Set offline = false to allow that, or give a folder with path."
            ) from e
    environment = {**os.environ, "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", _DOWNLOAD, hub, base.revision]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise ServiceError(f"{name}.hub: {hub} could not be downloaded: {why[:200]}")
    return Path(done.stdout.strip().splitlines()[-1])
