"""Errors in a body that came with status 200: an answer that looks like one and is none."""

import re
from typing import Any, NamedTuple

from ..teaching import Body
from .message import ERROR


class BodyError(NamedTuple):
    """An error that an endpoint put into an answer."""

    words: str
    """One line, without the endpoint's own words: they may repeat the prompt."""
    status: int | None = None
    """The HTTP status that it stands for, where it says one."""
    code: str = ""


_ERROR_KEYS = frozenset(
    {"detail", "fault", "base_resp", "exception", "error_code", "error_msg", "error_message", "errorMessage"}
)
"""Of bodies that hold no answer: one of these is an error."""
_OTHER_KEYS = frozenset({"code", "status", "statusCode", "status_code", "success", "timestamp"})
"""The same beside `message`."""


def error_in(body: Body) -> BodyError | None:
    """The error in a body, or in its first choice; None where there is none.

    >>> error_in({"error": {"code": 502, "message": "upstream"}}).words
    'the answer holds an error (502)'
    >>> error_in({"choices": [{"finish_reason": "error"}]}).words
    'finish_reason error'
    >>> error_in({"error": None, "choices": [{"finish_reason": "stop"}]}) is None
    True
    """
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    for holder in (body, first):
        error = holder.get("error") or holder.get("errors")
        if error:
            return _described(error)
    if not choices and (body.get("object") == "error" or body.get("type") == "error"):
        return _described(body)
    if not choices and (_ERROR_KEYS & body.keys() or ("message" in body and _OTHER_KEYS & body.keys())):
        return _described(body)
    finish = str(first.get("finish_reason") or "").lower()
    return BodyError(f"finish_reason {finish}") if finish in ERROR else None


def _described(error: Any) -> BodyError:
    if isinstance(error, list):
        error = error[0] if error else {}
    named = error if isinstance(error, dict) else {}
    keys = ("code", "type", "status", "error_code", "statusCode", "status_code")
    words = [str(named[k]) for k in keys if isinstance(named.get(k), str | int)]
    codes = [w for w in words if re.fullmatch(r"[A-Za-z_]{2,40}|[1-5]\d\d", w)]
    status = next((int(c) for c in codes if c.isdecimal()), None)
    code = next((c for c in codes if not c.isdecimal()), "")
    code_text = f" ({codes[0]})" if codes else ""
    return BodyError(f"the answer holds an error{code_text}", status, code)
