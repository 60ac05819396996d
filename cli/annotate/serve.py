"""`wherefore annotate serve`, `page`, `links` and `install`: where raters grade."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .. import _common
from . import grading

if TYPE_CHECKING:
    from ...annotate.label_studio.server import OwnServer
    from ...annotate.settings import Settings
    from ...annotate.web.office import Office
    from ...study.config import Study

LOOPBACK = "127.0.0.1"


class Front(NamedTuple):
    """Where raters at other machines reach the server, if they do."""

    host: str
    port: int
    url: str
    certificate: Path | None = None
    key: Path | None = None
    behind: bool = False

    @property
    def apart(self) -> bool:
        """Only this machine: Label Studio and the page have a port each, and nothing is in front of them."""
        return self.host == LOOPBACK and self.certificate is None and not self.behind

    @property
    def names(self) -> list[str]:
        """Names and addresses in the requests that are let in."""
        from urllib.parse import urlsplit

        return [name for name in (self.host, urlsplit(self.url).hostname) if name]

    def listening(self, app: Any) -> AbstractContextManager[None]:
        """Serve an application here."""
        from ...annotate.web.front import listening

        return listening(
            app,
            self.host,
            self.port,
            certificate=self.certificate,
            key=self.key,
            behind_proxy=self.behind,
        )


def in_public(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for raters at other machines."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in (
        click.option(
            "--host", default=LOOPBACK, show_default=True, help="An address of this machine to listen on."
        ),
        click.option("--cert", type=file, default=None, help="TLS certificate (PEM), for another --host."),
        click.option("--key", type=file, default=None, help="Its private key (PEM)."),
        click.option("--name", default=None, help="Host name of the certificate, if raters use it."),
        click.option(
            "--behind",
            metavar="URL",
            default=None,
            help="Instead of --cert: the https address of a proxy that passes requests on to --host.",
        ),
    ):
        command = option(command)
    return command


def front_of(
    study: "Study",
    host: str,
    port: int,
    cert: Path | None,
    key: Path | None,
    name: str | None,
    behind: str | None,
) -> Front:
    """What the options say, or why it cannot be.

    Raises:
        StudyError: a whole network would be let in, or let in without TLS, or without leave for patient text.
    """
    from ...study.errors import StudyError

    if host in ("0.0.0.0", "::", "") or "*" in host:
        raise StudyError(
            f"--host: {host!r} is every address of this machine; choose one, such as that of the clinic's network."
        )
    if (cert is None) != (key is None):
        raise StudyError("--cert and --key: give both, or neither.")
    if behind is not None and not behind.startswith("https://"):
        raise StudyError(f"--behind: {behind!r} is not an https address.")
    if cert is not None and key is not None:
        _check_certificate(cert, key)
    if host != LOOPBACK and cert is None and behind is None:
        raise StudyError(
            f"--host: {host} is reached over the network, and patient text must not travel unencrypted. Give --cert "
            "and --key, or --behind with the https address of a proxy in front."
        )
    if (host != LOOPBACK or behind) and study.data_use is None:
        raise StudyError(
            "--host: raters at other machines would read patient text, and the study has no [data_use] section that "
            "allows it to leave this one. Add one."
        )
    scheme = "https" if cert else "http"
    url = behind.rstrip("/") if behind else f"{scheme}://{name or host}:{port}"
    return Front(host, port, url, cert, key, behind is not None)


def _check_certificate(cert: Path, key: Path) -> None:
    """Read the files that TLS will need.

    Raises:
        StudyError: they are no certificate and its key.
    """
    import ssl

    from ...study.errors import StudyError

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as e:
        raise StudyError(
            f"--cert {cert} --key {key}: not a certificate and its key in PEM ({e}). A key with a password cannot be "
            "used."
        ) from e


@contextmanager
def stopping() -> Iterator[None]:
    """SIGTERM and SIGHUP end what is inside as ctrl+c does: in order, the server included."""

    def stop(number: int, _: object) -> None:
        for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(n, signal.SIG_IGN)  # the end is under way; a second signal must not cut it short
        raise KeyboardInterrupt

    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup wants hang-ups ignored
            before[number] = signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("stopped; the grades are kept")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command()
def install() -> None:
    """Install Label Studio in an environment of its own, if it is not installed yet."""
    from ...annotate.label_studio import install as install_

    click.echo(f"Label Studio {install_.VERSION}: {install_.environment()}")


@click.command()
@_common.with_study
@click.option("--port", default=8080, show_default=True, help="Port; refused if in use.")
@click.option(
    "--page-port", default=None, type=int, help="Of the grading page, on loopback.  [default: --port + 1]"
)
@in_public
@click.option("--hours", type=float, default=None, help="Stop after this many hours.")
@grading.PAST_GATE
def serve(
    study: Path,
    runs: Path,
    port: int,
    page_port: int | None,
    hours: float | None,
    past_gate: bool,
    **public: Any,
) -> None:
    """Start Label Studio and the grading page, hand out what is due, and print every rater's links."""
    from ...annotate.label_studio import server as server_
    from ...study.errors import StudyError

    s, settings, run_folder = grading.people(study, runs)
    if settings.server.url:
        raise StudyError(
            f"annotate.server.url: {settings.server.url} is used, so none is started here. `wherefore annotate page` "
            "serves the grading page in front of it."
        )
    front = front_of(s, port=port, **public)
    if not front.apart:
        grading.web()
    folder = run_folder / "label_studio"
    with stopping(), ExitStack() as stack:
        ls_port = port if front.apart else server_.free_port()
        own = stack.enter_context(
            server_.serving(
                folder, ls_port, public="" if front.apart else front.url, database=grading.database(settings)
            )
        )
        click.echo(
            f"Label Studio {grading.release()} on {own.url} (data in {grading.database(settings) or folder})"
        )
        passwords = {p.name: server_.account(folder, own, p.account) for p in settings.people}
        _hand_out(s, settings, run_folder, past_gate)
        page = (
            _page(stack, study, run_folder, settings, front, own, page_port or port + 1)
            if _has_web()
            else None
        )
        for line in _where(run_folder, settings, own, passwords, page):
            click.echo(line)
        _wait(hours, own)


def _hand_out(s: "Study", settings: "Settings", run_folder: Path, past_gate: bool) -> None:
    """A server that stopped here could never be told to go on, so what is wrong is only said."""
    from ...study.errors import PendingError, StaleError

    with grading.server_of(settings, run_folder) as server:
        try:
            grading.push_due(s, settings, run_folder, server, past_gate=past_gate)
        except (PendingError, StaleError) as e:
            click.echo(str(e))


def _has_web() -> bool:
    from importlib.util import find_spec

    if all(find_spec(name) for name in ("starlette", "uvicorn", "itsdangerous")):
        return True
    click.echo("the grading page is not installed; `pip install 'wherefore-lab[grade]'` adds it")
    return False


def _page(
    stack: ExitStack,
    study: Path,
    run_folder: Path,
    settings: "Settings",
    front: Front,
    own: "OwnServer",
    port: int,
) -> str:
    """Serve the grading page: on a port of its own on loopback, or with Label Studio behind one address."""
    from ...annotate.web import sign
    from ...annotate.web.front import front as front_app
    from ...annotate.web.front import listening
    from ...annotate.web.office import Office

    url = f"http://{LOOPBACK}:{port}" if front.apart else front.url
    office = Office(study, run_folder, sign.by_own_server(run_folder / "label_studio"))
    stack.callback(office.close)
    app = _application(office, run_folder, settings, url, front)
    if front.apart:
        stack.enter_context(listening(app, LOOPBACK, port))
    else:
        whole = front_app(app, own.url, front.names, front.url)
        stack.enter_context(front.listening(whole))
    return url


def _application(office: "Office", run_folder: Path, settings: "Settings", url: str, front: Front) -> Any:
    from ...annotate.web import links
    from ...annotate.web.app import application

    folder = run_folder / "annotate"
    links.issued(folder, [p.name for p in settings.people], url)
    names = [*front.names, "localhost"] if front.host == LOOPBACK else front.names
    return application(lambda: links.read(folder), office.desk, names, secure=url.startswith("https://"))


def _where(
    run_folder: Path, settings: "Settings", own: "OwnServer", passwords: dict[str, str], page: str | None
) -> Iterator[str]:
    """Every rater's ways in."""
    accounts = {p.name: p.account for p in settings.people}
    for line in grading.links(run_folder, settings):
        rater = line.split(": ")[0].split()[-1]
        if "/grade/#" in line:
            yield line
        else:
            yield f"{line} (sign in as {accounts[rater]}, password {passwords[rater]})"
    yield "Serving. Bring the grades back with `wherefore annotate pull`; stop with ctrl+c."


def _wait(hours: float | None, own: "OwnServer | None" = None) -> None:
    """Until a signal, the end of the time, or of Label Studio.

    Raises:
        ServiceError: Label Studio ended by itself.
    """
    import time

    from ...annotate.label_studio import server
    from ...study.errors import ServiceError

    until = None if hours is None else time.monotonic() + hours * 3600
    while until is None or time.monotonic() < until:
        if own is not None and server.ended(own):
            raise ServiceError(
                f"{own.url}: Label Studio stopped unexpectedly; see server.log in its folder. Saved grades are kept. "
                "Start it again with `wherefore annotate serve`."
            )
        time.sleep(1 if until is None else max(0.0, min(1.0, until - time.monotonic())))


@click.command()
@_common.with_study
@click.option("--port", default=8081, show_default=True, help="Port; refused if in use.")
@in_public
@click.option("--hours", type=float, default=None, help="Stop after this many hours.")
def page(study: Path, runs: Path, port: int, hours: float | None, **public: Any) -> None:
    """Serve the grading page in front of the Label Studio of annotate.server.url; raters need no account there."""
    from ...annotate.web import sign
    from ...annotate.web.office import Office

    grading.web()
    s, settings, run_folder = grading.people(study, runs)
    front = front_of(s, port=port, **public)
    with stopping(), grading.server_of(settings, run_folder) as server, ExitStack() as stack:
        grading.said_release(server)
        other = bool(settings.server.url)
        own = run_folder / "label_studio"
        office = Office(
            study, run_folder, sign.by_other_server(server, run_folder) if other else sign.by_own_server(own)
        )
        stack.callback(office.close)
        app = _application(office, run_folder, settings, front.url, front)
        stack.enter_context(front.listening(app))
        for line in grading.links(run_folder, settings):
            if "/grade/#" in line:
                click.echo(line)
        click.echo("Serving the grading page; stop with ctrl+c.")
        _wait(hours)


@click.command()
@_common.with_study
@click.option(
    "--renew", multiple=True, metavar="RATER", help="Give RATER a new passphrase; the old one ends."
)
def links(study: Path, runs: Path, renew: tuple[str, ...]) -> None:
    """Print every rater's links, and renew one that fell into the wrong hands."""
    from ...annotate.web import links as links_
    from ...study.errors import StudyError, not_one_of

    _, settings, run_folder = grading.people(study, runs)
    names = [p.name for p in settings.people]
    for who in renew:
        if who not in names:
            raise StudyError(f"--renew: {not_one_of('rater', who, names)}")
    links_.issued(run_folder / "annotate", names, renew=renew)
    for line in grading.links(run_folder, settings):
        click.echo(line)
