"""The backends that every contract suite runs over: memory (the reference), one Redis server, a Redis Cluster."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Protocol

import pytest

from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.adapters.outbound.redis.absences import RedisAbsences
from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.dead_letters import RedisDeadLetters
from app.adapters.outbound.redis.held_plans import RedisHeldPlans
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.redis.queued_activities import RedisQueuedActivities
from app.adapters.outbound.redis.recent_ids import RedisRecentIds
from app.adapters.outbound.redis.rejection_lists import RedisRejectionLists
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_requests import RedisSyncRequests
from app.adapters.outbound.redis.sync_transitions import RedisTransitionLog
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.database import open_database
from app.application.ports.activities import ActivityInbox, ActivityQueue, DeadLetters, QueueWatch
from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, LogPosition, PlanCatalog, SyncJournal
from app.application.ports.forgetting import QueuedActivities
from app.application.ports.history import JournalSource
from app.application.ports.publishing import DomainEventLog
from app.application.ports.removal import RecentIds
from app.application.ports.syncs import Absences, HeldPlans, RejectionLists, TransitionLog
from app.application.ports.system import CircuitStates, Lease, Leases, SyncRequests
from app.domain.reconciliation import ChangeKind, PlanChange
from tests.fakes.absences import MemoryAbsences
from tests.fakes.activity_inbox import MemoryActivityInbox
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.change_log import MemoryChangeLog
from tests.fakes.dead_letters import MemoryDeadLetters
from tests.fakes.forgetting import MemoryQueuedActivities
from tests.fakes.held_plans import MemoryHeldPlans
from tests.fakes.journal_source import MemoryJournalSource
from tests.fakes.leases import MemoryLeases
from tests.fakes.plan_catalog import MemoryPlanCatalog
from tests.fakes.queue_watch import MemoryQueueWatch
from tests.fakes.recent_ids import MemoryRecentIds
from tests.fakes.rejection_lists import MemoryRejectionLists
from tests.fakes.store import MemoryStore
from tests.fakes.sync_journal import MemorySyncJournal
from tests.fakes.sync_requests import MemorySyncRequests
from tests.fakes.sync_transitions import MemoryTransitionLog
from tests.support.activity_backends import (
    ActivityBackend,
    Find,
    MemoryActivityBackend,
    SqlActivityBackend,
    migrate_one,
)
from tests.support.builders import NOW
from tests.support.history_backends import (
    HistoryBackend,
    MemoryHistory,
    SqlHistory,
    postgres_history,
    sqlite_history,
)
from tests.support.postgres import postgres_database as a_postgres_database
from tests.support.redis_server import KINDS, VALKEY_9, ClusterNode, RedisServer, redis_cluster, require_server

ALL_KINDS = tuple(ChangeKind)
TIMEOUT = 1.0
"""Of the adapters whose server a test breaks; those of the others wait for a busy machine."""
PATIENT = 10.0
BLOCK = 0.2
ALL_SERVERS = (
    pytest.param(VALKEY_9, marks=pytest.mark.redis_server),
    *(pytest.param(kind, marks=[pytest.mark.redis_server, pytest.mark.faults]) for kind in KINDS[1:]),
    pytest.param("redis_cluster", marks=[pytest.mark.redis_server, pytest.mark.slow]),
)
"""The embedded one and a cluster of it in `make test`; the older ones take as long again, each (`make test-faults`)."""


class Transitions(TransitionLog, DomainEventLog, Protocol):
    """A log that is written and told."""


class Backend(Protocol):
    """One technology's adapters of all ports, on one store; each call makes another adapter of the same store."""

    def plan_catalog(self) -> PlanCatalog: ...
    def change_log(self) -> ChangeLog: ...
    def journal_source(self, *, consumer: str = "journal", log_kept: int = 100_000) -> JournalSource: ...
    def sync_journal(self, *, runs_kept: int = 200) -> SyncJournal: ...
    def rejection_lists(self, *, rejections_kept: int = 1000) -> RejectionLists: ...
    def held_plans(self) -> HeldPlans: ...
    def absences(self) -> Absences: ...
    def transition_log(self) -> Transitions: ...
    def leases(self, *, ttl: float = 30.0) -> Leases: ...
    def circuit_states(self) -> CircuitStates: ...
    def sync_requests(self, *, ttl: float = 5.0) -> SyncRequests: ...
    def activity_queue(
        self,
        *,
        window: float = 600.0,
        max_backlog: int = 10**9,
        max_backlog_bytes: int = 10**12,
        trace: Callable[[], str | None] | None = None,
    ) -> ActivityQueue: ...
    def activity_inbox(self, *, takeover: float = 30.0) -> ActivityInbox: ...
    def dead_letters(self) -> DeadLetters: ...
    def recent_ids(self, *, window: float = 600.0) -> RecentIds: ...
    def queued_activities(self) -> QueuedActivities: ...
    def queue_watch(self) -> QueueWatch: ...
    def lose_everything(self) -> None: ...
    def copied(self) -> Callable[[], None]:
        """Keep a copy of everything; what is returned sets the store back to it."""

    async def aclose(self) -> None: ...


class MemoryBackend:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.activities = MemoryActivityStream(self.store)
        self._circuit_states = MemoryCircuitStates()
        self._sync_requests: MemorySyncRequests | None = None

    def plan_catalog(self) -> PlanCatalog:
        return MemoryPlanCatalog(self.store)

    def change_log(self) -> ChangeLog:
        return MemoryChangeLog(self.store, block=BLOCK)

    def journal_source(self, *, consumer: str = "journal", log_kept: int = 100_000) -> JournalSource:
        return MemoryJournalSource(self.store, consumer=consumer, log_kept=log_kept)

    def sync_journal(self, *, runs_kept: int = 200) -> SyncJournal:
        return MemorySyncJournal(self.store, runs_kept=runs_kept)

    def rejection_lists(self, *, rejections_kept: int = 1000) -> RejectionLists:
        return MemoryRejectionLists(self.store, rejections_kept=rejections_kept)

    def held_plans(self) -> HeldPlans:
        return MemoryHeldPlans(self.store)

    def absences(self) -> Absences:
        return MemoryAbsences(self.store)

    def transition_log(self) -> Transitions:
        return MemoryTransitionLog(self.store)

    def leases(self, *, ttl: float = 30.0) -> Leases:
        return MemoryLeases(self.store, ttl=ttl)

    def circuit_states(self) -> CircuitStates:
        return self._circuit_states

    def sync_requests(self, *, ttl: float = 5.0) -> SyncRequests:
        self._sync_requests = self._sync_requests or MemorySyncRequests(self.store, block=BLOCK, ttl=ttl)
        return self._sync_requests

    def activity_queue(
        self,
        *,
        window: float = 600.0,
        max_backlog: int = 10**9,
        max_backlog_bytes: int = 10**12,
        trace: Callable[[], str | None] | None = None,
    ) -> ActivityQueue:
        return MemoryActivityQueue(
            self.activities, window=window, max_backlog=max_backlog, max_backlog_bytes=max_backlog_bytes, trace=trace
        )

    def activity_inbox(self, *, takeover: float = 30.0) -> ActivityInbox:
        return MemoryActivityInbox(self.activities, takeover=takeover, block=BLOCK)

    def dead_letters(self) -> DeadLetters:
        return MemoryDeadLetters(self.activities)

    def recent_ids(self, *, window: float = 600.0) -> RecentIds:  # noqa: ARG002 - there is one
        return MemoryRecentIds(self.activities)

    def queued_activities(self) -> QueuedActivities:
        return MemoryQueuedActivities(self.activities)

    def queue_watch(self) -> QueueWatch:
        return MemoryQueueWatch(self.activities)

    def lose_everything(self) -> None:
        self.store.lose_everything()
        self.activities.lose_everything()

    def copied(self) -> Callable[[], None]:
        kept = deepcopy(self.store._shelves)
        return lambda: setattr(self.store, "_shelves", deepcopy(kept))

    async def aclose(self) -> None:
        pass


class RedisBackend:
    def __init__(self, url: str, servers: Sequence[RedisServer], timeout: float = PATIENT) -> None:
        self._servers = servers
        self.client = connect(url, timeout=timeout)
        self.blocking = connect(url, timeout=timeout + BLOCK)

    def plan_catalog(self) -> PlanCatalog:
        return RedisPlanCatalog(self.client)

    def change_log(self) -> ChangeLog:
        return RedisChangeLog(self.client, self.blocking, block=BLOCK)

    def journal_source(self, *, consumer: str = "journal", log_kept: int = 100_000) -> JournalSource:
        return RedisJournalSource(self.client, consumer=consumer, log_kept=log_kept)

    def sync_journal(self, *, runs_kept: int = 200) -> SyncJournal:
        return RedisSyncJournal(self.client, runs_kept=runs_kept)

    def rejection_lists(self, *, rejections_kept: int = 1000) -> RejectionLists:
        return RedisRejectionLists(self.client, rejections_kept=rejections_kept)

    def held_plans(self) -> HeldPlans:
        return RedisHeldPlans(self.client)

    def absences(self) -> Absences:
        return RedisAbsences(self.client)

    def transition_log(self) -> Transitions:
        return RedisTransitionLog(self.client)

    def leases(self, *, ttl: float = 30.0) -> Leases:
        return RedisLeases(self.client, ttl=ttl)

    def circuit_states(self) -> CircuitStates:
        return RedisCircuitStates(self.client)

    def sync_requests(self, *, ttl: float = 5.0) -> SyncRequests:
        return RedisSyncRequests(self.client, self.blocking, block=BLOCK, ttl=ttl)

    def activity_queue(
        self,
        *,
        window: float = 600.0,
        max_backlog: int = 10**9,
        max_backlog_bytes: int = 10**12,
        trace: Callable[[], str | None] | None = None,
    ) -> ActivityQueue:
        return RedisActivityQueue(
            self.client, window=window, max_backlog=max_backlog, max_backlog_bytes=max_backlog_bytes, trace=trace
        )

    def activity_inbox(self, *, takeover: float = 30.0) -> ActivityInbox:
        return RedisActivityInbox(self.client, self.blocking, takeover=takeover, block=BLOCK)

    def dead_letters(self) -> DeadLetters:
        return RedisDeadLetters(self.client)

    def recent_ids(self, *, window: float = 600.0) -> RecentIds:
        return RedisRecentIds(self.client, window)

    def queued_activities(self) -> QueuedActivities:
        return RedisQueuedActivities(self.client)

    def queue_watch(self) -> QueueWatch:
        return RedisQueueWatch(self.client)

    def lose_everything(self) -> None:
        for server in self._servers:
            with server.client() as client:
                client.flushall()

    def copied(self) -> Callable[[], None]:
        kept = [_dumped(server) for server in self._servers]

        def set_back() -> None:
            for server, dumps in zip(self._servers, kept, strict=True):
                _set_back(server, dumps)

        return set_back

    async def aclose(self) -> None:
        await self.client.aclose()
        await self.blocking.aclose()


def _dumped(server: RedisServer) -> dict[bytes, bytes]:
    with server.client() as client:
        return {key: client.dump(key) for key in client.scan_iter()}


def _set_back(server: RedisServer, dumps: Mapping[bytes, bytes]) -> None:
    with server.client() as client:
        client.flushall()
        for key, dump in dumps.items():
            client.restore(key, 0, dump)


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], RedisServer]]:
    """One server of each kind for everybody, started when it is first asked for."""
    started: dict[str, RedisServer] = {}
    with ExitStack() as stack:

        def server(kind: str) -> RedisServer:
            if kind not in started:
                require_server(kind)
                started[kind] = stack.enter_context(RedisServer(kind=kind))
            return started[kind]

        yield server


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RedisServer]:
    require_server()
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[list[ClusterNode]]:
    require_server()
    with redis_cluster() as nodes:
        yield nodes


@pytest.fixture(params=["memory", *ALL_SERVERS])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    made = _backend(request)
    made.lose_everything()
    yield made
    await made.aclose()


def _backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "memory":
        return MemoryBackend()
    if request.param in KINDS:
        server: RedisServer = request.getfixturevalue("servers")(request.param)
        return RedisBackend(server.url, [server])
    nodes: list[ClusterNode] = request.getfixturevalue("shared_cluster")
    return RedisBackend(f"redis+cluster://127.0.0.1:{nodes[0].port}", nodes)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server of the test's own, to be broken."""
    require_server()
    with RedisServer() as started:
        yield started


@pytest.fixture
async def redis(server: RedisServer) -> AsyncIterator[RedisBackend]:
    """The adapters on a server that the test breaks."""
    made = RedisBackend(server.url, [server], TIMEOUT)
    yield made
    server.resume()
    await made.aclose()


@pytest.fixture(scope="module")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with sqlite_history(tmp_path_factory.mktemp("history")) as made:
        yield made


@pytest.fixture(scope="module")
def postgres_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with postgres_history(tmp_path_factory.mktemp("history")) as made:
        yield made


@pytest.fixture(
    params=["memory", "sqlite_database", pytest.param("postgres_database", marks=pytest.mark.postgres)],
    ids=["memory", "sqlite", "postgresql"],
)
def history(request: pytest.FixtureRequest) -> HistoryBackend:
    """An empty store of the past, in each technology."""
    made: HistoryBackend = MemoryHistory() if request.param == "memory" else request.getfixturevalue(request.param)
    made.clear()
    return made


@pytest.fixture
def bare_history(tmp_path: Path) -> Iterator[SqlHistory]:
    """A database without tables."""
    with sqlite_history(tmp_path) as made:
        metadata.drop_all(made.database.engine)
        yield made


async def commit(
    catalog: PlanCatalog,
    lease: Lease,
    *changes: PlanChange,
    kinds: Collection[ChangeKind] = ALL_KINDS,
    run_id: str = "run-1",
) -> None:
    """Commit changes as one run does."""
    update = catalog.update(lease, run_id, NOW)
    try:
        await update.stage(changes)
        await update.commit(kinds)
    finally:
        await update.aclose()


async def sync(backend: Backend, *changes: PlanChange, provider: str = "demo") -> None:
    """Commit changes under a lease of their own."""
    async with backend.leases().hold(provider) as lease:
        await commit(backend.plan_catalog(), lease, *changes)


async def trim(backend: Backend, provider: str = "demo", *, log_kept: int) -> None:
    """Say that all of the log is stored, so that only its newest entries stay."""
    source = backend.journal_source(log_kept=log_kept)
    head = await source.head(provider)
    assert head is not None
    await source.stored({provider: head})


Follower = AsyncIterator[Sequence[LoggedChange] | Behind]


async def follow(log: ChangeLog, provider: str = "demo") -> Follower:
    """Follow one provider as an API process does: nothing at first, once the position is taken; then what happens."""
    watch = log.heads()
    at = (await anext(watch)).get(provider)
    yield ()
    async for moved in watch:
        head = moved.get(provider)
        at = at or (head and LogPosition(head.epoch, 0))
        more = provider in moved and at is not None
        if not more:
            yield ()
        while more and at is not None:
            page = (await log.read({provider: at}))[provider]
            if isinstance(page, Behind):
                at, more = page.head, False
                yield page
            else:
                at, more = page.end, page.more
                yield page.entries


async def entries(follower: Follower, count: int) -> list[LoggedChange]:
    """Read on until `count` entries came."""
    found: list[LoggedChange] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            item = await anext(follower)
            assert not isinstance(item, Behind)
            found += item
    return found


async def news(follower: Follower) -> Sequence[LoggedChange] | Behind:
    """Read on until something other than a sign of life comes."""
    async with asyncio.timeout(10):
        while True:
            item = await anext(follower)
            if item not in ((), []):
                return item


@pytest.fixture(scope="module")
def activity_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Find]:
    """Databases that are made and migrated once, when first asked for, and emptied for each test."""
    with ExitStack() as stack:
        made: dict[str, tuple[str, Path]] = {}

        def find(kind: str) -> tuple[str, Path]:
            if kind not in made:
                url = "embedded" if kind == "sqlite" else stack.enter_context(a_postgres_database())
                made[kind] = (url, tmp_path_factory.mktemp(kind))
                asyncio.run(migrate_one(*made[kind]))
            return made[kind]

        yield find


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def activity_backend(request: pytest.FixtureRequest) -> AsyncIterator[ActivityBackend]:
    made: ActivityBackend = MemoryActivityBackend()
    if request.param != "memory":
        find: Find = request.getfixturevalue("activity_databases")
        made = SqlActivityBackend(open_database(*await asyncio.to_thread(find, request.param), timeout=5))
    await made.clear()
    yield made
    await made.aclose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def activity_sql(request: pytest.FixtureRequest, activity_databases: Find) -> AsyncIterator[SqlActivityBackend]:
    made = SqlActivityBackend(open_database(*await asyncio.to_thread(activity_databases, request.param), timeout=5))
    await made.clear()
    yield made
    await made.aclose()
