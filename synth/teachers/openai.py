"""Any endpoint that speaks the OpenAI chat completions: OpenAI itself, vLLM, SGLang, a gateway.

The real `openai` client carries the requests, its own retries switched off: what is asked again is decided in
`synth/asking/job.py` and written down in the ledger. `transport = "fast"` posts the same bytes over bare connections;
it is the default for servers on this machine: no proxy is on the way, and they answer faster than the client asks.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import Field, field_validator

from ...study.errors import ServiceError, StudyError
from ...study.permission import loopback
from ...study.records import Record
from ..answers.parse import SCHEMA, SCHEMAS
from ..asking.http import bad_status, broken, read_body, unreachable, wait_before_next
from ..asking.wire import UnreachableError, Wire
from ..records import Prompt
from ..styles import PROSE
from ..teaching import Body, Door, Reply, Request


class Options(Record):
    """Settings of an OpenAI-compatible teacher."""

    model: str
    base_url: str | tuple[str, ...] = "https://api.openai.com/v1"
    """One endpoint, or several that serve the same model and share the work."""
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; the key itself stands nowhere."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, gt=0)
    """Sent as `max_completion_tokens`; thinking counts."""
    reasoning_effort: str | None = None
    structured: Literal["json_schema", "json_object", "none"] = "json_schema"
    """How the endpoint is held to the answer's form; `none` for those that know neither."""
    seeded: bool = True
    """Send a seed with every request."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """More fields of the request, as the endpoint calls them."""
    timeout_seconds: float = Field(default=600, gt=0)
    transport: Literal["auto", "openai", "fast"] = "auto"
    """`fast`: bare connections, for what the client cannot keep up with; `auto`: those to servers on this machine."""

    @field_validator("base_url")
    @classmethod
    def _plain_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for url in [value] if isinstance(value, str) else value or [""]:
            parts = urlsplit(url)  # a ValueError of its own where the port is none
            if parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 1) < 1:
                raise ValueError(f"{url!r} is no address; write http://host:port/v1 or https://host/v1")
        return value


def check(options: Options) -> None:
    """Refuse a key in an address, which messages and files would repeat.

    Raises:
        StudyError: there is one.
    """
    if any("@" in urlsplit(url).netloc for url in urls(options)):
        raise StudyError(
            f"base_url: an address with a user name or password. Put the key into {options.key_env} instead."
        )


def title(options: Options) -> str:
    """As it stands in a report."""
    return f"openai:{options.model}"


def urls(options: Options) -> tuple[str, ...]:
    """Where patient text goes."""
    return (options.base_url,) if isinstance(options.base_url, str) else options.base_url


def body(options: Options, prompt: Prompt, seed: int) -> Body:
    """The whole request; addresses, keys and timeouts are no part of it."""
    form = {
        "json_schema": {
            "type": "json_schema",
            "json_schema": {
                "name": "checks" if prompt.style in SCHEMAS else "rationale",
                "strict": True,
                "schema": SCHEMAS.get(prompt.style, SCHEMA),
            },
        },
        "json_object": {"type": "json_object"},
        "none": None,
    }["none" if prompt.style in PROSE else options.structured]
    fields = {
        "model": options.model,
        "messages": [m.model_dump() for m in prompt.messages],
        "response_format": form,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "max_completion_tokens": options.max_tokens,
        "reasoning_effort": options.reasoning_effort,
        "seed": seed % 2**31 if options.seeded else None,
        **options.extra,
    }
    return {name: value for name, value in fields.items() if value is not None}


@asynccontextmanager
async def doors(options: Options) -> AsyncIterator[list[Door]]:
    """One door an endpoint.

    Raises:
        ServiceError: no key in the environment for an endpoint that is not on this machine.
    """
    async with AsyncExitStack() as stack:
        yield [
            await (_fast if _bare(url, options) else _client)(url, options, stack) for url in urls(options)
        ]


def _bare(url: str, options: Options) -> bool:
    return loopback(url) if options.transport == "auto" else options.transport == "fast"


def api_key(url: str, options: Options) -> str:
    """The key, from the environment; servers on this machine need none.

    Raises:
        ServiceError: it is not set.
    """
    found = os.environ.get(options.key_env, "")
    if not found and not loopback(url):
        raise ServiceError(f"{url}: no key: the environment variable {options.key_env} is not set. Set it.")
    return found or "none"


class _Client:
    """Through the `openai` client."""

    def __init__(self, client: Any, url: str, options: Options) -> None:
        self._client, self._url, self._options = client, url, options

    async def ask(self, request: Request) -> Reply:
        import httpx2
        import openai

        try:
            response = await self._client.post(
                "/chat/completions",
                content=orjson.dumps(request.body),
                options={"headers": {"content-type": "application/json", "x-client-request-id": request.key}},
                cast_to=httpx2.Response,
            )
            return Reply(read_body(response.content), wait_before_next(response.headers))
        except openai.APIStatusError as e:
            raise bad_status(
                self._url, e.status_code, e.response.headers, e.body, self._options.key_env
            ) from None
        except (openai.APIError, httpx2.HTTPError) as e:
            raise broken(self._url, e, self._options.timeout_seconds) from None


async def _client(url: str, options: Options, stack: AsyncExitStack) -> Door:
    import httpx2
    import openai

    http = openai.DefaultAioHttpClient(
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        timeout=options.timeout_seconds,
        follow_redirects=False,  # a redirect could carry patient text to another machine
        trust_env=not loopback(url),  # and so could a proxy
    )
    client = openai.AsyncOpenAI(
        base_url=url,
        api_key=api_key(url, options),
        max_retries=0,
        timeout=options.timeout_seconds,
        http_client=http,
    )
    return _Client(await stack.enter_async_context(client), url, options)


class _Fast:
    """Through bare connections: the same bytes, a fraction of the processor time."""

    def __init__(self, wire: Wire, url: str, options: Options) -> None:
        self._wire, self._url, self._options = wire, url, options

    async def ask(self, request: Request) -> Reply:
        try:
            answer = await self._wire.post(orjson.dumps(request.body), request.key)
        except UnreachableError as e:
            raise unreachable(self._url, [e, e.__cause__ or e]) from None
        except (OSError, EOFError, ValueError) as e:  # TimeoutError is an OSError
            raise broken(self._url, e, self._options.timeout_seconds) from None
        if answer.status != 200:
            raise bad_status(self._url, answer.status, answer.headers, answer.data, self._options.key_env)
        return Reply(read_body(answer.data), wait_before_next(answer.headers))


async def _fast(url: str, options: Options, stack: AsyncExitStack) -> Door:
    headers = {"content-type": "application/json", "authorization": f"Bearer {api_key(url, options)}"}
    wire = Wire(url.rstrip("/") + "/chat/completions", headers, options.timeout_seconds)
    stack.push_async_callback(wire.close)
    return _Fast(wire, url, options)
