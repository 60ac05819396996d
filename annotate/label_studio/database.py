"""Where our Label Studio keeps its data: SQLite in its folder, or a PostgreSQL of the user's."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ...study.errors import ServiceError, StudyError
from ...study.records import Record

SQLITE = "label_studio.sqlite3"
DUMP = "postgresql.dump"
"""Name of the database's copy in a backup."""


class Postgres(Record):
    """A PostgreSQL database; the password comes from the environment."""

    host: str
    port: int
    user: str
    name: str
    password: str = ""

    def environment(self) -> dict[str, str]:
        """What Label Studio reads."""
        return {
            "DJANGO_DB": "default",
            "POSTGRE_HOST": self.host,
            "POSTGRE_PORT": str(self.port),
            "POSTGRE_USER": self.user,
            "POSTGRE_NAME": self.name,
            "POSTGRE_PASSWORD": self.password,
        }

    def __str__(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"

    def _tool(self, program: str, *words: str) -> str:
        """Run one of PostgreSQL's own programs; what it printed.

        Raises:
            ServiceError: it is not installed, or it failed.
        """
        if shutil.which(program) is None:
            raise ServiceError(
                f"{program}: not found. Install PostgreSQL's client programs (Debian: postgresql-client)."
            )
        where = ["--host", self.host, "--port", str(self.port), "--username", self.user, "--no-password"]
        secret = {"PGPASSWORD": self.password} if self.password else {}
        done = subprocess.run(
            [program, *where, *words], capture_output=True, text=True, env={**os.environ, **secret}
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"{self}: {program}: {last}")
        return done.stdout

    def check(self) -> None:
        """Connect once.

        Raises:
            ServiceError: nobody answers, or the user may not.
        """
        self._tool("psql", "--dbname", self.name, "--tuples-only", "--command", "SELECT 1")

    def empty(self) -> bool:
        """Whether there is no table in it."""
        count = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        return int(self._tool("psql", "--dbname", self.name, "--tuples-only", "--command", count)) == 0

    def dump(self, path: Path) -> None:
        """Write everything in it to a file, as it is at one moment, while the server goes on."""
        self._tool("pg_dump", "--dbname", self.name, "--format", "custom", "--no-owner", "--file", str(path))

    def load(self, path: Path) -> None:
        """Fill the empty database from such a file, all of it or nothing."""
        self._tool("pg_restore", "--dbname", self.name, "--no-owner", "--single-transaction", str(path))


def postgres(url: str, password_from: str) -> Postgres | None:
    """The database of a URL such as `postgresql://user@host:5432/name`; None where there is no URL: SQLite.

    Args:
        url: `annotate.server.database`.
        password_from: the environment variable that holds the password; not set: the server asks for none.
    Raises:
        StudyError: not such a URL, or one with a password in it.
    """
    if not url:
        return None
    where, key = urlsplit(url), "annotate.server.database"
    if (
        where.scheme not in ("postgresql", "postgres")
        or not where.hostname
        or len(where.path) < 2
        or not where.username
    ):
        raise StudyError(f"{key}: {url!r} is not of the form postgresql://user@host:5432/name.")
    if where.password:
        raise StudyError(
            f"{key}: holds a password. Take it out, and put it into the environment as {password_from}."
        )
    return Postgres(
        host=where.hostname,
        port=where.port or 5432,
        user=unquote(where.username),
        name=unquote(where.path[1:]),
        password=os.environ.get(password_from, ""),
    )


def copy_sqlite(source: Path, to: Path) -> None:
    """Copy a database that may be in use, as it is at one moment."""
    with contextlib.closing(sqlite3.connect(source)) as a, contextlib.closing(sqlite3.connect(to)) as b:
        a.backup(b)
    to.chmod(0o600)
