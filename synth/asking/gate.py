"""One endpoint of a job: its door, how many requests it bears at once, and whether it works at all.

An endpoint that fails ten times in a row is left alone for a while, ever longer, and then tried with one request; the
others do the work meanwhile, and no request is given up for it.
"""

import time

from ..teaching import Door, Fault
from .limiter import START, Limiter

OUT = 10
"""Faults in a row after which an endpoint is taken to be out of order."""
LONGEST_PAUSE = 60.0
"""Seconds between two tries of an endpoint that is out of order."""
OF_THE_ENDPOINT = frozenset({"connection", "server", "timeout", "broken_body"})
"""Faults that say something of the endpoint and not of the request."""


class Gate:
    """A door with its limiter.

    Args:
        door: takes requests.
        most: never more at once.
        start: at once in the beginning, at most.
    """

    def __init__(self, door: Door, most: int, start: int) -> None:
        self.door, self.limiter = door, Limiter(most, min(start, START))
        self.failures = 0
        """In a row."""
        self._since = 0.0
        self._pauses = 0

    @property
    def out_for(self) -> float:
        """Seconds since the first of the failures in a row, once they are too many; else 0."""
        return time.monotonic() - self._since if self.failures >= OUT else 0.0

    def worked(self, wait: float | None) -> None:
        """An answer came; `wait`: seconds until the endpoint takes another."""
        self.failures = self._pauses = 0
        if wait:
            self.limiter.hold(wait)

    def failed(self, fault: Fault) -> bool:
        """No answer came; returns whether the endpoint is out of order, and the request not to blame."""
        if fault.kind not in OF_THE_ENDPOINT:
            return False
        if not self.failures:
            self._since = time.monotonic()
        self.failures += 1
        if self.failures < OUT:
            return False
        if not self.limiter.held:
            self.limiter.restart()
            self.limiter.hold(min(LONGEST_PAUSE, 0.5 * 2.0**self._pauses))
            self._pauses = min(self._pauses + 1, 10)
        return True
