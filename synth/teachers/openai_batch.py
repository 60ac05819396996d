"""The Batch API of OpenAI and compatible services: half the price, answers within a day.

Requests go up as files of lines. Which request went into which file is written into the ledger before the file is
submitted, and the file's hash stands in the metadata of its batch. So a run that was killed at any point finds its
own batches again by that hash and collects them, instead of paying for them twice.
"""

import hashlib
import io
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
from pydantic import Field

from ...study.errors import ServiceError
from ...study.progress import Progress
from ..answers import parse
from ..asking.spending import Spending
from ..asking.status import bad_status
from ..ledger.ledger import Ledger
from ..settings import Asking
from ..teaching import Body, Request, again
from . import openai as online

title, urls, check, body = online.title, online.urls, online.check, online.body
"""As online: the same request has the same key, so answers of either teacher serve the other."""


class Options(online.Options):
    """Asking of the batch teacher: those of `openai`, and how the batches are cut."""

    base_url: str = "https://api.openai.com/v1"
    rows: int = Field(default=50_000, gt=0)
    """Requests in one batch at most."""
    megabytes: float = Field(default=190, gt=0)
    """Size of one file at most."""
    at_once: int = Field(default=4, gt=0)
    """Batches that wait at the service at the same time; it limits their tokens."""
    poll_seconds: float = Field(default=30, gt=0)
    window: str = "24h"


def collect(
    options: Options, requests: Iterable[Request], ledger: Ledger, settings: Asking, bar: Progress
) -> str | None:
    """Have everything answered that the ledger does not hold.

    Returns:
        None at the end, or why it was stopped before (`PendingError` for the caller).
    Raises:
        ServiceError: the service cannot be used at all.
    """
    import openai

    url = options.base_url
    http = openai.DefaultHttpxClient(
        event_hooks={"request": [lambda request: online.own_header_only(url, options, request.headers)]},
        **online.http_settings(url, options),
    )
    with openai.OpenAI(**online.client_settings(url, options), http_client=http) as client:
        batches = _Batches(client, options, ledger, bar, settings.job.attempts)
        try:
            return batches.run(list(_questions(requests, settings.reask)), settings)
        except openai.APIStatusError as e:
            raise ServiceError(
                bad_status(
                    options.base_url, e.status_code, e.response.headers, e.body, options.key_env
                ).detail
            ) from None
        except KeyboardInterrupt:
            return "interrupted; submitted batches go on"
        except openai.APIConnectionError:
            raise ServiceError(
                f"{options.base_url}: cannot be reached. Run the command again later; submitted batches go on."
            ) from None


Question = list[Request]
"""A request, and what it becomes when it is asked again for an answer that can be read."""


def _questions(requests: Iterable[Request], reask: int) -> Iterator[Question]:
    for request in requests:
        yield [again(request, repeat) for repeat in range(reask + 1)]


class _Batches:
    def __init__(self, client: Any, options: Options, ledger: Ledger, bar: Progress, attempts: int) -> None:
        self._client, self._options, self._ledger, self._bar = client, options, ledger, bar
        self._attempts = attempts
        self._waiting: dict[str, dict[str, int]] = {}
        """By batch id: the keys in it and the attempt that each is."""

    def run(self, questions: list[Question], settings: Asking) -> str | None:
        spending = Spending(settings, self._ledger)
        asked = {request.key: request for forms in questions for request in forms}
        self._adopt()
        for _ in range(settings.job.attempts):
            todo = list(self._open(questions))
            bodies = dict(todo)
            if not todo and not self._waiting:
                return None
            for shard in self._shards(todo):
                while len(self._waiting) >= self._options.at_once:
                    self._poll(asked)
                coming = len(shard) + sum(map(len, self._waiting.values())) - 1
                stopped = spending.late() or spending.over(coming, bodies[shard[0][0]])
                if stopped:
                    return self._drain(asked, spending) or stopped
                self._submit(shard)
            late = self._drain(asked, spending)
            if late:
                return late
        return None

    def _open(self, questions: list[Question]) -> Iterator[tuple[str, Body]]:
        """What still has to be asked, under the key under which it will be stored."""
        asked = {name for keys in self._waiting.values() for name in keys}
        for forms in questions:
            request = next((r for r in forms if r.key not in self._ledger.unreadable), None)
            if request is not None and request.key not in self._ledger and request.key not in asked:
                asked.add(request.key)  # two cases may put the same question
                yield request.key, request.body

    def _shards(self, todo: list[tuple[str, Body]]) -> Iterator[list[tuple[str, bytes]]]:
        """Lines of files, each within the limits of the service."""
        shard: list[tuple[str, bytes]] = []
        size = 0
        for name, asked in todo:
            line = orjson.dumps(
                {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": asked}
            )
            if shard and (
                len(shard) == self._options.rows or size + len(line) > self._options.megabytes * 1e6
            ):
                yield shard
                shard, size = [], 0
            shard.append((name, line))
            size += len(line) + 1
        if shard:
            yield shard

    def _submit(self, shard: list[tuple[str, bytes]]) -> None:
        data = b"\n".join(line for _, line in shard)
        attempts = {name: max(self._ledger.unanswered.get(name, (0,))) + 1 for name, _ in shard}
        mark = hashlib.sha256(data + orjson.dumps(attempts)).hexdigest()[:32]
        for name, attempt in attempts.items():
            self._ledger.sent(name, attempt, batch=mark)
        self._ledger.sync()
        file = self._client.files.create(file=("requests.jsonl", io.BytesIO(data)), purpose="batch")
        made = self._client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window=self._options.window,
            metadata={"wherefore": mark},
        )
        self._waiting[made.id] = attempts

    def _adopt(self) -> None:
        """Find the batches of an earlier run by their marks; what was never submitted is free to be asked again."""
        marks: dict[str, dict[str, int]] = {}
        for entry in self._ledger.entries():
            if (
                entry["e"] == "sent"
                and "m" in entry
                and entry["a"] in self._ledger.unanswered.get(entry["k"], ())
            ):
                marks.setdefault(entry["m"], {})[entry["k"]] = entry["a"]
        if not marks:
            return
        for batch in self._client.batches.list(limit=100):  # follows the pages
            attempts = marks.pop((batch.metadata or {}).get("wherefore", ""), None)
            if attempts:
                self._waiting[batch.id] = attempts
        for attempts in marks.values():
            for name, attempt in attempts.items():
                self._ledger.fault(
                    name, attempt, 0.0, "not_submitted", "the run ended before its batch was made"
                )

    def _drain(self, asked: dict[str, Request], spending: Spending) -> str | None:
        """Collect what is at the service, until the deadline; batches go on without us."""
        while self._waiting:
            if late := spending.late():
                return f"{late}; submitted batches go on"
            self._poll(asked)
        return None

    def _poll(self, asked: dict[str, Request]) -> None:
        """Look at every batch once, take what has ended, or wait a while."""
        for number in list(self._waiting):
            batch = self._patient(self._client.batches.retrieve, number)
            if batch.status in ("completed", "expired", "failed", "cancelled"):
                self._take(batch, self._waiting.pop(number), asked)
                return
        time.sleep(self._options.poll_seconds)

    def _patient(self, look: Callable[[str], Any], what: str) -> Any:
        """What only reads may be tried again: a service that stumbles for a moment ends no run of a day."""
        import openai

        for attempt in range(self._attempts):
            try:
                return look(what)
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError):
                if attempt + 1 == self._attempts:
                    raise
                time.sleep(min(self._options.poll_seconds, 60.0) * 2**attempt)

    def _take(self, batch: Any, attempts: dict[str, int], asked: dict[str, Request]) -> None:
        """Store the answers and faults of a batch that has ended; both its files may hold some."""
        seconds = float((batch.completed_at or batch.expired_at or batch.created_at) - batch.created_at)
        left = dict(attempts)
        for file in (batch.output_file_id, batch.error_file_id):
            if file is None:
                continue
            content = self._patient(self._client.files.content, file).content
            for line in content.splitlines():
                row = orjson.loads(line)
                name = row["custom_id"]
                attempt = left.pop(name, None)
                if attempt is None:
                    continue
                response = row.get("response") or {}
                if response.get("status_code") == 200:
                    answer = response["body"]
                    unread = parse.unread(answer, asked[name]) if name in asked else None
                    again = unread.reason if unread and unread.reason in parse.RE_ASK else None
                    self._ledger.answer(name, attempt, seconds, answer, again)
                else:
                    status = response.get("status_code") or 500
                    fault = bad_status(
                        self._options.base_url, status, {}, response.get("body") or row, self._options.key_env
                    )
                    self._ledger.fault(name, attempt, seconds, fault.kind, fault.detail)
                self._bar.step()
        codes = {e.code for e in (batch.errors.data if batch.errors else None) or () if e.code}
        why = f"batch {batch.status}" + (f" ({', '.join(sorted(codes))})" if codes else "")
        for name, attempt in left.items():
            self._ledger.fault(name, attempt, seconds, f"batch_{batch.status}", why)
