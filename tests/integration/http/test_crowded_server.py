"""What many connections may cost together: the memory of each is bounded, and none keeps all others out."""

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from weakref import WeakSet

import pytest

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.quick_answers import Answer, QuickAnswers
from app.adapters.inbound.http.connection.quick_protocol import quick_protocol
from app.adapters.inbound.http.connection.timeout_protocol import TimeoutProtocol, timeout_protocol
from app.adapters.inbound.http.connection.usual_heads import UsualHead
from tests.support.raw_client import RawClient, connected, on_uvloop, refusal, served

MOST = 16
LIMITS = ConnectionLimits(max_connections=MOST, linger=0.3)
HOST = b" HTTP/1.1\r\nhost: x\r\n"
GET = b"GET /" + HOST + b"\r\n"
POST = b"POST /echo" + HOST
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
CROWD, OTHER = "127.0.0.1", "127.0.0.2"
LARGE = 16 * 1024 * 1024
"""Bytes: more than the system buffers."""


def can_come_from(address: str) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind((address, 0))
        except OSError:
            return False
    return True


from_two_addresses = pytest.mark.skipif(not can_come_from(OTHER), reason=f"{OTHER} is not an address of this machine")


@pytest.fixture(params=["ordinary", "quick"], autouse=True)
def way(request: pytest.FixtureRequest) -> None:
    """Answer `GET /` by the application, or quickly: it is to make no difference to anything here."""
    Site.answers_quickly = request.param == "quick"


@dataclass
class Site(QuickAnswers):
    """An application, the limits around it, and what became of its clients."""

    answers_quickly: ClassVar[bool]
    path: ClassVar[bytes] = b"/"
    limits: ConnectionLimits = LIMITS
    cut: list[str] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    connections: WeakSet[TimeoutProtocol] = field(default_factory=WeakSet)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/echo":
            await answer(send, await whole_body(receive))
        elif path == "/large":
            await answer(send, b"x" * LARGE)
        elif path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(LARGE // 65536):
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
                await asyncio.sleep(0)  # what is written in one turn is held until it ends
            await send({"type": "http.response.body", "body": b""})
        elif path == "/later":
            self.waiting += 1
            await self.go_on.wait()
            await answer(send, b"%d headers" % len(scope["headers"]))
        elif path == "/after":
            await answer(send, b"hello")
            await self.go_on.wait()
            self.cut.append(f"read {len(scope['headers'])} headers")
        else:
            await answer(send, b"hello")

    async def waits(self, requests: int) -> None:
        async with asyncio.timeout(5):
            while self.waiting < requests:  # noqa: ASYNC110 - what the application heard is a fact
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        made = self.connections

        protocol = timeout_protocol(self.limits, self.cut.append)
        if self.answers_quickly:
            protocol = quick_protocol(self, self.limits, self.cut.append)

        class Noted(protocol):  # type: ignore[misc, valid-type]  # made for these limits
            def connection_made(self, transport: Any) -> None:
                made.add(self)
                super().connection_made(transport)

        async with served(self, Noted) as port:
            yield port

    def answer(self, _query: bytes, _head: UsualHead) -> Answer:
        return 200, [b"content-length: 5\r\n\r\n", b"hello"]

    async def answer_to(self, *parts: bytes) -> bytes:
        """Send parts, each in a packet of its own, and read until the connection closes."""
        async with self.open() as port, connected(port) as client:
            for part in parts:
                await client.send(part)
                await asyncio.sleep(0.02)
            return await client.rest()


async def whole_body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def answer(send: Any, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def crowd(stack: AsyncExitStack, port: int, path: str, *, count: int = MOST) -> list[RawClient]:
    """Ask for large answers from one address, and take next to nothing of them."""
    clients = [await stack.enter_async_context(connected(port, receive_buffer=4096)) for _ in range(count)]
    for client in clients:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a read transport
        await client.send(b"GET " + path.encode() + HOST + b"\r\n")
    await asyncio.sleep(0.5)
    return clients


async def is_served(port: int, source: str) -> bool:
    async with connected(port, source=source) as client:
        try:
            await client.send(GET)
            return b"hello" in await client.until(b"hello")
        except (OSError, asyncio.IncompleteReadError):
            return False


# fields of a head


def fields(count: int) -> bytes:
    return b"".join(b"x%d:\r\n" % number for number in range(count))


@pytest.mark.parametrize("packets", [1, 3])
def test_as_many_headers_are_taken_as_the_limit_says(packets: int) -> None:
    async def check() -> None:
        head = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%b\r\n"
        site = Site()
        for count, expected in ((98, b"200"), (99, b"431")):
            whole = head % fields(count)
            size = len(whole) // packets + 1
            told = await site.answer_to(*(whole[at : at + size] for at in range(0, len(whole), size)))
            assert told[9:12] == expected

        assert site.cut == ["headers_too_large"]

    on_uvloop(check)


MANY = {
    "whole": (b"GET /" + HOST + fields(5000) + b"\r\n",),
    "partial": (b"GET /" + HOST + fields(5000),),
    "bit by bit": (b"GET /" + HOST, *(fields(30) for _ in range(5))),
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\n" + fields(2000) + b"\r\n",),
    "partial trailers": (CHUNKED + b"1\r\nx\r\n0\r\n" + fields(2000),),
    "trailers bit by bit": (CHUNKED + b"1\r\nx\r\n0\r\n", *(fields(30) for _ in range(5))),
    "with the offer of an upgrade": (b"GET /" + HOST + b"connection: upgrade\r\nupgrade: h2c\r\n" + fields(200),),
}


@pytest.mark.parametrize("how", MANY)
def test_too_many_headers_are_refused_as_soon_as_they_are_too_many(how: str) -> None:
    async def check() -> None:
        site = Site()

        assert refusal(await site.answer_to(*MANY[how])) == (431, "headers_too_large")
        assert site.cut == ["headers_too_large"]

    on_uvloop(check)


def test_too_many_headers_behind_a_request_do_not_come_before_its_answer() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port) as client:
            await client.send(b"GET /later" + HOST + b"\r\n" + b"GET /" + HOST + fields(5000))
            await site.waits(1)
            site.go_on.set()

            assert (await client.rest()).endswith(b"1 headers")
        assert site.cut == ["headers_too_large"]

    on_uvloop(check)


# what an idle connection keeps


MARK = b"mark-of-this-test"


def kept_of_requests() -> int:
    """Count the fields that are alive."""
    gc.collect()
    return sum(
        1 for thing in gc.get_objects() if type(thing) is list and any(is_marked(field) for field in list(thing))
    )


def is_marked(thing: object) -> bool:
    return type(thing) is tuple and len(thing) == 2 and type(thing[1]) is bytes and thing[1].startswith(MARK)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + HOST + b"x: " + MARK + b"\r\n\r\n",
        (b"GET /" + HOST + b"x: " + MARK + b"\r\n\r\n") * 5,
        CHUNKED.replace(b"\r\n\r\n", b"\r\nx: " + MARK + b"\r\n\r\n") + b"5\r\nhello\r\n0\r\nx: " + MARK + b"\r\n\r\n",
    ],
    ids=["one", "pipelined", "with trailers"],
)
def test_an_idle_connection_keeps_no_headers_and_is_of_use_still(request_: bytes) -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port) as client:
            for _ in range(3):
                await client.send(request_)
                for _ in range(request_.count(HOST)):
                    await client.until(b"hello")
                async with asyncio.timeout(60):
                    while kept_of_requests():  # noqa: ASYNC110 - a fact, not a signal
                        await asyncio.sleep(0.05)

    on_uvloop(check)


def test_an_idle_connection_keeps_no_body_that_nobody_read() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port) as client:
            await client.send(b"POST /" + HOST + b"content-length: 60000\r\n\r\n" + b"x" * 60_000)
            await client.until(b"hello")
            (connection,) = site.connections
            async with asyncio.timeout(60):
                while connection.cycle.body:  # noqa: ASYNC110 - a fact, not a signal
                    await asyncio.sleep(0.05)
            await client.send(GET)
            await client.until(b"hello")

    on_uvloop(check)


def test_an_application_that_works_on_after_its_answer_has_its_headers() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port) as client:
            await client.send(b"GET /after" + HOST + b"\r\n")
            await client.until(b"hello")
            await asyncio.sleep(0.3)
            site.go_on.set()
            await asyncio.sleep(0.05)

        assert site.cut == ["read 1 headers"]

    on_uvloop(check)


def test_half_a_head_behind_an_answer_is_kept() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port) as client:
            await client.send(GET + b"GET /later" + HOST + b"a: b\r\n")
            await client.until(b"hello")
            await asyncio.sleep(0.3)
            site.go_on.set()
            await client.send(b"c: d\r\n\r\n")

            assert (await client.until(b"headers")).endswith(b"3 headers")

    on_uvloop(check)


# who is evicted


@from_two_addresses
@pytest.mark.parametrize("path", ["/stream", "/large"])
def test_one_address_that_takes_its_answers_slowly_does_not_keep_others_out(path: str) -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, AsyncExitStack() as stack:
            await crowd(stack, port, path)

            assert [await is_served(port, OTHER) for _ in range(5)] == [True] * 5
            assert site.cut == ["too_many_connections"]  # there was room again when the first had gone

    on_uvloop(check)


@from_two_addresses
def test_the_slowest_is_evicted_and_who_gets_on_or_waits_for_us_does_not() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, AsyncExitStack() as stack:
            waiting = await stack.enter_async_context(connected(port))
            await waiting.send(b"GET /later" + HOST + b"\r\n")
            good = await stack.enter_async_context(connected(port, receive_buffer=65536))
            await good.send(b"GET /stream" + HOST + b"\r\n")
            sending = await stack.enter_async_context(connected(port))
            await sending.send(POST + b"content-length: 2000000\r\n\r\n")
            await crowd(stack, port, "/stream", count=MOST - 3)
            for _ in range(10):
                await good.reader.readexactly(100_000)
                await sending.send(b"x" * 100_000)
                await asyncio.sleep(0.1)
            others = []
            for number in range(2):  # their share
                others.append(await stack.enter_async_context(connected(port, source=OTHER)))
                await others[-1].send(b"GET /later" + HOST + b"\r\n")
                await site.waits(2 + number)
            site.go_on.set()
            await asyncio.gather(*(client.until(b"1 headers") for client in (waiting, *others)))
            await good.reader.readexactly(1_000_000)
            await sending.send(b"x" * 1_000_000)
            assert (await sending.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")

        assert set(site.cut) == {"too_many_connections"}

    on_uvloop(check)


def test_who_waits_for_us_is_not_evicted() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connected(port)) for _ in range(MOST)]
            for client in clients:
                await client.send(b"GET /later" + HOST + b"\r\n")
            await site.waits(MOST)

            assert not await is_served(port, CROWD)
            site.go_on.set()
            await asyncio.gather(*(client.until(b"1 headers") for client in clients))

    on_uvloop(check)


def test_behind_a_proxy_nobody_is_evicted_who_stands_still_for_a_moment() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, AsyncExitStack() as stack:
            await crowd(stack, port, "/stream")

            assert not await is_served(port, CROWD)

    on_uvloop(check)


def test_behind_a_proxy_who_makes_no_progress_for_long_is_evicted() -> None:
    async def check() -> None:
        site = Site(replace(LIMITS, write_timeout=2.0, linger=0.3))
        async with site.open() as port, AsyncExitStack() as stack:
            clients = await crowd(stack, port, "/stream")
            async with asyncio.timeout(60):
                while not await is_served(port, CROWD):  # noqa: ASYNC110 - it is asked for, again and again
                    await asyncio.sleep(0.1)

            assert "slow_reader" not in site.cut
            assert len(clients) == MOST

    on_uvloop(check)


def test_an_answer_that_is_being_taken_is_none_of_an_idle_connection() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, AsyncExitStack() as stack:
            taking = await stack.enter_async_context(connected(port, receive_buffer=65536))
            await taking.send(b"GET /large" + HOST + b"\r\n")
            await taking.until(b"\r\n\r\n")
            idle = [await stack.enter_async_context(connected(port)) for _ in range(MOST - 1)]
            for client in idle:
                await client.send(GET)
                await client.until(b"hello")

            assert await is_served(port, CROWD)
            assert len(await taking.reader.readexactly(LARGE)) == LARGE

    on_uvloop(check)


def test_refusals_name_what_was_expected() -> None:
    async def check() -> None:
        told = await Site().answer_to(b"GET /" + HOST + fields(200) + b"\r\n")

        assert (
            json.loads(told.partition(b"\r\n\r\n")[2])["error"]["message"] == "expected at most 100 headers, found more"
        )

    on_uvloop(check)
