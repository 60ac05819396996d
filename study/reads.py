"""What is read from a run folder: compared with the manifest of its stage, and recorded for whoever reads it.

Every reader of this package passes here before it opens a file. A file that changed after its stage had finished is
refused; and inside `recording()` each file looked for is noted with its hash, or as absent, so that a page made from
it is never "up to date" when it changes, goes, or appears.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from .errors import DataError

MANIFEST = "manifest.json"
"""In a complete folder: what made it. It is written last."""
ABSENT = "absent"
"""In place of a hash, for a file that was looked for and not there."""

_record: ContextVar[dict[Path, str] | None] = ContextVar("record", default=None)


@contextmanager
def recording() -> Iterator[dict[Path, str]]:
    """Note every file that is read inside the block: its path and the SHA-256 it had, or `ABSENT`."""
    seen: dict[Path, str] = {}
    token = _record.set(seen)
    try:
        yield seen
    finally:
        _record.reset(token)


def exists(path: Path) -> bool:
    """Whether a file is there; noted either way.

    Raises:
        DataError: it is gone from a folder that its stage had finished with it.
    """
    there = path.is_file()
    if not there and path.name != MANIFEST and _expected(path):
        raise DataError(
            f"{path}: gone after its stage had finished. Put it back, or remove its folder to have it done again."
        )
    if (seen := _record.get()) is not None:
        seen[path.absolute()] = sha256(path) if there else ABSENT
    return there


def reading(path: Path) -> Path:
    """The path itself, noted, and refused where it is not as its stage left it.

    Raises:
        DataError: it changed since.
    """
    if exists(path) and (expected := _expected(path)) and (actual := sha256(path)) != expected:
        raise DataError(
            f"{path}: changed after its stage had finished (SHA-256 {actual[:12]}; {MANIFEST} has {expected[:12]}). "
            "Put the original back, or remove its folder to run the stage again."
        )
    return path


def _expected(path: Path) -> str | None:
    """The hash that the manifest of a finished folder around a file has for it; None where there is none."""
    for folder in path.absolute().parents[:4]:
        if (manifest := folder / MANIFEST).is_file() and manifest != path:
            stat = manifest.stat()
            outputs = _outputs(manifest, stat.st_mtime_ns, stat.st_size)
            return outputs.get(path.absolute().relative_to(folder).as_posix())
    return None


@lru_cache(maxsize=4096)
def _outputs(manifest: Path, mtime: int, size: int) -> dict[str, str]:
    try:
        outputs = json.loads(manifest.read_text(encoding="utf-8")).get("outputs", {})
    except (ValueError, AttributeError):
        return {}  # damaged: whoever reads the manifest itself says so
    return outputs if isinstance(outputs, dict) else {}


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes; worked out once for a file that does not change."""
    stat = path.stat()
    return _sha256(path.absolute(), stat.st_mtime_ns, stat.st_size, stat.st_ino)


@lru_cache(maxsize=65536)
def _sha256(path: Path, mtime: int, size: int, inode: int) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
