"""Fetching from files."""

import os
import time
from pathlib import Path

import pytest

from app.adapters.outbound.providers.contract import a_plan
from app.adapters.outbound.providers.fetching.fetched_feed import FetchLimits
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.fetching.urls import path_of
from app.adapters.outbound.providers.plan_list_xml import PlanListXmlProvider
from app.application.ports.providers import FeedRefusedError, FeedUnavailableError
from tests.support.feeds import a_feed
from tests.support.fetched import fetched

FEED = a_feed([a_plan("1")])


def a_provider(url: str, **limits: int) -> PlanListXmlProvider:
    get = PinnedGet(limits=FetchLimits(**limits))
    return PlanListXmlProvider(name="contract", url=url, timezone="Europe/Madrid", get=get)


async def test_a_missing_file_is_unavailable_and_named(tmp_path: Path):
    with pytest.raises(FeedUnavailableError) as caught:
        await a_provider((tmp_path / "gone.xml").as_uri()).fetch(None)

    assert str(tmp_path / "gone.xml") in str(caught.value)


async def test_what_is_no_regular_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.xml")

    for path in (tmp_path, tmp_path / "pipe.xml"):
        with pytest.raises(FeedRefusedError, match="expected a regular file"):
            await a_provider(path.as_uri()).fetch(None)


async def test_a_file_that_is_too_large_is_refused(tmp_path: Path):
    (tmp_path / "feed.xml").write_bytes(FEED)

    with pytest.raises(FeedRefusedError, match="at most 100 bytes"):
        await a_provider((tmp_path / "feed.xml").as_uri(), max_wire_bytes=100).fetch(None)


async def test_a_file_written_again_with_the_same_content_is_not_read_again(tmp_path: Path):
    path = tmp_path / "feed.xml"
    path.write_bytes(FEED)
    provider = a_provider(path.as_uri())
    snapshot = await fetched(provider)
    await snapshot.aclose()

    path.write_bytes(FEED)

    assert await provider.fetch(snapshot.mark) is None


async def test_a_file_of_the_same_size_written_at_once_again_is_read_again(tmp_path: Path):
    path = tmp_path / "feed.xml"
    provider = a_provider(path.as_uri())
    for _ in range(20):
        path.write_bytes(FEED)
        snapshot = await fetched(provider)
        await snapshot.aclose()

        path.write_bytes(FEED.replace(b"Camela", b"Alemac"))

        changed = await fetched(provider, snapshot.mark)
        await changed.aclose()


async def test_a_file_that_is_the_same_for_long_is_known_by_its_time(tmp_path: Path):
    path = tmp_path / "feed.xml"
    path.write_bytes(FEED)
    os.utime(path, (time.time() - 60, time.time() - 60))
    provider = a_provider(path.as_uri())
    snapshot = await fetched(provider)
    await snapshot.aclose()

    assert snapshot.mark.etag
    assert await provider.fetch(snapshot.mark) is None


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///feeds/a.xml", "/feeds/a.xml"),
        ("file://localhost/feeds/a.xml", "/feeds/a.xml"),
        ("file://feeds/a.xml", "feeds/a.xml"),
        ("file:feeds/a.xml", "feeds/a.xml"),
        ("file:///feeds/with%20blank.xml", "/feeds/with blank.xml"),
    ],
)
def test_a_file_url_names_a_path(url: str, path: str):
    assert path_of(url) == Path(path)
