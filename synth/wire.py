"""The least HTTP/1.1 that a post needs: kept connections, whole answers, no redirects, no proxies, no cookies."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

HEAD_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class Answer:
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
        lines = [f"POST {parts.path or '/'} HTTP/1.1", f"host: {parts.netloc.rpartition('@')[2]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join(lines).encode()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, data: bytes, mark: str) -> Answer:
        """One request, with `mark` as its `x-client-request-id`.

        Raises:
            UnreachableError: no connection.
            TimeoutError: not whole in time.
            OSError, EOFError, ValueError: the answer broke off or is no HTTP.
        """
        async with asyncio.timeout(self._seconds):
            reader, writer = await self._connection()
            kept = False
            try:
                writer.write(
                    b"%s\r\nx-client-request-id: %s\r\ncontent-length: %d\r\n\r\n%s"
                    % (self._head, mark.encode(), len(data), data)
                )
                answer, kept = await _read(reader)
            finally:
                if kept:
                    self._idle.append((reader, writer))
                else:
                    writer.transport.abort()
            return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.transport.abort()
        try:
            return await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=HEAD_BYTES)
        except TimeoutError:
            raise
        except OSError as e:
            raise UnreachableError(*e.args) from e

    async def close(self) -> None:
        """Close what is kept."""
        for _, writer in self._idle:
            writer.close()
        for _, writer in self._idle:
            try:
                await writer.wait_closed()
            except OSError:  # the other side was first
                continue
        self._idle.clear()


async def _read(reader: asyncio.StreamReader) -> tuple[Answer, bool]:
    """An answer, and whether the connection can be used again."""
    status = 100
    while status == 100:  # "go on": the answer follows
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].partition(" ")[2][:3])  # ValueError where this is no HTTP
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
    }
    kept = headers.get("connection", "").lower() != "close" and lines[0].startswith("HTTP/1.1")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        data = await _chunks(reader)
    elif "content-length" in headers:
        data = await reader.readexactly(int(headers["content-length"]))
    else:
        data, kept = await reader.read(), False
    return Answer(status, headers, data), kept


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    out = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        out.append((await reader.readexactly(size + 2))[:-2])
    while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
        pass
    return b"".join(out)
