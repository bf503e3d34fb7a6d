"""The journal's writer in a worker process: one at a time, through whatever is away, until it is told to end."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from structlog.testing import capture_logs

from app.adapters.inbound.worker.journal_loop import JournalLoop, log_restoration
from app.application.restore_catalog import Restoration
from app.domain.backoff import Backoff
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld
from tests.support.running_loops import running


def a_loop(world: JournalWorld, *, now: Callable[[], float] | None = None) -> JournalLoop:
    loop = JournalLoop(
        journal=world.journaling, log=world.log, leases=world.leases, interval=0.01, retry=Backoff(0.01, longest=10.0)
    )
    if now:
        loop.now = now
    return loop


async def until_journaled(world: JournalWorld, states: int) -> None:
    async with asyncio.timeout(10):
        while len(await world.states(a_plan())) < states:  # noqa: ASYNC110 - a journal tells nobody
            await asyncio.sleep(0.01)


def levels(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    """How what the journal told was told."""
    return [line["log_level"] for line in logs if "journal of plans" in line["event"]]


async def until_told(logs: Sequence[Mapping[str, Any]], level: str) -> None:
    async with asyncio.timeout(10):
        while levels(logs)[-1:] != [level]:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)


async def test_changes_are_journaled_soon_for_ever() -> None:
    world = JournalWorld()
    async with running(a_loop(world)):
        for number in range(3):
            await world.sync_with(a_plan(title=f"{number}"))
            await until_journaled(world, number + 1)


async def test_one_process_works_and_the_others_wait() -> None:
    world = JournalWorld()
    async with running(*(a_loop(world) for _ in range(4))):
        await world.sync_with(a_plan())
        await until_journaled(world, 1)

        assert [lease.provider for lease in world.store.leases] == [JournalLoop.lease]


async def test_when_it_ends_another_takes_over() -> None:
    world = JournalWorld()
    async with running(a_loop(world), a_loop(world)) as (first, _):
        await world.sync_with(a_plan())
        await until_journaled(world, 1)

        first.cancel()
        await asyncio.wait([first], timeout=1)

        assert first.cancelled()
        await world.sync_with(a_plan(title="new"))
        await until_journaled(world, 2)


async def test_the_lease_is_given_back_after_a_while() -> None:
    world = JournalWorld()
    clock = iter(range(0, 10_000, 20))
    fences: set[int] = set()
    async with running(a_loop(world, now=lambda: next(clock))):
        async with asyncio.timeout(10):
            while len(fences) < 3:
                fences |= {lease.fence for lease in world.store.leases}
                await asyncio.sleep(0.005)


async def test_a_store_that_is_away_is_waited_for_and_told_once_and_its_return_too() -> None:
    world = JournalWorld()
    with capture_logs() as logs:
        async with running(a_loop(world)) as (task,):
            for store in (world.store, world.plan_journal):
                store.unavailable = "gone"
                await until_told(logs, "warning")
                await asyncio.sleep(0.1)  # it goes on trying
                store.unavailable = None
                await until_told(logs, "info")
                assert not task.done()
            await world.sync_with(a_plan())
            await until_journaled(world, 1)

    assert levels(logs) == ["warning", "info"] * 2


async def test_a_bug_costs_the_journal_a_rest_and_not_the_worker() -> None:
    world = JournalWorld()
    loop = a_loop(world)
    loop.bug_pause = 0.05
    ticks = iter([TypeError("a bug")] * 2)

    def now() -> float:
        for bug in ticks:
            raise bug
        return 0.0

    loop.now = now
    with capture_logs() as logs:
        async with running(loop) as (task,):
            await world.sync_with(a_plan())
            await until_journaled(world, 1)
            assert not task.done()

    told = [(line["log_level"], line["event"]) for line in logs if "journal of plans" in line["event"]]
    assert told == [("error", JournalLoop.waits)] * 2 + [("info", JournalLoop.goes_on)]


async def test_a_restoration_is_told() -> None:
    with capture_logs() as logs:
        log_restoration(Restoration("demo", restored=3, present=2))

    [line] = logs
    assert (line["log_level"], line["provider"], line["restored"], line["present"]) == ("warning", "demo", 3, 2)
