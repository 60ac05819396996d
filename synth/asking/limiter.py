"""How many requests an endpoint bears at once, found out while asking.

Slow start, then multiplicative decrease by windows with cubic recovery (as in TCP CUBIC). The limit falls only
when at least 5 % of a window of requests were refused: a lone 429 delays its own request and no other.
"""

import asyncio
import random
import time
from collections import deque

CUT = 0.75
SHARE = 0.05
"""Of the refused requests in a window, from which the limit falls."""
LEAST_WINDOW = 200
"""Requests in a window: of fewer, one in twenty is too often refused by chance."""
DOUBLE_UNTIL = 256
"""Slow start doubles with every round of answers up to here, and grows by a quarter a round beyond."""
START = 64
"""Requests at once in the beginning."""
LOOK = 0.5
"""Seconds after which whoever waits through a silence looks whether it was broken off."""
LONGEST_HOLD = 120.0
"""Seconds that an endpoint may ask for silence."""


class Limiter:
    """Slots of one endpoint.

    Args:
        most: never more at once.
        start: at once in the beginning.
    """

    def __init__(self, most: int, start: int = START) -> None:
        self.most, self.limit = most, float(min(start, most))
        self.busy = 0
        """Requests in flight."""
        self.cuts = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._hold = self._grace = 0.0
        self._window = self._refused = self._peak = self._streak = 0
        self._before_cut, self._cut_at, self._slow_start = float(most), 0.0, True
        self._latency = 0.2
        self._closed = False

    @property
    def load(self) -> float:
        """Share of the slots in use; where several endpoints serve, the least loaded is asked."""
        return (self.busy + 1) / max(1.0, self.limit) + (1e6 if self.held else 0)

    async def acquire(self) -> None:
        """Wait for a slot; of a closed limiter everybody gets one, to see that it is over."""
        while True:
            wait = self._hold - time.monotonic()
            if wait > 0 and not self._closed:
                await asyncio.sleep(min(wait, LOOK) + random.random() * 0.05)
            elif self.busy < int(self.limit) or self._closed:
                self.busy += 1
                self._peak = max(self._peak, self.busy)
                return
            else:
                slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(slot)
                await slot

    def close(self) -> None:
        """Nobody waits any longer."""
        self._closed = True
        self._wake()

    def restart(self) -> None:
        """Begin again with one request at a time."""
        self.limit, self._slow_start = 1.0, True
        self._window = self._refused = self._peak = 0

    @property
    def held(self) -> bool:
        """Whether nothing is to be sent for now."""
        return time.monotonic() < self._hold

    def hold(self, seconds: float) -> None:
        """Send nothing for a while: the endpoint said so."""
        self._hold = max(self._hold, time.monotonic() + min(seconds, LONGEST_HOLD))

    def release(self, latency: float | None = None, refused: bool = False, wait: float | None = None) -> None:
        """Give a slot back.

        Args:
            latency: seconds, of a request that was answered.
            refused: the endpoint asks for fewer requests.
            wait: seconds of silence that it asks for; kept by all once nothing but refusals comes back.
        """
        self.busy -= 1
        now = time.monotonic()
        self._streak = self._streak + 1 if refused else 0
        if wait and self._streak >= max(
            10, 0.5 * self.limit
        ):  # it takes nothing at all: a quota, not a queue
            self.hold(wait)
        if latency is not None:
            self._latency += 0.05 * (latency - self._latency)
        if now >= self._grace:
            self._count(refused, wait, now)
        if latency is not None and self._peak >= 0.8 * int(self.limit):
            self._grow(now)
        self._wake()

    def _count(self, refused: bool, wait: float | None, now: float) -> None:
        self._window += 1
        self._refused += refused
        size = max(LEAST_WINDOW, int(self.limit))
        if self._refused >= max(2, SHARE * size):
            self._before_cut, self._cut_at, self._slow_start = self.limit, now, False
            self.limit = max(1.0, self.limit * CUT)
            self.cuts += 1
            self._grace = now + max(wait or 0.0, self._latency)
            self._window = self._refused = 0
        elif self._window >= size:
            self._window = self._refused = 0
            self._peak = self.busy

    def _grow(self, now: float) -> None:
        if self._slow_start:
            step = (
                1.0 if self.limit < DOUBLE_UNTIL else 0.25
            )  # answers may come in one wave: do not shoot far over
            self.limit = min(self.most, self.limit + step)
            return
        period = (
            20 * self._latency
        )  # back where the cut was after this long, flat around it, then probing upwards
        x = (now - self._cut_at - period) / period
        goal = self._before_cut * (1 + (0.25 if x < 0 else 0.05) * x**3)
        self.limit = min(self.most, max(self.limit, goal))

    def _wake(self) -> None:
        free = len(self._waiting) if self._closed else int(self.limit) - self.busy
        while free > 0 and self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                free -= 1
