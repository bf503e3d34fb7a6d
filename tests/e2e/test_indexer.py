"""The process that keeps the index file: one of several, on full disks, killed at any moment."""

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.feed_files import a_feed, some_items
from tests.support.redis_server import RedisServer
from tests.support.service import Installation, Service
from tests.support.waiting import lives, until

pytestmark = pytest.mark.redis_server

MANY, MORE = 600, 700
SMALL = 100_000
"""Bytes: less than a file of so many plans, more than a log."""


class Desk:
    """An installation on a Redis of its own, and its indexers."""

    def __init__(self, redis: RedisServer) -> None:
        self.installation = Installation()
        url = self.installation.write("feed.xml", a_feed(some_items(MANY)))
        provider = {"name": "acme", "url": url, "interval": 3600}
        self.installation.configure(provider, redis={"url": redis.url}, search={"index_interval": 1})
        self.sync(MANY)

    @property
    def file(self) -> Path:
        return self.installation.data / "index" / "catalog.index"

    def sync(self, plans: int) -> None:
        self.installation.write("feed.xml", a_feed(some_items(plans)))
        assert self.installation.command("sync").returncode == 0

    def indexer(self) -> Service:
        return self.installation.start("indexer")

    def is_written(self, plans: int) -> bool:
        """Whether a whole file with so many plans is there."""
        copy = self.installation.directory / f"{os.urandom(4).hex()}.index"
        told = self.installation.command("catalog", "index", "export", str(copy))
        return told.returncode == 0 and f" {plans:,} plans" in told.stdout


@pytest.fixture
def desk() -> Iterator[Desk]:
    with RedisServer() as redis:
        desk = Desk(redis)
        yield desk
        desk.installation.close()


def said(service: Service, words: str) -> int:
    return sum(words in line["event"] for line in service.log)


def test_of_two_indexers_one_works_and_the_other_takes_over_when_that_is_killed(desk: Desk) -> None:
    first = desk.indexer()
    until(lambda: said(first, "indexer runs"))
    second = desk.indexer()
    until(lambda: said(second, "another indexer keeps the index file"))
    until(desk.file.exists)

    first.kill()
    desk.sync(MORE)

    until(lambda: desk.is_written(MORE))
    assert (said(second, "another indexer"), said(second, "indexer runs")) == (1, 1)
    assert second.end() == 0


def test_what_is_not_written_yet_is_written_at_the_end(desk: Desk) -> None:
    indexer = desk.indexer()
    until(lambda: said(indexer, "indexer runs"))

    desk.sync(MORE)

    assert indexer.end() == 0
    assert desk.is_written(MORE)


def test_a_full_disk_is_told_once_costs_freshness_alone_and_is_over_when_there_is_room(desk: Desk) -> None:
    indexer = desk.indexer()
    until(desk.file.exists)
    whole = desk.file.read_bytes()

    resource.prlimit(indexer.pid, resource.RLIMIT_FSIZE, (SMALL, resource.RLIM_INFINITY))
    desk.sync(MORE)
    until(lambda: said(indexer, "the index file cannot be written"))
    assert desk.file.read_bytes() == whole
    resource.prlimit(indexer.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    until(lambda: desk.is_written(MORE))
    assert (said(indexer, "the index file cannot be written"), said(indexer, "is written again")) == (1, 1)
    assert [path.name for path in desk.file.parent.iterdir()] == ["indexer.lock", desk.file.name]


def test_a_folder_that_cannot_be_written_stops_nobody_and_is_told_once(desk: Desk) -> None:
    (desk.installation.data / "index").write_text("in the way")
    api = desk.installation.start("api").until_ready()
    until(lambda: said(api, "no index file can be kept here"))

    assert len(api.search()) == MANY
    (desk.installation.data / "index").unlink()

    until(desk.file.exists)
    assert (said(api, "no index file can be kept here"), said(api, "an index file can be kept now")) == (1, 1)


def test_a_killed_supervisor_takes_its_indexer_with_it(desk: Desk) -> None:
    api = desk.installation.start("api")
    until(lambda: any(line.get("name") == "indexer" for line in api.log))
    indexer = api.child("indexer")

    os.kill(indexer, signal.SIGKILL)
    until(lambda: api.child("indexer") != indexer)
    again = api.child("indexer")
    api.kill()

    until(lambda: not lives(again))
