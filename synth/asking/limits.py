"""How long an endpoint asks to wait, by the headers of its answer."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import time

LONGEST_WAIT = 3600.0
"""Seconds; an endpoint that asks for more is asked again after this."""
EPOCH = 1e9
"""A larger number of seconds is a time of day, counted from 1970."""
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s(?:ec(?:onds?)?)?)?(?:([\d.]+)ms)?$")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait, by `retry-after-ms` or `retry-after` (seconds, a duration or a date).

    >>> [retry_after(h) for h in ({"retry-after": "2"}, {"retry-after-ms": "250"}, {"retry-after": "1m2s"})]
    [2.0, 0.25, 62.0]
    >>> retry_after({"retry-after": "soon"}) is None
    True
    """
    milliseconds = seconds(headers.get("retry-after-ms", ""))
    return seconds(headers.get("retry-after", "")) if milliseconds is None else milliseconds / 1000


def wait_before_next(headers: Mapping[str, str]) -> float | None:
    """Seconds until the next request is welcome, where a success says that none is left for now.

    >>> wait_before_next({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2s"})
    62.0
    >>> wait_before_next({"x-ratelimit-remaining-requests": "7"}) is None
    True
    """
    for what in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{what}") == "0":
            wait = seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
            if wait is not None:
                return wait
    return None


def seconds(text: str) -> float | None:
    """Seconds from now, at most an hour, of a number, a duration, a time since 1970 or a date; None where it is none.

    >>> [seconds(text) for text in ("0.5", "-3", "1h", "350ms", "nan", "inf", "")]
    [0.5, 0.0, 3600.0, 0.35, None, None, None]
    """
    text = text.strip()
    wait: float | None = None
    with suppress(ValueError):
        wait = float(text)
        if wait > EPOCH:
            wait = wait / (1000 if wait > 1000 * EPOCH else 1) - time()
    if wait is None and text and (m := _DURATION.match(text.replace(" ", ""))):
        with suppress(ValueError):
            hours, minutes, whole, ms = (float(g or 0) for g in m.groups())
            wait = 3600 * hours + 60 * minutes + whole + ms / 1000
    if wait is None:
        with suppress(ValueError, OverflowError):
            wait = parsedate_to_datetime(text).timestamp() - time()
    return min(max(0.0, wait), LONGEST_WAIT) if wait is not None and math.isfinite(wait) else None
