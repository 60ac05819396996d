"""`annotate serve` for more than one machine: TLS, a proxy, PostgreSQL, backup and restore, signals and kills."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from wherefore.annotate.label_studio import install
from wherefore.annotate.label_studio import server as server_
from wherefore.annotate.label_studio.server import free_port
from wherefore.annotate.web import links

pytestmark = pytest.mark.service
OTHER = "127.0.0.2"
"""An address of this machine that is not the one which `serve` takes by itself."""
GOOD = {"accuracy": "4", "faithfulness": "4", "harm": "none", "accept": "accept"}
SUPPORTED = {f"support_{n}": "supported" for n in range(1, 5)}


def prepared(run: Any) -> Path:
    """The data folder of a server that needs no migrations."""
    # The fixture `label_studio` makes the template where there is none.
    template = install.environment().parent.parent.with_name(f"label-studio-{install.VERSION}-tests")
    folder = run.run_folder / "label_studio"
    shutil.copytree(template, folder)
    return Path(folder)


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own authority for a name or address, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    cert, key = folder / "cert.pem", folder / "key.pem"
    kind = "IP" if name[0].isdigit() else "DNS"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            str(key),
            "-out",
            str(cert),
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName={kind}:{name}",
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def entered(run: Any, http: httpx.Client, rater: str = "ann") -> dict[str, Any]:
    """The desk of a rater who came by their link."""
    found = links.read(run.folder)
    assert found is not None
    assert http.post("/grade/enter", json={"passphrase": found.raters[rater]}).status_code == 200
    return dict(http.get("/grade/api/desk").json())


def grade(http: httpx.Client, desk: dict[str, Any], answers: dict[str, str]) -> None:
    """Send the next item."""
    body = {"answers": SUPPORTED | answers, "texts": {}, "seconds": 40}
    said = http.post(
        f"/grade/api/task/{desk['next']}/submit", json=body, headers={"X-CSRF-Token": desk["csrf"]}
    )
    assert said.json()["sent"], said.text


def alive(process: int) -> bool:
    """Whether a process is there and not only its number."""
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def test_tls_on_another_address_a_backup_and_its_restore_elsewhere(
    label_studio: Any, own: Any, start: Any, tmp_path: Path
) -> None:
    folder = prepared(own)
    cert, key = certificate(tmp_path, OTHER)
    port = free_port()
    running = start(
        own, "serve", "--host", OTHER, "--port", str(port), "--cert", str(cert), "--key", str(key)
    )
    url = f"https://{OTHER}:{port}"
    assert f"main ann: {url}/grade/#" in "\n".join(running.lines)
    state = server_.known(folder)
    assert state is not None
    assert state.url.startswith("http://127.0.0.1:"), "Label Studio itself stays on loopback"
    trusted = ssl.create_default_context(cafile=str(cert))
    with httpx.Client(base_url=url, verify=trusted, trust_env=False, timeout=60) as http:
        desk = entered(own, http)
        cookie = http.cookies.jar
        assert all(c.secure for c in cookie if c.name == "wherefore_grading")
        grade(http, desk, GOOD)
        assert http.get("/grade/", headers={"Host": "evil.example.org"}).status_code == 400
        assert http.get("/user/login/").status_code == 200, "Label Studio is behind the same address"
        form = {"email": "ann@raters.example.com", "password": state.raters["ann@raters.example.com"]}
        token = http.cookies.get("csrftoken", domain=OTHER) or http.cookies.get("csrftoken")
        signed = http.post(
            "/user/login/",
            data={**form, "csrfmiddlewaretoken": token or ""},
            headers={"Referer": f"{url}/user/login/"},
        )
        assert signed.status_code == 302, signed.text[:300]
        assert http.get("/api/current-user/whoami").json()["email"] == form["email"]
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{OTHER}:{port}/grade/", trust_env=False)
    copy = tmp_path / "backup.tar.gz"
    assert "MB" in own.call("backup", str(copy))
    assert copy.stat().st_mode & 0o077 == 0
    assert "exists" in own.call("backup", str(copy), code=1)
    assert "stopped; the grades are kept" in running.end(signal.SIGHUP)
    assert running.process.returncode == 0
    assert not alive(state.process or 0), "Label Studio ended with it"
    elsewhere = _elsewhere(own, tmp_path)
    said = elsewhere.call("restore", str(copy))
    assert "restored (Label Studio 1.23.2, sqlite)" in said
    assert "exists. Move it away" in elsewhere.call("restore", str(copy), code=1)
    again = start(elsewhere, "serve", "--port", str(free_port()), "--page-port", str(page := free_port()))
    with httpx.Client(base_url=f"http://127.0.0.1:{page}", trust_env=False, timeout=60) as http:
        desk = entered(elsewhere, http)
        assert (desk["done"], desk["of"]) == (1, 2), "the form is in the copy, and the link still opens it"
    elsewhere.call("pull")
    assert list(elsewhere.values("ann", "accuracy").values()) == ["4"]
    elsewhere.call("export")
    again.end(signal.SIGTERM)
    _of_the_owner_only(elsewhere.run_folder)


def _elsewhere(run: Any, tmp_path: Path) -> Any:
    """The same study file with an empty folder for runs."""
    other = type(run)(tmp_path / "elsewhere" / run.run_folder.name)
    other.file = run.file
    return other


def test_behind_a_proxy_and_what_a_kill_leaves_behind(label_studio: Any, own: Any, start: Any) -> None:
    folder = prepared(own)
    port = str(free_port())
    public = "https://grading.clinic.example"
    running = start(own, "serve", "--port", port, "--behind", public)
    assert f"main ben: {public}/grade/#" in "\n".join(running.lines)
    proxied = {"Host": "grading.clinic.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers=proxied, trust_env=False, timeout=60
    ) as http:
        found = links.read(own.folder)
        assert found is not None
        came = http.post("/grade/enter", json={"passphrase": found.raters["ben"]})
        assert "secure" in came.headers["set-cookie"].lower()
        assert http.get("/user/login/").status_code == 200
    assert (
        httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": "x.org"}, trust_env=False).status_code == 400
    )
    said = own.call("serve", "--port", str(free_port()), code=1)
    assert "another process is working here" in said
    state = server_.known(folder)
    assert state is not None
    assert state.process is not None
    running.process.kill()
    running.process.wait()
    assert alive(state.process), "a killed `serve` cannot end its server"
    again = start(own, "serve", "--port", port)
    assert f"stopping Label Studio (process {state.process})" in "\n".join(again.lines)
    assert not alive(state.process)
    now = server_.known(folder)
    assert now is not None
    os.kill(now.process or 0, signal.SIGKILL)
    out, _ = again.process.communicate(timeout=60)
    assert "Label Studio stopped unexpectedly" in out
    assert again.process.returncode == 1


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own; the address of its databases, without a name."""
    bins = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not bins:
        pytest.fail("no PostgreSQL") if os.environ.get("CI") else pytest.skip("no PostgreSQL")
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"wherefore-postgres-{os.getpid()}"
    folder.mkdir(mode=0o700)
    drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if drop:
        shutil.chown(folder, "postgres", "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    data, port = folder / "data", free_port()
    subprocess.run(
        [*drop, str(bins[-1]), "--pgdata", str(data), "--auth=trust", "--username=grader", "--no-sync"],
        check=True,
        **quiet,
    )
    program = [
        *drop,
        str(bins[-1].with_name("postgres")),
        "-D",
        str(data),
        "-p",
        str(port),
        "-k",
        str(folder),
    ]
    server = subprocess.Popen([*program, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"], **quiet)  # type: ignore[call-overload]
    try:
        ready = [str(bins[-1].with_name("pg_isready")), "-h", "127.0.0.1", "-p", str(port)]
        for _ in range(100):
            if subprocess.run(ready, capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        yield f"postgresql://grader@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_postgresql_in_place_of_sqlite(own: Any, start: Any, postgres: str, tmp_path: Path) -> None:
    """Half a minute of Label Studio's migrations, which SQLite's prepared folder saves elsewhere."""
    where = postgres.removeprefix("postgresql://grader@127.0.0.1:")
    for name in ("first", "second"):
        create = ["createdb", "--host", "127.0.0.1", "--port", where, "--username", "grader", name]
        subprocess.run(create, check=True, capture_output=True)
    own.study(server={"database": f"{postgres}/none"})
    assert "does not exist" in own.call("serve", code=1)
    own.study(server={"database": f"{postgres}/first"})
    page = free_port()
    running = start(own, "serve", "--port", str(free_port()), "--page-port", str(page))
    assert f"(data in {postgres}/first)" in "\n".join(running.lines)
    assert not (own.run_folder / "label_studio" / "label_studio.sqlite3").exists()
    with httpx.Client(base_url=f"http://127.0.0.1:{page}", trust_env=False, timeout=60) as http:
        grade(http, entered(own, http), GOOD)
    copy = tmp_path / "backup.tar.gz"
    own.call("backup", str(copy))
    running.end(signal.SIGTERM)
    elsewhere = _elsewhere(own, tmp_path)
    assert "not empty. Restore into a new database" in elsewhere.call("restore", str(copy), code=1)
    elsewhere.file = own.file.with_name("second.toml")
    elsewhere._all = dict(own._all)
    elsewhere.study(server={"database": f"{postgres}/second"})
    assert "postgresql)" in elsewhere.call("restore", str(copy))
    again = start(elsewhere, "serve", "--port", str(free_port()))
    elsewhere.call("pull")
    assert list(elsewhere.values("ann", "accuracy").values()) == ["4"]
    again.end(signal.SIGTERM)
    elsewhere.study(server=None)
    assert "made from a postgresql database" in elsewhere.call("restore", str(copy), code=1)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--host", "0.0.0.0"], "is every address of this machine; choose one"),
        (["--host", "10.1.2.3"], "patient text must not travel unencrypted"),
        (["--behind", "http://clinic.example"], "is not an https address"),
        (["--cert", __file__], "--cert and --key: give both, or neither"),
        (["--host", OTHER, "--cert", __file__, "--key", __file__], "not a certificate and its key in PEM"),
    ],
)
def test_what_would_let_too_many_in_is_refused(own: Any, options: list[str], line: str) -> None:
    assert line in own.call("serve", "--port", str(free_port()), *options, code=1)


def test_leave_is_needed_to_let_other_machines_read(own: Any) -> None:
    text = own.file.read_text()
    own.file.write_text("\n".join(line for line in text.splitlines() if not line.startswith("data_use")))
    assert "no [data_use] section" in own.call("serve", "--behind", "https://clinic.example", code=1)


def _of_the_owner_only(run_folder: Path) -> None:
    """Nobody else reads what holds patient text or secrets."""
    private = run_folder / "label_studio"
    assert private.stat().st_mode & 0o077 == 0
    files = [
        p for part in ("annotate", "annotate_files") for p in (run_folder / part).rglob("*") if p.is_file()
    ]
    assert len(files) > 10
    assert [p for p in files if p.stat().st_mode & 0o077] == []
    assert json.loads((private / "server.json").read_text())["process"] is None
