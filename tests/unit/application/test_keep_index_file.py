"""The index file is never far behind, never knows less than the one before, and a full disk costs nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.follow_catalog import FollowCatalog
from app.application.keep_index_file import KeepIndexFile
from app.application.ports.index_file import IndexFileFacts
from app.domain.backoff import Backoff
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.index_file import MemoryIndexFile
from tests.support.builders import a_plan
from tests.support.sync_world import SyncWorld
from tests.support.waiting import eventually

SOON = 0.01
LONG = 3600.0


class World:
    def __init__(self, interval: float = SOON, look_interval: float = SOON) -> None:
        self.catalog = SyncWorld()
        self.file = MemoryIndexFile()
        self.told: list[str | None] = []
        self.written: list[IndexFileFacts] = []
        self.follow = FollowCatalog(self.catalog.log, LiveIndex(RENDERING), self.file)
        self.stopping = asyncio.Event()
        self.keep = KeepIndexFile(
            follow=self.follow,
            index_file=self.file,
            interval=interval,
            on_trouble=self.told.append,
            on_written=self.written.append,
            look_interval=look_interval,
            retry=Backoff(first=SOON, longest=SOON),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow and keep while the block runs, then stop as a process does."""
        following, keeping = asyncio.create_task(self.follow()), asyncio.create_task(self.keep(self.stopping))
        try:
            yield
            self.stopping.set()
            await asyncio.wait_for(keeping, 5)
        finally:
            following.cancel()
            keeping.cancel()
            await asyncio.gather(following, keeping, return_exceptions=True)


async def test_a_change_is_written_with_how_far_the_index_has_come() -> None:
    world = World()
    await world.catalog.sync_with(a_plan(1), a_plan(2))

    async with world.running():
        world.file.change()
        await eventually(lambda: world.file.written)

    [(changes, at)] = world.file.written
    assert (changes, [position.sequence for position in at.values()]) == (1, [2])
    assert world.written == [world.file.in_use]
    assert world.told == []


async def test_nothing_is_written_as_long_as_nothing_changes() -> None:
    world = World()

    async with world.running():
        await eventually(lambda: world.follow.caught_up)
        await asyncio.sleep(10 * SOON)

    assert world.file.written == []


async def test_several_changes_within_the_interval_are_one_write() -> None:
    world = World(interval=0.2)

    async with world.running():
        for _ in range(5):
            world.file.change()
            await asyncio.sleep(SOON)
        assert world.file.written == []
        await eventually(lambda: world.file.written)

    assert [changes for changes, _ in world.file.written] == [5]


async def test_what_came_during_a_write_is_in_the_next() -> None:
    world = World()
    world.file.seconds = 5 * SOON

    async with world.running():
        world.file.change()
        await eventually(lambda: world.follow.caught_up)
        await asyncio.sleep(3 * SOON)
        world.file.change()
        await eventually(lambda: len(world.file.written) == 2)

    assert [changes for changes, _ in world.file.written] == [1, 2]


async def test_the_end_writes_what_the_file_lacks_however_long_the_interval() -> None:
    world = World(interval=LONG)

    async with world.running():
        world.file.change()
        await eventually(lambda: world.follow.caught_up)
        await asyncio.sleep(3 * SOON)
        assert world.file.written == []

    assert [changes for changes, _ in world.file.written] == [1]


async def test_the_end_writes_nothing_that_the_file_has() -> None:
    world = World()

    async with world.running():
        world.file.change()
        await eventually(lambda: world.file.written)

    assert len(world.file.written) == 1


async def test_half_a_catalog_never_becomes_the_file_not_even_at_the_end() -> None:
    world = World()
    world.catalog.store.unavailable = "away"

    async with world.running():
        world.file.change()
        await asyncio.sleep(10 * SOON)

    assert world.file.written == []


async def test_a_full_disk_is_told_once_and_tried_again_until_it_is_over() -> None:
    world = World()
    world.file.trouble = "no space left"

    async with world.running():
        world.file.change()
        await eventually(lambda: world.told == ["no space left"])
        await asyncio.sleep(10 * SOON)
        world.file.trouble = None
        await eventually(lambda: world.file.written)
        await eventually(lambda: len(world.told) == 2)

    assert world.told == ["no space left", None]


async def test_a_disk_that_is_full_to_the_end_does_not_keep_the_process() -> None:
    world = World(interval=LONG)
    world.file.trouble = "no space left"

    async with world.running():
        world.file.change()
        await eventually(lambda: world.follow.caught_up)

    assert (world.file.written, world.told) == ([], ["no space left"])
