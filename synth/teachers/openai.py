"""Any endpoint that speaks the OpenAI chat completions: OpenAI itself, vLLM, SGLang, a gateway.

The real `openai` client carries the requests, its own retries switched off: what is asked again is decided in
`synth/asking/job.py` and written down in the ledger. `transport = "fast"` posts the same bytes over bare connections;
it is the default for servers on this machine: no proxy is on the way, and they answer faster than the client asks.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import Field, field_validator

from ...study.errors import StudyError
from ...study.permission import loopback
from ...study.records import Record
from ..answers.schema import schema
from ..asking.address import CHAT, SECRET, address, api_key, key_header
from ..asking.http import broken, read_body, unreachable
from ..asking.limits import wait_before_next
from ..asking.status import bad_status
from ..asking.wire import UnreachableError, Wire
from ..records import Prompt
from ..styles import PROSE, VERIFY
from ..teaching import Body, Door, Reply, Request


class Options(Record):
    """Settings of an OpenAI-compatible teacher."""

    model: str
    """As the endpoint calls it."""
    base_url: str | tuple[str, ...] = "https://api.openai.com/v1"
    """One endpoint, or several that serve the same model and share the work."""
    key_env: str = "OPENAI_API_KEY"
    """The environment variable that holds the key; the key itself stands nowhere."""
    key_header: str | None = None
    """The header that carries it: `authorization` (with `Bearer`) or a name such as `api-key`; None: Azure's for
    addresses of Azure, else `authorization`."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, gt=0)
    """Sent as `max_completion_tokens`; thinking counts."""
    reasoning_effort: str | None = None
    """Sent as it is (`low`, `medium`, `high`, ...); not sent where it is left out."""
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
                raise ValueError(f"{url!r} is not an address; write http://host:port/v1 or https://host/v1")
        return value


def check(options: Options) -> None:
    """Refuse a key in an address, which messages and files would repeat, and options that are not for this job.

    Raises:
        StudyError: there is one.
    """
    for url in urls(options):
        inside = [name for name in address(url).query if name.lower() in SECRET]
        if "@" in urlsplit(url).netloc:
            inside.append("user name or password")
        if inside:
            raise StudyError(
                f"base_url: an address with a {inside[0]}. Put the key into {options.key_env} instead."
            )
    refused = [name for name in ("stream", "n", "messages") if options.extra.get(name)]
    if refused:
        why = {"n": "set synth.samples instead", "messages": "the prompt comes from the style"}
        advice = why.get(refused[0], "answers come whole here")
        raise StudyError(f"synth.teacher.extra.{refused[0]}: remove it; {advice}.")


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
                "name": "checks" if prompt.style == VERIFY else "rationale",
                "strict": True,
                "schema": schema(prompt.style),
            },
        },
        "json_object": {"type": "json_object"},
        "none": None,
    }["none" if prompt.style in PROSE else options.structured]
    fields = {
        "model": options.model,
        "messages": _messages(prompt),
        "response_format": form,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "max_completion_tokens": options.max_tokens,
        "reasoning_effort": options.reasoning_effort,
        "seed": seed % 2**31 if options.seeded else None,
        **options.extra,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    """The conversation; the beginning of an answer goes into the question, as servers answer a user only."""
    *turns, last = [m.model_dump() for m in prompt.messages] or [{"role": "user", "content": ""}]
    if last["role"] == "assistant" and turns:
        return [*turns[:-1], {**turns[-1], "content": f"{turns[-1]['content']}\n{last['content']}"}]
    return [*turns, last]


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


def client_settings(url: str, options: Options) -> dict[str, Any]:
    """What both clients of `openai` are made with: address, key and patience; its own retries are off.

    Raises:
        ServiceError: no key in the environment.
    """
    place, key = address(url), api_key(url, options.key_env)
    return {
        "base_url": place.base,
        "default_query": place.query,
        "default_headers": dict([key_header(url, key, options.key_header)]),
        "api_key": key,
        "max_retries": 0,
        "timeout": options.timeout_seconds,
    }


def http_settings(url: str, options: Options) -> dict[str, Any]:
    """What the HTTP clients below them are made with: neither a redirect nor a proxy gets patient text."""
    return {
        "timeout": options.timeout_seconds,
        "follow_redirects": False,
        "trust_env": not loopback(url),
    }


def own_header_only(url: str, options: Options, headers: Any) -> None:
    """Take away the client's own `authorization` where another header carries the key."""
    if key_header(url, "", options.key_header)[0].lower() != "authorization":
        headers.pop("authorization", None)


class _Client:
    """Through the `openai` client."""

    def __init__(self, client: Any, url: str, options: Options) -> None:
        self._client, self._url, self._options = client, url, options

    async def ask(self, request: Request) -> Reply:
        import httpx2
        import openai

        try:
            response = await self._client.post(
                CHAT,
                content=orjson.dumps(request.body),
                options={"headers": {"content-type": "application/json", "x-client-request-id": request.key}},
                cast_to=httpx2.Response,
            )
            data = response.content
            body = read_body(self._url, data, request.body, self._options.key_env)
            return Reply(body, wait_before_next(response.headers))
        except openai.APIStatusError as e:
            raise bad_status(
                self._url, e.status_code, e.response.headers, e.body, self._options.key_env, request.body
            ) from None
        except (openai.APIError, httpx2.HTTPError) as e:
            raise broken(self._url, e, self._options.timeout_seconds) from None


async def _client(url: str, options: Options, stack: AsyncExitStack) -> Door:
    import httpx2
    import openai

    async def before(request: httpx2.Request) -> None:
        own_header_only(url, options, request.headers)

    http = openai.DefaultAioHttpClient(
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=None),
        event_hooks={"request": [before]},
        **http_settings(url, options),
    )
    client = openai.AsyncOpenAI(**client_settings(url, options), http_client=http)
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
        key_env = self._options.key_env
        if not 200 <= answer.status < 300:
            raise bad_status(self._url, answer.status, answer.headers, answer.data, key_env, request.body)
        body = read_body(self._url, answer.data, request.body, key_env)
        return Reply(body, wait_before_next(answer.headers))


async def _fast(url: str, options: Options, stack: AsyncExitStack) -> Door:
    name, value = key_header(url, api_key(url, options.key_env), options.key_header)
    headers = {"content-type": "application/json", name: value}
    wire = Wire(address(url).chat, headers, options.timeout_seconds)
    stack.push_async_callback(wire.close)
    return _Fast(wire, url, options)
