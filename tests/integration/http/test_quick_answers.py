"""What is answered quickly and what is not, and that nobody can tell but by the time it takes."""

import asyncio
import gc
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC
from random import getrandbits
from typing import Any

import pytest

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.quick_protocol import QuickProtocol, quick_protocol
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.quick_search import QuickSearch
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.domain.plans import searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.integration.http.test_slow_clients import BROKEN
from tests.support.builders import a_plan
from tests.support.raw_client import connected, on_uvloop, served
from tests.support.search_index import tag_of
from tests.support.wires import Wires

LIMITS = ConnectionLimits(max_header_bytes=4096, max_pipelined=8)
EVENING = b"starts_at=2021-06-30T00:00:00Z&ends_at=2021-07-02T00:00:00Z"
FIELDS = b"Host: x\r\n"
SEARCH = b"GET /search?%b HTTP/1.1\r\n%b\r\n"
USUAL = SEARCH % (EVENING, FIELDS)


def an_index(plans: int = 3) -> LiveIndex:
    index = LiveIndex(RENDERING)
    index.put([searchable(a_plan(number)) for number in range(plans)])
    index.mark_ready()
    return index


@dataclass
class World:
    """Searches, and what became of them."""

    index: LiveIndex = field(default_factory=an_index)
    limits: ConnectionLimits = LIMITS
    traced: Callable[[bytes | None], bool] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Scopes of what was not answered quickly."""
    counted: list[int] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(dict(scope))
        await SearchApp(self._nothing_else, self.index, UTC, self._count, errors=ERRORS)(scope, receive, send)

    async def _nothing_else(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def _count(self, status: int, _seconds: float) -> None:
        self.counted.append(status)

    def protocol(self) -> type[QuickProtocol]:
        quick = QuickSearch(self.index, UTC, self._count, is_traced=self.traced)
        return quick_protocol(quick, self.limits, self.cut.append, self.forwarded.append)

    async def told(self, *packets: bytes) -> bytes:
        """Send packets on one connection; everything is answered before the next one."""
        wires = Wires(self, self.protocol())
        protocol, transport = wires.connect()
        for packet in packets:
            protocol.data_received(packet)
            await wires.settle()
        protocol.connection_lost(None)
        return bytes(transport.written)


async def test_a_usual_search_makes_no_scope_and_is_counted() -> None:
    world = World()

    told = await world.told(USUAL, USUAL, SEARCH % (b"", FIELDS))

    assert told.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert told.count(b'"id":') == 9
    assert (world.asked, world.counted) == ([], [200] * 3)


@pytest.mark.parametrize(
    "request_",
    [
        USUAL * 2,
        SEARCH % (b"starts_at=now", FIELDS),
        SEARCH % (b"starts_at=2021-02-30T00:00:00Z", FIELDS),
        SEARCH % (b"as_of=2021-02-01T00:00:00Z", FIELDS),
        SEARCH % (b"%61s_of=2021-02-01T00:00:00Z", FIELDS),
        SEARCH % (b"limit=5", FIELDS),
        SEARCH % (b"x=" + b"y" * 3000, FIELDS),
        SEARCH % (EVENING, FIELDS + b"Connection: close\r\n"),
        SEARCH % (EVENING, FIELDS + b"Origin: https://x.example\r\n"),
        USUAL.replace(b"GET", b"HEAD"),
        USUAL.replace(b"HTTP/1.1", b"HTTP/1.0"),
        USUAL.replace(b"/search", b"http://x/search"),
        USUAL.replace(b"/search", b"/searching"),
        USUAL.replace(b"/search", b"/%73earch"),
    ],
)
async def test_what_is_not_usual_goes_to_the_application(request_: bytes) -> None:
    world = World()

    told = await world.told(request_)

    assert len(world.asked) == told.count(b"HTTP/1.1 ") > 0


async def test_before_the_catalog_is_loaded_the_application_says_so() -> None:
    world = World(index=LiveIndex(RENDERING))

    assert b'"code":"catalog_not_loaded"' in await world.told(USUAL)
    assert world.counted == [500]


async def test_a_large_answer_is_the_applications_to_send_bit_by_bit() -> None:
    world = World(index=an_index(300))

    told = await world.told(USUAL)

    assert told.count(b'"id":') == 300
    assert len(world.asked) == 1


async def test_what_fails_here_fails_there_in_words() -> None:
    world = World()
    world.index.index = None  # type: ignore[assignment]  # a bug

    assert b'"code":"internal_error"' in await world.told(USUAL)
    assert world.counted == [500]


async def test_an_id_is_taken_over_if_it_is_proper_and_a_client_that_has_the_answer_gets_304() -> None:
    world = World()
    tag = tag_of(world.index)
    ids = (
        b"X-Request-ID: first\r\n",
        b"X-Request-ID: second\r\n",
        b"X-Request-ID: a b\r\n",
        b"",
        b"x-request-id:\tc-3 \r\n",
    )

    told = await world.told(
        *(SEARCH % (EVENING, FIELDS + own) for own in ids),
        SEARCH % (EVENING, FIELDS + b"If-None-Match: W/%b\r\n" % tag),
    )

    found = [line for line in told.split(b"\r\n") if line.startswith(b"x-request-id: ")]
    assert [found[0], found[1], found[4]] == [b"x-request-id: " + own for own in (b"first", b"second", b"c-3")]
    assert len({found[2], found[3]}) == 2
    assert told.endswith(b"etag: %b\r\nvary: accept-encoding\r\n%b\r\n\r\n" % (tag, found[5]))
    assert b"HTTP/1.1 304 Not Modified\r\n" in told
    assert (world.asked, world.counted) == ([], [200] * 5 + [304])


async def test_nothing_overtakes_a_request_that_is_in_hand() -> None:
    world = World()
    wires = Wires(world, world.protocol())
    protocol, transport = wires.connect()

    protocol.data_received(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    protocol.data_received(USUAL)
    assert transport.written == b""
    await wires.settle()
    protocol.data_received(USUAL)

    assert bytes(transport.written).split(b"\r\n")[0] == b"HTTP/1.1 404 Not Found"
    assert transport.written.count(b"HTTP/1.1 200 OK") == 2
    assert [scope["path"] for scope in world.asked] == ["/slow", "/search"]


async def test_what_was_answered_in_this_turn_leaves_before_a_quick_answer() -> None:
    world = World()
    wires = Wires(world, world.protocol())
    protocol, transport = wires.connect()
    protocol.transport.write(b"(held)")

    protocol.data_received(USUAL)
    await asyncio.sleep(0)

    assert transport.written.startswith(b"(held)HTTP/1.1 200 OK")


async def test_a_search_in_single_bytes_is_answered_as_one_in_one_piece() -> None:
    world, whole = World(), World()
    own = SEARCH % (EVENING, FIELDS + b"X-Request-ID: own\r\n")

    told = await world.told(*(own[at : at + 1] for at in range(len(own))), own)

    assert told == await whole.told(own) * 2
    assert (len(world.asked), len(whole.asked)) == (1, 0)


@pytest.mark.parametrize("before", [b"", USUAL])
async def test_what_might_be_two_requests_is_refused_as_it_was(before: bytes) -> None:
    """The shapes that the ordinary way refuses, as searches, alone and on a connection that was answered quickly."""
    world, ordinary = World(), World()
    broken = [shape.replace(b"GET / ", b"GET /search?%b " % EVENING) for shape in BROKEN]
    broken += [USUAL[:-2] + shape.partition(b"\r\n")[2].partition(b"\r\n")[2] for shape in BROKEN if b"POST" in shape]
    broken += [
        USUAL[:-2] + more + b"\r\n" + USUAL for more in (b"Content-Length: 5, 5\r\n", b"X: y\r\n z\r\n", b"Host: y\r\n")
    ]
    wires = Wires(world, world.protocol()), Wires(ordinary, timeout_protocol(LIMITS))

    for shape in broken:
        told = []
        for one in wires:
            protocol, transport = one.connect()
            for packet in (before, shape) if before else (shape,):
                protocol.data_received(packet)
                await one.settle()
            told.append(
                (bytes(transport.written).partition(b'"error":null}')[2], transport.closed, transport.has_ended)
            )
            protocol.connection_lost(None)

        assert told[0] == told[1], shape
    assert len(world.cut) >= len(BROKEN)


async def test_a_smuggled_request_is_never_answered_quickly() -> None:
    """A body that looks like a search is a body, however its packets are cut."""
    body = USUAL
    post = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    chunked = b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chance = random.Random(1)
    for sent in (post + body, chunked + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)):
        for _ in range(50):
            at = chance.randrange(1, len(sent))
            for packets in ((sent[:at], sent[at:]), (sent[: len(post)], sent[len(post) :]), (sent[: -len(body)], body)):
                world = World()

                assert (await world.told(*packets)).count(b"HTTP/1.1 ") <= 1
                assert world.counted == []


async def test_a_chosen_request_is_traced_and_nobody_chooses_twice() -> None:
    chosen: list[bytes | None] = []

    def choose(traceparent: bytes | None) -> bool:
        chosen.append(traceparent)
        return traceparent is not None

    world = World(traced=choose)

    told = await world.told(USUAL, SEARCH % (EVENING, FIELDS + b"traceparent: 00-1-2-01\r\n"), USUAL)

    assert told.count(b"HTTP/1.1 200 OK") == 3
    assert chosen == [None, b"00-1-2-01", None]
    assert [scope["traced"] for scope in world.asked] == [True]
    assert world.counted == [200] * 3


async def test_a_proxy_is_heard_of_once_and_then_answered_quickly() -> None:
    world = World()
    by_proxy = SEARCH % (EVENING, FIELDS + b"X-Forwarded-For: 192.0.2.1\r\n")

    await world.told(USUAL, by_proxy, by_proxy)

    assert (world.forwarded, len(world.asked)) == (["x-forwarded-for"], 1)


async def test_a_head_beyond_the_limits_is_refused_as_it_was() -> None:
    world = World(limits=replace(LIMITS, max_headers=5))

    assert b" 431 " in await world.told(SEARCH % (EVENING, FIELDS * 1 + b"X: y\r\n" * 5))
    assert b" 431 " in await world.told(SEARCH % (EVENING, FIELDS + b"X: %b\r\n" % (b"y" * 5000)))
    assert world.counted == []


def test_asking_on_without_taking_anything_makes_nothing_grow() -> None:
    async def check() -> None:
        made: list[QuickProtocol] = []
        world = World(index=an_index(200), limits=ConnectionLimits())

        class Noted(world.protocol()):  # type: ignore[misc]  # made for this world
            def connection_made(self, transport: Any) -> None:
                made.append(self)
                super().connection_made(transport)

        async with served(world, Noted) as port, connected(port, receive_buffer=4096) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a read transport
            for _ in range(400):  # 14 MB of answers
                client.writer.write(USUAL)
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.2)
            waiting = made[0].transport.get_write_buffer_size()

        assert waiting < 256 * 1024
        assert len(world.counted) < 100

    on_uvloop(check)


def test_a_connection_that_was_only_answered_quickly_ends_with_the_server() -> None:
    async def check() -> None:
        world = World()
        async with served(world, world.protocol(), drain=20) as port, connected(port) as client:
            await client.send(USUAL)
            await client.until(b'"error":null}')
            ending = asyncio.create_task(client.rest(10))
        assert await ending == b""
        assert world.asked == []

    on_uvloop(check)


async def test_a_connection_that_is_idle_remembers_no_head() -> None:
    world = World()
    wires = Wires(world, world.protocol())
    protocol, _ = wires.connect()
    cookie = b"%x" % getrandbits(128)  # in nothing that another test keeps
    protocol.data_received(SEARCH % (EVENING, FIELDS + b"Cookie: %b\r\n" % cookie))

    protocol.check_timeout(0.1)

    assert not [
        found
        for found in gc.get_objects()
        if type(found) is tuple and any(cookie in o for o in found if type(o) is bytes)
    ]
    protocol.connection_lost(None)
