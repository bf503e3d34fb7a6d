"""One caller's share: of the streams of a process nobody gets so many that there are none for others."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from fastapi import FastAPI

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.changes.change_stream import ChangeStreams
from app.adapters.inbound.http.changes.changes_router import changes_router
from app.adapters.inbound.http.connection.client_address import Network
from app.adapters.inbound.http.connection.head_app import HeadApp
from app.adapters.inbound.http.dashboard.dashboard_router import dashboard_router
from app.adapters.inbound.http.dashboard.dashboard_stream import Viewers
from app.application.read_changes import ReadChanges, WatchLog
from app.domain.access import Principal, Role
from tests.fakes.plan_journal import MemoryPlanLog
from tests.support.dashboard_world import DashboardWorld
from tests.support.journal_world import JournalWorld

PROXY: Sequence[Network] = (ip_network("10.0.0.0/8"),)
ANA, BOB = (Principal(name, Role.READER, f"key:{name}") for name in ("ana", "bob"))


@dataclass
class Place:
    """Where streams are to be had, three for each caller and five for all, and how many there are."""

    api: FastAPI
    path: str
    count: Callable[[], int]
    journal: JournalWorld = field(default_factory=JournalWorld)


def the_change_feed() -> Place:
    world = JournalWorld()
    log = MemoryPlanLog(world.plan_journal)
    read_changes = ReadChanges(log)
    streams = ChangeStreams(read_changes, WatchLog(log, interval=0.02), "/test", most=5, share=3, heartbeat=0.02)
    api = create_api([changes_router(read_changes, streams, "/test", PROXY)], "test")
    return Place(api, "/catalog/changes", lambda: streams.places.count, world)


def the_dashboard() -> Place:
    viewers = Viewers(DashboardWorld().watch, most=5, share=3, interval=0.02)
    return Place(
        create_api([dashboard_router(viewers, PROXY)], "test"), "/dashboard/stream", lambda: viewers.places.count
    )


@pytest.fixture(params=[the_change_feed, the_dashboard], ids=["changes", "dashboard"])
async def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.param()
    return found


class Listener:
    """Somebody with a stream, or without: then they were told why."""

    def __init__(
        self,
        place: Place,
        address: str = "192.0.2.1",
        principal: Principal | None = None,
        *,
        told: str = "",
        method: str = "GET",
        query: str = "",
    ) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self._begun, self._gone = asyncio.Event(), asyncio.Event()
        headers = [(b"accept", b"text/event-stream"), *([(b"x-forwarded-for", told.encode())] if told else [])]
        scope = {"type": "http", "method": method, "path": place.path, "query_string": query.encode()}
        scope |= {"headers": headers, "http_version": "1.1", "root_path": "", "scheme": "http", "server": ("x", 1)}
        known = {"client": (address, 2), "principal": principal}
        self.serving = asyncio.create_task(HeadApp(place.api)({**scope, **known}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message.get("body", b"")
            self._begun.set()

    async def begun(self) -> int:
        async with asyncio.timeout(5):
            await self._begun.wait()
        return self.status

    async def leave(self) -> None:
        self._gone.set()
        async with asyncio.timeout(5):
            await self.serving

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


class Listeners:
    def __init__(self, place: Place) -> None:
        self.place = place
        self.all: list[Listener] = []

    async def come(
        self, count: int, address: str = "192.0.2.1", principal: Principal | None = None, told: str = ""
    ) -> list[int]:
        """Let some come together, and say what they were answered."""
        new = [Listener(self.place, address, principal, told=told) for _ in range(count)]
        self.all += new
        return [await one.begun() for one in new]


@asynccontextmanager
async def listening(place: Place) -> AsyncIterator[Listeners]:
    listeners = Listeners(place)
    try:
        yield listeners
    finally:
        for one in listeners.all:
            await one.leave()


async def test_one_address_has_a_share_and_others_theirs(place: Place) -> None:
    async with listening(place) as listeners:
        assert await listeners.come(4) == [200, 200, 200, 429]
        refused = listeners.all[-1]
        assert (refused.code, refused.headers[b"retry-after"]) == ("too_many_own_streams", b"10")
        assert b"3 streams of yours are open here already: end one, or ask " in refused.body

        assert await listeners.come(3, "192.0.2.2") == [200, 200, 503]  # that is all there are
        assert listeners.all[-1].code in ("too_many_streams", "too_many_viewers")

    assert place.count() == 0


async def test_a_key_has_its_share_from_wherever_it_comes(place: Place) -> None:
    async with listening(place) as listeners:
        assert await listeners.come(2, "192.0.2.1", ANA) == [200, 200]
        assert await listeners.come(2, "192.0.2.2", ANA) == [200, 429]
        assert await listeners.come(1, "192.0.2.2", BOB) == [200]
        assert await listeners.come(1, "192.0.2.2") == [200]


async def test_behind_a_trusted_proxy_each_client_has_a_share_and_elsewhere_nobody_believes_one(place: Place) -> None:
    async with listening(place) as listeners:
        assert await listeners.come(4, "10.1.2.3", told="198.51.100.1") == [200, 200, 200, 429]
        assert await listeners.come(1, "10.1.2.3", told="198.51.100.2") == [200]
    async with listening(place) as listeners:
        assert await listeners.come(3, "192.0.2.1") == [200, 200, 200]
        assert await listeners.come(1, "192.0.2.1", told="198.51.100.2") == [429]


async def test_who_leaves_may_come_again(place: Place) -> None:
    async with listening(place) as listeners:
        await listeners.come(4)
        for _ in range(3):
            await listeners.all.pop(0).leave()
            assert await listeners.come(2) == [200, 429]


async def test_who_asks_for_the_head_alone_keeps_no_place(place: Place) -> None:
    async with listening(place) as listeners:
        for _ in range(10):
            head = Listener(place, method="HEAD")
            assert await head.begun() == 200
            await head.leave()

        assert place.count() == 0
        assert await listeners.come(3) == [200, 200, 200]


async def test_a_stream_that_is_cut_off_gives_its_place_back(place: Place) -> None:
    async with listening(place) as listeners:
        await listeners.come(3)
        for one in listeners.all:
            one.serving.cancel()
        await asyncio.gather(*(one.serving for one in listeners.all), return_exceptions=True)
        listeners.all.clear()

        assert place.count() == 0
        assert await listeners.come(3) == [200, 200, 200]


async def test_a_stream_of_changes_that_could_not_begin_costs_nothing_of_a_share() -> None:
    place = the_change_feed()
    async with listening(place) as listeners:
        for _ in range(5):
            lost = Listener(place, query="after=999999999999999999-00000000")
            assert await lost.begun() == 400
            await lost.leave()
        place.journal.plan_journal.unavailable = "away"
        assert [await listeners.come(1) for _ in range(5)] == [[503]] * 5
        place.journal.plan_journal.unavailable = None

        assert await listeners.come(3) == [200, 200, 200]


async def test_the_shares_are_an_eighth() -> None:
    world = JournalWorld()
    log = MemoryPlanLog(world.plan_journal)
    streams = ChangeStreams(ReadChanges(log), WatchLog(log, interval=0.02), "/test", heartbeat=0.02)
    viewers = Viewers(DashboardWorld().watch, interval=0.02)
    api = create_api([changes_router(ReadChanges(log), streams, "/test"), dashboard_router(viewers)], "test")
    async with (
        listening(Place(api, "/catalog/changes", lambda: streams.places.count)) as apps,
        listening(Place(api, "/dashboard/stream", lambda: viewers.places.count)) as people,
    ):
        assert (await apps.come(26)).count(200) == 25
        assert (await people.come(13)).count(200) == 12
