"""Accounts on Label Studio, made and opened as a person would: its own call for them leaves out the password."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx

from ...study.errors import ServiceError
from ...study.permission import loopback
from .client import Server


def password() -> str:
    """A new one. It is to be kept before `sign_up`, or an account could be made whose password nobody knows."""
    return secrets.token_urlsafe(9)


def exists(server: Server, email: str) -> bool:
    """Whether the server has an account of this address, in whatever letters."""
    return email.casefold() in {e.casefold() for e in server.accounts().values()}


def sign_up(server: Server, email: str, password: str) -> None:
    """Make an account by the organisation's invitation link.

    Raises:
        ServiceError: the server did not make it.
    """
    invite = server.call("GET", "/api/invite")["invite_url"]
    with _browser(server.url) as http:
        http.get(invite)
        form = {
            "email": email,
            "password": password,
            "how_find_us": "",
            "elaborate": "",
            "allow_newsletters": "false",
            "csrfmiddlewaretoken": http.cookies.get("csrftoken", ""),
        }
        sent = http.post(invite, data=form, headers={"Referer": server.url + invite})
    if not exists(server, email):
        raise ServiceError(f"{server.url}: no account could be made for {email} ({sent.status_code}).")


def token(url: str, email: str, password: str) -> str:
    """A token of an account: the legacy one where the organisation allows these, else a personal access token.

    Raises:
        ServiceError: the password is wrong, or no token is given out.
    """
    with signed_in(url, email, password) as http:
        legacy = http.get("/api/current-user/token")
        key = legacy.json().get("token", "") if legacy.is_success else ""
        if key and _works(url, key):
            return str(key)
        csrf = {"X-CSRFToken": http.cookies.get("csrftoken") or "", "Referer": url}
        personal = http.post("/api/token/", headers=csrf)
    if personal.is_error:
        raise ServiceError(f"{url}: no token for {email} ({personal.status_code}). Was the password changed?")
    return str(personal.json()["token"])


def _works(url: str, token: str) -> bool:
    headers = {"Authorization": f"Token {token}"}
    return httpx.get(
        f"{url}/api/current-user/whoami", headers=headers, timeout=60, trust_env=False
    ).is_success


@contextmanager
def signed_in(url: str, email: str, password: str) -> Iterator[httpx.Client]:
    """A browser-like session of one account."""
    with _browser(url) as http:
        http.get("/user/login/")
        form = {
            "email": email,
            "password": password,
            "csrfmiddlewaretoken": http.cookies.get("csrftoken", ""),
        }
        http.post("/user/login/", data=form, headers={"Referer": f"{url}/user/login/"})
        yield http


def _browser(url: str) -> httpx.Client:
    http = httpx.Client(base_url=url, timeout=60, trust_env=False, follow_redirects=True)
    if loopback(url):
        # Behind TLS our server marks its cookies as for HTTPS only; on loopback we talk to it without.
        def unmark(_: httpx.Response) -> None:
            for cookie in http.cookies.jar:
                cookie.secure = False

        http.event_hooks = {"response": [unmark]}
    return http


def link(url: str, project: int) -> str:
    """Where a rater grades on Label Studio's page: signing in, then the label stream, which shows no other work."""
    return f"{url}/user/login/?next={quote(f'/projects/{project}/data?labeling=1', safe='')}"
