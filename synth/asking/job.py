"""The asking: many requests at once, every fault handled by its kind, every answer stored before it counts."""

import asyncio
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from ...study.errors import ServiceError
from ...study.progress import Progress
from ..answers import parse
from ..answers.message import length
from ..ledger.ledger import Ledger
from ..settings import Asking
from ..teaching import Door, Fault, Reply, Request, again, usage
from .gate import EndpointGate
from .patience import Patience
from .spending import Spending, prompt_tokens

SYNC_SECONDS = 0.1
"""Between two `fdatasync` of the ledger."""
SHARE_SECONDS = 0.25
"""Between two reports to those who share a limit."""
CAREFUL = 1
"""Requests at once in the beginning where there is a budget: the price of an answer is not known yet."""


class Job:
    """One run over a stream of requests.

    Args:
        doors: of the teacher; each gets its own limiter.
        ledger: open for writing.
        settings: who is asked and how.
        bar: is told about every finished request.
        share: of a limit that several jobs have together; asked now and then how much of it is this job's.
        shards: so many jobs share the budget.
    """

    def __init__(
        self,
        doors: Sequence[Door],
        ledger: Ledger,
        settings: Asking,
        bar: Progress,
        share: Any = None,
        shards: int = 1,
    ) -> None:
        self._share = share
        self.ledger, self.settings, self.bar = ledger, settings, bar
        most = -(-settings.job.in_flight // len(doors))
        self.spending = Spending(settings, ledger, shards)
        start = CAREFUL if self.spending.limited else most
        self.gates = [EndpointGate(door, most, start) for door in doors]
        self.patience = Patience(settings.job, len(ledger) - len(ledger.unreadable))
        self.stopped: str | None = None
        """Why the job ended before its requests did."""
        self._halt = asyncio.Event()
        self._fatal: ServiceError | None = None
        self._asking: dict[str, asyncio.Future[None]] = {}
        """What is being asked now, by key: two cases may put the same question."""
        self._gave_up = ""
        self._done = 0

    async def run(self, requests: Iterator[Request]) -> None:
        """Ask everything that the ledger does not hold.

        The first Ctrl-C or SIGTERM stops sending and waits for what is in flight, the second does not wait.

        Raises:
            ServiceError: no request can succeed; one line that says why. What was in flight is stored before.
        """
        self._main = asyncio.current_task()
        beside = [asyncio.create_task(self._watch())]
        if self._share is not None:
            await self._report(False)
            beside.append(asyncio.create_task(self._sharing()))
        self._listen(True)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(3 * self.settings.job.in_flight // 2 + 1):  # some wait before another attempt
                    group.create_task(self._worker(requests))
        except asyncio.CancelledError:
            if self.stopped is None:
                raise
        except BaseExceptionGroup as e:
            raise e.exceptions[0] from None
        finally:
            self._listen(False)
            for task in beside:
                task.cancel()
            if self._share is not None:
                await self._share.report(0, False)
        if self._fatal:
            raise self._fatal
        if self._gave_up and not self.patience.answered:
            raise ServiceError(f"{self._gave_up}. No request was answered; what was tried is in the ledger.")

    def _listen(self, on: bool) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
                if on:
                    loop.add_signal_handler(number, self._interrupt)
                else:
                    loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        if self.stopped is None:
            self._stop("interrupted")
        elif self._main is not None:
            self._main.cancel()

    def _stop(self, why: str) -> None:
        """Send nothing more."""
        self.stopped = self.stopped or why
        self._halt.set()
        for gate in self.gates:
            gate.limiter.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SYNC_SECONDS)
            late = self.spending.late()
            if late:
                self._stop(late)
            self._end(self.patience.outage())
            await asyncio.to_thread(self.ledger.sync)

    async def _sharing(self) -> None:
        """Tell the others what this job can use, and keep to the part that it is given."""
        before = 0
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            refused, before = self.patience.faults["rate_limit"] > before, self.patience.faults["rate_limit"]
            await self._report(refused)

    async def _report(self, refused: bool) -> None:
        wanted = min(self.settings.job.in_flight, max(1, 2 * self._in_flight()))
        most = await self._share.report(wanted, refused)
        for gate in self.gates:
            gate.limiter.most = max(1, most // len(self.gates))
            gate.limiter.limit = min(gate.limiter.limit, gate.limiter.most)

    async def _worker(self, requests: Iterator[Request]) -> None:
        for request in requests:
            if self.stopped:
                return
            await self._one(request)
            self._done += 1
            self.bar.step(note=self._note() if self._done % 32 == 0 else None)

    async def _one(self, request: Request) -> None:
        """Ask until the answer can be read; answers that are stored already are not asked for again."""
        for repeat in range(self.settings.reask + 1):
            attempt = again(request, repeat)
            while attempt.key in self._asking:
                await self._asking[attempt.key]
            if attempt.key not in self.ledger:
                self._asking[attempt.key] = asyncio.get_running_loop().create_future()
                try:
                    if not await self._ask(attempt):
                        return
                finally:
                    self._asking.pop(attempt.key).set_result(None)
            if attempt.key not in self.ledger.unreadable:
                return

    async def _ask(self, request: Request) -> bool:
        """Get one answer and store it; False where there is none to be had."""
        attempt = self.ledger.last_attempt(request.key)
        faults = 0
        refused_by: set[EndpointGate] = set()
        while (gate := await self._admitted(request, refused_by)) is not None:
            attempt += 1
            fault = await self._try(gate, request, attempt)
            if fault is None:
                return True
            if not (fault.busy or gate.out or gate.shut):  # the endpoint is not to blame
                faults += 1
            if not fault.again:
                refused_by.add(gate)
            if refused_by.issuperset(self._open_gates()) or faults >= self.settings.job.attempts:
                self._gave_up = fault.detail
                return False
            if fault.again:
                await self._pause(attempt, fault.wait)
        return False

    async def _admitted(self, request: Request, refused_by: set[EndpointGate]) -> EndpointGate | None:
        """A gate that takes the request now, its slot held; None where the job has stopped."""
        while True:
            gate = self._gate(refused_by)
            await gate.limiter.acquire()
            over = self.spending.over(self._in_flight() - 1, request.body)
            if over:
                self._stop(over)
            if not (self.stopped or gate.shut):
                return gate
            gate.limiter.release()
            if self.stopped:
                return None

    async def _try(self, gate: EndpointGate, request: Request, attempt: int) -> Fault | None:
        """Send a request once; its answer is stored, and so is its fault."""
        self.ledger.sent(request.key, attempt)
        start = self.patience.started[request.key] = time.monotonic()
        try:
            reply = await gate.door.ask(request)
        except Fault as fault:
            gate.limiter.release(refused=fault.busy, wait=fault.wait)
            self.ledger.fault(request.key, attempt, time.monotonic() - start, fault.kind, fault.detail)
            gate.failed(fault)
            self._end(self.patience.fault(fault, gate, self.gates))
            return fault
        finally:
            del self.patience.started[request.key]
        seconds = time.monotonic() - start
        gate.limiter.release(latency=seconds)
        gate.worked(reply.wait)
        self._store(request, attempt, seconds, reply)
        return None

    def _open_gates(self) -> list[EndpointGate]:
        return [gate for gate in self.gates if not gate.shut]

    def _gate(self, refused_by: set[EndpointGate]) -> EndpointGate:
        """The endpoint with the most room, of those that have not refused this request."""
        if len(self.gates) == 1:
            return self.gates[0]
        gates = [gate for gate in self._open_gates() if gate not in refused_by]
        return min(gates or self.gates, key=_load)

    def _store(self, request: Request, attempt: int, seconds: float, reply: Reply) -> None:
        body, unread = reply.body, None
        guess = None
        if None in usage(body):
            guess = int(prompt_tokens(request.body)), length(body) // 4
        try:
            unread = parse.unread(body, request)
        finally:  # stored whatever is the matter with it: it is paid
            reason = unread.reason if unread and unread.reason in parse.RE_ASK else None
            self.ledger.answer(request.key, attempt, seconds, body, reason, guess)
        self._end(self.patience.answer(unread))

    def _end(self, why: str | None) -> None:
        """End the job with an error; None: go on."""
        if why is None:
            return
        self._fatal = self._fatal or ServiceError(why)
        self._stop(why)

    async def _pause(self, attempt: int, wait: float | None) -> None:
        """Before the next attempt: what the endpoint asks for, plus exponential back-off with full jitter."""
        seconds = (wait or 0.0) + random.random() * min(30.0, 0.25 * 2.0 ** min(attempt, 7))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._halt.wait()

    def _in_flight(self) -> int:
        return sum(gate.limiter.busy for gate in self.gates)

    def _note(self) -> str:
        parts = [f"{self._in_flight()} in flight"]
        spent = self.spending.money()
        if spent is not None:
            parts.append(f"cost {spent:.2f}")
        if self.patience.faults:
            parts.append(f"{self.patience.faults.total()} faults")
        return ", ".join(parts)


def _load(gate: EndpointGate) -> float:
    return gate.limiter.load
