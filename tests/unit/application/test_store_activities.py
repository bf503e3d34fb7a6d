import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC

import pytest

from app.application.ports.imports import ImportId
from app.application.store_activities import StoreActivities
from app.domain.activities import Activity
from tests.fakes.activity_inbox import MemoryActivityInbox
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.dead_letters import MemoryDeadLetters
from tests.support.builders import an_activity


class World:
    """The use case over memory adapters, and what it told."""

    def __init__(self) -> None:
        self.stream = MemoryActivityStream()
        self.queue = MemoryActivityQueue(self.stream)
        self.store = MemoryActivityStore(UTC)
        self.letters = MemoryDeadLetters(self.stream)
        self.troubles: list[str | None] = []
        self.buried: list[str] = []
        self.stopping = asyncio.Event()
        self.work = self.worker()

    def worker(self) -> StoreActivities:
        inbox = MemoryActivityInbox(self.stream, takeover=0.05, block=0.02)
        return StoreActivities(inbox, self.store, self.troubles.append, self.buried.append)

    async def run_until(self, done: Callable[[], bool]) -> None:
        """Let the worker work until something holds, then end it as SIGTERM does."""
        async with asyncio.timeout(5):
            async with asyncio.TaskGroup() as group:
                group.create_task(self.work(self.stopping))
                while not done():  # noqa: ASYNC110 - a condition of the test's own
                    await asyncio.sleep(0.01)
                self.stopping.set()

    @property
    def settled(self) -> bool:
        return not self.stream.entries

    async def counts(self) -> dict[str, int]:
        return {total.type: total.count for total in await self.store.totals()}


@pytest.fixture
async def world() -> World:
    return World()


def some(*numbers: int, type_: str = "view") -> Sequence[Activity]:
    return [an_activity(number, type_=type_) for number in numbers]


async def test_what_was_queued_is_stored_and_settled(world: World) -> None:
    await world.queue.append(some(1, 2))
    await world.queue.append(some(3, type_="click"))

    await world.run_until(lambda: world.settled)

    assert await world.counts() == {"view": 2, "click": 1}
    assert world.stream.counts.settled == 3


async def test_a_worker_waits_for_what_comes_later(world: World) -> None:
    async def comes_later() -> None:
        await asyncio.sleep(0.1)
        await world.queue.append(some(1))

    async with asyncio.TaskGroup() as group:
        group.create_task(comes_later())
        group.create_task(world.run_until(lambda: world.stream.counts.settled == 1))

    assert await world.counts() == {"view": 1}


async def test_each_transaction_is_told_of_with_what_was_new(world: World) -> None:
    told: list[tuple[int, bool]] = []
    await world.store.store(some(1, 2))
    await world.queue.append(some(1, 2, 3))
    world.work = replace(world.work, on_stored=lambda new, seconds: told.append((new, 0 <= seconds < 1)))

    await world.run_until(lambda: world.settled)

    assert told == [(1, True)]


async def test_a_redelivered_batch_changes_nothing(world: World) -> None:
    await world.store.store(some(1, 2))
    await world.queue.append(some(1, 2, 3))

    await world.run_until(lambda: world.settled)

    assert await world.counts() == {"view": 3}


async def test_a_database_that_is_down_is_waited_for_and_told_of_once(world: World) -> None:
    await world.queue.append(some(1))
    world.store.unavailable = "the database is down"

    async def comes_back() -> None:
        await asyncio.sleep(0.5)
        assert not world.settled
        world.store.unavailable = None

    async with asyncio.TaskGroup() as group:
        group.create_task(comes_back())
        group.create_task(world.run_until(lambda: world.settled))

    assert await world.counts() == {"view": 1}
    assert world.troubles == ["the database is down", None]


async def test_a_queue_that_is_away_is_waited_for(world: World) -> None:
    await world.queue.append(some(1))
    world.stream.store.unavailable = "Redis is down"

    async def comes_back() -> None:
        await asyncio.sleep(0.15)
        world.stream.store.unavailable = None

    async with asyncio.TaskGroup() as group:
        group.create_task(comes_back())
        group.create_task(world.run_until(lambda: world.settled))

    assert await world.counts() == {"view": 1}
    assert world.troubles == ["Redis is down", None]


async def test_one_that_cannot_be_stored_becomes_a_dead_letter_and_the_others_are_stored(world: World) -> None:
    world.store.not_storable = {"poison"}
    await world.queue.append(some(1, 2))
    await world.queue.append([*some(3), *some(4, type_="poison"), *some(5)])
    await world.queue.append(some(6))

    await world.run_until(lambda: world.settled)

    letters = await world.letters.list(10)
    assert await world.counts() == {"view": 5}
    assert [[activity.activity_id.int for activity in letter.activities] for letter in letters] == [[4]]
    assert world.buried == [letters[0].reason] == ["the type 'poison' cannot be stored"]


async def test_several_that_cannot_be_stored_become_one_letter_of_their_batch(world: World) -> None:
    world.store.not_storable = {"poison"}
    await world.queue.append([*some(1, type_="poison"), *some(2), *some(3, type_="poison")])

    await world.run_until(lambda: world.settled)

    (letter,) = await world.letters.list(10)
    assert [activity.activity_id.int for activity in letter.activities] == [1, 3]


async def test_told_to_end_while_the_database_is_down_it_leaves_the_batch_for_others(world: World) -> None:
    await world.queue.append(some(1))
    world.store.unavailable = "the database is down"

    await world.run_until(lambda: bool(world.troubles))

    assert not world.settled
    world.store.unavailable = None
    world.stopping.clear()
    world.work = world.worker()
    await world.run_until(lambda: world.settled)
    assert await world.counts() == {"view": 1}


async def test_told_to_end_while_a_batch_is_sorted_out_alone_it_leaves_it_for_others(world: World) -> None:
    world.store.not_storable = {"poison"}
    await world.queue.append([*some(1, type_="poison"), *some(2, type_="poison")])

    def down_from_now_on(_reason: str) -> None:
        raise AssertionError("nothing may be buried before all of the batch is sorted out")

    world.work = StoreActivities(
        MemoryActivityInbox(world.stream, block=0.02),
        FailsLater(world.store, after=2),
        world.troubles.append,
        down_from_now_on,
    )
    await world.run_until(lambda: bool(world.troubles))

    assert not world.settled
    assert not await world.letters.list(10)


class FailsLater(MemoryActivityStore):
    """A store that goes away after so many calls."""

    def __init__(self, store: MemoryActivityStore, *, after: int) -> None:
        super().__init__(store.zone)
        self.not_storable = store.not_storable
        self._left = after

    async def store(self, activities: Sequence[Activity], import_id: ImportId | None = None) -> int:
        if self._left == 0:
            self.unavailable = "it went away"
        self._left -= 1
        return await super().store(activities, import_id)
