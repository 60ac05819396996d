"""What an endpoint's answer means: a body, or a fault by its kind. No key and no patient text in any line."""

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import orjson

from ..teaching import Body, Fault

AGAIN = frozenset({408, 409, 425, 429})
"""Status codes after which the same request may succeed; beside them all from 500."""


LONGEST_WAIT = 3600.0
"""Seconds; an endpoint that asks for more is asked again after this."""


def read_body(data: bytes) -> Body:
    """The JSON object of a 200.

    Raises:
        Fault: it is none.
    """
    try:
        found = orjson.loads(data)
    except ValueError:
        raise Fault("broken_body", "the answer is no JSON") from None
    if not isinstance(found, dict):
        raise Fault("broken_body", "the answer is no JSON object")
    return found


def bad_status(url: str, status: int, headers: Mapping[str, str], body: object, key_env: str) -> Fault:
    """The fault that a status code means. The server's own words stay out: they may repeat the key or the prompt."""
    code = _code(body)
    about = f"{url}: status {status}" + (f" ({code})" if code else "")
    if status in (401, 403):  # 403 once others were answered: this one request
        kind = "auth" if status == 401 else "forbidden"
        told = f"{about}: the key in {key_env} was refused. Set a valid one."
        return Fault(kind, told, again=False, fatal=status == 401)
    if status in (404, 405) or 300 <= status < 400:
        what = "redirects elsewhere, and is not followed" if status < 400 else "no such model or path"
        return Fault("not_found", f"{about}: {what}. Correct synth.teacher.", again=False, fatal=True)
    if status == 402 or code == "insufficient_quota":
        return Fault("quota", f"{about}: the account has no credit left.", again=False, fatal=True)
    wait = retry_after(headers)
    if status == 429:
        return Fault("rate_limit", about, busy=True, wait=wait)
    if status in AGAIN or status >= 500:
        return Fault("server", about, busy=status in (503, 529), wait=wait)
    return Fault("bad_request", about, again=False)


def broken(url: str, error: BaseException, patience: float) -> Fault:
    """The fault behind an exception: no connection, no answer in time, or an answer that broke off.

    The client wraps what happened twice over and calls a dropped connection a timeout, so the first cause decides.
    """
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    for cause in reversed(causes):
        if isinstance(cause, TimeoutError):
            return Fault("timeout", f"{url}: no answer in {patience:g} s")
        if "Connector" in type(cause).__name__:  # aiohttp.ClientConnectorError and its kin: DNS, TLS, refused
            return unreachable(url, causes)
    return Fault("broken_body", f"{url}: the answer broke off ({type(causes[-1]).__name__})")


def unreachable(url: str, causes: Sequence[BaseException]) -> Fault:
    """The fault of a connection that could not be made, by the most telling of its causes."""
    why = type(causes[-1]).__name__
    for cause in causes:
        number = getattr(cause, "errno", None)
        if isinstance(cause, ssl.SSLError):
            why = f"TLS: {(cause.reason or 'failed').lower().replace('_', ' ')}"
            break
        if isinstance(cause, socket.gaierror):
            why = "no such host"
            break
        if isinstance(number, int) and number > 0:
            why = os.strerror(number)
    return Fault("connection", f"{url}: cannot be reached ({why})")


def _code(body: object) -> str:
    """The short error code of an OpenAI-style error body; empty where there is none."""
    if isinstance(body, bytes):
        try:
            body = orjson.loads(body)
        except ValueError:
            return ""
    if isinstance(body, dict):
        inner: Any = body.get("error", body)
        found = (inner.get("code") or inner.get("type")) if isinstance(inner, dict) else None
        if isinstance(found, str) and re.fullmatch(r"[a-z_]{2,40}", found):
            return found
    return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, by `retry-after-ms` or `retry-after` (seconds or a date).

    >>> retry_after({"retry-after": "2"}), retry_after({"retry-after-ms": "250"}), retry_after({})
    (2.0, 0.25, None)
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        found = headers.get(name)
        if not found:
            continue
        with contextlib.suppress(ValueError):
            seconds = float(found) * scale
            return min(max(0.0, seconds), LONGEST_WAIT) if seconds == seconds else None
        with contextlib.suppress(ValueError):
            return min(max(0.0, parsedate_to_datetime(found).timestamp() - time()), LONGEST_WAIT)
    return None


_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?$")


def wait_before_next(headers: Mapping[str, str]) -> float | None:
    """Seconds until the next request is welcome, where a success says that none is left for now.

    >>> wait_before_next({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2s"})
    62.0
    >>> wait_before_next({"x-ratelimit-remaining-requests": "7"}) is None
    True
    """
    for what in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{what}") == "0":
            reset = headers.get(f"x-ratelimit-reset-{what}", "")
            with contextlib.suppress(ValueError):
                return float(reset)
            m = _DURATION.match(reset)
            if m and any(m.groups()):
                hours, minutes, seconds, ms = (float(g or 0) for g in m.groups())
                return 3600 * hours + 60 * minutes + seconds + ms / 1000
    return None
