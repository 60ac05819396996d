"""A stage's folder on disk: settings and inputs hashed, outputs hashed, the manifest written last.

No manifest: the work is done (again). Same key: skipped. Other key: `StaleError`, and nothing is touched.
"""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any, Literal

from . import reads
from .errors import BusyError, DataError, StaleError
from .provenance import provenance
from .reads import MANIFEST as MANIFEST
from .reads import sha256 as sha256
from .records import Record, digest, read_record, write_text

FAILURE = "failure.json"
LOCK = ".lock"
"""In a folder: held by the process that works in it, with the time it began, its number and its machine."""
State = Literal["done", "running", "failed", "missing"]


class Manifest(Record):
    """What made a folder. Its presence means that the folder is complete."""

    key: str
    """Hash of settings and inputs."""
    settings: dict[str, Any]
    inputs: dict[str, str]
    """SHA-256 of every file that was read, by its path from the run folder; `absent` where one was looked for and not
    there."""
    outputs: dict[str, str]
    """SHA-256 of every file that was written, by its path from this folder."""
    seconds: float
    provenance: dict[str, Any]
    """Versions, commit, hardware."""


class Failure(Record):
    """Why a folder has no manifest."""

    error: str
    traceback: str

    @property
    def line(self) -> str:
        """The error in one line."""
        return next((text for text in map(str.strip, self.error.splitlines()) if text), "no message")


def manifest(folder: Path) -> Manifest | None:
    """The manifest of a complete folder; None where there is none."""
    path = folder / MANIFEST
    remedy = "Remove the file to run the stage again."
    return read_record(path, Manifest, remedy) if reads.exists(path) else None


def state(folder: Path) -> State:
    """How a folder stands: complete, held by a living process, failed at the last try, or none of these."""
    if reads.exists(folder / MANIFEST):
        return "done"
    if held(folder):
        return "running"
    return "failed" if reads.exists(folder / FAILURE) else "missing"


def failure(folder: Path) -> Failure | None:
    """Why the last try failed; None where it did not."""
    path = folder / FAILURE
    return read_record(path, Failure) if reads.exists(path) else None


def fail(folder: Path, error: str, trace: str) -> None:
    """Record a failure in a folder, for people and for the next try."""
    write_text(folder / FAILURE, Failure(error=error, traceback=trace).model_dump_json(indent=1))


def held(folder: Path) -> bool:
    """Whether a living process works in a folder: a lock file alone says nothing."""
    lock = folder / LOCK
    if not lock.exists():
        return False
    with lock.open("r") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Hold a folder for this process; the lock goes with the process, however it ends.

    Args:
        folder: made where it is not there.
        wait: for another process that holds it, instead of being refused.
    Raises:
        BusyError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a") as f:
        if not _lock(f, wait):
            raise BusyError(
                f"{folder}: another process is working here. Wait for it or choose another run folder."
            )
        f.truncate(0)
        f.write(f"{time.time():.0f} {os.getpid()} {socket.gethostname()}\n")
        f.flush()
        yield


def _lock(file: IO[str], wait: bool) -> bool:
    """Take the lock of a file; False where another process keeps it longer than `held` does to look."""
    for _ in range(1 if wait else 5):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return True
        except OSError:
            time.sleep(0.01)
    return False


def since(folder: Path) -> float | None:
    """When the process that works in a folder took it, in seconds of the epoch; None where none does."""
    if not held(folder):
        return None
    first = (folder / LOCK).read_text(encoding="utf-8").partition(" ")[0]
    return float(first) if first else None


def run_once(
    folder: Path,
    settings: dict[str, Any],
    inputs: Iterable[Path] | None,
    work: Callable[[Path], None],
    *,
    keep: Iterable[str] = (),
    set_aside: bool = False,
    again: Callable[[Manifest], bool] | None = None,
    wait: bool = False,
) -> bool:
    """Do `work(folder)` unless the folder is already complete for these settings and inputs.

    Args:
        folder: of the stage, `runs/<study>/<stage>`.
        settings: JSON; everything that changes the outcome and nothing that does not.
        inputs: files that `work` reads; None: whatever it reads is recorded (`reads.py`), the absent included.
        work: writes into the folder; may find what an interrupted earlier call left there.
        keep: names of folders inside that are not part of the outcome (caches).
        set_aside: a complete folder made from other inputs, or touched since, is renamed to `<folder>-<its key>`
            instead of being refused or kept; for stages that cost nothing to repeat.
        again: whether a folder that is complete for other settings, but for the same inputs, may be worked on once
            more instead of being refused: `work` keeps of it what still holds.
        wait: for another process that is at it; then what it made is found.
    Returns:
        True when the work was done now, False when a complete folder was found.
    Raises:
        StaleError: the folder is complete, but for other settings or inputs. Nothing is touched.
        BusyError: another process is at it, and `wait` is false.
        DataError: an input is not there, or changed after its stage had finished.
    """
    given = None if inputs is None else _hashes(folder, inputs)
    with locked(folder, wait):
        old = manifest(folder)
        hashes = _as_they_are(folder, old) if given is None else given
        try:
            if _complete(folder, settings, hashes):
                if not (set_aside and old is not None and _touched(folder, old)):
                    return False
                put_aside(folder)
        except StaleError:
            if set_aside:
                put_aside(folder)
            elif again is not None and old is not None and old.inputs == hashes and again(old):
                (folder / MANIFEST).unlink()
            else:
                raise
        start = time.monotonic()
        with reads.recording() as seen:
            work(folder)
        if given is None:
            outside = [p for p in seen if not p.is_relative_to(folder.absolute())]
            hashes = {_name(p, folder.parent): seen[p] for p in sorted(outside)}
        skip = {MANIFEST, LOCK, *keep}
        outputs = sorted(
            p for p in folder.rglob("*") if p.is_file() and p.relative_to(folder).parts[0] not in skip
        )
        done = Manifest(
            key=digest([settings, hashes]),
            settings=settings,
            inputs=hashes,
            outputs={str(p.relative_to(folder)): sha256(p) for p in outputs},
            seconds=round(time.monotonic() - start, 3),
            provenance=provenance(),
        )
        write_text(folder / MANIFEST, done.model_dump_json(indent=1))
    return True


def _touched(folder: Path, old: Manifest) -> bool:
    """Whether a file that a complete folder was finished with has changed or gone."""
    paths = {folder / name: known for name, known in old.outputs.items()}
    return any(not p.is_file() or sha256(p) != known for p, known in paths.items())


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
    """Rename a complete folder to `<folder>-<its key>` and leave an empty one in its place.

    A number follows where there is such a folder already.
    """
    old = manifest(folder)
    if old is not None:
        names = (f"{folder.name}-{old.key}{f'-{n}' if n > 1 else ''}" for n in count(1))
        folder.rename(next(p for name in names if not (p := folder.with_name(name)).exists()))
        folder.mkdir()


def _hashes(folder: Path, inputs: Iterable[Path]) -> dict[str, str]:
    paths = list(inputs)
    absent = next((p for p in paths if not p.is_file()), None)
    if absent is not None:
        raise DataError(f"{absent}: not found. Run the stage that writes it first.")
    return {_name(p, folder.parent): sha256(reads.reading(p)) for p in paths}


def _as_they_are(folder: Path, old: Manifest | None) -> dict[str, str]:
    """What the files that a folder was made from are now."""
    paths = {name: folder.parent / name for name in old.inputs} if old else {}
    return {name: sha256(reads.reading(p)) if reads.exists(p) else reads.ABSENT for name, p in paths.items()}


def _complete(folder: Path, settings: dict[str, Any], inputs: dict[str, str]) -> bool:
    old = manifest(folder)
    if old is not None and old.key != digest([settings, inputs]):
        raise StaleError(f"{folder}: made from other {_changed(old, settings, inputs)}. {_WHAT_TO_DO}")
    return old is not None


_WHAT_TO_DO = "Move the folder away, or choose another run folder with --runs."


def _name(path: Path, root: Path) -> str:
    """A path from the run folder, also where it leads out of it: no manifest holds a user's home."""
    return os.path.relpath(path, root)


def _changed(old: Manifest, settings: dict[str, Any], inputs: dict[str, str]) -> str:
    """What differs, in words: `inputs: cohort/cases.parquet; settings: seed 1 -> 2`."""
    parts = []
    changed = sorted(n for n in inputs.keys() | old.inputs.keys() if inputs.get(n) != old.inputs.get(n))
    if changed:
        parts.append(f"inputs: {', '.join(changed)}")
    moved = [f"{name} {was!r} -> {now!r}" for name, was, now in differences(old.settings, settings)]
    if moved:
        more = f" and {len(moved) - MOST_NAMED} more" if len(moved) > MOST_NAMED else ""
        parts.append(f"settings: {', '.join(moved[:MOST_NAMED])}{more}")
    return "; ".join(parts) or "settings"


MOST_NAMED = 3
"""Changed settings that a message names."""


def differences(was: Any, now: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Dotted name, old value and new value of every setting that changed; a tuple equals the same list.

    >>> list(differences({"n": (1, 2), "seed": 1}, {"n": [1, 2], "seed": 2, "lora": {"rank": 8}}))
    [('lora', None, {'rank': 8}), ('seed', 1, 2)]
    """
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted(was.keys() | now.keys()):
            yield from differences(was.get(name), now.get(name), f"{at}.{name}" if at else name)
    elif _as_json(was) != _as_json(now):
        yield at, was, now


def _as_json(value: Any) -> Any:
    """A value as it comes back from a manifest: tuples are lists."""
    return [_as_json(v) for v in value] if isinstance(value, list | tuple) else value
