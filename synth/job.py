"""The asking: many requests at once, every fault handled by its kind, every answer stored before it counts."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..study.errors import ServiceError
from ..study.progress import Progress
from . import parse
from .ledger import Ledger
from .limiter import Limiter
from .settings import Asking
from .spending import Spending
from .teaching import Body, Door, Fault, Request, key

SYNC_SECONDS = 0.1
"""Between two `fdatasync` of the ledger."""
SHARE_SECONDS = 0.25
"""Between two reports to those who share a limit."""


class Job:
    """One run over a stream of requests.

    Args:
        doors: of the teacher; each gets its own limiter.
        ledger: open for writing.
        settings: of the stage.
        bar: is told about every finished request.
        share: of a limit that several jobs have together; asked now and then how much of it is this job's.
    """

    def __init__(
        self, doors: Sequence[Door], ledger: Ledger, settings: Asking, bar: Progress, share: Any = None
    ) -> None:
        self._share = share
        self.ledger, self.settings, self.bar = ledger, settings, bar
        most = -(-settings.job.in_flight // len(doors))
        self.spending = Spending(settings, ledger)
        self.gates = [(door, Limiter(most)) for door in doors]
        self.faults: Counter[str] = Counter()
        self.answered = 0
        self.stopped: str | None = None
        """Why the job ended before its requests did."""
        self._unreached = 0
        self._done = 0

    async def run(self, requests: Iterator[Request]) -> None:
        """Ask everything that the ledger does not hold.

        Raises:
            ServiceError: no request can succeed; one line that says why.
        """
        loop = asyncio.get_running_loop()
        with suppress(
            ValueError, RuntimeError, NotImplementedError
        ):  # only the main thread may listen to Ctrl-C
            loop.add_signal_handler(signal.SIGINT, self._interrupt)
        beside = [asyncio.create_task(self._sync())]
        if self._share is not None:
            await self._report(False)
            beside.append(asyncio.create_task(self._sharing()))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(3 * self.settings.job.in_flight // 2 + 1):  # some wait before another attempt
                    group.create_task(self._worker(requests))
        except BaseExceptionGroup as e:
            raise e.exceptions[0] from None
        finally:
            for task in beside:
                task.cancel()
            with suppress(ValueError, RuntimeError, NotImplementedError):
                loop.remove_signal_handler(signal.SIGINT)

    def _interrupt(self) -> None:
        self.stopped = "interrupted"

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            await asyncio.to_thread(self.ledger.sync)

    async def _sharing(self) -> None:
        """Tell the others what this job can use, and keep to the part that it is given."""
        before = 0
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            refused, before = self.faults["rate_limit"] > before, self.faults["rate_limit"]
            await self._report(refused)

    async def _report(self, refused: bool) -> None:
        wanted = min(self.settings.job.in_flight, max(1, 2 * self._in_flight()))
        most = await self._share.report(wanted, refused)
        for _, limiter in self.gates:
            limiter.most = max(1, most // len(self.gates))
            limiter.limit = min(limiter.limit, limiter.most)

    async def _worker(self, requests: Iterator[Request]) -> None:
        for request in requests:
            if self._must_stop():
                return
            await self._one(request)
            self._done += 1
            self.bar.step(note=self._note() if self._done % 32 == 0 else None)

    async def _one(self, request: Request) -> None:
        """Ask until the answer can be read; answers that are stored already are not asked for again."""
        for repeat in range(self.settings.reask + 1):
            name = key(request.body, repeat) if repeat else request.key
            if name not in self.ledger:
                body = await self._ask(request, name)
                if body is None:
                    return
            if name not in self.ledger.unreadable:
                return

    async def _ask(self, request: Request, name: str) -> Body | None:
        """One answer, stored; None where there is none to be had."""
        attempt, faults = max(self.ledger.unanswered.get(name, (0,))), 0
        while True:
            door, limiter = self.gates[0] if len(self.gates) == 1 else min(self.gates, key=_load)
            await limiter.acquire()
            if self._must_stop():
                limiter.release()
                return None
            attempt += 1
            self.ledger.sent(name, attempt)
            start = time.monotonic()
            try:
                reply = await door.ask(request)
            except Fault as fault:
                seconds = time.monotonic() - start
                limiter.release(refused=fault.busy, wait=fault.wait)
                self.ledger.fault(name, attempt, seconds, fault.kind, fault.detail)
                self._judge(fault)
                faults += not fault.busy
                if not fault.again or faults >= self.settings.job.attempts:
                    return None
                await asyncio.sleep(_pause(attempt, fault.wait))
            else:
                seconds = time.monotonic() - start
                limiter.release(latency=seconds)
                if reply.wait:
                    limiter.hold(reply.wait)
                unreadable = parse.unreadable(reply.body, request.style)
                self.ledger.answer(name, attempt, seconds, reply.body, unreadable)
                self.answered += 1
                self._unreached = 0
                return reply.body

    def _judge(self, fault: Fault) -> None:
        """Count a fault, and end the job where no request can succeed."""
        self.faults[fault.kind] += 1
        if fault.fatal:
            self.stopped = fault.kind  # nobody who waits for a slot sends now
            raise ServiceError(fault.detail)
        self._unreached = self._unreached + 1 if fault.kind == "connection" else 0
        patience = 3 * self.settings.job.in_flight + 20 if self.answered else self.settings.job.attempts
        if self._unreached >= patience:
            raise ServiceError(f"{fault.detail}. Start the server or correct synth.teacher.base_url.")

    def _must_stop(self) -> bool:
        self.stopped = self.stopped or self.spending.over(self._in_flight())
        return self.stopped is not None

    def _in_flight(self) -> int:
        return sum(limiter.busy for _, limiter in self.gates)

    def _note(self) -> str:
        parts = [f"{self._in_flight()} in flight"]
        spent = self.spending.money()
        if spent is not None:
            parts.append(f"cost {spent:.2f}")
        if self.faults:
            parts.append(f"{self.faults.total()} faults")
        return ", ".join(parts)


def _load(gate: tuple[Door, Limiter]) -> float:
    return gate[1].load


def _pause(attempt: int, wait: float | None) -> float:
    """Seconds before the next attempt: what the endpoint asks for, plus exponential back-off with full jitter."""
    return (wait or 0.0) + random.random() * min(30.0, 0.25 * 2.0 ** min(attempt, 7))
