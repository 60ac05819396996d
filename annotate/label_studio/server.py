"""A real Label Studio on this machine: its own virtual environment, loopback only, nothing reported to anybody."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
from pydantic import Field

from ...study.errors import BusyError, ServiceError
from ...study.records import Record, read_record, write_text
from ...study.runs import locked
from . import accounts
from .client import Server
from .database import Postgres
from .install import environment

ADMIN = "admin@raters.example.com"
FILE = "server.json"


class OwnServer(Record):
    """What must be known to talk to the server again; kept in its private folder."""

    url: str
    """On loopback."""
    token: str
    """Of the administrator's account."""
    password: str
    raters: dict[str, str] = Field(default_factory=dict)
    """Password of each rater's account, by e-mail address."""
    process: int | None = None
    """Of the server, while it runs."""
    public: str = ""
    """Where raters reach it; empty: only on this machine."""


@contextmanager
def serving(
    folder: Path, port: int, *, wait: float = 240, public: str = "", database: Postgres | None = None
) -> Iterator[OwnServer]:
    """A running server whose data lie in `folder`; stopped on the way out.

    Args:
        folder: private to the user; made on the first call, which takes about half a minute longer.
        port: on loopback.
        wait: seconds for it to answer.
        public: the address under which raters reach it, where something in front passes requests on.
        database: where its data are; None: SQLite in the folder.
    Raises:
        BusyError: the port is taken (Label Studio itself would move to another one without a word), or another
            process serves this folder.
        ServiceError: it did not start, or the database does not answer.
    """
    program = environment()
    if database is not None:
        database.check()
    if not folder.exists():
        _free(port)  # before anything is written
    with locked(folder), (folder / "server.log").open("ab") as out:
        _end_orphan(folder)
        _free(port)
        own = _prepared(folder, port, public)
        log = folder / "server.log"
        process = subprocess.Popen(
            [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)],
            env=_environment(folder, own, database),
            stdout=out,
            stderr=subprocess.STDOUT,
            umask=0o077,
            start_new_session=True,
        )
        try:
            own = keep(folder, own.model_copy(update={"process": process.pid}))
            _answering(process, own.url, log, wait)
            yield own
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if (last := known(folder)) is not None:
                keep(folder, last.model_copy(update={"process": None}))


def _free(port: int) -> None:
    """Refuse a port that is taken.

    Raises:
        BusyError: it is.
    """
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError as e:
            raise BusyError(
                f"port {port} is taken. Choose another with --port, or stop what runs there."
            ) from e


def _end_orphan(folder: Path) -> None:
    """End the server that a killed `serve` of this folder left behind: two of them would share one database."""
    own = known(folder)
    process = own.process if own is not None else None
    if process is None or not _serves(process, folder):
        return
    click.echo(
        f"stopping Label Studio (process {process}), left behind by a `serve` that was killed", err=True
    )
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        until = time.monotonic() + 20
        while _serves(process, folder) and time.monotonic() < until:
            time.sleep(0.1)
        os.kill(process, signal.SIGKILL)


def _serves(process: int, folder: Path) -> bool:
    """Whether a process is a server of this folder, and not another one that got its number since."""
    try:
        environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"LABEL_STUDIO_BASE_DATA_DIR={folder.resolve()}".encode() in environment


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _prepared(folder: Path, port: int, public: str) -> OwnServer:
    """What the folder knows of its server; made up where it is new."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    old = known(folder)
    return keep(
        folder,
        OwnServer(
            url=f"http://127.0.0.1:{port}",
            token=old.token if old else secrets.token_hex(20),
            password=old.password if old else secrets.token_urlsafe(12),
            raters=old.raters if old else {},
            public=public,
        ),
    )


def known(folder: Path) -> OwnServer | None:
    """What a folder knows of the server that was started in it; None where there was none."""
    path = folder / FILE
    return read_record(path, OwnServer, "Restore it from a copy.") if path.exists() else None


def keep(folder: Path, own: OwnServer) -> OwnServer:
    """Write down what is known."""
    write_text(folder / FILE, own.model_dump_json(indent=1))
    (folder / FILE).chmod(0o600)
    return own


def _environment(folder: Path, own: OwnServer, database: Postgres | None) -> dict[str, str]:
    """Nothing of the caller's environment but the path: Label Studio also reads PORT, HOST, USERNAME, PASSWORD."""
    quiet = {
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
    }
    ours = {
        "BASE_DATA_DIR": str(folder.resolve()),
        "USERNAME": ADMIN,
        "PASSWORD": own.password,
        "USER_TOKEN": own.token,
        "ENABLE_LEGACY_API_TOKEN": "true",
        "DISABLE_SIGNUP_WITHOUT_LINK": "true",
        **quiet,
        **(database.environment() if database else {}),
        **_in_public(own.public),
    }
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder.resolve()),
        "COLLECT_ANALYTICS": "false",
        # "7 of 24" in the label stream, which is off by default
        "fflag_fix_all_optic_79_task_count_is_wrong_short": "true",
        **{f"LABEL_STUDIO_{k}": v for k, v in ours.items()},
    }


def _in_public(url: str) -> dict[str, str]:
    """What it must know of the address in front of it, or it takes raters' own forms for another site's."""
    if not url:
        return {}
    secure = str(int(url.startswith("https://")))
    return {
        "HOST": url,
        "CSRF_TRUSTED_ORIGINS": url,
        "SESSION_COOKIE_SECURE": secure,
        "CSRF_COOKIE_SECURE": secure,
    }


def ended(own: OwnServer) -> bool:
    """Whether a server that this process started has ended by itself."""
    if own.process is None:
        return True
    try:
        return os.waitid(os.P_PID, own.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _answering(process: "subprocess.Popen[bytes]", url: str, log: Path, wait: float) -> None:
    """Wait for the server to say that it is up."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        if process.poll() is not None:
            last = (log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"{url}: Label Studio stopped while starting: {last} (log: {log})")
        try:
            if httpx.get(f"{url}/health", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise ServiceError(f"{url}: Label Studio did not answer within {wait:.0f} s (log: {log}).")


def account(folder: Path, own: OwnServer, email: str) -> str:
    """Make sure that an account exists and return its password.

    Raises:
        ServiceError: it could not be made.
    """
    server = Server(own.url, own.token)
    try:
        there = accounts.exists(server, email)
        if there and email not in own.raters:
            raise ServiceError(
                f"{own.url}: already has an account {email}, and its password is not stored here."
            )
        own.raters.setdefault(email, accounts.password())
        keep(folder, own)
        if not there:
            accounts.sign_up(server, email, own.raters[email])
    finally:
        server.close()
    return own.raters[email]


def token(own: OwnServer, email: str) -> str:
    """Token of a rater's own account, got by signing in as the rater."""
    return accounts.token(own.url, email, own.raters[email])
