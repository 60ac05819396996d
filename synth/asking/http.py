"""What comes back of a request: a body, or a fault by its kind. No key and no patient text in any line."""

import json
import os
import socket
import ssl
from collections.abc import Sequence

import orjson

from ..answers.faults import error_in
from ..teaching import Body, Fault
from .status import bad_status


def read_body(url: str, data: bytes, request: Body, key_env: str) -> Body:
    """The chat completion of a 200.

    Raises:
        Fault: it is none, or holds an error.
    """
    try:
        body = _decoded(data)
    except (ValueError, RecursionError):
        raise Fault("broken_body", f"{url}: the answer is {_what(data)}") from None
    if isinstance(body, list) and body and isinstance(body[0], dict):
        body = body[0]
    if not isinstance(body, dict):
        raise Fault("broken_body", f"{url}: the answer is not a JSON object")
    error = error_in(body)
    if error is None:
        return body
    if error.status and error.status >= 400:
        raise bad_status(url, error.status, {}, body, key_env, request)
    raise Fault("error", f"{url}: {error.words}")


def _decoded(data: bytes) -> object:
    """JSON; where it holds NaN or half a character, which JSON does not know, they are replaced."""
    try:
        return orjson.loads(data)
    except ValueError:
        text = data.decode("utf-8-sig", "replace")
        value = json.loads(text, parse_constant=lambda word: None)
        return orjson.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _what(data: bytes) -> str:
    """What an answer is that is not JSON, and what to do about it."""
    start = data[:200].lstrip().lower()
    if start.startswith((b"data:", b"event:", b": ", b":\n")):
        return "a stream of events. Take `stream` out of synth.teacher.extra"
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "a page of HTML. Correct synth.teacher.base_url; it usually ends in /v1"
    return "empty" if not start else "not JSON"


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
