"""A mapped feed in several documents, over real sockets: which leads to which, and what a page that fails costs."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.mapped.mapped_provider import MappedProvider
from app.application.ports.providers import FeedBrokenError, FeedMark, FeedSnapshot, FeedUnchanged
from app.domain.plans import PlanKey
from tests.support.feed_server import Answer, FeedServer, Request, answer
from tests.support.fetched import fetched
from tests.support.mapped_feeds import Read, a_mapping, read_all

LOOPBACK = PinnedGet(policy=AddressPolicy(allow_private_networks=True))
RPDE: dict[str, Any] = {
    "format": "json",
    "records": "$.items[*]",
    "fields": {
        "base_id": "$.id",
        "item_id": {"value": "1"},
        "title": "$.data.name",
        "starts": "$.data.startDate",
    },
    "deleted": {"path": "$.state", "equals": "deleted"},
    "pages": {"next": "$.next", "until": "empty"},
    "incremental": True,
}


class Pages:
    """A source with pages by their target; what has none is an error."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}

    def __setitem__(self, target: str, said: Answer | dict[str, Any]) -> None:
        self.answers[target] = answer(200, json.dumps(said)) if isinstance(said, dict) else said

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self.answers.get(request.target, answer(500))(request, writer)


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def server(pages: Pages) -> Iterator[FeedServer]:
    with FeedServer(pages) as serving:
        yield serving


def a_provider(
    server: FeedServer, options: dict[str, Any], query: str = "", get: PinnedGet = LOOPBACK
) -> MappedProvider:
    return MappedProvider(name="mapped", url=server.url + query, timezone="Europe/Madrid", options=options, get=get)


def rows(*numbers: int, **said: Any) -> dict[str, Any]:
    events = [
        {"base_id": "b", "item_id": str(number), "title": f"{number}", "starts": "2026-07-01T20:00"}
        for number in numbers
    ]
    return {"events": events, **said}


def items(*said: tuple[str, str | None], next_page: str) -> dict[str, Any]:
    """A page of RPDE: ids with their names, None for one that was deleted."""
    listed = [
        {"id": name, "state": "updated", "data": {"name": title, "startDate": "2026-07-01T20:00"}}
        if title
        else {"id": name, "state": "deleted"}
        for name, title in said
    ]
    return {"next": next_page, "items": listed, "license": "https://x.example"}


async def all_of(provider: MappedProvider, since: FeedMark | None = None) -> tuple[Read, FeedSnapshot]:
    snapshot = await fetched(provider, since)
    return await read_all(snapshot), snapshot


def asked(server: FeedServer) -> list[str]:
    return [request.target for request in server.requests]


async def test_a_document_names_the_next_one_wherever_it_says_it(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = rows(1, 2, next="/two")
    pages["/two"] = {"next": "three", **rows(3)}
    pages["/three"] = rows(4)

    read, snapshot = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next"})))

    assert read.titles == ["1", "2", "3", "4"]
    assert read.failure is None
    assert snapshot.fetched_bytes > 300


async def test_a_page_is_asked_again_when_its_server_says_when(server: FeedServer, pages: Pages):
    refusals = [answer(429, Retry_After="0"), answer(503, Retry_After="0")]

    async def hurried(request: Request, writer: asyncio.StreamWriter) -> None:
        await (refusals.pop() if refusals else answer(200, json.dumps(rows(2))))(request, writer)

    pages["/feed.xml"] = rows(1, next="/two")
    pages["/two"] = hurried

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next"})))

    assert (read.titles, read.failure) == (["1", "2"], None)


@pytest.mark.parametrize("wish", ["0", "86400"])
async def test_a_page_that_is_refused_again_and_again_or_for_long_ends_the_feed(
    server: FeedServer, pages: Pages, wish: str
):
    pages["/feed.xml"] = rows(1, next="/two")
    pages["/two"] = answer(429, Retry_After=wish)

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next"})))

    assert read.titles == ["1"]
    assert "429" in str(read.failure)
    assert asked(server).count("/two") == (3 if wish == "0" else 1)


async def test_a_cursor_is_asked_for_in_a_parameter(server: FeedServer, pages: Pages):
    pages["/feed.xml?size=2"] = rows(1, 2, meta={"next": "a/b=="})
    pages["/feed.xml?size=2&cursor=a%2Fb%3D%3D"] = rows(3, meta={"next": 7})
    pages["/feed.xml?size=2&cursor=7"] = rows(4, meta={"next": None})
    options = a_mapping("json", pages={"next": "$.meta.next", "parameter": "cursor"})

    read, _ = await all_of(a_provider(server, options, query="?size=2"))

    assert read.titles == ["1", "2", "3", "4"]
    assert read.failure is None


async def test_a_cursor_that_comes_again_ends_a_feed_as_incomplete(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = rows(1, next="a")
    pages["/feed.xml?cursor=a"] = rows(2, next="b")
    pages["/feed.xml?cursor=b"] = rows(3, next="a")

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next", "parameter": "cursor"})))

    assert read.titles == ["1", "2", "3"]
    assert "leads back" in str(read.failure)


async def test_xml_names_the_next_one_in_an_element(server: FeedServer, pages: Pages):
    event = '<event base_id="b" item_id="{0}" title="{0}" starts="2026-07-01"/>'
    pages["/feed.xml"] = answer(
        200, f"<f>{event.format(1)}<link rel='self' href='/x'/><link rel='next' href='/two'/></f>"
    )
    pages["/two"] = answer(200, f"<f><link rel='self' href='/x'/>{event.format(2)}</f>")
    options = a_mapping("xml", pages={"next": "/f/link[@rel='next']/@href"})

    read, _ = await all_of(a_provider(server, options))

    assert read.titles == ["1", "2"]


async def test_a_header_names_the_next_one(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = answer(200, json.dumps(rows(1)), Link='</x>; rel="prev", </two?p=2>; rel="next"')
    pages["/two?p=2"] = rows(2)

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"link": "next"})))

    assert read.titles == ["1", "2"]


async def test_pages_are_counted_until_one_is_empty(server: FeedServer, pages: Pages):
    pages["/feed.xml?q=a&page=1"], pages["/feed.xml?q=a&page=2"], pages["/feed.xml?q=a&page=3"] = (
        rows(1),
        rows(2),
        rows(),
    )

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"parameter": "page", "from": 1}), "?q=a"))

    assert read.titles == ["1", "2"]
    assert read.failure is None


async def test_records_are_counted_until_a_page_is_empty(server: FeedServer, pages: Pages):
    pages["/feed.xml?start=0"], pages["/feed.xml?start=2"], pages["/feed.xml?start=4"] = rows(1, 2), rows(3), rows()

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"offset": "start", "limit": 2})))

    assert read.titles == ["1", "2", "3"]


async def test_a_page_of_nothing_but_unusable_records_is_not_empty(server: FeedServer, pages: Pages):
    pages["/feed.xml?page=1"], pages["/feed.xml?page=2"], pages["/feed.xml?page=3"] = {"events": [{}]}, rows(2), rows()

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"parameter": "page"})))

    assert read.titles == ["2"]


@pytest.mark.parametrize("failing", [answer(500), answer(404), answer(200, "<html>"), answer(200, '{"events": [')])
async def test_a_page_that_fails_makes_the_feed_incomplete_after_the_pages_before(
    server: FeedServer, pages: Pages, failing: Answer
):
    pages["/feed.xml"] = rows(1, next="/two")
    pages["/two"] = failing

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next"})))

    assert read.titles == ["1"]
    assert isinstance(read.failure, FeedBrokenError)


@pytest.mark.parametrize("leads_to", ["/feed.xml", "http://[::1", "ftp://x.example/", 5, {"href": "/two"}])
async def test_pages_that_lead_in_a_circle_or_nowhere_are_broken(server: FeedServer, pages: Pages, leads_to: object):
    pages["/feed.xml"] = rows(1, next="/two")
    pages["/two"] = rows(2, next=leads_to)

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next"})))

    assert read.titles == ["1", "2"]
    assert isinstance(read.failure, FeedBrokenError)


async def test_the_same_plan_on_two_pages_counts_once(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = rows(1, 2, next="/two")
    pages["/two"] = rows(2, 3)

    read, _ = await all_of(a_provider(server, a_mapping("json", pages={"next": "$.next"})))

    assert read.titles == ["1", "2", "3"]
    assert read.rejections == []


async def test_rpde_is_read_in_its_order_with_repeated_items_and_tombstones(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), ("b", "Two"), next_page="/feed.xml?after=2")
    pages["/feed.xml?after=2"] = items(
        ("a", "One, later"), ("b", None), ("nobody", None), next_page="/feed.xml?after=4"
    )
    pages["/feed.xml?after=4"] = items(next_page="/feed.xml?after=4")

    read, snapshot = await all_of(a_provider(server, RPDE))

    assert snapshot.incremental
    assert read.titles == ["One", "Two", "One, later"]
    assert read.tombstones == [PlanKey("mapped", "b", "1"), PlanKey("mapped", "nobody", "1")]


async def test_the_next_sync_of_rpde_goes_on_where_the_last_one_ended(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), next_page="/feed.xml?after=1")
    pages["/feed.xml?after=1"] = items(next_page="/feed.xml?after=1")
    provider = a_provider(server, RPDE)
    _, first = await all_of(provider)

    assert await provider.fetch(first.mark) is None
    pages["/feed.xml?after=1"] = items(("b", "Two"), next_page="/feed.xml?after=2")
    pages["/feed.xml?after=2"] = items(next_page="/feed.xml?after=2")
    read, second = await all_of(provider, first.mark)

    assert read.titles == ["Two"]
    assert await provider.fetch(second.mark) is None
    assert asked(server)[-1] == "/feed.xml?after=2"


async def test_an_empty_page_that_leads_on_moves_the_mark(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), next_page="/feed.xml?after=1")
    pages["/feed.xml?after=1"] = items(next_page="/feed.xml?after=1")
    provider = a_provider(server, RPDE)
    _, first = await all_of(provider)
    pages["/feed.xml?after=1"] = items(next_page="/feed.xml?after=9")

    unchanged = await provider.fetch(first.mark)

    assert isinstance(unchanged, FeedUnchanged)
    assert (unchanged.mark.position or "").endswith("/feed.xml?after=9")


async def test_pages_are_resumed_at_the_one_that_failed(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), next_page="/feed.xml?after=1")
    pages["/feed.xml?after=1"] = items(("b", "Two"), next_page="/feed.xml?after=2")
    provider = a_provider(server, RPDE)
    read, broken = await all_of(provider)
    assert read.titles == ["One", "Two"]
    assert isinstance(read.failure, FeedBrokenError)

    pages["/feed.xml?after=2"] = items(("c", "Three"), next_page="/feed.xml?after=3")
    pages["/feed.xml?after=3"] = items(next_page="/feed.xml?after=3")
    resumed, _ = await all_of(provider, FeedMark(position=broken.mark.position))

    assert resumed.titles == ["Three"]
    assert resumed.failure is None


async def test_a_page_whose_records_were_not_all_read_is_not_passed(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), next_page="/feed.xml?after=1")
    pages["/feed.xml?after=1"] = answer(200, json.dumps(items(("b", "Two"), next_page="/x"))[:-30])
    _, broken = await all_of(a_provider(server, RPDE))

    assert (broken.mark.position or "").endswith("/feed.xml?after=1")


async def test_a_mapping_that_changes_reads_an_incremental_feed_from_its_beginning(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), next_page="/feed.xml?after=1")
    pages["/feed.xml?after=1"] = items(next_page="/feed.xml?after=1")
    _, first = await all_of(a_provider(server, RPDE))
    changed = RPDE | {"fields": RPDE["fields"] | {"category": "$.data.kind"}}

    read, _ = await all_of(a_provider(server, changed), first.mark)

    assert read.titles == ["One"]


async def test_credentials_stay_with_their_origin(server: FeedServer, pages: Pages):
    with FeedServer(answer(200, json.dumps(rows(2)))) as other:
        pages["/feed.xml"] = rows(1, next=other.url)
        get = PinnedGet(policy=LOOPBACK.policy)
        url = server.url.replace("http://", "http://user:secret@")
        options = a_mapping("json", pages={"next": "$.next"})
        provider = MappedProvider(name="mapped", url=url, timezone="UTC", options=options, get=get)

        read, snapshot = await all_of(provider)

        assert read.titles == ["1", "2"]
        assert "authorization" in server.requests[0].headers
        assert "authorization" not in other.requests[0].headers
        assert "secret" not in str(snapshot.mark)


async def test_a_position_holds_no_credentials(server: FeedServer, pages: Pages):
    pages["/feed.xml"] = items(("a", "One"), next_page="/feed.xml?after=1")
    pages["/feed.xml?after=1"] = items(next_page="/feed.xml?after=1")
    url = server.url.replace("http://", "http://user:secret@")
    provider = MappedProvider(name="mapped", url=url, timezone="UTC", options=RPDE, get=LOOPBACK)

    _, snapshot = await all_of(provider)

    assert "secret" not in (snapshot.mark.position or "")
    assert parse_qs(urlsplit(snapshot.mark.position or "").query) == {"after": ["1"]}
