"""The least HTTP/1.1 that a post needs: kept connections, whole answers, no redirects, no proxies, no cookies."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    data: bytes


class UnreachableError(OSError):
    """No connection could be made."""


class Wire:
    """Posts to one URL over connections that are kept. Use `close` at the end.

    Args:
        url: http or https.
        headers: of every request.
        seconds: for the whole of one request.
    """

    def __init__(self, url: str, headers: dict[str, str], seconds: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._seconds = seconds
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {path} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join(lines).encode()
        self._idle: list[_Connection] = []

    async def post(self, data: bytes, mark: str) -> HttpAnswer:
        """One request, with `mark` as its `x-client-request-id`.

        Raises:
            UnreachableError: no connection.
            TimeoutError: not whole in time.
            OSError, EOFError, ValueError: the answer broke off or is no HTTP.
        """
        async with asyncio.timeout(self._seconds):
            connection = await self._connection()
            try:
                answer = await connection.ask(
                    b"%s\r\nx-client-request-id: %s\r\ncontent-length: %d\r\n\r\n%s"
                    % (self._head, mark.encode(), len(data), data)
                )
            finally:
                if connection.kept:
                    self._idle.append(connection)
                else:
                    connection.transport.abort()
            return answer

    async def _connection(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.kept:
                return connection
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._tls)
        except TimeoutError:
            raise
        except OSError as e:
            raise UnreachableError(*e.args) from e
        return connection

    async def close(self) -> None:
        """Close what is kept."""
        for connection in self._idle:
            connection.transport.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop takes leave of the sockets


class _Connection(asyncio.Protocol):
    """One connection: a request goes out, the parser gathers its answer."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.kept = False
        """Whether it waits for another request."""
        self._answer: asyncio.Future[HttpAnswer] | None = None

    def ask(self, request: bytes) -> "asyncio.Future[HttpAnswer]":
        """Send a request; the answer comes later."""
        self.kept = False
        self._answer = asyncio.get_running_loop().create_future()
        self._begin()
        self.transport.write(request)
        return self._answer

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._data: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None:  # nobody asked: whatever this is, it is no answer
            self.kept = False
            self.transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as e:
            self._fail(ValueError(f"no HTTP: {e}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_body(self, data: bytes) -> None:
        self._data.append(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() == 100:  # "go on": the answer follows
            self._headers.clear()
            return
        self._finish(self._parser.should_keep_alive())

    def _finish(self, kept: bool) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            self.kept = kept
            answer.set_result(HttpAnswer(self._parser.get_status_code(), self._headers, b"".join(self._data)))

    def _fail(self, error: Exception) -> None:
        self.kept = False
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def connection_lost(self, error: Exception | None) -> None:
        self.kept = False
        if self._answer is None:
            return
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        if error is None and self._parser.get_status_code() >= 200 and not framed:
            self._finish(False)  # an answer that ends with its connection
        else:
            self._fail(error or EOFError("the connection was closed before the answer was whole"))
