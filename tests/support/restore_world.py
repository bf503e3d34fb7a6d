"""A provider, Redis, the journal and an index, to lose and to restore."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from app.adapters.outbound.redis.absences import RedisAbsences
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.held_plans import RedisHeldPlans
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.rejection_lists import RedisRejectionLists
from app.adapters.outbound.redis.sync_transitions import RedisTransitionLog
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.follow_catalog import FollowCatalog
from app.application.journal_changes import JournalChanges
from app.application.ports.catalog import CatalogPlan
from app.application.restore_catalog import Restoration, RestoreCatalog
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.plans import Plan, PlanId
from app.domain.sync_runs import SyncReport
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.index_file import MemoryIndexFile
from tests.fakes.store import MemoryStore
from tests.fakes.sync_journal import MemorySyncJournal
from tests.support.builders import a_plan
from tests.support.fixed_clock import FixedClock
from tests.support.history_backends import HistoryBackend
from tests.support.redis_server import RedisServer
from tests.support.scripted_provider import ScriptedProvider, configured
from tests.support.sync_world import a_retiming


@dataclass
class RestoreWorld:
    """A provider, its sync into Redis, the journal, and the index of an API process that follows."""

    server: RedisServer
    history: HistoryBackend
    provider: ScriptedProvider = field(default_factory=ScriptedProvider)
    clock: FixedClock = field(default_factory=FixedClock)
    restored: list[Restoration] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = count(1)
        self.client = connect(self.server.url, timeout=10)
        self.blocking = connect(self.server.url, timeout=10)
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
            rejections=RedisRejectionLists(self.client),
            held=RedisHeldPlans(self.client),
            absences=RedisAbsences(self.client),
            transitions=RedisTransitionLog(self.client),
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
        return {plan.plan.plan_id: plan for batch in batches for plan in batch}

    @asynccontextmanager
    async def an_api_process(self) -> AsyncIterator[LiveIndex]:
        index = LiveIndex(RENDERING)
        log = RedisChangeLog(self.client, self.blocking, block=0.2)
        following = asyncio.create_task(FollowCatalog(log, index, MemoryIndexFile())())
        try:
            yield index
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def aclose(self) -> None:
        await self.client.aclose()
        await self.blocking.aclose()


def lose_redis(server: RedisServer) -> None:
    with server.client() as operator:
        operator.flushall()


async def a_few_syncs(installation: RestoreWorld) -> None:
    """Plans in the feed, past ones, some that went offline, some that never were online."""
    first = [a_plan(number) for number in range(600)]
    await installation.sync_with(*first)
    await installation.sync_with(
        *(a_plan(number, title="new") for number in range(100, 200)),
        *(a_plan(number, sell_mode="offline") for number in range(200, 250)),
        *(a_plan(f"offline {number}", sell_mode="offline") for number in range(50)),
    )
    await installation.journal_changes()
