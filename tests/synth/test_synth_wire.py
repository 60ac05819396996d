"""The fast transport's HTTP: every way in which a server may frame an answer, and connections that went away."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from wherefore.synth.asking.wire import HttpAnswer, UnreachableError, Wire

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def posted(
    *replies: bytes, posts: int = 1, close: bool = False, seconds: float = 5
) -> tuple[list[HttpAnswer], int, bytes]:
    """Answers, how many connections were made, and the last request; the server gives the replies in turn."""
    connections = 0
    seen = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections, seen
        connections += 1
        try:
            for reply in replies:
                head = await reader.readuntil(b"\r\n\r\n")
                seen = head + await reader.readexactly(
                    int(head.split(b"content-length: ")[1].split(b"\r")[0])
                )
                writer.write(reply)
                await writer.drain()
                if close:
                    break
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def main() -> list[HttpAnswer]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        wire = Wire(f"http://127.0.0.1:{port}/v1/x", {"authorization": "Bearer k"}, seconds)
        try:
            out = []
            for i in range(posts):
                out.append(await wire.post(b"body%d" % i, "mark"))
                await asyncio.sleep(0.02)
            return out
        finally:
            await wire.close()
            server.close()
            await server.wait_closed()

    return asyncio.run(main()), connections, seen


PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_the_request_is_whole() -> None:
    answers, _, seen = posted(PLAIN)
    assert answers == [HttpAnswer(200, {"content-length": "5"}, b"hello")]
    lines = seen.split(b"\r\n")
    assert lines[0] == b"POST /v1/x HTTP/1.1"
    assert lines[1].startswith(b"host: 127.0.0.1:")
    assert lines[2:] == [
        b"authorization: Bearer k",
        b"x-client-request-id: mark",
        b"content-length: 5",
        b"",
        b"body0",
    ]


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
    ],
)
def test_framings(reply: bytes) -> None:
    answers, connections, _ = posted(reply, reply, posts=2)
    assert [a.data for a in answers] == [b"hello", b"hello"]
    assert connections == 1


def test_an_answer_may_end_with_its_connection() -> None:
    answers, connections, _ = posted(b"HTTP/1.0 200 OK\r\n\r\nhello", posts=2, close=True)
    assert [a.data for a in answers] == [b"hello", b"hello"]
    assert connections == 2


def test_a_kept_connection_that_the_server_closed_is_not_used() -> None:
    answers, connections, _ = posted(PLAIN, posts=3, close=True)
    assert len(answers) == connections == 3


@pytest.mark.parametrize("reply", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", b"nonsense\r\n\r\n"])
def test_half_an_answer_and_nonsense_are_errors(reply: bytes) -> None:
    with pytest.raises((EOFError, ValueError)):
        posted(reply, close=True)


def test_nobody_there_and_silence() -> None:
    async def nobody() -> None:
        await Wire("http://127.0.0.1:9/v1", {}, 5).post(b"", "m")

    with pytest.raises(UnreachableError):
        asyncio.run(nobody())
    with pytest.raises(TimeoutError):
        posted(b"HTTP/1.1 200 OK\r\n", PLAIN, seconds=0.1)
