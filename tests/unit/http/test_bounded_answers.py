"""What one connection has in flight is bounded, however much it has asked for and however little it takes."""

import asyncio
from datetime import UTC
from typing import Any, ClassVar

import pytest

from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.quick_protocol import quick_protocol
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.quick_search import QuickSearch
from app.adapters.inbound.http.search.search_app import PIECE, SearchApp
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.domain.plans import searchable
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.support.asgi import ask
from tests.support.builders import a_plan, a_zone
from tests.support.raw_client import RawClient, connected, on_uvloop, served

LIMITS = ConnectionLimits(write_timeout=20.0)
BOUND = 2 * LIMITS.send_buffer + 256 * 1024
"""Bytes: what the system holds, twice the number that it is told; what waits to be written, and one piece."""
GET = b"GET /search HTTP/1.1\r\nhost: x\r\n\r\n"
PLANS = 3_500


class Counting:
    """Counts the bytes that an application could send, and the requests that reached it."""

    is_quick: ClassVar[bool]

    def __init__(self) -> None:
        self.index = an_index()
        self._app = a_search(self.index)
        self.sent = 0
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1

        async def counting(message: Any) -> None:
            await send(message)
            self.sent += len(message.get("body", b""))

        await self._app(scope, receive, counting)


def an_index() -> LiveIndex:
    """An answer of about 700 kB, which is one of the smaller kind: with its length."""
    index = LiveIndex(RENDERING)
    index.put([searchable(a_plan(number, zones=(a_zone(price="20.50"),))) for number in range(PLANS)])
    index.mark_ready()
    return index


def a_search(index: LiveIndex) -> SearchApp:
    async def nothing_else(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError("only searches are asked")

    return SearchApp(nothing_else, index, UTC, lambda _status, _seconds: None, errors=ERRORS)


@pytest.fixture(params=["ordinary", "quick"], autouse=True)
def way(request: pytest.FixtureRequest) -> None:
    """Ask the application at once, or only after nothing could be answered quickly."""
    Counting.is_quick = request.param == "quick"


def protocol(app: Counting) -> Any:
    if not app.is_quick:
        return timeout_protocol(LIMITS)
    return quick_protocol(QuickSearch(app.index, UTC, lambda _status, _seconds: None), LIMITS)


async def until_still(app: Counting) -> None:
    """Wait until nothing more is sent for a while."""
    seen, since = -1, 0
    while since < 10:
        await asyncio.sleep(0.05)
        since = since + 1 if app.sent == seen and app.sent else 0
        seen = app.sent


async def ask_and_take_nothing(client: RawClient, times: int = 1) -> None:
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a read transport
    await client.send(GET * times)


def test_a_client_who_takes_nothing_of_a_large_answer_holds_little_of_it() -> None:
    async def check() -> None:
        app = Counting()
        async with served(app, protocol(app)) as port, connected(port, receive_buffer=4096) as client:
            await ask_and_take_nothing(client)
            await until_still(app)

            assert app.sent < BOUND

    on_uvloop(check)


def test_asking_more_without_taking_it_brings_no_more() -> None:
    async def check() -> None:
        app = Counting()
        async with served(app, protocol(app)) as port, connected(port, receive_buffer=4096) as client:
            await ask_and_take_nothing(client, times=40)
            await until_still(app)

            assert app.sent < BOUND
            assert app.asked == 1

    on_uvloop(check)


def test_who_takes_it_gets_the_whole_answer_and_the_next() -> None:
    async def check() -> None:
        app = Counting()
        whole = await ask(a_search(an_index()), "/search")
        async with served(app, protocol(app)) as port, connected(port) as client:
            await client.send(GET + GET)
            for _ in range(2):
                head = await client.until(b"\r\n\r\n")
                assert b"content-length: %d\r\n" % len(whole.body) in head
                assert await client.reader.readexactly(len(whole.body)) == whole.body

        assert whole.body.count(b'"id":') == PLANS > PIECE

    on_uvloop(check)
