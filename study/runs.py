"""A stage's folder on disk: settings and inputs hashed, outputs hashed, the manifest written last.

No manifest: the work is done (again). Same key: skipped. Other key: `StaleError`, and nothing is touched.
"""

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from .errors import BusyError, StaleError
from .provenance import provenance
from .records import Record, digest, read_record, write_text

MANIFEST = "manifest.json"
FAILURE = "failure.json"
State = Literal["done", "running", "failed", "missing"]


class Manifest(Record):
    """What made a folder. Its presence means that the folder is complete."""

    key: str
    """Hash of settings and inputs."""
    settings: dict[str, Any]
    inputs: dict[str, str]
    """SHA-256 of every file that was read, by its path from the run folder."""
    outputs: dict[str, str]
    """SHA-256 of every file that was written, by its path from this folder."""
    seconds: float
    provenance: dict[str, Any]
    """Versions, commit, hardware."""


class Failure(Record):
    """Why a folder has no manifest."""

    error: str
    traceback: str


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def manifest(folder: Path) -> Manifest | None:
    """The manifest of a complete folder; None where there is none."""
    path = folder / MANIFEST
    remedy = "Remove the file to have the stage done again."
    return read_record(path, Manifest, remedy) if path.exists() else None


def state(folder: Path) -> State:
    """How a folder stands: complete, held by a living process, failed at the last try, or none of these."""
    if (folder / MANIFEST).exists():
        return "done"
    if held(folder):
        return "running"
    return "failed" if (folder / FAILURE).exists() else "missing"


def failure(folder: Path) -> Failure | None:
    """Why the last try failed; None where it did not."""
    path = folder / FAILURE
    return read_record(path, Failure) if path.exists() else None


def fail(folder: Path, error: str, trace: str) -> None:
    """Record a failure in a folder, for people and for the next try."""
    write_text(folder / FAILURE, Failure(error=error, traceback=trace).model_dump_json(indent=1))


def held(folder: Path) -> bool:
    """Whether a living process works in a folder: a lock file alone says nothing."""
    lock = folder / ".lock"
    if not lock.exists():
        return False
    with lock.open("r") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; the lock goes with the process, however it ends.

    Raises:
        BusyError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise BusyError(
                f"{folder}: another process is working here. Wait for it or choose another run folder."
            ) from e
        yield


def run_once(
    folder: Path,
    settings: dict[str, Any],
    inputs: Iterable[Path],
    work: Callable[[Path], None],
    *,
    keep: Iterable[str] = (),
    set_aside: bool = False,
    again: Callable[[Manifest], bool] | None = None,
) -> bool:
    """Do `work(folder)` unless the folder is already complete for these settings and inputs.

    Args:
        folder: of the stage, `runs/<study>/<stage>`.
        settings: JSON; everything that changes the outcome and nothing that does not.
        inputs: files that `work` reads.
        work: writes into the folder; may find what an interrupted earlier call left there.
        keep: names of folders inside that are not part of the outcome (caches).
        set_aside: a complete folder made from other inputs is renamed to `<folder>-<its key>` instead of being
            refused; for stages that cost nothing to repeat.
        again: whether a folder that is complete for other settings, but for the same inputs, may be worked on once
            more instead of being refused: `work` keeps of it what still holds.
    Returns:
        True when the work was done now, False when a complete folder was found.
    Raises:
        StaleError: the folder is complete, but for other settings or inputs. Nothing is touched.
        BusyError: another process is at it.
    """
    found = _hashes(folder, inputs)
    with locked(folder):
        try:
            if _complete(folder, settings, found):
                return False
        except StaleError:
            old = manifest(folder)
            if set_aside:
                put_aside(folder)
            elif again is not None and old is not None and old.inputs == found and again(old):
                (folder / MANIFEST).unlink()
            else:
                raise
        start = time.monotonic()
        work(folder)
        skip = {MANIFEST, ".lock", *keep}
        made = sorted(
            p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] not in skip
        )
        done = Manifest(
            key=digest([settings, found]),
            settings=settings,
            inputs=found,
            outputs={str(p.relative_to(folder)): sha256(p) for p in made},
            seconds=round(time.monotonic() - start, 3),
            provenance=provenance(),
        )
        write_text(folder / MANIFEST, done.model_dump_json(indent=1))
    return True


def outcome(done: bool, place: Path) -> str:
    """How a stage says what `run_once` did.

    >>> outcome(True, Path("runs/demo/cohort")), outcome(False, Path("runs/demo/cohort"))
    ('wrote runs/demo/cohort', 'up to date: runs/demo/cohort')
    """
    return f"wrote {place}" if done else f"up to date: {place}"


def complete(folder: Path, settings: dict[str, Any], inputs: Iterable[Path]) -> bool:
    """Whether the folder is complete for these settings and inputs.

    Raises:
        StaleError: it is complete, but for others.
    """
    return _complete(folder, settings, _hashes(folder, inputs))


def put_aside(folder: Path) -> None:
    """Rename a complete folder to `<folder>-<its key>` and leave an empty one in its place."""
    old = manifest(folder)
    if old is not None:
        folder.rename(folder.with_name(f"{folder.name}-{old.key}"))
        folder.mkdir()


def _hashes(folder: Path, inputs: Iterable[Path]) -> dict[str, str]:
    return {_name(p, folder.parent): sha256(p) for p in inputs}


def _complete(folder: Path, settings: dict[str, Any], found: dict[str, str]) -> bool:
    old = manifest(folder)
    if old is not None and old.key != digest([settings, found]):
        raise StaleError(f"{folder}: made from other {_changed(old, settings, found)}. {_WHAT_TO_DO}")
    return old is not None


_WHAT_TO_DO = "Move the folder away, or choose another run folder with --runs."


def _name(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _changed(old: Manifest, settings: dict[str, Any], inputs: dict[str, str]) -> str:
    """What differs, in words: `inputs: cohort/cases.parquet; settings: seed 1 -> 2`."""
    parts = []
    changed = sorted(n for n in inputs.keys() | old.inputs.keys() if inputs.get(n) != old.inputs.get(n))
    if changed:
        parts.append(f"inputs: {', '.join(changed)}")
    moved = [f"{name} {was!r} -> {now!r}" for name, was, now in _differences(old.settings, settings)]
    if moved:
        more = f" and {len(moved) - MOST_NAMED} more" if len(moved) > MOST_NAMED else ""
        parts.append(f"settings: {', '.join(moved[:MOST_NAMED])}{more}")
    return "; ".join(parts) or "settings"


MOST_NAMED = 3
"""Changed settings that a message names."""


def _differences(was: Any, now: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted name, old value and new value of every setting that changed; a tuple equals the same list."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted(was.keys() | now.keys()):
            yield from _differences(was.get(name), now.get(name), f"{at}.{name}" if at else name)
    elif _as_json(was) != _as_json(now):
        yield at, was, now


def _as_json(value: Any) -> Any:
    """A value as it comes back from a manifest: tuples are lists."""
    return [_as_json(v) for v in value] if isinstance(value, list | tuple) else value
