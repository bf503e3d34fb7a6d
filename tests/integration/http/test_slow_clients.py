"""A client that is slow, silent or broken is cut, is told why where it can be told, and holds up nobody else."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits, room_for_connections
from app.adapters.inbound.http.connection.edge_server import SECURITY_HEADERS
from app.adapters.inbound.http.connection.quick_answers import Answer, QuickAnswers
from app.adapters.inbound.http.connection.quick_protocol import quick_protocol
from app.adapters.inbound.http.connection.timeout_protocol import TimeoutProtocol, timeout_protocol
from app.adapters.inbound.http.connection.usual_heads import UsualHead
from app.adapters.inbound.http.connection.validating_protocol import BEFORE_EMPTY_PATH
from tests.support.raw_client import RawClient, connected, on_uvloop, refusal, served

LIMITS = ConnectionLimits(
    header_timeout=0.3,
    body_timeout=0.5,
    write_timeout=0.4,
    linger=0.3,
    max_header_bytes=4096,
    max_pipelined=8,
    max_connections=1000,
)
SECURITY = {name.lower(): value for name, value in SECURITY_HEADERS}
LATE = 4.0
"""Seconds by which a busy machine may be late."""
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nhost: x\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"


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
    asked: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    sent: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.asked.append(path)
        if path == "/echo":
            body = await self._whole_body(path, receive)
            if body is not None:
                await answer(send, body)
        elif path == "/fields":
            await self._whole_body(path, receive)
            fields = {name.decode(): value.decode() for name, value in scope["headers"]}
            await answer(send, json.dumps(fields).encode())
        elif path == "/slow":
            await asyncio.sleep(0.8)
            await answer(send, b"hello")
        elif path == "/stream":
            await self._stream(send, [b"piece %d;" % number for number in range(20)], every=0.04)
        elif path == "/endless":
            await self._endless(receive, send)
        else:
            await answer(send, b"hello")

    async def _whole_body(self, path: str, receive: Any) -> bytes | None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.append(path)
                return None
            body, more = body + message["body"], message["more_body"]
        return body

    async def _stream(self, send: Any, pieces: list[bytes], *, every: float) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(every)
        await send({"type": "http.response.body", "body": b""})

    async def _endless(self, receive: Any, send: Any) -> None:
        await receive()
        gone = asyncio.create_task(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            self.sent += 65536
            await asyncio.sleep(0.001)
        self.gone.append("/endless")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        if self.answers_quickly:
            protocol: type[TimeoutProtocol] = quick_protocol(self, self.limits, self.cut.append)
        else:
            protocol = timeout_protocol(self.limits, self.cut.append)
        async with served(self, protocol) as port:
            yield port

    def answer(self, _query: bytes, _head: UsualHead) -> Answer:
        self.asked.append("/")
        return 200, [b"content-length: 5\r\n\r\n", b"hello"]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[RawClient]:
        async with self.open() as port, connected(port) as client:
            yield client

    async def answer_to(self, *parts: bytes) -> bytes:
        """Send parts, each in a packet of its own, and read until the connection closes."""
        async with self.client() as client:
            for part in parts:
                await client.send(part)
                await asyncio.sleep(0.02)
            return await client.rest()

    async def refusals(self, *requests: bytes) -> list[tuple[int, str]]:
        """Ask all of them, each on a connection of its own, at the same time."""

        async def ask(port: int, request: bytes) -> tuple[int, str]:
            async with connected(port) as client:
                await client.send(request)
                return refusal(await client.rest())

        async with self.open() as port:
            return await asyncio.gather(*(ask(port, request) for request in requests))


async def answer(send: Any, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def stopwatch() -> Callable[[], float]:
    """Tell the seconds from now on: to be begun before what begins the server's own."""
    now = asyncio.get_running_loop().time
    began = now()
    return lambda: now() - began


# time


def test_headers_that_trickle_in_are_cut() -> None:
    async def check() -> None:
        site, elapsed = Site(), stopwatch()
        async with site.client() as client:
            trickling = asyncio.create_task(client.trickle(GET[:-2] + b"x: y\r\n" * 100, every=0.05))
            await client.until(b"\r\n\r\n")
            took = elapsed()
            told = await client.rest()
            await trickling

        assert LIMITS.header_timeout <= took < LIMITS.header_timeout + LATE
        assert json.loads(told)["error"]["code"] == "request_timeout"
        assert (site.cut, site.asked) == (["request_timeout"], [])

    on_uvloop(check)


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
def test_a_client_that_asks_nothing_is_cut_without_a_word(sent: bytes) -> None:
    async def check() -> None:
        site, elapsed = Site(), stopwatch()
        async with site.client() as client:
            await client.send(sent)
            await client.rest()
            took = elapsed()

        assert LIMITS.header_timeout <= took < LIMITS.header_timeout + LATE
        assert site.cut == ["silent"]

    on_uvloop(check)


def test_a_second_request_on_a_connection_has_no_more_time_than_the_first() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(GET)
            await client.until(b"hello")
            await client.send(b"GET / HTTP/1.1\r\n")
            answer = await client.rest()

        assert refusal(answer) == (408, "request_timeout")

    on_uvloop(check)


def test_empty_lines_keep_no_connection_alive() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(GET)
            await client.until(b"hello")
            elapsed = stopwatch()
            trickling = asyncio.create_task(client.trickle(b"\r\n" * 50, every=0.05))
            await client.rest()
            took = elapsed()
            await trickling

        assert took < LIMITS.header_timeout + LATE
        assert site.cut == ["silent"]

    on_uvloop(check)


@pytest.mark.parametrize("how", [POST + b"content-length: 100\r\n\r\n", CHUNKED])
def test_a_body_that_trickles_in_is_cut(how: bytes) -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            elapsed = stopwatch()
            await client.send(how)
            body = b"x" * 100 if b"length" in how else b"1\r\nx\r\n" * 100
            trickling = asyncio.create_task(client.trickle(body, every=0.05))
            await client.until(b"\r\n\r\n")
            took = elapsed()
            told = await client.rest()
            await trickling

        assert LIMITS.body_timeout <= took < LIMITS.body_timeout + LATE
        assert json.loads(told)["error"]["code"] == "request_timeout"
        assert site.gone == ["/echo"]  # the application heard of it

    on_uvloop(check)


def test_a_body_in_time_is_read_however_it_is_cut() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(CHUNKED)
            for _ in range(5):
                await client.send(b"1\r\nx\r\n")
                await asyncio.sleep(0.06)
            await client.send(b"0\r\n\r\n")

            assert (await client.until(b"xxxxx")).startswith(b"HTTP/1.1 200")
        assert site.cut == []

    on_uvloop(check)


def test_many_tiny_chunks_are_no_flood() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(CHUNKED + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")

            assert (await client.until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert len(await client.reader.readexactly(20_000)) == 20_000

    on_uvloop(check)


def test_a_client_that_waits_to_be_asked_for_its_body_is_given_its_time() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(POST + b"content-length: 5\r\nexpect: 100-continue\r\n\r\n")
            await client.until(b"100 Continue\r\n\r\n")
            await client.send(b"hello")

            assert (await client.until(b"hello")).startswith(b"HTTP/1.1 200")

    on_uvloop(check)


def test_a_long_answer_is_not_cut() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
            received = await client.until(b"0\r\n\r\n")
            await client.send(GET)
            await client.until(b"hello")

        assert received.count(b"piece") == 20
        assert site.cut == []

    on_uvloop(check)


def test_an_application_may_take_its_time() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")

            assert await client.until(b"hello")

    on_uvloop(check)


def test_many_slow_clients_stop_no_good_one() -> None:
    async def check() -> None:
        site = Site(replace(LIMITS, header_timeout=3.0))
        async with site.open() as port, AsyncExitStack() as stack:
            slow = [await stack.enter_async_context(connected(port)) for _ in range(200)]
            for client in slow:
                await client.send(GET[:10])
            good = await stack.enter_async_context(connected(port))

            for _ in range(50):
                await good.send(GET)
                await good.until(b"hello")

            assert site.cut == []
            endings = await asyncio.gather(*(client.rest() for client in slow))

        assert {refusal(ending) for ending in endings} == {(408, "request_timeout")}
        assert len(site.cut) == 200

    on_uvloop(check)


def test_when_there_are_too_many_connections_those_that_ask_nothing_give_way() -> None:
    async def check() -> None:
        site = Site(replace(LIMITS, header_timeout=5.0, max_connections=20))
        async with site.open() as port, AsyncExitStack() as stack:
            busy = await stack.enter_async_context(connected(port))
            await busy.send(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
            await busy.until(b"piece 0")
            silent = [await stack.enter_async_context(connected(port)) for _ in range(30)]
            good = await stack.enter_async_context(connected(port))
            await good.send(GET)
            await good.until(b"hello")

            assert await silent[0].rest() == b""
            assert (await busy.until(b"0\r\n\r\n")).count(b"piece") == 19
        assert set(site.cut) == {"too_many_connections"}
        assert len(site.cut) == 12

    on_uvloop(check)


# answers


def test_a_client_that_does_not_read_is_cut_and_costs_little_until_then() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port, receive_buffer=4096) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a read transport
            await client.send(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
            while not site.gone:  # noqa: ASYNC110 - what the application heard is a fact
                await asyncio.sleep(0.02)

        assert site.cut == ["slow_reader"]
        assert site.sent < 1024 * 1024  # twice `send_buffer`, and what waits to be written

    on_uvloop(check)


def test_a_client_that_reads_on_slowly_is_not_cut() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port, connected(port, receive_buffer=65536) as client:
            await client.send(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
            for _ in range(20):
                await client.reader.readexactly(100_000)
                await asyncio.sleep(0.05)

            assert site.cut == []

    on_uvloop(check)


@pytest.mark.parametrize("then", [b"connection: close\r\n", b""])
def test_an_answer_that_nobody_takes_holds_no_connection_for_ever(then: bytes) -> None:
    """It is complete, but more than the system buffers; closing would wait for the client, keeping it for 75 s more."""

    async def check() -> None:
        site = Site()
        size = 16 * 1024 * 1024
        async with site.open() as port, connected(port, receive_buffer=4096) as client:
            await client.send(POST + then + b"content-length: %d\r\n\r\n" % size)
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a read transport
            await client.send(b"x" * size)
            while not site.cut:  # noqa: ASYNC110 - what became of the client is a fact
                await asyncio.sleep(0.02)

        assert site.cut == ["slow_reader"]

    on_uvloop(check)


def test_requests_that_are_answered_before_their_bodies_come_are_no_silence() -> None:
    async def check() -> None:
        site = Site()  # it answers without reading what was sent
        began = asyncio.get_running_loop().time()
        async with site.client() as client:
            while asyncio.get_running_loop().time() < began + 5 * LIMITS.header_timeout:
                await client.send(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n")
                await client.until(b"hello")
                await client.send(b"body")
                await asyncio.sleep(LIMITS.header_timeout / 4)

        assert site.cut == []

    on_uvloop(check)


def test_a_connection_is_kept_for_the_next_request_for_a_time_and_then_closed() -> None:
    async def check() -> None:
        site = Site(replace(LIMITS, keep_alive_timeout=3.0))
        async with site.client() as client:
            await client.send(GET)
            await client.until(b"hello")
            await asyncio.sleep(LIMITS.header_timeout + LIMITS.linger + 0.1)
            elapsed = stopwatch()
            await client.send(GET)
            await client.until(b"hello")
            await client.rest(10)
            took = elapsed()

        assert 3.0 <= took < 3.0 + LATE
        assert site.cut == []

    on_uvloop(check)


def test_a_body_that_nobody_reads_does_not_go_on_for_ever() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n")
            await client.until(b"hello")
            elapsed = stopwatch()
            sending = asyncio.create_task(client.trickle(b"x" * 100, every=0.05))
            await client.rest()
            took = elapsed()
            await sending

        assert took < LIMITS.header_timeout + LATE

    on_uvloop(check)


# size


TOO_LARGE = {
    b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nhost: x\r\n\r\n": (414, "url_too_long"),
    b"GET /" + b"a" * 500_000: (414, "url_too_long"),
    b"GET / HTTP/1.1\r\nx: " + b"a" * 5000 + b"\r\n\r\n": (431, "headers_too_large"),
    b"GET / HTTP/1.1\r\nx: " + b"a" * 500_000: (431, "headers_too_large"),
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2000 + b"\r\n": (431, "headers_too_large"),
    b"GET / HTTP/1.1\r\n" + b"a" * 500_000: (431, "headers_too_large"),
    CHUNKED + b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * 20_000: (431, "headers_too_large"),
    CHUNKED + b"1\r\nx\r\n0\r\na: " + b"b" * 500_000: (431, "headers_too_large"),
    CHUNKED + b"1;" + b"a" * 500_000: (431, "headers_too_large"),
}


def test_what_is_too_large_is_refused() -> None:
    async def check() -> None:
        site = Site()
        told = await site.refusals(*TOO_LARGE)

        assert told == list(TOO_LARGE.values())

    on_uvloop(check)


def test_the_limit_of_a_head_does_not_depend_on_how_it_is_cut_into_packets() -> None:
    async def check() -> None:
        fits = b"GET /%b HTTP/1.1\r\nhost: x\r\nx: %b\r\n\r\n" % (b"a" * 1000, b"b" * 3000)
        too_large = b"GET /%b HTTP/1.1\r\nhost: x\r\nx: %b\r\n\r\n" % (b"a" * 1000, b"b" * 3100)
        site = Site(replace(LIMITS, header_timeout=5.0))

        async def status(port: int, head: bytes, packets: int) -> bytes:
            size = len(head) // packets + 1
            async with connected(port) as client:
                for at in range(0, len(head), size):
                    await client.send(head[at : at + size])
                    await asyncio.sleep(0.005)
                return (await client.until(b"\r\n"))[9:12]

        async with site.open() as port:
            told = [
                await asyncio.gather(*(status(port, head, packets) for packets in (1, 2, 7, 50)))
                for head in (fits, too_large)
            ]

        assert told == [[b"200"] * 4, [b"431"] * 4]

    on_uvloop(check)


def test_a_large_body_behind_a_small_head_is_read() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            await client.send(POST + b"content-length: 300000\r\n\r\n" + b"x" * 300_000 + GET)
            await client.until(b"\r\n\r\n")
            received = await client.reader.readexactly(300_000)

            assert received == b"x" * 300_000
            assert await client.until(b"hello")

    on_uvloop(check)


# shape


BROKEN = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"hello there, how are you?\r\n\r\n",
    b"GET / HTTP/3.7\r\nhost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"get / HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\nhost: x\n\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx : y\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: y\r\n z\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: a\x00b\r\n\r\n",
    b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET http://x/ HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx: y\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n",
    POST + b"content-length: -1\r\n\r\nhello",
    POST + b"content-length: +5\r\n\r\nhello",
    POST + b"content-length: 0x5\r\n\r\nhello",
    POST + b"content-length: 5, 5\r\n\r\nhello",
    POST + b"content-length: \r\n\r\nhello",
    POST + b"content-length: 99999999999999999999999\r\n\r\nhello",
    POST + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
    POST + b"content-length: 5\r\ncontent-length: 0\r\n\r\nhello",
    POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    POST + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
    CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n",
    CHUNKED + b"1 \r\nx\r\n0\r\n\r\n",
    CHUNKED + b"1\nx\r\n0\r\n\r\n",
    CHUNKED + b"1\r\nxy\r\n0\r\n\r\n",
    CHUNKED + b"1;a\nb\r\nx\r\n0\r\n\r\n",
]


def test_what_is_no_request_or_might_be_two_is_refused() -> None:
    async def check() -> None:
        site = Site()
        told = await site.refusals(*BROKEN)

        assert [
            request for request, refused in zip(BROKEN, told, strict=True) if refused != (400, "malformed_request")
        ] == []
        assert site.cut == ["malformed_request"] * len(BROKEN)

    on_uvloop(check)


def test_an_old_request_needs_no_host() -> None:
    async def check() -> None:
        assert (await Site().answer_to(b"GET / HTTP/1.0\r\n\r\n")).endswith(b"hello")

    on_uvloop(check)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://x", "/"),
        (b"http://x?a=b", "/"),
        (b"HTTP://x:80?a/b", "/"),
        (b"http://x/", "/"),
        (b"http://x/a?http://y", "/a"),
        (b"*", "*"),
        (b"//x?y", "//x"),
    ],
)
def test_a_whole_url_is_read_and_an_empty_path_is_the_root(target: bytes, path: str) -> None:
    async def check() -> None:
        site = Site()
        head = b"OPTIONS %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" % target

        for offer in (b"", b"connection: upgrade\r\nupgrade: h2c\r\n"):
            assert (await site.answer_to(head + offer + b"\r\n")).endswith(b"hello")
        assert site.asked == [path] * 2

    on_uvloop(check)


@pytest.mark.parametrize("url", [b"a" * 32_000 + b"://h/x", b"a" * 32_000, b"a://" + b"h" * 32_000 + b"/"])
def test_a_long_url_costs_one_look_at_it(url: bytes) -> None:
    def quickest(url: bytes) -> float:
        def once() -> float:
            began = time.process_time()
            assert BEFORE_EMPTY_PATH.sub(rb"\g<0>/", url, 1) == url
            return time.process_time() - began

        return min(once() for _ in range(5))

    half = url.replace(b"aa", b"a").replace(b"hh", b"h")

    assert quickest(url) < 3 * quickest(half) + 0.001  # beginning anew at each letter is four times as long, and 800 ms


def test_every_answer_says_what_browsers_may_not_do_with_it() -> None:
    async def check() -> None:
        site = Site()
        for request in (b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"garbage"):
            head = (await site.answer_to(request)).partition(b"\r\n\r\n")[0]
            fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])

            assert {name.encode(): fields.get(name.encode()) for name in SECURITY} == {
                name.encode(): value.encode() for name, value in SECURITY.items()
            }

    on_uvloop(check)


def test_behind_what_is_refused_nothing_is_read() -> None:
    async def check() -> None:
        site = Site()
        unclear = POST + b"content-length: 5\r\ncontent-length: 0\r\n\r\nhello"

        assert refusal(await site.answer_to(unclear, GET)) == (400, "malformed_request")
        assert site.asked == []

    on_uvloop(check)


def test_trailers_are_no_headers() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            head = b"POST /fields HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
            await client.send(head + b"1\r\nx\r\n0\r\nx-forwarded-for: 6.6.6.6\r\nhost: y\r\n\r\n")
            received = await client.until(b"}")

        assert json.loads(received.partition(b"\r\n\r\n")[2]) == {"host": "x", "transfer-encoding": "chunked"}

    on_uvloop(check)


@pytest.mark.parametrize("apart", [True, False])
def test_an_offered_upgrade_is_passed_over_and_the_body_behind_it_is_a_body(apart: bool) -> None:
    async def check() -> None:
        site = Site()
        body = b"the body\r\n\r\n"
        offer = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
        head = POST + offer + b"content-length: %d\r\n\r\n" % len(body)
        async with site.client() as client:
            for packet in (head, body) if apart else (head + body,):
                await client.send(packet)
                await asyncio.sleep(0.02)
            await client.until(body)
            await client.send(GET)
            await client.until(b"hello")

        assert site.asked == ["/echo", "/"]

    on_uvloop(check)


def test_a_request_that_offers_an_upgrade_and_closes_is_answered_and_closed() -> None:
    async def check() -> None:
        offer = b"GET /fields HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
        received = await Site().answer_to(offer)

        assert json.loads(received.partition(b"\r\n\r\n")[2]) == {"host": "x", "connection": "close"}

    on_uvloop(check)


# one after the other


def test_pipelined_requests_are_answered_in_order() -> None:
    async def check() -> None:
        site = Site()
        async with site.client() as client:
            bodies = [b"first", b"second", b"third"]
            await client.send(b"".join(POST + b"content-length: %d\r\n\r\n%b" % (len(b), b) for b in bodies) + GET)
            received = await client.until(b"hello")

        assert [received.index(body) for body in bodies] == sorted(received.index(body) for body in bodies)
        assert site.cut == []

    on_uvloop(check)


def test_of_too_many_pipelined_requests_the_first_are_answered_and_then_it_ends() -> None:
    async def check() -> None:
        site = Site()
        received = await site.answer_to(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + GET * 1000)

        assert received.count(b"HTTP/1.1 200 OK") == received.count(b"hello") == 1 + LIMITS.max_pipelined
        assert len(site.asked) == 1 + LIMITS.max_pipelined
        assert site.cut == ["too_many_pipelined"]

    on_uvloop(check)


def test_garbage_behind_a_request_does_not_come_before_its_answer() -> None:
    async def check() -> None:
        site = Site()
        received = await site.answer_to(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + GET + b"garbage")

        assert received.count(b"HTTP/1.1 200 OK") == received.count(b"hello") == 2
        assert received.endswith(b"hello")
        assert site.cut == ["malformed_request"]

    on_uvloop(check)


def test_an_application_learns_that_its_client_is_gone_even_when_more_was_asked_behind() -> None:
    async def check() -> None:
        site = Site()
        async with site.open() as port:
            async with connected(port) as client:
                await client.send(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n" + GET)
                await client.until(b"xxx")
            while not site.gone:  # noqa: ASYNC110 - what the application heard is a fact
                await asyncio.sleep(0.02)

        assert site.gone == ["/endless"]
        assert site.asked == ["/endless"]

    on_uvloop(check)


def test_a_process_leaves_files_for_others_than_clients() -> None:
    assert 64 <= room_for_connections() <= 65_536
