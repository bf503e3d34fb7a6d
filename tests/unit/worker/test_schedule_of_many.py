"""The schedule beside more providers than may be synced at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from app.adapters.inbound.worker.sync_schedule import SyncSchedule
from app.application.ports.providers import (
    ConfiguredProvider,
    FeedMark,
    FeedSnapshot,
    FeedUnavailableError,
    FeedWatcher,
    Provider,
    ProviderDirectory,
)
from app.application.ports.system import SyncRequest
from app.domain.errors import UnknownProviderError
from tests.fakes.sync_requests import MemorySyncRequests
from tests.support.fixed_clock import FixedClock
from tests.support.scripted_provider import a_snapshot, configured
from tests.support.sync_world import SyncWorld
from tests.support.waiting import eventually


@dataclass
class Turnstile(Provider):
    """Notes who is being fetched; `stuck` ones never answer, `broken` ones fail."""

    name: str
    crowd: "Crowd"

    async def fetch(self, since: FeedMark | None, watcher: FeedWatcher | None = None) -> FeedSnapshot | None:
        del since, watcher
        self.crowd.inside.add(self.name)
        self.crowd.most = max(self.crowd.most, len(self.crowd.inside))
        self.crowd.fetched.append(self.name)
        try:
            await asyncio.sleep(0.001)
            if self.name in self.crowd.stuck and self.crowd.fetched.count(self.name) > 1:
                self.crowd.hang()
                await asyncio.Event().wait()
            if self.name in self.crowd.stuck:
                raise FeedUnavailableError("it fails")
        finally:
            self.crowd.inside.discard(self.name)
        return a_snapshot(())


@dataclass
class Crowd(ProviderDirectory):
    """So many providers, and what happened to them."""

    size: int
    interval: float = 3600.0
    stuck: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    most: int = 0
    most_stuck: int = 0
    hanging: int = 0

    def __post_init__(self) -> None:
        self._providers = {
            name: configured(Turnstile(name, self), name=name, interval=self.interval)
            for name in (f"p{number}" for number in range(self.size))
        }

    def all(self) -> Sequence[ConfiguredProvider]:
        return list(self._providers.values())

    def get(self, name: str) -> ConfiguredProvider:
        try:
            return self._providers[name]
        except KeyError:
            raise UnknownProviderError(name, self._providers) from None

    def hang(self) -> None:
        self.hanging += 1
        self.most_stuck = max(self.most_stuck, self.hanging)

    def fetches(self, *numbers: int) -> int:
        """Say how often the one of these that was fetched least often was."""
        return min(self.fetched.count(f"p{number}") for number in numbers)


class HastyClock(FixedClock):
    """Some time passes with every look at it, so that everybody is always due and nobody slow."""

    def now(self) -> datetime:
        self.move(0.06)
        return super().now()


@asynccontextmanager
async def running(crowd: Crowd, concurrent_syncs: int) -> AsyncIterator[MemorySyncRequests]:
    world, numbers = SyncWorld(clock=HastyClock()), count()
    requests = MemorySyncRequests(world.store, block=0.05)
    schedule = SyncSchedule(
        sync=world.sync_provider,
        directory=crowd,
        catalog=world.catalog,
        requests=requests,
        clock=world.clock,
        new_run_id=lambda: f"run-{next(numbers)}",
        chance=lambda: 0.5,
        concurrent_syncs=concurrent_syncs,
    )
    task = asyncio.create_task(schedule(0.0))
    try:
        yield requests
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_thousand_that_are_due_at_once_are_all_synced_and_never_more_than_allowed_together() -> None:
    crowd = Crowd(1000)

    async with running(crowd, concurrent_syncs=8):
        await eventually(lambda: len(crowd.fetched) == 1000 and not crowd.inside)

    assert len(set(crowd.fetched)) == 1000
    assert 1 < crowd.most <= 8


async def test_those_that_failed_or_are_slow_leave_room_for_the_others() -> None:
    stuck = {f"p{number}" for number in range(20)}
    crowd = Crowd(30, interval=0.1, stuck=stuck)

    async with running(crowd, concurrent_syncs=8):
        await eventually(lambda: crowd.hanging > 0 and crowd.fetches(*range(20, 30)) >= 5)

    assert crowd.most_stuck <= 2


async def test_who_asks_does_not_wait_for_all_that_are_due() -> None:
    crowd = Crowd(3, interval=0.1, stuck={"p0", "p1"})

    async with running(crowd, concurrent_syncs=1) as requests:
        await eventually(lambda: crowd.inside in ({"p0"}, {"p1"}) and crowd.hanging == 1)
        before = crowd.fetches(2)
        await requests.take()  # a sign of life
        await requests.put(SyncRequest(provider="p2", run_id="asked", approve=False))

        await eventually(lambda: crowd.fetches(2) > before)
