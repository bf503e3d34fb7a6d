"""Several documents in one fetch: the same limits, cookies and rules of who may know what, over HTTP and in files."""

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from app.adapters.egress.addresses import AddressPolicy
from app.adapters.outbound.providers.contract import RecordingWatcher
from app.adapters.outbound.providers.fetching.fetch import Fetch, FetchSession
from app.adapters.outbound.providers.fetching.fetch_of_url import fetch_of
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed, FetchLimits
from app.adapters.outbound.providers.fetching.links import target_of
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.application.ports.providers import FeedRefusedError, FeedUnavailableError
from tests.support.feed_server import FeedServer, answer, redirect, trickle

PATIENT = FetchLimits(connect_timeout=10, idle_timeout=20, total_timeout=60)


def a_fetch(url: str, limits: FetchLimits = PATIENT) -> Fetch:
    return fetch_of(url, PinnedGet(limits=limits, policy=AddressPolicy(allow_private_networks=True)))


def taken(feed: object) -> bytes:
    assert isinstance(feed, FetchedFeed)
    with feed.file:
        return feed.file.read()


async def test_pages_are_fetched_one_after_the_other_each_relative_to_the_one_before():
    watcher = RecordingWatcher()
    with FeedServer(answer(200, b"one"), answer(200, b"two"), answer(200, b"three")) as server:
        async with a_fetch(server.url).session(watcher) as session:
            pages = [taken(await session.first()), taken(await session.get("next/b?page=2"))]
            pages.append(taken(await session.get("c?page=3")))

        assert pages == [b"one", b"two", b"three"]
        assert [request.target for request in server.requests] == ["/feed.xml", "/next/b?page=2", "/next/c?page=3"]
    assert watcher.received[-1] == len(b"onetwothree")


async def test_a_fetch_may_begin_with_a_later_page():
    with FeedServer(answer(200, b"five")) as server:
        async with a_fetch(server.url).session() as session:
            assert taken(await session.get("?page=5")) == b"five"

        assert server.requests[0].target == "/feed.xml?page=5"


async def test_an_answer_says_what_it_is_and_what_follows():
    said = answer(
        200, b"{}", Content_Type="Application/JSON; charset=Latin1", Link='<b?x=1,2>; rel="next"; title="a, <c>"'
    )
    with FeedServer(redirect("/moved/a"), said) as server:
        async with a_fetch(server.url).session() as session:
            feed = await session.get(server.url)
            taken(feed)

    assert (feed.content_type, feed.charset) == ("application/json", "iso8859-1")
    assert target_of(feed.link, "next") == "b?x=1,2"
    assert feed.url == server.url.replace("/feed.xml", "/moved/a")
    assert feed.source == server.url


async def test_pages_are_asked_for_with_the_credentials_of_the_url_which_no_page_knows():
    with FeedServer(answer(200)) as server:
        async with a_fetch(server.url.replace("://", "://me:s3cret@")).session() as session:
            first = await session.first()
            taken(first)
            assert isinstance(first, FetchedFeed)
            taken(await session.get(first.url))

        assert first.url == server.url
        assert all("authorization" in asked.headers for asked in server.requests)


async def test_all_pages_together_keep_the_limits_of_bytes():
    for limits, packed in ((FetchLimits(max_wire_bytes=150), False), (FetchLimits(max_decoded_bytes=150), True)):
        page = answer(200, gzip.compress(b"x" * 100)) if packed else answer(200, b"x" * 100)
        with FeedServer(page) as server:
            async with a_fetch(server.url, limits).session() as session:
                taken(await session.first())
                with pytest.raises(FeedRefusedError, match="at most 150 bytes"):
                    await session.get("?page=2")


async def _pages(session: FetchSession, count: int) -> None:
    for page in range(count):
        taken(await session.get(f"?page={page}"))


async def test_all_pages_together_keep_the_total_timeout():
    limits = FetchLimits(idle_timeout=30, total_timeout=1)
    with FeedServer(trickle(b"xx", piece=1, every=0.1)) as server:
        async with a_fetch(server.url, limits).session() as session:
            with pytest.raises(FeedUnavailableError, match="the whole feed within 1 s"):
                await _pages(session, 100)


@pytest.mark.parametrize(
    "url", ["file:///etc/hosts", "ftp://127.0.0.1/a", "http://[::1", "", "http://127.0.0.1:99999/"]
)
async def test_a_page_that_must_not_be_followed_is_refused(url: str):
    with FeedServer(answer(200, b"one")) as server:
        async with a_fetch(server.url).session() as session:
            taken(await session.first())
            with pytest.raises(FeedRefusedError, match="expected the URL of a page"):
                await session.get(url)

        assert len(server.requests) == 1


async def test_pages_of_files_lie_beside_the_first_or_beneath_it(tmp_path: Path):
    (tmp_path / "beneath").mkdir()
    (tmp_path / "1.json").write_bytes(b"one")
    (tmp_path / "beneath" / "2.json").write_bytes(gzip.compress(b"two"))
    (tmp_path / "beneath" / "3.json").write_bytes(b"three")

    async with a_fetch((tmp_path / "1.json").as_uri()).session() as session:
        pages = [taken(await session.first()), taken(await session.get("beneath/2.json"))]
        pages += [taken(await session.get("3.json")), taken(await session.get((tmp_path / "1.json").as_uri()))]

    assert pages == [b"one", b"two", b"three", b"one"]


@pytest.mark.parametrize(
    "url", ["../other.json", "/etc/hosts", "link.json", "http://feeds.example/", "http://[::1", "?page=2", "a%00b"]
)
async def test_a_file_leads_nowhere_else(url: str, tmp_path: Path):
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "1.json").write_bytes(b"one")
    (tmp_path / "other.json").write_bytes(b"secret")
    (folder / "link.json").symlink_to(tmp_path / "other.json")

    async with a_fetch((folder / "1.json").as_uri()).session() as session:
        taken(await session.first())
        with pytest.raises(FeedRefusedError, match=r"expected (the URL of )?a page"):
            await session.get(url)


async def test_all_pages_of_files_together_keep_the_limits_of_bytes(tmp_path: Path):
    (tmp_path / "1.json").write_bytes(b"x" * 100)

    async with a_fetch((tmp_path / "1.json").as_uri(), FetchLimits(max_wire_bytes=150)).session() as session:
        taken(await session.first())
        with pytest.raises(FeedRefusedError, match="at most 150 bytes"):
            await session.get("1.json")


class KeepingServer(ThreadingHTTPServer):
    """Answers each path with itself, and keeps connections."""

    daemon_threads = False  # its end waits for those of the connections, which their clients have closed
    connections = 0

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)  # type: ignore[arg-type] # as it came


class Keeping(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep it."""


async def test_pages_of_one_host_come_over_one_connection_and_it_ends_with_the_fetch():
    with KeepingServer(("127.0.0.1", 0), Keeping) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        fetch = a_fetch(f"http://127.0.0.1:{server.server_port}/1")
        async with fetch.session() as session:
            pages = [taken(await session.first()), taken(await session.get("2")), taken(await session.get("3"))]
        single = taken(await fetch(None))
        server.shutdown()

    assert pages == [b"/1", b"/2", b"/3"]
    assert single == b"/1"
    assert server.connections == 2


async def test_the_same_bytes_in_another_character_set_are_another_document():
    with FeedServer(*(answer(200, b"x", Content_Type=f"text/xml; charset={one}") for one in ("utf8", "l1"))) as server:
        first, second = await a_fetch(server.url)(None), await a_fetch(server.url)(None)

    assert isinstance(first, FetchedFeed)
    assert isinstance(second, FetchedFeed)
    first.file.close()
    second.file.close()
    assert first.mark.content != second.mark.content
