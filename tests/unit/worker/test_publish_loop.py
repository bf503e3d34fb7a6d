"""Publishing in a worker process: one at a time, each publisher for itself, through whatever is away."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from structlog.testing import capture_logs

from app.adapters.inbound.worker.publish_loop import PublishLoop
from app.adapters.outbound.memory.publisher import MemoryPublisher
from app.application.ports.publishing import DomainEventPublisher
from app.application.publish_domain_events import PublishDomainEvents
from app.domain.backoff import Backoff
from app.domain.domain_events import DomainEvent
from tests.fakes.leases import MemoryLeases
from tests.fakes.publishing_positions import MemoryPublishingPositions
from tests.fakes.store import MemoryStore
from tests.support.running_loops import running
from tests.support.waiting import eventually
from tests.support.webhook_world import ListedLog, a_plan_told


class Counting(MemoryPublisher):
    attempts = 0

    async def publish(self, events: Sequence[DomainEvent]) -> None:
        self.attempts += 1
        await super().publish(events)


class Unreadable(MemoryPublishingPositions):
    """An adapter with a bug that one publisher's rows show."""

    def __init__(self, publisher: str) -> None:
        super().__init__()
        self._unreadable = publisher

    async def of(self, publisher: str) -> Mapping[str, int]:
        if publisher == self._unreadable:
            raise TypeError("a row that nobody can read")
        return await super().of(publisher)


class World:
    def __init__(self, *others: DomainEventPublisher) -> None:
        self.store = MemoryStore()
        self.log = ListedLog("plans")
        self.publisher = MemoryPublisher()
        self.positions = MemoryPublishingPositions()
        self.publish = PublishDomainEvents(
            logs=(self.log,), publishers=(*others, self.publisher), positions=self.positions, timeout=1
        )

    def loop(self, *, term: float = 30.0) -> PublishLoop:
        return PublishLoop(
            publish=self.publish,
            leases=MemoryLeases(self.store, ttl=0.3),
            interval=0.01,
            retry=Backoff(0.01, longest=10.0),
            term=term,
        )

    def happen(self, count: int = 1) -> None:
        self.log.facts += [a_plan_told(len(self.log.facts) + 1 + number) for number in range(count)]

    async def until_told(self, publisher: MemoryPublisher | None = None) -> None:
        await eventually(lambda: len((publisher or self.publisher).get()) == len(self.log.facts))


async def test_what_happens_is_told_soon_for_ever() -> None:
    world = World()
    async with running(world.loop()):
        for _ in range(3):
            world.happen(3)
            await world.until_told()

    assert world.publisher.get() == tuple(world.log.facts)


async def test_one_process_works_and_when_it_ends_another_takes_over() -> None:
    world = World()
    async with running(*(world.loop() for _ in range(3))) as tasks:
        world.happen()
        await world.until_told()
        assert [lease.provider for lease in world.store.leases] == [PublishLoop.lease]

        for task in tasks[:2]:
            task.cancel()
        world.happen()
        await world.until_told()

    assert world.publisher.get() == tuple(world.log.facts)


async def test_the_lease_is_given_back_after_a_while() -> None:
    world = World()
    fences: set[int] = set()
    async with running(world.loop(term=0.02)):
        async with asyncio.timeout(3):
            while len(fences) < 3:
                fences |= {lease.fence for lease in world.store.leases}
                await asyncio.sleep(0.005)


async def test_a_publisher_that_fails_is_asked_ever_more_seldom_told_of_once_and_loses_nothing() -> None:
    broken = Counting("broken")
    broken.disable()
    world = World(broken)
    with capture_logs() as lines:
        async with running(world.loop(term=0.05)):
            world.happen(5)
            await world.until_told()
            await asyncio.sleep(0.5)
            assert 2 <= broken.attempts <= 8
            broken.enable()
            await world.until_told(broken)
            world.happen()
            await world.until_told(broken)

    told = [(line["log_level"], line["publisher"]) for line in lines]
    assert told == [("warning", "broken"), ("info", "broken")]


async def test_a_bug_costs_a_publisher_a_rest_and_neither_the_others_nor_the_worker() -> None:
    other = MemoryPublisher("other")
    world = World(other)
    world.publish = replace(world.publish, positions=Unreadable("other"))
    with capture_logs() as lines:
        async with running(world.loop(term=0.05)) as (task,):
            for _ in range(3):
                world.happen()
                await world.until_told()
                await asyncio.sleep(0.05)
            assert not task.done()

    assert other.get() == ()
    bugs = [line for line in lines if line["log_level"] == "error"]
    assert 1 <= len(bugs) <= 6
    assert all((line["publisher"], line["exc_info"]) == ("other", True) for line in bugs)


async def test_stores_that_are_away_are_waited_for() -> None:
    world = World()
    with capture_logs() as lines:
        async with running(world.loop(term=0.05)) as (task,):
            for store in (world.positions, world.log, world.store):
                store.unavailable = "gone"
                world.happen()
                await asyncio.sleep(0.15)
                store.unavailable = None
                await world.until_told()
            assert not task.done()

    assert world.publisher.get() == tuple(world.log.facts)
    assert {line["log_level"] for line in lines} <= {"warning", "info"}
