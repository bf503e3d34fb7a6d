"""Undoing an import: what it stored is gone, what others stored stays, and its file may come again."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.application.ports.imports import ImportHasLeftError, ImportState, NewImport, UnknownImportError
from app.application.undo_import import UndoImport
from app.domain.activities import Activity
from tests.fakes.activity_queue import MemoryActivityQueue
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.activity_stream import MemoryActivityStream
from tests.fakes.recent_ids import MemoryRecentIds

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
FILE = NewImport("digest", "letters.csv", "csv")


def activities(first: int, last: int) -> list[Activity]:
    return [Activity(UUID(int=n), "view", AT + timedelta(days=n), user_id="ana") for n in range(first, last + 1)]


@dataclass
class World:
    store: MemoryActivityStore = field(default_factory=lambda: MemoryActivityStore(UTC))
    stream: MemoryActivityStream = field(default_factory=MemoryActivityStream)

    @property
    def undo(self) -> UndoImport:
        return UndoImport(self.store.imports, self.store, MemoryRecentIds(self.stream))

    async def imported(self, some: list[Activity]) -> int:
        begun = await self.store.imports.begin(FILE, AT)
        if some:
            await self.store.store(some, begun.import_id)
        await self.store.imports.mark(begun.import_id, len(some))
        await self.store.imports.finish(begun.import_id, AT)
        return begun.import_id

    async def count(self) -> int:
        return sum(total.count for total in await self.store.totals())


@pytest.fixture
def world() -> World:
    return World()


async def test_what_an_import_stored_is_taken_out_and_its_file_comes_again(world: World) -> None:
    await world.store.store(activities(1, 3))
    import_id = await world.imported(activities(1, 10))

    undone = await world.undo(import_id)

    assert (undone.removed, undone.are_ids_free, undone.imported.state) == (7, True, ImportState.UNDONE)
    assert await world.count() == 3
    assert await world.imported(activities(1, 10)) == import_id + 1
    assert await world.count() == 10


async def test_it_goes_step_by_step_and_tells_how_far_it_is(world: World) -> None:
    world.store.step = 4
    import_id = await world.imported(activities(1, 10))
    told: list[int] = []

    assert (await world.undo(import_id, told.append)).removed == 10

    assert told == [4, 8, 10]


async def test_one_that_was_cut_short_goes_on(world: World) -> None:
    world.store.step = 4
    import_id = await world.imported(activities(1, 10))

    def stop(_removed: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await world.undo(import_id, stop)
    found = await world.store.imports.find(import_id)
    assert found is not None
    assert found.state is ImportState.UNDOING
    assert await world.count() == 6

    assert (await world.undo(import_id)).removed == 6
    assert (await world.undo(import_id)).removed == 0


async def test_an_import_that_stored_nothing_is_undone_too(world: World) -> None:
    import_id = await world.imported([])

    assert (await world.undo(import_id)).removed == 0


async def test_the_door_takes_an_activity_again_at_once(world: World) -> None:
    queue = MemoryActivityQueue(world.stream)
    import_id = await world.imported(activities(1, 1))
    await queue.append(activities(1, 1))

    await world.undo(import_id)

    assert list(await queue.append(activities(1, 1))) == []


async def test_without_redis_the_import_is_undone_all_the_same(world: World) -> None:
    import_id = await world.imported(activities(1, 5))
    world.stream.store.unavailable = "Redis is away"

    undone = await world.undo(import_id)

    assert (undone.removed, undone.are_ids_free) == (5, False)


async def test_an_import_that_never_was_cannot_be_undone(world: World) -> None:
    with pytest.raises(UnknownImportError, match="no import has the id 7"):
        await world.undo(7)


async def test_an_import_of_days_whose_activities_have_left_is_not_undone(world: World) -> None:
    import_id = await world.imported(activities(1, 5))
    world.store.frozen = AT.date() + timedelta(days=3)

    with pytest.raises(ImportHasLeftError, match="cannot be undone"):
        await world.undo(import_id)

    assert await world.count() == 5
