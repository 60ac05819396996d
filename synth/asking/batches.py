"""Asking in batches: files of requests go up, files of answers come down, and nothing is paid for twice.

Which request went into which file is written into the ledger before the file is submitted, and the id of the batch
after it. A run that was killed in between finds its batch again by a mark in its metadata, or, where a service drops
that, by the name or the lines of the file that it was made from.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from ...study.errors import ServiceError
from ...study.progress import Progress
from ..answers import parse
from ..answers.message import length
from ..ledger.keys import Places
from ..ledger.ledger import Ledger
from ..settings import Asking
from ..teaching import Body, Fault, usage
from .results import ResultLine, rows, whole
from .spending import Spending, prompt_tokens
from .spool import Spool

ENDED = frozenset({"completed", "expired", "failed", "cancelled"})
FOR_GOOD = frozenset(
    {"bad_request", "bad_option", "content_filter", "forbidden", "auth", "quota", "not_found"}
)
"""Faults of a request that the same request has again."""
KEPT = 86_400
"""Seconds after which a batch has ended one way or the other."""
GONE = "batch_gone"
"""The fault of requests whose answers, or whose batch, can no longer be found: they may be paid."""
AGAIN = frozenset({GONE, "not_submitted", *(f"batch_{status}" for status in ENDED)})
"""Faults of a batch and not of the requests in it; asked again only where somebody says so."""
FULL = frozenset({"token_limit_exceeded", "enqueued_token_limit_exceeded", "too_many_batches"})
"""Codes of a batch that failed because others wait before it."""


class BatchStatus(NamedTuple):
    """What a service says of a batch."""

    id: str
    status: str
    mark: str
    """Its metadata; empty where the service keeps none."""
    input: str
    """Id of the file it was made from."""
    results: tuple[str, ...]
    """Ids of the files of answers and of errors."""
    size: int | None
    """Requests in it, where the service says so."""
    seconds: float
    codes: tuple[str, ...]
    """Of the errors of the batch as a whole."""


class Service(Protocol):
    """A Batch API. Every call may raise a `Fault`; what only reads is tried again before that."""

    url: str
    key_env: str
    endpoint: str
    """What a line names as its address."""

    def submit(self, path: Path, mark: str) -> str:
        """Upload a file and make a batch of it; its id."""
        ...

    def batch(self, number: str) -> BatchStatus | None:
        """A batch by its id; None: the service does not know it."""
        ...

    def batches(self) -> Iterator[BatchStatus]:
        """All batches, the newest first."""
        ...

    def name(self, file: str) -> str:
        """The name under which a file was uploaded; empty where it is gone."""
        ...

    def download(self, file: str, to: Path) -> bool:
        """Write a file; False: it is gone."""
        ...


class Limits(NamedTuple):
    """How batches are cut and waited for."""

    rows: int
    bytes: float
    at_once: int
    poll_seconds: float


class Sent(NamedTuple):
    """A request in a batch."""

    attempt: int
    place: int | None
    """In the spool; None: this run does not ask it."""
    repeat: int


Waiting = dict[str, dict[str, Sent]]
"""By batch id: what is in it, by key."""


class Batches:
    """One run over a spool of requests.

    Args:
        service: to which the batches go.
        limits: of a batch.
        spool: of all requests.
        ledger: open for writing.
        settings: who is asked and how.
        bar: is told about every finished request.
    """

    def __init__(
        self, service: Service, limits: Limits, spool: Spool, ledger: Ledger, settings: Asking, bar: Progress
    ) -> None:
        self._service, self._limits, self._spool, self._ledger = service, limits, spool, ledger
        self._settings, self._bar = settings, bar
        self._spending = Spending(settings, ledger)
        self._folder = spool.path.parent
        self.waiting: Waiting = {}
        self._lost: set[str] = set()
        """Keys that are not asked again in this run."""
        self._outcomes: Counter[str] = Counter()

    def run(self) -> str | None:
        """Have everything answered; why it was stopped before the end, or None.

        Raises:
            ServiceError: no request can succeed.
            Fault: the service does not work.
        """
        self._adopt()
        for _ in range(self._settings.job.attempts):
            shards = self._shards()
            for shard in shards:
                while len(self.waiting) >= self._limits.at_once:
                    self._poll()
                coming = len(shard.sent) + sum(map(len, self.waiting.values())) - 1
                late = self._spending.late() or self._spending.over(coming, shard.first)
                if late:
                    return self._drain() or late
                self._submit(shard)
            late = self._drain()
            if late:
                return late
            if not shards.any:
                return None
        return None

    def standing(self) -> str:
        """Where things are, in words."""
        n = sum(map(len, self.waiting.values()))
        return (
            f"{len(self.waiting)} batches with {n} requests are still running at the service"
            if n
            else "no batch waits"
        )

    def _shards(self) -> "Shards":
        return Shards(self._open(), self._limits, self._folder / "batch.jsonl", self._service.endpoint)

    def _open(self) -> Iterator[tuple[str, Sent, Body]]:
        """What still has to be asked, under the key under which it will be stored."""
        at_service = {key for sent in self.waiting.values() for key in sent}
        seen = Places(self._spool.size)
        for place, base in self._spool:
            for repeat in range(self._settings.reask + 1):
                request = self._spool.at(place, repeat) if repeat else base
                if request.key not in self._ledger.unreadable:
                    break
            else:
                continue
            key = request.key
            if key in self._ledger or key in at_service or seen.get(key) or key in self._lost:
                continue
            seen.put(key, (0, 0))  # two cases may put the same question
            attempt = self._ledger.last_attempt(key) + 1
            yield key, Sent(attempt, place, repeat), request.body

    def _submit(self, shard: "BatchShard") -> None:
        for key, sent in shard.sent.items():
            self._ledger.sent(key, sent.attempt, batch=shard.mark)
        self._ledger.sync()
        number = self._service.submit(shard.path, shard.mark)
        self._ledger.batch(shard.mark, number)
        self._ledger.sync()
        self.waiting[number] = shard.sent

    def _adopt(self) -> None:
        """Find the batches of an earlier run; what was never submitted is free to be asked again."""
        marks: dict[str, dict[str, Sent]] = {}
        latest = 0.0
        for entry in self._ledger.entries():
            if (
                entry["e"] == "sent"
                and "m" in entry
                and entry["a"] in self._ledger.unanswered.get(entry["k"], ())
            ):
                marks.setdefault(entry["m"], {})[entry["k"]] = Sent(entry["a"], None, 0)
                latest = max(latest, entry["t"])
        for mark in [m for m in marks if m in self._ledger.batches]:
            self.waiting[self._ledger.batches[mark]] = marks.pop(mark)
        if marks:
            self._search(marks, time.time() - latest)
        wanted = {key for sent in self.waiting.values() for key in sent}
        places = self._places(wanted) if wanted else {}
        for sent in self.waiting.values():
            for key in sent:
                place, repeat = places.get(key, (None, 0))
                sent[key] = sent[key]._replace(place=place, repeat=repeat)

    def _places(self, wanted: set[str]) -> dict[str, tuple[int, int]]:
        places: dict[str, tuple[int, int]] = {}
        for place, base in self._spool:
            for repeat in range(self._settings.reask + 1):
                key = self._spool.at(place, repeat).key if repeat else base.key
                if key in wanted:
                    places[key] = place, repeat
        return places

    def _search(self, marks: dict[str, dict[str, Sent]], age: float) -> None:
        """Batches that were submitted without our hearing of it, among those that the service has.

        Args:
            marks: of the files that may have been submitted, and what was in them.
            age: seconds since the last of them.
        Raises:
            ServiceError: the service lists no batches, and they may still be at work.
        """
        try:
            there = list(self._service.batches())
        except Fault as e:
            if e.kind != "not_found":
                raise
            if age < KEPT:
                n = sum(map(len, marks.values()))
                raise ServiceError(
                    f"{e.detail.rstrip('.')}: whether the last {n} requests reached the service cannot be known: it "
                    "lists no batches. Correct synth.teacher, or run the command again in 24 hours."
                ) from None
            for sent in marks.values():
                why = "sent in a batch whose answer was lost, and the service lists no batches"
                self._give_up(sent, GONE, why)
            return
        known = set(self._ledger.batches.values())
        for batch in there:
            mark = batch.mark if batch.mark in marks else self._mark_of(batch, marks)
            if batch.id not in known and mark in marks:
                self._ledger.batch(mark, batch.id)
                self.waiting[batch.id] = marks.pop(mark)
        for sent in marks.values():
            for key, one in sent.items():
                why = "the run ended before its batch was made"
                self._ledger.fault(key, one.attempt, 0.0, "not_submitted", why)

    def _mark_of(self, batch: BatchStatus, marks: dict[str, dict[str, Sent]]) -> str:
        """Which of our files a batch without a mark was made from: by its name, else by its lines."""
        if batch.mark:
            return ""
        name = self._service.name(batch.input)
        mark = next((m for m in marks if m in name), "")
        path = self._folder / "input.jsonl"
        sizes = {len(sent) for sent in marks.values()}
        if (
            mark
            or (batch.size or next(iter(sizes))) not in sizes
            or not self._service.download(batch.input, path)
        ):
            return mark
        keys = {row.key for row in rows(path, "", "")}
        path.unlink()
        return next((m for m, sent in marks.items() if keys == sent.keys()), "")

    def _drain(self) -> str | None:
        """Collect what is at the service, until the deadline; batches go on without us."""
        while self.waiting:
            if late := self._spending.late():
                return f"{late}; {self.standing()}"
            self._poll()
        return None

    def _poll(self) -> None:
        """Look at every batch once, take what has ended, or wait a while."""
        for number in list(self.waiting):
            batch = self._service.batch(number)
            if batch is None:
                list(self._service.batches())  # where this fails too, it is not the batch that is missing
                self._give_up(self.waiting.pop(number), GONE, f"the service no longer knows {number}")
                return
            if batch.status in ENDED:
                self._take(batch, self.waiting.pop(number))
                return
        time.sleep(self._limits.poll_seconds)

    def _take(self, batch: BatchStatus, sent: dict[str, Sent]) -> None:
        """Store the answers and faults of a batch that has ended; both its files may hold some."""
        left = dict(sent)
        gone = False
        for file in batch.results:
            path = self._folder / "results.jsonl"
            there = self._service.download(file, path)
            if there and not whole(path):
                there = self._service.download(file, path)
            if not there:
                gone = True
                continue
            for row in rows(path, self._service.url, self._service.key_env):
                one = left.pop(row.key, None)
                if one is not None:
                    self._store(row, one, batch.seconds)
            path.unlink()
        if gone:
            self._give_up(left, GONE, f"the answers of {batch.id} are no longer at the service")
        else:
            self._left(batch, left)
        self._look_at(batch)

    def _store(self, row: ResultLine, one: Sent, seconds: float) -> None:
        if row.body is None:
            assert row.fault is not None
            self._ledger.fault(row.key, one.attempt, seconds, row.fault.kind, row.fault.detail)
            self._outcomes[row.fault.kind] += 1
            if row.fault.kind in FOR_GOOD:
                self._lost.add(row.key)
        else:
            self._answer(row.key, one, seconds, row.body)
        self._bar.step()

    def _answer(self, key: str, one: Sent, seconds: float, body: Body) -> None:
        unread, guess = None, None
        request = None if one.place is None else self._spool.at(one.place, one.repeat)
        if None in usage(body):
            guess = int(prompt_tokens(request.body)) if request else 0, length(body) // 4
        try:
            unread = parse.unread(body, request) if request else None
        finally:  # stored whatever is the matter with it: it is paid
            again = unread.reason if unread and unread.reason in parse.RE_ASK else None
            self._ledger.answer(key, one.attempt, seconds, body, again, guess)
        self._outcomes["ok"] += 1

    def _left(self, batch: BatchStatus, left: dict[str, Sent]) -> None:
        """Requests of which an ended batch says nothing."""
        code = batch.codes[0] if batch.codes else ""
        why = f"batch {batch.status}" + (f" ({code})" if code else "")
        for key, one in left.items():
            self._ledger.fault(key, one.attempt, batch.seconds, f"batch_{batch.status}", why)
            self._outcomes[f"batch_{batch.status}"] += 1
        if batch.status == "failed" and code in FULL:
            fewer = self._limits.rows if self._limits.at_once > 1 else max(1, self._limits.rows // 2)
            self._limits = self._limits._replace(at_once=1, rows=fewer)
        elif batch.status == "failed" and not self._outcomes["ok"]:
            raise ServiceError(
                f"{self._service.url}: {why}: the service refuses the file. Correct synth.teacher."
            )

    def _give_up(self, sent: dict[str, Sent], kind: str, why: str) -> None:
        for key, one in sent.items():
            self._ledger.fault(key, one.attempt, 0.0, kind, why)
            self._lost.add(key)
            self._bar.step()

    def _look_at(self, batch: BatchStatus) -> None:
        """End a run in which every line is refused, before the rest is sent."""
        refused = {kind: n for kind, n in self._outcomes.items() if kind in FOR_GOOD}
        if not refused or self._outcomes.total() > sum(refused.values()) or len(self._ledger):
            return
        why = next(detail for kind, detail in self._ledger.faults.values() if kind in refused)
        n = sum(refused.values())
        raise ServiceError(
            f"{why.rstrip('.')}. All {n} requests of the first batch were refused in this way."
        )


class BatchShard(NamedTuple):
    """A file of requests that goes up as one batch."""

    path: Path
    mark: str
    sent: dict[str, Sent]
    first: Body
    """Body of one of its requests."""


class Shards:
    """Cuts requests into files, one after another at the same path, each within the limits of the service."""

    def __init__(
        self, requests: Iterator[tuple[str, Sent, Body]], limits: Limits, path: Path, endpoint: str
    ) -> None:
        self._requests, self._limits, self._path, self._endpoint = requests, limits, path, endpoint
        self.any = False

    def __iter__(self) -> Iterator[BatchShard]:
        try:
            held = next(self._requests, None)
            while held is not None:
                self.any = True
                shard, held = self._cut(held)
                yield shard
        finally:
            self._path.unlink(missing_ok=True)

    def _cut(self, first: tuple[str, Sent, Body]) -> tuple[BatchShard, tuple[str, Sent, Body] | None]:
        sent: dict[str, Sent] = {}
        sum_, size = hashlib.sha256(), 0
        held: tuple[str, Sent, Body] | None = first
        with self._path.open("wb") as f:
            while held is not None:
                key, one, body = held
                line = (
                    orjson.dumps({"custom_id": key, "method": "POST", "url": self._endpoint, "body": body})
                    + b"\n"
                )
                if sent and (len(sent) == self._limits.rows or size + len(line) > self._limits.bytes):
                    break
                f.write(line)
                sum_.update(line + b"%d" % one.attempt)
                sent[key] = one
                size += len(line)
                held = next(self._requests, None)
        return BatchShard(self._path, sum_.hexdigest()[:32], sent, first[2]), held
