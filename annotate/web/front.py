"""One address for everything when raters sit at other machines: the grading page, and Label Studio behind it.

Label Studio has no TLS of its own, so it stays on loopback and this passes requests on to it.
"""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from ...study.errors import ServiceError

NOT_PASSED_ON = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailers",
        "transfer-encoding",
        "upgrade",
    )
)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def front(grading: ASGIApp, label_studio: str, hosts: list[str], public: str) -> Starlette:
    """The grading page under `/grade`, Label Studio everywhere else.

    Args:
        grading: the application of `app.py`.
        label_studio: its address on loopback.
        hosts: names under which this is reached.
        public: the address that raters use.
    """
    client = httpx.AsyncClient(base_url=label_studio, timeout=600, trust_env=False)
    scheme = public.partition(":")[0]

    async def pass_on(request: Request) -> Response:
        headers = [(k, v) for k, v in request.headers.raw if k.decode().lower() not in NOT_PASSED_ON]
        headers.append((b"x-forwarded-proto", scheme.encode()))
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        forwarded = client.build_request(request.method, url, headers=headers, content=await request.body())
        try:
            answer = await client.send(forwarded, stream=True)
        except httpx.HTTPError:
            return PlainTextResponse("Label Studio does not answer.", 502)
        out = StreamingResponse(
            answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose)
        )
        out.raw_headers = [
            (k.lower(), v) for k, v in answer.headers.raw if k.decode().lower() not in NOT_PASSED_ON
        ]
        return out

    @asynccontextmanager
    async def closing(_: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    return Starlette(
        routes=[Mount("/grade", app=_under(grading)), Route("/{path:path}", pass_on, methods=METHODS)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
        lifespan=closing,
    )


def _under(grading: ASGIApp) -> ASGIApp:
    """The application sees its own whole paths, `/grade` included."""

    async def whole(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        root = scope.get("root_path", "")
        await grading({**scope, "root_path": root.removesuffix("/grade")}, receive, send)  # type: ignore[arg-type]

    return whole  # type: ignore[return-value]


@contextmanager
def listening(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    behind_proxy: bool = False,
) -> Iterator[None]:
    """Serve an application beside the rest of the program.

    Args:
        app: what is served.
        host: the address to listen on.
        port: refused where it is taken.
        certificate: for TLS, in PEM.
        key: for TLS.
        behind_proxy: believe what a proxy says of the caller.
    Raises:
        ServiceError: it does not listen: the port is taken, the address is not this machine's, or the certificate
            cannot be read.
    """
    try:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="error",
            access_log=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            proxy_headers=behind_proxy,
            forwarded_allow_ips="*" if behind_proxy else None,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        config.load()
    except OSError as e:
        raise ServiceError(
            f"{certificate}: the certificate or its key cannot be read: {e.strerror or e}."
        ) from e
    server = uvicorn.Server(config)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            server.run()
        except (SystemExit, OSError) as e:  # uvicorn leaves so where the port is taken
            failed.append(e)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while not server.started:
            if failed or not thread.is_alive():
                raise ServiceError(
                    f"{host}:{port}: cannot listen there. Is the port taken, or the address another machine's?"
                )
            time.sleep(0.05)
        yield
    finally:
        server.should_exit = True
        thread.join(20)
