import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace

import pytest

from app.adapters.outbound.search_index.live_index import LiveIndex
from app.application.follow_catalog import FollowCatalog
from app.application.ports.catalog import Behind, ChangeLog, LoggedChange, LogPage, LogPosition
from app.application.ports.index_file import IndexFile, IndexFileError
from app.application.ports.system import LiveStateUnavailableError
from app.domain.plans import SearchablePlan
from app.domain.time_window import TimeWindow
from app.infrastructure.wiring.plan_rendering import RENDERING
from tests.fakes.change_log import MemoryChangeLog
from tests.fakes.index_file import MemoryIndexFile
from tests.fakes.store import MemoryStore
from tests.support.builders import a_plan
from tests.support.sync_world import SyncWorld
from tests.support.waiting import eventually


class Follower:
    def __init__(self, log: ChangeLog, file: IndexFile | None = None) -> None:
        self.index = LiveIndex(RENDERING)
        self.file = file or MemoryIndexFile()
        self.troubles: list[str | None] = []
        self.follow = FollowCatalog(log, self.index, self.file, self.troubles.append)

    def titles(self) -> list[str]:
        return sorted(plan.title for plan in self.index.find(TimeWindow()))


@asynccontextmanager
async def following(world: SyncWorld, log: ChangeLog | None = None) -> AsyncIterator[Follower]:
    follower = Follower(log or world.log)
    task = asyncio.create_task(follower.follow())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_index_is_ready_once_the_whole_catalog_is_loaded() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"), a_plan(2, title="B"))

    async with following(world) as follower:
        assert not follower.index.ready
        await eventually(lambda: follower.index.ready)

        assert follower.titles() == ["A", "B"]


async def test_an_empty_catalog_is_ready_too() -> None:
    async with following(SyncWorld()) as follower:
        await eventually(lambda: follower.index.ready)

        assert follower.titles() == []


async def test_a_committed_change_is_found_soon() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))

    async with following(world) as follower:
        await eventually(lambda: follower.index.ready)
        await world.sync_with(a_plan(1, title="A2"), a_plan(2, title="B"))

        await eventually(lambda: follower.titles() == ["A2", "B"])


async def test_a_provider_that_commits_for_the_first_time_is_found_soon() -> None:
    first = SyncWorld()
    await first.sync_with(a_plan(1, title="A"))

    async with following(first) as follower:
        await eventually(lambda: follower.index.ready)
        second = SyncWorld(name="second", store=first.store)
        await second.sync_with(a_plan(1, provider="second", title="B"))

        await eventually(lambda: follower.titles() == ["A", "B"])


async def test_search_goes_on_while_the_store_is_away_and_nothing_is_missed() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))

    async with following(world) as follower:
        await eventually(lambda: follower.index.ready)
        world.store.unavailable = "away"
        await eventually(lambda: follower.troubles == ["away"])
        assert follower.titles() == ["A"]
        world.store.unavailable = None
        await world.sync_with(a_plan(1, title="A"), a_plan(2, title="B"))

        await eventually(lambda: follower.titles() == ["A", "B"])
        await eventually(lambda: follower.troubles == ["away", None])


async def test_a_store_that_comes_back_empty_costs_no_plan() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"), a_plan(2, title="past"))

    async with following(world) as follower:
        await eventually(lambda: follower.index.ready)
        world.store.lose_everything()
        await world.sync_with(a_plan(1, title="A after"))

        await eventually(lambda: follower.titles() == ["A after", "past"])


async def test_a_store_that_is_away_at_the_start_is_waited_for() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))
    world.store.unavailable = "away"

    async with following(world) as follower:
        await eventually(lambda: bool(follower.troubles))
        assert not follower.index.ready
        world.store.unavailable = None

        await eventually(lambda: follower.index.ready)
        assert follower.titles() == ["A"]


async def test_a_bug_in_a_follower_ends_the_process_and_not_one_follower_in_silence() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1))
    index = LiveIndex(replace(RENDERING, render=lambda _: 1 // 0))  # type: ignore[arg-type,return-value] # the bug

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(FollowCatalog(world.log, index, MemoryIndexFile())(), 3)


async def test_a_log_that_is_gone_is_waited_for_and_read_from_its_new_beginning() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))

    async with following(world) as follower:
        await eventually(lambda: follower.index.ready)
        world.store.lose_everything()
        await asyncio.sleep(0.2)
        assert follower.titles() == ["A"]
        await world.sync_with(a_plan(2, title="B"))

        await eventually(lambda: follower.titles() == ["A", "B"])


async def test_hundreds_of_providers_are_loaded_and_followed() -> None:
    store = MemoryStore()
    worlds = [SyncWorld(name=f"{number}", store=store) for number in range(300)]
    for world in worlds:
        await world.sync_with(a_plan(provider=world.name, title=world.name))

    async with following(worlds[0]) as follower:
        await eventually(lambda: follower.index.ready)
        assert follower.index.size == 300
        for world in worlds[::2]:
            await world.sync_with(a_plan(provider=world.name, title="new"))

        await eventually(lambda: follower.titles().count("new") == len(worlds[::2]))


async def test_a_long_log_is_read_to_its_end_and_a_plans_latest_state_counts() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(0))

    async with following(world) as follower:
        await eventually(lambda: follower.index.ready)
        for title in ("old", "new"):
            await world.sync_with(*(a_plan(number, title=title) for number in range(350)))

        await eventually(lambda: follower.titles() == ["new"] * 350)


class Broken(MemoryChangeLog):
    """Fails in what is asked of it, so often."""

    def __init__(self, world: SyncWorld, *, reads: int = 0, loads: int = 0) -> None:
        super().__init__(world.store, block=0.05)
        self._reads = reads
        self._loads = loads

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[LoggedChange] | Behind]:
        self._reads -= 1
        if self._reads >= 0:
            raise LiveStateUnavailableError("no read")
        return await super().read(after)

    async def searchable(self, provider: str) -> AsyncIterator[Sequence[SearchablePlan]]:
        self._loads -= 1
        if self._loads >= 0:
            raise LiveStateUnavailableError("no load")
        async for batch in super().searchable(provider):
            yield batch


async def test_a_load_that_fails_is_tried_again() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(title="A"))

    async with following(world, Broken(world, loads=2)) as follower:
        await eventually(lambda: follower.index.ready)

        assert follower.titles() == ["A"]
        assert follower.troubles == ["no load", None]


async def test_a_read_that_fails_is_tried_again_and_nothing_is_missed() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(title="A"))

    async with following(world, Broken(world, reads=2)) as follower:
        await eventually(lambda: follower.index.ready)
        await world.sync_with(a_plan(title="B"))

        await eventually(lambda: follower.titles() == ["B"])
        await eventually(lambda: follower.troubles == ["no read", None])


class Vanishing(MemoryChangeLog):
    """Loses everything just before it is read for the first time."""

    vanished = False

    async def read(self, after: Mapping[str, LogPosition]) -> Mapping[str, LogPage[LoggedChange] | Behind]:
        if not self.vanished:
            self._store.lose_everything()
            self.vanished = True
        return await super().read(after)


async def test_a_log_that_is_gone_when_it_is_read_costs_no_plan() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(title="A"))
    log = Vanishing(world.store, block=0.05)

    async with following(world, log) as follower:
        await eventually(lambda: follower.index.ready)
        await world.sync_with(a_plan(title="B"))
        await eventually(lambda: log.vanished)
        assert follower.titles() == ["A"]
        await world.sync_with(a_plan(title="C"))

        await eventually(lambda: follower.titles() == ["C"])


async def test_a_log_that_was_set_back_is_loaded_again() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(title="A"))
    kept = deepcopy(world.store._shelves)
    await world.sync_with(a_plan(title="B"))

    async with following(world) as follower:
        await eventually(lambda: follower.index.ready)
        world.store._shelves = kept
        await world.sync_with(a_plan(title="C"), a_plan(2, title="D"))

        await eventually(lambda: follower.titles() == ["C", "D"])


class Renewing(MemoryIndexFile):
    """Says once, when it is asked first, why it is refused; then that the index of another file is further on."""

    def __init__(self, at: Mapping[str, LogPosition]) -> None:
        super().__init__()
        self._answers: list[Mapping[str, LogPosition] | None] = [at, None]
        self.asked = 0

    async def renew(self, at: Mapping[str, LogPosition]) -> Mapping[str, LogPosition] | None:  # noqa: ARG002
        self.asked += 1
        if self.asked == 1:
            raise IndexFileError("torn")
        return self._answers.pop(0) if self._answers else None


async def test_an_index_file_that_is_refused_is_told_and_a_later_one_says_up_to_where_it_is() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(title="A"))
    refused: list[str] = []
    file = Renewing(dict(world.store.heads))
    index = LiveIndex(RENDERING)
    follow = FollowCatalog(MemoryChangeLog(world.store, block=0.05), index, file, on_refused_file=refused.append)

    task = asyncio.create_task(follow())
    await eventually(lambda: file.asked > 1 and follow.positions == world.store.heads)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert refused == ["torn"]
    assert index.ready
