"""The Batch API of OpenAI, Azure and compatible services: half the price, answers within a day.

How batches are cut, found again and collected stands in `synth/asking/batches.py`; here is the service itself.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from ...study.errors import ServiceError
from ...study.progress import Progress
from ..asking.address import address
from ..asking.batches import Batches, BatchStatus, Limits
from ..asking.http import broken
from ..asking.spool import Spool
from ..asking.status import bad_status
from ..ledger.ledger import Ledger
from ..settings import Asking
from ..teaching import Fault, Request
from . import openai as online

title, urls, check, body = online.title, online.urls, online.check, online.body
"""As online: the same request has the same key, so answers of either teacher serve the other."""

T = TypeVar("T")


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
    """The completion window of a batch."""


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
    limits = Limits(options.rows, options.megabytes * 1e6, options.at_once, options.poll_seconds)
    folder = ledger.folder / ledger.writer
    with (
        openai.OpenAI(**online.client_settings(url, options), http_client=http) as client,
        Spool(folder / "requests.spool") as spool,
        _sigterm_is_ctrl_c(),
    ):
        service = OpenAIService(client, options, settings.job.attempts)
        batches = Batches(service, limits, spool, ledger, settings, bar)
        try:
            spool.fill(requests)
            return batches.run()
        except KeyboardInterrupt:
            return f"interrupted; {batches.standing()}"
        except Fault as e:
            more = f" {batches.standing()[0].upper()}{batches.standing()[1:]}: run the command again later."
            raise ServiceError(e.detail.rstrip(".") + "." + (more if batches.waiting else "")) from None


@contextmanager
def _sigterm_is_ctrl_c() -> Iterator[None]:
    """A polite end says where things stand, as Ctrl-C does."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class OpenAIService:
    """A Batch API through the `openai` client.

    Args:
        client: synchronous.
        options: of the teacher.
        attempts: of a call that only reads.
    """

    def __init__(self, client: Any, options: Options, attempts: int) -> None:
        self._client, self._options, self._attempts = client, options, attempts
        self.url, self.key_env = options.base_url, options.key_env
        self.endpoint = address(options.base_url).batch

    def submit(self, path: Path, mark: str) -> str:
        """Upload a file and make a batch of it. Neither is tried again by itself: it might be done twice."""
        with path.open("rb") as f:
            file = self._call(
                lambda: self._client.files.create(file=(f"wherefore-{mark}.jsonl", f), purpose="batch")
            )
        self._wait_for(file.id)
        batch = self._call(
            lambda: self._client.batches.create(
                input_file_id=file.id,
                endpoint=self.endpoint,
                completion_window=self._options.window,
                metadata={"wherefore": mark},
            )
        )
        return str(batch.id)

    def _wait_for(self, file: str) -> None:
        """Azure looks at a file before it takes a batch of it."""
        for _ in range(self._attempts):
            status = getattr(self._unless_gone(lambda: self._client.files.retrieve(file)), "status", None)
            if status not in ("pending", "running", "uploading", "importing"):
                return
            time.sleep(min(self._options.poll_seconds, 10.0))

    def batch(self, number: str) -> BatchStatus | None:
        """A batch by its id; None: the service does not know it."""
        batch = self._unless_gone(lambda: self._client.batches.retrieve(number))
        return None if batch is None else _batch(batch)

    def batches(self) -> Iterator[BatchStatus]:
        """All batches; follows the pages."""
        pages = self._read(lambda: self._client.batches.list(limit=100))
        yield from map(_batch, self._read(lambda: list(pages)))

    def name(self, file: str) -> str:
        """The name under which a file was uploaded; empty where it is gone."""
        upload = self._unless_gone(lambda: self._client.files.retrieve(file)) if file else None
        return str(getattr(upload, "filename", ""))

    def download(self, file: str, to: Path) -> bool:
        """Write a file; False: it is gone."""

        def stream() -> bool:
            with self._client.files.with_streaming_response.content(file) as response:
                response.stream_to_file(to)
            return True

        return self._unless_gone(stream) is not None

    def _unless_gone(self, call: Callable[[], T]) -> T | None:
        try:
            return self._read(call)
        except Fault as e:
            if e.kind == "not_found":
                return None
            raise

    def _read(self, call: Callable[[], T]) -> T:
        """What only reads may be tried again: a service that stumbles for a moment ends no run of a day."""
        for attempt in range(self._attempts):
            try:
                return self._call(call)
            except Fault as e:
                if not e.again or attempt + 1 == self._attempts:
                    raise
                time.sleep(e.wait or min(self._options.poll_seconds, 60.0) * 2**attempt)
        raise AssertionError

    def _call(self, call: Callable[[], T]) -> T:
        import httpx2
        import openai

        try:
            return call()
        except openai.APIStatusError as e:
            raise bad_status(self.url, e.status_code, e.response.headers, e.body, self.key_env) from None
        except openai.APIConnectionError:
            raise Fault("connection", f"{self.url}: cannot be reached") from None
        except (openai.APIError, httpx2.HTTPError, ValueError) as e:
            raise broken(self.url, e, self._options.timeout_seconds) from None


def _batch(batch: Any) -> BatchStatus:
    """What the client says of a batch; services leave fields out, or fill them with nothing."""
    began = _number(batch, "created_at")
    ended = next(
        (t for t in (_number(batch, f"{k}_at") for k in ("completed", "expired", "failed")) if t), began
    )
    metadata = getattr(batch, "metadata", None)
    counts = getattr(batch, "request_counts", None)
    total = getattr(counts, "total", None)
    files = (getattr(batch, f"{kind}_file_id", None) for kind in ("output", "error"))
    return BatchStatus(
        id=str(batch.id),
        status=str(getattr(batch, "status", "")),
        mark=str(metadata.get("wherefore", "")) if isinstance(metadata, dict) else "",
        input=str(getattr(batch, "input_file_id", "") or ""),
        results=tuple(dict.fromkeys(str(f) for f in files if f)),
        size=total if isinstance(total, int) and total > 0 else None,
        seconds=max(0.0, ended - began),
        codes=tuple(_codes(getattr(batch, "errors", None))),
    )


def _number(batch: Any, name: str) -> float:
    value = getattr(batch, name, None)
    with suppress(TypeError, ValueError):
        return float(value or 0)
    return 0.0


def _codes(errors: Any) -> Iterator[str]:
    data = getattr(errors, "data", None)
    for error in data if isinstance(data, list) else []:
        code = error.get("code") if isinstance(error, dict) else getattr(error, "code", None)
        if isinstance(code, str) and code.replace("_", "").isalnum():
            yield code
