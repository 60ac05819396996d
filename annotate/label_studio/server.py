"""A real Label Studio on this machine: its own virtual environment, loopback only, nothing reported to anybody.

Label Studio pins `openai<2`, which this package's teachers cannot use; so it lives in an environment of its own
under the user's cache folder and is made once.
"""

import os
import secrets
import signal
import socket
import subprocess
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click
import httpx
from pydantic import Field

from ...study.errors import BusyError, ServiceError
from ...study.records import Record, read_record, write_text

VERSION = "1.23.2"
"""The release that the grading page and the calls in `label_studio.py` were tried with."""
ADMIN = "admin@raters.example.com"
STATE = "server.json"


class State(Record):
    """What must be known to talk to the server again; kept in its private folder."""

    url: str
    token: str
    """Of the administrator's account."""
    password: str
    raters: dict[str, str] = Field(default_factory=dict)
    """Password of each rater's account, by e-mail address."""


def environment(version: str = VERSION) -> Path:
    """The program `label-studio` in an environment of its own, made on the first call (two minutes, one gigabyte).

    Raises:
        ServiceError: it could not be installed.
    """
    folder = _folder(version)
    if not installed(version):
        click.echo(f"installing Label Studio {version} into {folder} (once, about two minutes)", err=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"label-studio=={version}"]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ServiceError(f"{folder}: Label Studio {version} could not be installed: {last}")
    return folder / "bin" / "label-studio"


def installed(version: str = VERSION) -> bool:
    """Whether the environment is there and whole: pip installs the package itself after all that it needs."""
    python = _folder(version) / "bin" / "python"
    if not python.exists():
        return False
    ask = "from importlib.metadata import version; print(version('label-studio'))"
    said = subprocess.run([str(python), "-c", ask], capture_output=True, text=True)
    return said.stdout.strip() == version


def _folder(version: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "wherefore" / f"label-studio-{version}"


@contextmanager
def serving(folder: Path, port: int, *, wait: float = 240) -> Iterator[State]:
    """A running server whose data lie in `folder`; stopped on the way out.

    Args:
        folder: private to the user; made on the first call, which takes about half a minute longer.
        port: on loopback.
        wait: seconds for it to answer.
    Raises:
        BusyError: the port is taken. Label Studio itself would move to another one without a word.
        ServiceError: it did not start.
    """
    _free(port)
    program = environment()
    state = _state(folder, port)
    log = folder / "server.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)],
            env=_environment(folder, state),
            stdout=out,
            stderr=subprocess.STDOUT,
            umask=0o077,
            start_new_session=True,
        )
        try:
            _answering(process, state.url, log, wait)
            yield state
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free(port: int) -> None:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError as e:
            raise BusyError(
                f"port {port} is taken. Stop what runs there, or choose another with --port and annotate.server.url."
            ) from e


def _state(folder: Path, port: int) -> State:
    """What the folder knows of its server; made up where it is new."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    path, url = folder / STATE, f"http://127.0.0.1:{port}"
    old = known(folder)
    state = State(
        url=url,
        token=old.token if old else secrets.token_hex(20),
        password=old.password if old else secrets.token_urlsafe(12),
        raters=old.raters if old else {},
    )
    write_text(path, state.model_dump_json(indent=1))
    path.chmod(0o600)
    return state


def known(folder: Path) -> State | None:
    """What a folder knows of the server that was started in it; None where there was none."""
    path = folder / STATE
    return read_record(path, State, "Restore it from a copy.") if path.exists() else None


def _environment(folder: Path, state: State) -> dict[str, str]:
    """Nothing of the caller's environment but the path: Label Studio also reads PORT, HOST, USERNAME, PASSWORD."""
    quiet = {
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
    }
    ours = {
        "BASE_DATA_DIR": str(folder),
        "USERNAME": ADMIN,
        "PASSWORD": state.password,
        "USER_TOKEN": state.token,
        "ENABLE_LEGACY_API_TOKEN": "true",
        "DISABLE_SIGNUP_WITHOUT_LINK": "true",
        **quiet,
    }
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "COLLECT_ANALYTICS": "false",
        **{f"LABEL_STUDIO_{k}": v for k, v in ours.items()},
    }


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


def account(folder: Path, state: State, email: str) -> str:
    """Make sure that an account exists and return its password.

    The server's own call for new accounts leaves them without a usable password, so this signs up by the invitation
    link as a person would.
    """
    if email in state.raters:
        return state.raters[email]
    admin = {"Authorization": f"Token {state.token}"}
    with httpx.Client(base_url=state.url, timeout=60, trust_env=False, follow_redirects=True) as http:
        invite = http.get("/api/invite", headers=admin).json()["invite_url"]
        http.get(invite)
        password = secrets.token_urlsafe(9)
        sent = http.post(
            invite,
            data={
                "email": email,
                "password": password,
                "how_find_us": "",
                "elaborate": "",
                "allow_newsletters": "false",
                "csrfmiddlewaretoken": http.cookies["csrftoken"],
            },
            headers={"Referer": state.url + invite},
        )
        emails = {u["email"] for u in http.get("/api/users/", headers=admin).json()}
    if email not in emails:
        raise ServiceError(f"{state.url}: no account could be made for {email} ({sent.status_code}).")
    state.raters[email] = password
    write_text(folder / STATE, state.model_dump_json(indent=1))
    (folder / STATE).chmod(0o600)
    return password


def token(state: State, email: str) -> str:
    """Legacy token of a rater's own account, got by signing in as the rater."""
    with signed_in(state, email, state.raters[email]) as http:
        return str(http.get("/api/current-user/token").json()["token"])


@contextmanager
def signed_in(state: State, email: str, password: str) -> Iterator[httpx.Client]:
    """A browser-like session of one account."""
    with httpx.Client(base_url=state.url, timeout=60, trust_env=False, follow_redirects=True) as http:
        http.get("/user/login/")
        form = {"email": email, "password": password, "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        http.post("/user/login/", data=form, headers={"Referer": state.url + "/user/login/"})
        yield http


def link(url: str, project: int) -> str:
    """Where a rater grades: signing in, then the label stream, which shows nobody else's work."""
    return f"{url}/user/login/?next={quote(f'/projects/{project}/data?labeling=1', safe='')}"
