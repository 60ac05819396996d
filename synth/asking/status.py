"""What the status of an answer means: a fault by its kind, and the option, filter or account that is to blame."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ..teaching import Body, Fault
from .limits import retry_after

AGAIN = frozenset({408, 409, 425, 429})
"""Status codes after which the same request may succeed; beside them all from 500."""


def bad_status(
    url: str, status: int, headers: Mapping[str, str], body: object, key_env: str, request: Body | None = None
) -> Fault:
    """The fault that a status code means. The server's own words stay out: they may repeat the key or the prompt.

    Args:
        url: of the endpoint.
        status: below 200 or above 299.
        headers: of the answer.
        body: of the answer, JSON or not.
        key_env: where the key stands, for the message.
        request: the request; an option of it that the server refuses is named.
    """
    error = ServerError(body)
    about = f"{url}: status {status}" + (f" ({error.code})" if error.code else "")
    if error.filtered:
        return Fault("content_filter", f"{about}: the endpoint's filter refused the prompt", again=False)
    if status == 402 or _NO_CREDIT.search(error.code):
        return Fault("quota", f"{about}: the account has no credit left.", again=False, fatal=True)
    if status == 401 or error.code in ("invalid_api_key", "authentication_error"):
        message = f"{about}: the key in {key_env} was refused. Set a valid one."
        return Fault("auth", message, again=False, fatal=True)
    if status == 403:  # of all, or of this one prompt
        return Fault("forbidden", f"{about}: not allowed with the key in {key_env}", again=False)
    if status in (404, 405) or 300 <= status < 400:
        what = "redirects elsewhere, and is not followed" if status < 400 else "no such model or path"
        return Fault("not_found", f"{about}: {what}. Correct synth.teacher.", again=False, fatal=True)
    wait = retry_after(headers)
    if status == 429:
        return Fault("rate_limit", about, busy=True, wait=wait)
    if status in AGAIN or status >= 500:
        return Fault("server", about, busy=status in (503, 529), wait=wait)
    option = error.option(request or {})
    if option:
        return Fault("bad_option", f"{about}: the server refuses {option!r}. {_advice(option)}", again=False)
    return Fault("bad_request", about, again=False)


_NO_CREDIT = re.compile(
    r"billing|insufficient_(?:quota|credit|balance|funds)|payment_required|account_deactivated"
)


class ServerError:
    """What an error body says, in the shapes of OpenAI, Azure, FastAPI and others."""

    def __init__(self, body: object) -> None:
        if isinstance(body, bytes):
            try:
                body = orjson.loads(body)
            except ValueError:
                body = {}
        if isinstance(body, list) and body:
            body = body[0]
        outer: dict[str, Any] = body if isinstance(body, dict) else {"message": body}
        inner = outer.get("error", outer)
        self._inner: dict[str, Any] = inner if isinstance(inner, dict) else {"message": inner}
        self._detail = outer.get("detail")
        codes = (self._inner.get(name) for name in ("code", "type", "status"))
        self.code: str = next((str(c) for c in codes if _is_code(c)), "")

    @property
    def filtered(self) -> bool:
        """Whether a filter refused the prompt: Azure says so in a status 400, others in a 403."""
        deep = self._inner.get("innererror", self._inner.get("inner_error"))
        codes = [self.code, str(deep.get("code")) if isinstance(deep, dict) else ""]
        return any(_FILTER.search(code) for code in codes) or "content_filter_result" in self._inner

    def option(self, request: Body) -> str:
        """The option of the request that the server refuses; empty where it names none of ours."""
        names = [name for name in request if name not in ("messages", "model")]
        fields = [self._inner.get("param"), *_locations(self._detail)]
        for field in (f for f in fields if isinstance(f, str)):
            if (field_name := re.split(r"[.\[]", field)[0]) in names:
                return field_name
        message = self._inner.get("message") or self._detail
        if not isinstance(message, str) or not _REFUSES.search(message):
            return ""
        return next(
            (n for n in sorted(names, key=len, reverse=True) if re.search(rf"\b{re.escape(n)}\b", message)),
            "",
        )


def _is_code(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_]{2,40}", value) is not None


def _locations(detail: object) -> list[str]:
    """Names of fields in the `detail` of FastAPI: `[{"loc": ["body", "seed"], ...}]`."""
    rows = detail if isinstance(detail, list) else []
    places = (row.get("loc") for row in rows if isinstance(row, dict))
    return [str(name) for place in places if isinstance(place, list) for name in place]


_FILTER = re.compile(
    r"content_?filter|content_?policy|responsible_?ai|moderation|flagged|inspection|safety|sensitive",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"unsupported|not support|does not support|unknown|unrecogni[sz]ed|unexpected|extra|invalid|not permitted|"
    r"forbidden|not allowed|must be|too (?:large|small|long)|(?:greater|less|larger|smaller) than",
    re.IGNORECASE,
)
_ADVICE = {
    "response_format": 'Set structured = "json_object" or "none" in synth.teacher.',
    "seed": "Set seeded = false in synth.teacher.",
    "max_completion_tokens": "Write extra = { max_tokens = ... } in place of max_tokens in synth.teacher.",
}


def _advice(option: str) -> str:
    return _ADVICE.get(option, f"Take {option} out of synth.teacher, or correct it.")
