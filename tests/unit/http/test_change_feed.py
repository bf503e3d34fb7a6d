"""The change feed: a client that knows only its description ends with the catalog as search shows it, come what may."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.changes.change_stream import ChangeStreams
from app.adapters.inbound.http.changes.changes_router import changes_router
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.read_changes import ReadChanges, WatchLog
from app.domain.plans import Plan
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.plan_journal import MemoryPlanLog
from tests.support.asgi import Sent, ask
from tests.support.builders import a_plan, a_zone
from tests.support.change_feed_client import ChangeFeedClient
from tests.support.journal_world import JournalWorld
from tests.support.raw_client import connected, served

STREAM = ((b"accept", b"text/event-stream"),)
LOOK = 0.02


class CountingLog(MemoryPlanLog):
    """Counts how often its end was asked for, and what was read."""

    heads = reads = 0
    takes = 0.0
    """Seconds of a read."""

    async def head(self) -> int:
        self.heads += 1
        return await super().head()

    async def read(self, after: int, limit: int) -> Any:
        self.reads += 1
        await asyncio.sleep(self.takes)
        return await super().read(after, limit)


class Site:
    """The feed and the search of one world."""

    def __init__(self, *, most: int = 200, heartbeat: float = 15.0) -> None:
        self.world = JournalWorld()
        self.log = CountingLog(self.world.plan_journal)
        self.index = LiveIndex(RENDERING)
        self.index.mark_ready()
        self.watch = WatchLog(self.log, interval=LOOK)
        read_changes = ReadChanges(self.log)
        self.streams = ChangeStreams(read_changes, self.watch, "/test", most=most, heartbeat=heartbeat)
        self.api = create_api([changes_router(read_changes, self.streams, "/test")], "test")
        self.app = SearchApp(self.api, self.index, ZoneInfo("UTC"), lambda _status, _seconds: None, errors=ERRORS)

    async def sync_with(self, *plans: Plan) -> None:
        await self.world.sync_with(*plans)
        await self.world.journal_changes()
        await self.index.load(self.world.log.searchable("demo"))

    async def get(self, query: str = "", *headers: tuple[bytes, bytes]) -> Sent:
        return await ask(self.api, "/catalog/changes", query.encode(), headers)

    async def page(self, query: str = "") -> Any:
        sent = await self.get(query)
        assert (sent.status, sent.headers[b"content-type"]) == (200, b"application/json"), sent.body
        return json.loads(sent.body)

    async def refusal(self, query: str = "", *headers: tuple[bytes, bytes]) -> tuple[int, str]:
        sent = await self.get(query, *headers)
        return sent.status, json.loads(sent.body)["error"]["code"]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[ChangeFeedClient]:
        async with (
            served(self.app, timeout_protocol(ConnectionLimits()), on_shutdown=self.watch.stop) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http,
        ):
            yield ChangeFeedClient(http)


async def found_by_search(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/search")
    return {plan["id"]: plan for plan in answer.json()["data"]["events"]}


async def until_none_streams(site: Site) -> None:
    async with asyncio.timeout(5):
        while site.streams.places.count:  # noqa: ASYNC110 - how many there are is a fact
            await asyncio.sleep(0.01)


async def until_seen(client: ChangeFeedClient, count: int) -> None:
    async with asyncio.timeout(10):
        while len(client.seen) < count:  # noqa: ASYNC110 - what came is a fact
            await asyncio.sleep(0.01)


async def some_changes(site: Site) -> None:
    """Make seven: two listed, one changed, one withdrawn, one returned, one never online, and that one online."""
    await site.sync_with(a_plan(1), a_plan(2))
    await site.sync_with(a_plan(1, title="new"))
    await site.sync_with(a_plan(1, title="new"), a_plan(2), a_plan(3, sell_mode="offline"))
    await site.sync_with(a_plan(1, title="new"), a_plan(2), a_plan(3))


# pages


async def test_a_page_says_what_became_of_the_plans_in_order() -> None:
    site = Site()
    plan = a_plan(zones=(a_zone(price="15.00"), a_zone(price="20.10")))
    await site.sync_with(plan)
    await site.sync_with(a_plan(2))

    sent = await site.get()
    page = json.loads(sent.body)

    listed, _, withdrawn = page["changes"]
    plan_id = str(plan.key.plan_id)
    assert (listed["type"], listed["subject"], listed["source"]) == (
        "marquee.plan.listed.v1",
        f"plans/{plan_id}",
        "/test",
    )
    assert {name: listed["data"][name] for name in ("id", "changes", "in_feed", "searchable")} == {
        "id": plan_id,
        "changes": ["listed"],
        "in_feed": True,
        "searchable": True,
    }
    assert (withdrawn["data"]["changes"], withdrawn["data"]["in_feed"]) == (["withdrawn"], False)
    assert withdrawn["data"]["searchable"] is True  # search goes on to find it
    assert withdrawn["data"]["plan"] == listed["data"]["plan"]
    assert b'"max_price":20.10' in sent.body
    assert page["has_more"] is False
    assert sent.headers[b"cache-control"] == b"no-store"


async def test_an_empty_catalog_has_an_empty_page_whose_cursor_is_good() -> None:
    site = Site()

    empty = await site.page()
    await site.sync_with(a_plan())

    assert (empty["changes"], empty["has_more"]) == ([], False)
    assert len((await site.page(f"after={empty['cursor']}"))["changes"]) == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
async def test_pages_of_every_size_give_the_same_sequence(limit: int) -> None:
    site = Site()
    await some_changes(site)
    whole = (await site.page("limit=1000"))["changes"]
    found, cursor, more = [], "", True

    while more:
        page = await site.page(f"after={cursor}&limit={limit}")
        assert len(page["changes"]) <= limit
        found += page["changes"]
        cursor, more = page["cursor"], page["has_more"]

    assert found == whole
    assert [change["data"]["changes"] for change in whole] == [
        ["listed"], ["listed"], ["changed"], ["withdrawn"], ["returned"], ["listed"], ["changed", "went_online"],
    ]  # fmt: skip


async def test_from_every_position_the_rest_of_the_sequence_follows() -> None:
    site = Site()
    await some_changes(site)
    whole = (await site.page())["changes"]
    cursors = [(await site.page(f"limit={count}"))["cursor"] for count in range(1, len(whole) + 1)]

    rests = [(await site.page(f"after={cursor}"))["changes"] for cursor in cursors]

    assert rests == [whole[count:] for count in range(1, len(whole) + 1)]


@pytest.mark.parametrize("cursor", ["-1", "1", "abc", "1-xyz", "01-00000000", "1-0000000g", "0-00000000", "9" * 100])
async def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    site = Site()

    assert await site.refusal(f"after={cursor}") == (400, "invalid_cursor")
    assert await site.refusal("", (b"last-event-id", cursor.encode()), *STREAM) == (400, "invalid_cursor")
    assert await site.refusal(f"after={cursor}", (b"last-event-id", b"0")) == (400, "invalid_cursor")


async def test_a_cursor_that_this_history_does_not_know_is_refused() -> None:
    site = Site()
    await some_changes(site)

    for cursor in ("8-00000000", "3-00000000", "999999999999999999-00000000"):
        assert await site.refusal(f"after={cursor}") == (400, "unknown_cursor")
        assert await site.refusal(f"after={cursor}", *STREAM) == (400, "unknown_cursor")


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", ""])
async def test_what_is_no_limit_is_refused(limit: str) -> None:
    assert await Site().refusal(f"limit={limit}") == (400, "invalid_request")


async def test_while_the_history_is_away_it_is_503_before_the_first_byte() -> None:
    site = Site()
    site.world.plan_journal.unavailable = "away"

    for headers in ((), STREAM):
        sent = await site.get("", *headers)

        assert (sent.status, json.loads(sent.body)["error"]["code"]) == (503, "history_unavailable")
        assert sent.headers[b"retry-after"]


@pytest.mark.parametrize(
    "accept", [b"*/*", b"application/json", b"application/json, text/event-stream", b"text/html", b""]
)
async def test_who_does_not_like_a_stream_better_gets_a_page(accept: bytes) -> None:
    sent = await Site().get("", (b"accept", accept))

    assert sent.headers[b"content-type"] == b"application/json"


# streams


async def test_a_stream_tells_what_was_and_what_comes() -> None:
    site = Site()
    await some_changes(site)
    async with site.client() as client:
        listening = asyncio.create_task(client.listen(9))
        await until_seen(client, 7)
        await site.sync_with(a_plan(9), a_plan(8))  # and with the others gone
        await listening

        whole = (await site.page())["changes"]
        assert client.seen == [change["id"] for change in whole[:9]]


async def test_a_stream_goes_on_behind_the_last_message_wherever_it_was_cut() -> None:
    site = Site()
    await some_changes(site)
    whole = [change["id"] for change in (await site.page())["changes"]]
    async with site.client() as client:
        for _ in range(len(whole)):
            await client.listen(1)

        assert client.seen == whole


async def test_pages_and_streams_have_the_same_cursors() -> None:
    site = Site()
    await some_changes(site)
    async with site.client() as client:
        await client.listen(3)
        await client.read_pages(limit=2, most=1)
        await client.listen(2)

        assert client.seen == [change["id"] for change in (await site.page())["changes"]]


async def test_the_last_id_wins_over_the_cursor_of_the_url() -> None:
    site = Site()
    await some_changes(site)
    third = (await site.page("limit=3"))["cursor"]

    sent = await site.get("after=0", (b"last-event-id", third.encode()))

    assert len(json.loads(sent.body)["changes"]) == 4


async def test_what_is_streamed_is_what_the_standard_says() -> None:
    site = Site(heartbeat=0.1)
    await site.sync_with(a_plan(title="two\nlines\u2028and more"))
    async with (
        served(site.app, timeout_protocol(ConnectionLimits()), on_shutdown=site.watch.stop) as port,
        connected(port) as client,
    ):
        await client.send(b"GET /catalog/changes HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n")
        head = await client.until(b"\r\n\r\n")
        body = await client.until(b"\n:\n")

    assert b"\r\ncache-control: no-store\r\n" in head
    assert b"\r\nx-accel-buffering: no\r\n" in head
    assert b"\r\ncontent-type: text/event-stream" in head
    assert b"retry: 2000\n\r\n" in body
    message = next(part for part in body.split(b"\n\n") if b"data: " in part)
    fields = [line.partition(b": ")[0].rpartition(b"\n")[2] for line in message.split(b"\r\n")[-1].split(b"\n")]
    assert fields == [b"id", b"event", b"data"]


async def test_all_streams_together_ask_once_and_read_once() -> None:
    site = Site()
    await site.sync_with(a_plan(1))
    async with site.client() as first:
        clients = [ChangeFeedClient(first.http) for _ in range(20)]
        began = asyncio.get_running_loop().time()
        listening = [asyncio.create_task(client.listen(2)) for client in clients]
        for client in clients:
            await until_seen(client, 1)
        await asyncio.sleep(0.3)
        heads, reads = site.log.heads, site.log.reads
        looked_for = asyncio.get_running_loop().time() - began
        await site.sync_with(a_plan(1), a_plan(2))
        await asyncio.gather(*listening)

    assert heads <= looked_for / LOOK + 2
    assert reads <= 2  # a stream may have come while the page for the others was not yet there
    assert site.log.reads - reads == 1


async def test_without_streams_nothing_is_asked() -> None:
    site = Site()
    async with site.client() as client:
        await site.sync_with(a_plan(1))
        await client.listen(1)
        await until_none_streams(site)
        await asyncio.sleep(2 * LOOK)
        asked = site.log.heads

        await asyncio.sleep(10 * LOOK)

        assert site.log.heads == asked


async def test_only_so_many_stream_at_a_time_and_a_place_is_free_again_when_one_goes() -> None:
    site = Site(most=2)
    await site.sync_with(a_plan(1))
    async with site.client() as client:
        async with client.http.stream("GET", "/catalog/changes", headers={"accept": "text/event-stream"}):
            async with client.http.stream("GET", "/catalog/changes", headers={"accept": "text/event-stream"}):
                refused = await client.http.get("/catalog/changes", headers={"accept": "text/event-stream"})
                assert len((await client.page(10))["changes"]) == 1  # pages are to be had
            async with asyncio.timeout(5):
                while site.streams.places.count > 1:  # noqa: ASYNC110 - how many there are is a fact
                    await asyncio.sleep(0.01)
            await client.listen(1)

        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
        await until_none_streams(site)


async def test_only_so_many_stream_also_when_they_come_together() -> None:
    site = Site(most=3)
    site.log.takes = 0.1
    answered: list[int] = []
    async with site.client() as client:

        async def listen() -> None:
            async with client.http.stream("GET", "/catalog/changes", headers={"accept": "text/event-stream"}) as answer:
                answered.append(answer.status_code)
                while len(answered) < 20:  # noqa: ASYNC110 - until all have one
                    await asyncio.sleep(0.01)

        await asyncio.gather(*(listen() for _ in range(20)))
        await until_none_streams(site)

    assert sorted(answered) == [200] * 3 + [503] * 17


async def test_a_stream_that_could_not_begin_takes_no_place() -> None:
    site = Site(most=1)
    async with site.client() as client:
        for _ in range(3):
            assert await site.refusal("after=999999999999999999-00000000", *STREAM) == (400, "unknown_cursor")
        site.world.plan_journal.unavailable = "away"
        for _ in range(3):
            assert await site.refusal("", *STREAM) == (503, "history_unavailable")
        site.world.plan_journal.unavailable = None
        await site.sync_with(a_plan(1))
        await client.listen(1)

        assert len(client.seen) == 1


async def test_when_the_history_goes_away_a_stream_ends_and_later_goes_on() -> None:
    site = Site()
    await some_changes(site)
    async with site.client() as client:
        listening = asyncio.create_task(client.listen(100))
        await until_seen(client, 7)
        site.world.plan_journal.unavailable = "away"
        async with asyncio.timeout(5):
            await listening  # it ended as an answer ends, not broken off
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            await client.listen(1)
        site.world.plan_journal.unavailable = None
        await site.sync_with(a_plan(1))
        await client.listen(1)

        whole = [change["id"] for change in (await site.page())["changes"]]
        assert client.seen == whole[: len(client.seen)]
        assert len(client.seen) == 8


async def test_a_stream_ends_once_it_would_not_be_let_in_any_more() -> None:
    site = Site()
    await some_changes(site)
    admitted = True

    async def stays() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def guarded(scope: Scope, _: Receive, send: Send) -> None:
        scope["still_admitted"] = lambda: admitted
        await site.api(scope, stays, send)

    sending = asyncio.create_task(ask(guarded, "/catalog/changes", headers=((b"accept", b"text/event-stream"),)))
    await asyncio.sleep(0.2)
    assert (sending.done(), site.streams.places.count) == (False, 1)
    admitted = False

    async with asyncio.timeout(5):
        sent = await sending
    assert b"\nid: " in sent.body
    assert site.streams.places.count == 0


async def test_a_server_that_ends_does_not_wait_for_streams() -> None:
    site = Site()
    await some_changes(site)
    async with served(site.app, timeout_protocol(ConnectionLimits()), drain=20, on_shutdown=site.watch.stop) as port:
        client = ChangeFeedClient(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10))
        listening = asyncio.create_task(client.listen(100))
        await until_seen(client, 7)
        began = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - began < 5
    await listening  # it ended as an answer ends, not broken off
    await client.http.aclose()
    assert len(client.seen) == 7


async def test_a_client_that_hangs_up_is_noticed_also_when_it_asked_more_behind() -> None:
    site = Site()
    async with served(site.app, timeout_protocol(ConnectionLimits()), on_shutdown=site.watch.stop) as port:
        async with connected(port) as client:
            stream = b"GET /catalog/changes HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n"
            await client.send(stream + b"GET /search HTTP/1.1\r\nhost: x\r\n\r\n")
            await client.until(b"retry: 2000\n")
            assert site.streams.places.count == 1

        await until_none_streams(site)


# the whole


@pytest.mark.parametrize("seed", range(6))
async def test_a_client_ends_with_the_catalog_as_search_shows_it(seed: int) -> None:
    random = Random(seed)
    site = Site()
    async with site.client() as client:
        for _ in range(25):
            await site.sync_with(*some_plans(random))
            await read_somehow(client, random)
        late = ChangeFeedClient(client.http)
        for each in (client, late):
            await each.read_pages(limit=random.choice([1, 7, 1000]))

        shown = await found_by_search(client.http)
        assert shown
        assert client.plans == late.plans == shown
        assert list(dict.fromkeys(client.seen)) == late.seen  # in order; some twice


def some_plans(random: Random) -> list[Plan]:
    return [
        a_plan(
            item,
            title=random.choice(["one", "two", 'three "quoted"\n']),
            sell_mode=random.choice(["online", "offline"]),
            ends=random.choice(["21:00", "22:30"]),
            zones=random.choice([(), (a_zone(price="15.00"), a_zone(price="20.10", capacity=random.choice([0, 5])))]),
        )
        for item in random.sample(range(12), random.randrange(13))
    ]


async def read_somehow(client: ChangeFeedClient, random: Random) -> None:
    """Read on for a while; the client may die before it has kept what it read."""
    kept = dict(client.plans), client.cursor
    how = random.randrange(4)
    if how == 0:
        await client.read_pages(limit=random.choice([1, 3, 100]), most=random.randrange(4))
    elif how == 1:
        await listened(client, random.randrange(1, 6))
    if random.random() < 0.3:
        client.plans, client.cursor = kept


async def listened(client: ChangeFeedClient, most: int) -> None:
    """Listen until so many messages came, or all that there are and no more for a moment."""
    there = len((await client.page(1000))["changes"])
    wanted = len(client.seen) + min(most, there)
    listening = asyncio.create_task(client.listen(most))
    await until_seen(client, wanted)
    await asyncio.wait([listening], timeout=0.02)
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
