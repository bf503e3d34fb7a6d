"""Redis that loses everything: the journal in a database brings all of it back, and who follows the log hears of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import pytest

from app.adapters.inbound.http.search.plan_json import parse_plan, plan_prefix, render_plan
from app.adapters.outbound.memory.live_index import LiveIndex
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.application.follow_catalog import FollowCatalog
from app.application.journal_changes import JournalChanges
from app.application.ports.catalog import CatalogPlan
from app.application.restore_catalog import Restoration, RestoreCatalog
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.plans import Plan, PlanId
from app.domain.sync_runs import SyncReport
from app.domain.time_window import TimeWindow
from tests.fakes.store import MemoryStore
from tests.fakes.sync_journal import MemorySyncJournal
from tests.support.builders import a_plan
from tests.support.fixed_clock import FixedClock
from tests.support.history_backends import HistoryBackend, SqlHistory, postgres_history, sqlite_history
from tests.support.redis_server import RedisServer, redis_server_binary
from tests.support.scripted_provider import ScriptedProvider, configured
from tests.support.sync_world import a_retiming

pytestmark = [
    pytest.mark.redis_server,
    pytest.mark.skipif(redis_server_binary() is None, reason="needs a Valkey or Redis server"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with sqlite_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with postgres_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@dataclass
class Installation:
    """A provider, its sync into Redis, the journal, and the index of an API process that follows."""

    server: RedisServer
    history: HistoryBackend
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    clock: FixedClock = field(default_factory=FixedClock)
    restored: list[Restoration] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.client = connect(self.server.url, timeout=2)
        self.blocking = connect(self.server.url, timeout=3)
        self.catalog = RedisPlanCatalog(self.client)
        self.source = RedisJournalSource(self.client, log_kept=10)
        leases = RedisLeases(self.client)
        journal = self.history.plan_journal()
        retime = a_retiming(self.catalog, leases, self.clock)
        self.restore = RestoreCatalog(
            catalog=self.catalog,
            source=self.source,
            journal=journal,
            leases=leases,
            clock=self.clock,
            retime=retime,
            new_run_id=lambda: "restore",
        )
        self._journaling = JournalChanges(
            source=self.source,
            journal=journal,
            restore=self.restore,
            clock=self.clock,
            new_run_id=lambda: "take-over",
            on_restored=self.restored.append,
        )
        self._sync = SyncProvider(
            catalog=self.catalog,
            journal=MemorySyncJournal(MemoryStore()),
            leases=leases,
            clock=self.clock,
            retime=retime,
        )

    async def sync_with(self, *plans: Plan) -> SyncReport:
        self.clock.move(60)
        self.provider.now_says(*plans)
        return await self._sync(configured(self.provider), SyncOrder(run_id=f"run-{next(self._numbers)}"))

    async def journal_changes(self) -> int:
        heads = await anext(RedisChangeLog(self.client, self.blocking).heads())
        return await self._journaling({name: head for name, head in heads.items() if head})

    async def everything(self) -> dict[PlanId, CatalogPlan]:
        batches = [batch async for batch in self.source.everything("demo")]
        return {plan.plan.key.plan_id: plan for batch in batches for plan in batch}

    @asynccontextmanager
    async def an_api_process(self) -> AsyncIterator[LiveIndex]:
        index = LiveIndex(render_plan, plan_prefix, parse_plan)
        log = RedisChangeLog(self.client, self.blocking, block=0.2)
        following = asyncio.create_task(FollowCatalog(log, index)())
        try:
            yield index
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def aclose(self) -> None:
        await self.client.aclose()
        await self.blocking.aclose()


@pytest.fixture(params=["sqlite", "postgresql"])
async def installation(request: pytest.FixtureRequest, server: RedisServer) -> AsyncIterator[Installation]:
    history: HistoryBackend = request.getfixturevalue(request.param)
    history.clear()
    lose_redis(server)
    made = Installation(server, history)
    yield made
    await made.aclose()


def lose_redis(server: RedisServer) -> None:
    with server.client() as operator:
        operator.flushall()


async def a_few_syncs(installation: Installation) -> None:
    """Plans in the feed, past ones, some that went offline, some that never were online."""
    first = [a_plan(number) for number in range(600)]
    await installation.sync_with(*first)
    await installation.sync_with(
        *(a_plan(number, title="new") for number in range(100, 200)),
        *(a_plan(number, sell_mode="offline") for number in range(200, 250)),
        *(a_plan(f"offline {number}", sell_mode="offline") for number in range(50)),
    )
    await installation.journal_changes()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in Redis
            await asyncio.sleep(0.02)


async def test_an_emptied_redis_has_every_plan_again_past_ones_included(installation: Installation) -> None:
    await a_few_syncs(installation)
    before = await installation.everything()
    assert sum(not plan.known.in_feed for plan in before.values()) == 450

    lose_redis(installation.server)
    done = await installation.restore()

    assert done == [Restoration("demo", restored=650, present=0)]
    assert await installation.everything() == before
    assert await installation.restore.if_lost() == []
    report = await installation.sync_with(*(a_plan(number, title="new") for number in range(100, 200)))
    assert dict(report.changes) == {"withdrawn": 100}


async def test_an_api_process_started_after_it_finds_all_and_one_that_ran_is_told(installation: Installation) -> None:
    await a_few_syncs(installation)
    async with installation.an_api_process() as old:
        await until(lambda: old.size == 600)

        lose_redis(installation.server)
        async with installation.an_api_process() as young:
            await until(lambda: young.ready)
            assert young.size == 0
            await installation.restore.if_lost()

            await until(lambda: young.size == 600)
            assert young.etag == old.etag
            assert young.find(TimeWindow()) == old.find(TimeWindow())


async def test_under_a_running_service_the_journal_notices_by_itself_and_repeats_nothing(
    installation: Installation,
) -> None:
    await a_few_syncs(installation)
    before = await installation.everything()
    journal = installation.history.plan_journal()

    lose_redis(installation.server)
    await installation.journal_changes()

    assert await installation.everything() == before
    assert installation.restored == [Restoration("demo", restored=650, present=0)]
    states = await journal.states(a_plan(0).key.plan_id, 10)
    assert [state.kinds for state in states] == [("withdrawn",), ("listed",)]
    assert await journal.positions() == {"demo": await installation.source.head("demo")}
    assert await installation.journal_changes() == 0


async def test_a_sync_between_the_loss_and_the_journal_costs_no_plan(installation: Installation) -> None:
    await a_few_syncs(installation)

    lose_redis(installation.server)
    await installation.sync_with(*(a_plan(number, sell_mode="offline", title="x") for number in range(200, 250)))
    await installation.journal_changes()

    async with installation.an_api_process() as young:
        await until(lambda: young.size == 600)
        assert sum(plan.title == "x" for plan in young.find(TimeWindow())) == 50


async def test_what_is_journaled_is_trimmed_and_the_history_is_whole(installation: Installation) -> None:
    for number in range(8):
        await installation.sync_with(*(a_plan(item, title=f"{number}") for item in range(150)))
        await installation.journal_changes()

    with installation.server.client() as operator:
        assert 10 <= operator.xlen("marquee:1:{p:demo}:log") < 10 + 200
    states = await installation.history.plan_journal().states(a_plan(149).key.plan_id, 100)
    assert [state.found.plan.title for state in states] == list("76543210")


async def test_several_journals_at_once_write_each_change_once(installation: Installation, server: RedisServer) -> None:
    others = [Installation(server, installation.history) for _ in range(3)]
    everybody = [installation, *others]
    for number in range(4):
        await installation.sync_with(*(a_plan(item, title=f"{number}") for item in range(300)))
        await asyncio.gather(*(one.journal_changes() for one in everybody))
    await installation.journal_changes()

    journal = installation.history.plan_journal()
    for item in (0, 150, 299):
        states = await journal.states(a_plan(item).key.plan_id, 100)
        assert [state.found.plan.title for state in states] == list("3210")
    for other in others:
        await other.aclose()
