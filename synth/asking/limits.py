"""How long an endpoint asks to wait, by the headers of its answer."""

import contextlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time

LONGEST_WAIT = 3600.0
"""Seconds; an endpoint that asks for more is asked again after this."""


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
