"""The grading page as a web application: sessions, checks of every request, and a rater's desk behind them.

The token of Label Studio stays on this side. A request is let in by a signed cookie that a personal link buys; one
that writes also needs the token of the session and, where the browser says so, must come from the page itself.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...study.errors import DataError, ServiceError, WhereforeError
from ...study.records import Record, first_fault
from .desk import Desk
from .links import Guard, Links
from .view import PageForm, rubric

R = TypeVar("R", bound=Record)
T = TypeVar("T")
HOURS = 12
LARGEST = 2**20
"""Bytes of a request's body."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
SCRIPTS = ("page.js", "form.js", "draw.js", "api.js", "enter.js")
STATIC = {**dict.fromkeys(SCRIPTS, "text/javascript"), "page.css": "text/css", "icon.svg": "image/svg+xml"}

Desks = Callable[[str], Desk]
"""The desk of a rater, as things are now.

Raises:
    WhereforeError: there is none; the line says why.
"""


class Skip(Record):
    """Why an item is left out."""

    reason: str
    seconds: float = 0.0


def application(
    links: Callable[[], Links | None], desks: Desks, hosts: list[str], *, secure: bool
) -> Starlette:
    """The page under `/grade`.

    Args:
        links: who may open it as whom, as it is now.
        desks: what a rater finds.
        hosts: names under which the page is reached; a request for any other is refused.
        secure: whether browsers reach it by HTTPS only.
    """
    first = links()
    if first is None:
        raise DataError("the grading page has no links yet.")
    page = GradingRoutes(links, desks)
    return Starlette(
        routes=[
            Route("/", lambda _: RedirectResponse("/grade/")),
            Mount("/grade", routes=page.routes),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            Middleware(Hardened),
            Middleware(
                SessionMiddleware,
                secret_key=first.signing,
                session_cookie="wherefore_grading",
                max_age=HOURS * 3600,
                path="/grade",
                same_site="strict",
                https_only=secure,
            ),
        ],
        exception_handlers={HTTPException: _refused, WhereforeError: _failed},
        max_body_size=LARGEST,
    )


def _refused(_: Request, e: Exception) -> Response:
    assert isinstance(e, HTTPException)
    return JSONResponse({"error": e.detail}, e.status_code)


def _failed(_: Request, e: Exception) -> Response:
    """One line for the rater, as the commands have one for the investigator."""
    return JSONResponse({"error": str(e)}, 503 if isinstance(e, ServiceError) else 409)


class Hardened:
    """Puts the same headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with headers."""

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        await self.app(scope, receive, sent)


class GradingRoutes:
    """What the page asks for."""

    def __init__(self, links: Callable[[], Links | None], desks: Desks) -> None:
        self._links, self._desks, self._guard = links, desks, Guard()
        self.routes = [
            Route("/", self.page),
            Route("/static/{name}", self.static),
            Route("/enter", self.enter, methods=["POST"]),
            Route("/leave", self.leave, methods=["POST"]),
            Route("/api/desk", self.desk),
            Route("/api/task/{task:int}", self.task),
            Route("/api/task/{task:int}/draft", self.draft, methods=["POST"]),
            Route("/api/task/{task:int}/submit", self.submit, methods=["POST"]),
            Route("/api/task/{task:int}/skip", self.skip, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """The page itself, or the one that asks for the passphrase. Neither holds anything of a patient."""
        name = "page.html" if self._rater(request) else "enter.html"
        return Response(_file(name), media_type="text/html")

    def static(self, request: Request) -> Response:
        """Scripts and styles."""
        name = request.path_params["name"]
        if name not in STATIC:
            raise HTTPException(404, "no such file")
        return Response(_file(name), media_type=STATIC[name])

    async def enter(self, request: Request) -> Response:
        """Buy a session with a passphrase."""
        caller = request.client.host if request.client else ""
        if self._guard.shut(caller):
            raise HTTPException(429, "too many wrong passphrases; try again in ten minutes")
        body = await _json(request)
        _same_site(request)
        links, given = self._links(), body.get("passphrase")
        rater = links.rater(given) if links and isinstance(given, str) else None
        if links is None or rater is None:
            self._guard.wrong(caller)
            raise HTTPException(403, "unknown passphrase; use the last link that you were given")
        request.session.clear()
        request.session.update(
            {"rater": rater, "key": links.fingerprint(rater), "csrf": secrets.token_urlsafe(16)}
        )
        return JSONResponse({"rater": rater})

    async def leave(self, request: Request) -> Response:
        """End the session in this browser."""
        self._let_in(request)
        request.session.clear()
        return JSONResponse({})

    def desk(self, request: Request) -> Response:
        """How far the rater is, what is asked, and the token for what the page sends."""
        desk = self._desks(self._let_in(request, writes=False))
        desk.refresh()
        return JSONResponse({**desk.overview(), "rubric": rubric(desk.plan), "csrf": request.session["csrf"]})

    def task(self, request: Request) -> Response:
        """One item and its form."""
        desk = self._desks(self._let_in(request, writes=False))
        return JSONResponse(desk.open(request.path_params["task"]))

    async def draft(self, request: Request) -> Response:
        """Keep an unfinished form."""
        rater = self._let_in(request)
        form = _read(PageForm, await _json(request))
        await _away(lambda: self._desks(rater).draft(request.path_params["task"], form))
        return JSONResponse({"saved": True})

    async def submit(self, request: Request) -> Response:
        """Send a form."""
        rater = self._let_in(request)
        body = await _json(request)
        sure = body.pop("sure", False) is True
        form = _read(PageForm, body)

        def send() -> dict[str, Any]:
            desk = self._desks(rater)
            outcome = desk.submit(request.path_params["task"], form, sure)
            return {**outcome, **({"desk": desk.overview()} if outcome["sent"] else {})}

        return JSONResponse(await _away(send))

    async def skip(self, request: Request) -> Response:
        """Leave an item out, with a reason."""
        rater = self._let_in(request)
        skip = _read(Skip, await _json(request))
        if not skip.reason.strip():
            raise HTTPException(422, "say why you skip it")

        def send() -> dict[str, Any]:
            desk = self._desks(rater)
            desk.skip(request.path_params["task"], skip.reason.strip(), skip.seconds)
            return {"desk": desk.overview()}

        return JSONResponse(await _away(send))

    def _rater(self, request: Request) -> str | None:
        """Who has this session; None where it ended, or the link was renewed."""
        rater, links = request.session.get("rater"), self._links()
        if rater is None or links is None:
            return None
        now = links.fingerprint(rater)
        return rater if now and hmac.compare_digest(now, request.session.get("key", "")) else None

    def _let_in(self, request: Request, *, writes: bool = True) -> str:
        rater = self._rater(request)
        if rater is None:
            raise HTTPException(401, "your session has ended; open your link again, what you typed is kept")
        if writes:
            given = request.headers.get("x-csrf-token", "")
            if not hmac.compare_digest(given, request.session.get("csrf", "")):
                raise HTTPException(
                    403,
                    "another link was opened in this browser; open yours again, what you typed is kept",
                )
            _same_site(request)
        return rater


def _same_site(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "this request comes from another site")


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except (UnicodeDecodeError, json.JSONDecodeError) as e:
        raise HTTPException(400, "not JSON") from e
    if not isinstance(body, dict):
        raise HTTPException(400, "not an object")
    return body


def _read(kind: type[R], body: dict[str, Any]) -> R:
    try:
        return kind.model_validate(body)
    except ValidationError as e:
        raise HTTPException(422, first_fault(e, kind)) from e


async def _away(work: Callable[[], T]) -> T:
    """Do work that waits for Label Studio beside the loop."""
    return await run_in_threadpool(work)


def _file(name: str) -> bytes:
    return (files("wherefore.templates") / "grading" / "web" / name).read_bytes()
