"""Everything of a grading study in one file, and back: the server's data, accounts, grades, what they rest on."""

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ...study.errors import DataError
from ...study.records import Record
from .database import DUMP, SQLITE, Postgres, copy_sqlite
from .install import VERSION

NOTE = "backup.json"
PARTS = ("study.toml", "cohort", "synth", "annotate", "label_studio")
"""What is kept of a run folder. What is made of the verdicts is made again."""
LEFT_OUT = (".lock", ".part", "server.log", f"{SQLITE}-journal", f"{SQLITE}-wal", f"{SQLITE}-shm")
"""Endings of files that mean nothing elsewhere."""


class Backup(Record):
    """What a backup says of itself."""

    study: str
    label_studio: str
    database: str
    """`sqlite`, or `postgresql`."""


def backup(run_folder: Path, to: Path, database: Postgres | None) -> int:
    """Write a copy while the server may go on; the number of files in it.

    Args:
        run_folder: `runs/<study>`; nobody may hand out or pull meanwhile.
        to: a file that is not there yet; readable by its owner only.
        database: of our server; None: SQLite in the folder.
    Raises:
        DataError: `to` is there.
        ServiceError: the database cannot be copied.
    """
    if to.exists():
        raise DataError(f"{to}: exists. Choose another name; a backup never replaces one.")
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(to.name + ".part")
    note = Backup(
        study=run_folder.name, label_studio=VERSION, database="postgresql" if database else "sqlite"
    )
    try:
        with tempfile.TemporaryDirectory(dir=to.parent) as work:
            copy = _database(run_folder, Path(work) / "database", database)
            n = _write(part, run_folder, note, copy)
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return n


def _database(run_folder: Path, copy: Path, database: Postgres | None) -> tuple[Path, str] | None:
    """A copy of the server's database and its name in the backup; None where there is none yet."""
    if database is not None:
        database.dump(copy)
        return copy, DUMP
    sqlite = run_folder / "label_studio" / SQLITE
    if not sqlite.exists():
        return None
    copy_sqlite(sqlite, copy)
    return copy, SQLITE


def _write(part: Path, run_folder: Path, note: Backup, database: tuple[Path, str] | None) -> int:
    """Write the archive; the number of files in it."""
    n = 0
    part.touch(mode=0o600)
    with part.open("wb") as out, tarfile.open(fileobj=out, mode="w:gz", compresslevel=3) as tar:
        _add_text(tar, NOTE, note.model_dump_json(indent=1))
        for path in _files(run_folder):
            tar.add(path, str(path.relative_to(run_folder)), recursive=False)
            n += 1
        if database is not None:
            copy, name = database
            tar.add(copy, f"label_studio/{name}", recursive=False)
            n += 1
    return n


def _files(run_folder: Path) -> Iterator[Path]:
    for part in PARTS:
        root = run_folder / part
        paths = [root] if root.is_file() else sorted(root.rglob("*"))
        for path in paths:
            if path.is_file() and path.name != SQLITE and not path.name.endswith(LEFT_OUT):
                yield path


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text.encode()), 0o600
    tar.addfile(entry, io.BytesIO(text.encode()))


def read(path: Path) -> Backup:
    """What a backup says of itself.

    Raises:
        DataError: it is none.
    """
    try:
        with tarfile.open(path) as tar:
            note = tar.extractfile(NOTE)
            assert note is not None
            return Backup.model_validate(json.loads(note.read()))
    except (OSError, tarfile.TarError, KeyError, ValueError, AssertionError) as e:
        raise DataError(f"{path}: not a backup made by `wherefore annotate backup`: {str(e)[:100]}.") from e


def restore(path: Path, run_folder: Path, database: Postgres | None) -> Backup:
    """Put everything back into a run folder that has nothing of it; all of it or nothing.

    Args:
        path: the backup.
        run_folder: `runs/<study>`.
        database: an empty one; None: SQLite in the folder.
    Raises:
        DataError: not a backup, of another study or kind of database, or there is something already.
        ServiceError: the database does not take it.
    """
    note = read(path)
    kind = "postgresql" if database else "sqlite"
    if note.study != run_folder.name:
        raise DataError(f"{path}: a backup of study {note.study!r}, not of {run_folder.name!r}.")
    if note.database != kind:
        raise DataError(
            f"{path}: made from a {note.database} database, but annotate.server.database says {kind}."
        )
    if there := [part for part in PARTS if part != "study.toml" and (run_folder / part).exists()]:
        raise DataError(
            f"{run_folder / there[0]}: exists. Move it away, or restore into another place with --runs."
        )
    if database is not None and not database.empty():
        raise DataError(f"{database}: not empty. Restore into a new database.")
    run_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run_folder.parent) as work:
        with tarfile.open(path) as tar:
            tar.extractall(work, filter="data")
        dump = Path(work) / "label_studio" / DUMP
        if database is not None and dump.exists():
            database.load(dump)
            dump.unlink()
        for part in PARTS:
            if (source := Path(work) / part).exists():
                shutil.move(source, run_folder / part)
    if (server := run_folder / "label_studio").exists():
        server.chmod(0o700)
    return note
