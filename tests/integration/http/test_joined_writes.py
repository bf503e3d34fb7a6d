"""Head and body leave together, and nothing is lost or reordered when there is more to say."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvloop

from app.adapters.inbound.http.connection.joined_writes import JoinedWritesProtocol, JoiningTransport
from app.infrastructure.roles.http_server import http_server
from tests.support.served import served

PIECES = [bytes([65 + number % 26]) * 50_000 for number in range(40)]


async def app(scope: Any, _receive: Any, send: Any) -> None:
    headers = [] if scope["path"] == "/pieces" else [(b"content-length", b"5")]
    if scope["path"] == "/close":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/pieces":
        for piece in PIECES:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": b"hello"})


class Packets(asyncio.Protocol):
    """Keeps what arrives as it arrives: on loopback a read gets what one write sent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received.append(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed.set()


async def asked(port: int, request: bytes, enough: Callable[[list[bytes]], bool]) -> Packets:
    transport, packets = await asyncio.get_running_loop().create_connection(Packets, "127.0.0.1", port)
    transport.write(request)
    async with asyncio.timeout(5):
        while not enough(packets.received) and not packets.closed.is_set():  # noqa: ASYNC110 - what came is a fact
            await asyncio.sleep(0.01)
    transport.close()
    return packets


def on_uvloop(work: Callable[[], Awaitable[None]]) -> None:
    """Run on the loop that the API runs on: the question is what it sends."""

    async def awaited() -> None:
        await work()

    uvloop.run(awaited())


def ends_with(tail: bytes) -> Callable[[list[bytes]], bool]:
    return lambda received: b"".join(received).endswith(tail)


class Counting(asyncio.Transport):
    """Notes each write, and the close."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []

    def write(self, data: Any) -> None:
        self.calls.append(bytes(data))

    def close(self) -> None:
        self.calls.append(b"(closed)")

    def is_closing(self) -> bool:
        return b"(closed)" in self.calls


def test_what_is_written_in_one_turn_leaves_in_one_write() -> None:
    async def check() -> None:
        counting = Counting()
        joining = JoiningTransport(counting, asyncio.get_running_loop())

        joining.write(b"head ")
        joining.write(b"body")
        assert counting.calls == []
        await asyncio.sleep(0)
        joining.write(b"more")
        joining.close()
        await asyncio.sleep(0)

        assert counting.calls == [b"head body", b"more", b"(closed)"]

    on_uvloop(check)


def test_to_a_client_that_has_gone_nothing_is_sent() -> None:
    async def check() -> None:
        counting = Counting()
        joining = JoiningTransport(counting, asyncio.get_running_loop())

        joining.write(b"head ")
        counting.close()
        await asyncio.sleep(0)

        assert counting.calls == [b"(closed)"]

    on_uvloop(check)


def test_the_api_serves_by_this_protocol() -> None:
    assert http_server(app, 1).config.http is JoinedWritesProtocol


def test_pipelined_requests_are_answered_in_order() -> None:
    async def check() -> None:
        async with served(app) as port:
            request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 3
            packets = await asked(port, request, lambda received: b"".join(received).count(b"hello") == 3)

            assert b"".join(packets.received).count(b"HTTP/1.1 200 OK") == 3

    on_uvloop(check)


@pytest.mark.parametrize("path", [b"/close", b"/"])
def test_an_answer_that_ends_the_connection_is_sent_before_it_closes(path: bytes) -> None:
    async def check() -> None:
        async with served(app) as port:
            request = b"GET %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % path
            packets = await asked(port, request, lambda _: False)

            assert b"".join(packets.received).endswith(b"\r\n\r\nhello")

    on_uvloop(check)


def test_an_answer_in_pieces_arrives_whole_and_in_order() -> None:
    async def check() -> None:
        async with served(app) as port:
            packets = await asked(port, b"GET /pieces HTTP/1.1\r\nhost: x\r\n\r\n", ends_with(b"0\r\n\r\n"))
            _, _, body = b"".join(packets.received).partition(b"\r\n\r\n")

            assert body == b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in PIECES) + b"0\r\n\r\n"

    on_uvloop(check)
