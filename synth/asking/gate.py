"""One endpoint of a job: its door, how many requests it bears at once, and whether it works at all.

An endpoint that fails ten times in a row is left alone for a while, ever longer, and then tried with one request; the
others do the work meanwhile, and no request is given up for it.
"""

from collections import Counter

from ..teaching import Door, Fault
from .limiter import START, Limiter

OUT = 10
"""Faults in a row after which an endpoint is taken to be out of order."""
LONGEST_PAUSE = 60.0
"""Seconds between two tries of an endpoint that is out of order."""
OF_THE_ENDPOINT = frozenset({"connection", "server", "timeout", "broken_body", "error"})
"""Faults that say something of the endpoint and not of the request."""


class EndpointGate:
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
        self.answers = 0
        self.refused: Counter[str] = Counter()
        """Requests that it refused, by the kind of fault."""
        self.shut = ""
        """Why nothing more is sent through it; empty while something is."""
        self._pauses = 0

    @property
    def out(self) -> bool:
        """Whether too many requests in a row failed to blame them."""
        return self.failures >= OUT

    def worked(self, wait: float | None) -> None:
        """An answer came; `wait`: seconds until the endpoint takes another."""
        self.failures = self._pauses = 0
        self.answers += 1
        if wait:
            self.limiter.hold(wait)

    def failed(self, fault: Fault) -> None:
        """No answer came; after too many faults of its own the endpoint is left alone for a while."""
        self.refused[fault.kind] += 1
        if fault.kind not in OF_THE_ENDPOINT:
            return
        self.failures += 1
        if self.out and not self.limiter.held:
            self.limiter.restart()
            self.limiter.hold(min(LONGEST_PAUSE, 0.5 * 2.0**self._pauses))
            self._pauses = min(self._pauses + 1, 10)
