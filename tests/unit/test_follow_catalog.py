import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from app.adapters.inbound.http.rendering import parse_plan, plan_prefix, render_plan
from app.adapters.outbound.memory.live_index import LiveIndex
from app.application.follow_catalog import FollowCatalog
from app.domain.time_window import TimeWindow
from tests.builders import a_plan
from tests.sync_world import SyncWorld


class Follower:
    def __init__(self, world: SyncWorld) -> None:
        self.index = LiveIndex(render_plan, plan_prefix, parse_plan)
        self.troubles: list[str | None] = []
        self.follow = FollowCatalog(world.log, self.index, self.troubles.append)

    def titles(self) -> list[str]:
        return sorted(plan.title for plan in self.index.find(TimeWindow()))


@asynccontextmanager
async def following(world: SyncWorld) -> AsyncIterator[Follower]:
    follower = Follower(world)
    task = asyncio.create_task(follower.follow())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what it waits for is a fact, not a signal
            await asyncio.sleep(0.01)


async def test_an_index_is_ready_once_the_whole_catalog_is_loaded() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"), a_plan(2, title="B"))

    async with following(world) as follower:
        assert not follower.index.ready
        await until(lambda: follower.index.ready)

        assert follower.titles() == ["A", "B"]


async def test_an_empty_catalog_is_ready_too() -> None:
    async with following(SyncWorld()) as follower:
        await until(lambda: follower.index.ready)

        assert follower.titles() == []


async def test_a_committed_change_is_found_soon() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))

    async with following(world) as follower:
        await until(lambda: follower.index.ready)
        await world.sync_with(a_plan(1, title="A2"), a_plan(2, title="B"))

        await until(lambda: follower.titles() == ["A2", "B"])


async def test_a_provider_that_commits_for_the_first_time_is_found_soon() -> None:
    first = SyncWorld()
    await first.sync_with(a_plan(1, title="A"))

    async with following(first) as follower:
        await until(lambda: follower.index.ready)
        second = SyncWorld(name="second", store=first.store)
        await second.sync_with(a_plan(1, provider="second", title="B"))

        await until(lambda: follower.titles() == ["A", "B"])


async def test_search_goes_on_while_the_store_is_away_and_nothing_is_missed() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))

    async with following(world) as follower:
        await until(lambda: follower.index.ready)
        world.store.unavailable = "away"
        await until(lambda: follower.troubles == ["away"])
        assert follower.titles() == ["A"]
        world.store.unavailable = None
        await world.sync_with(a_plan(1, title="A"), a_plan(2, title="B"))

        await until(lambda: follower.titles() == ["A", "B"])
        await until(lambda: follower.troubles == ["away", None])


async def test_a_store_that_comes_back_empty_costs_no_plan() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"), a_plan(2, title="past"))

    async with following(world) as follower:
        await until(lambda: follower.index.ready)
        world.store.lose_everything()
        await world.sync_with(a_plan(1, title="A after"))

        await until(lambda: follower.titles() == ["A after", "past"])


async def test_a_store_that_is_away_at_the_start_is_waited_for() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1, title="A"))
    world.store.unavailable = "away"

    async with following(world) as follower:
        await until(lambda: bool(follower.troubles))
        assert not follower.index.ready
        world.store.unavailable = None

        await until(lambda: follower.index.ready)
        assert follower.titles() == ["A"]


async def test_a_bug_in_a_follower_ends_the_process_and_not_one_follower_in_silence() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan(1))
    index = LiveIndex(lambda _: 1 // 0, plan_prefix, parse_plan)  # type: ignore[arg-type,return-value] # the bug

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(FollowCatalog(world.log, index)(), 3)
