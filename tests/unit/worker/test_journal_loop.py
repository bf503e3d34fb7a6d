"""The journal's writer in a worker process: one at a time, through whatever is away, until it is told to end."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

from structlog.testing import capture_logs

from app.adapters.inbound.worker.journal_loop import JournalLoop, log_restoration
from app.application.ports.figures import Presence, RunningProcess
from app.application.ports.system import Lease
from app.application.restore_catalog import Restoration
from app.domain.backoff import Backoff
from tests.fakes.presence import MemoryPresence
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld
from tests.support.running_loops import running


def a_loop(
    world: JournalWorld, *, now: Callable[[], float] | None = None, presence: Presence | None = None
) -> JournalLoop:
    loop = JournalLoop(
        journal=world.journaling,
        log=world.log,
        leases=world.leases,
        presence=presence or MemoryPresence(world.store),
        interval=0.01,
        retry=Backoff(0.01, longest=10.0),
    )
    if now:
        loop.now = now
    return loop


LEASES = [f":journal-{share}" for share in range(16)]


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


async def test_of_workers_that_nobody_counts_the_first_has_all_shares_and_the_others_wait() -> None:
    world = JournalWorld()
    async with running(*(a_loop(world) for _ in range(4))):
        await world.sync_with(a_plan())
        await until_journaled(world, 1)

        assert sorted(lease.provider for lease in world.store.leases) == sorted(LEASES)


async def workers_of(world: JournalWorld, number: int) -> Presence:
    """Say that so many workers run, and one API process."""
    presence = MemoryPresence(world.store, ttl=60.0)
    for process in range(number):
        await presence.announce(RunningProcess(f"{process}", "worker", world.clock.now()))
    await presence.announce(RunningProcess("api", "api", world.clock.now()))
    return presence


def held(loops: Sequence[JournalLoop]) -> list[int]:
    """How many shares each has."""
    return sorted(len(loop.shares.numbers) for loop in loops)


async def test_workers_divide_the_shares_and_each_log_has_one_writer() -> None:
    world = JournalWorld()
    presence = await workers_of(world, 3)
    loops = [a_loop(world, presence=presence) for _ in range(3)]
    async with running(*loops), asyncio.timeout(10):
        while len(world.store.leases) < len(LEASES):  # noqa: ASYNC110 - leases tell nobody
            await asyncio.sleep(0.01)

        assert held(loops) == [4, 6, 6]
        assert len(set().union(*(loop.shares.numbers for loop in loops))) == len(LEASES)


async def test_a_worker_that_came_later_gets_its_part_when_a_term_ends() -> None:
    world = JournalWorld()
    presence = MemoryPresence(world.store, ttl=60.0)
    first, second = loops = [a_loop(world, presence=presence) for _ in range(2)]
    first.term = second.term = 0.3
    async with running(first), asyncio.timeout(10):
        while len(world.store.leases) < len(LEASES):  # noqa: ASYNC110 - leases tell nobody
            await asyncio.sleep(0.01)
        for process in ("1", "2"):
            await presence.announce(RunningProcess(process, "worker", world.clock.now()))
        async with running(second):
            while held(loops) != [8, 8]:  # noqa: ASYNC110 - leases tell nobody
                await asyncio.sleep(0.01)


async def test_when_a_worker_dies_the_others_take_its_shares_over() -> None:
    world = JournalWorld()
    for name in LEASES[:10]:
        world.store.leases[Lease(name, 1)] = monotonic() + 0.3  # nobody renews it
    loop = a_loop(world, presence=await workers_of(world, 1))
    async with running(loop), asyncio.timeout(10):
        await world.sync_with(a_plan())
        await until_journaled(world, 1)
        while held([loop]) != [len(LEASES)]:  # noqa: ASYNC110 - leases tell nobody
            await asyncio.sleep(0.01)


async def test_what_another_worker_leaves_lying_is_taken_too() -> None:
    world = JournalWorld()
    loop = a_loop(world, presence=await workers_of(world, 2))
    async with running(loop), asyncio.timeout(10):
        while held([loop]) != [len(LEASES)]:  # noqa: ASYNC110 - leases tell nobody
            await asyncio.sleep(0.01)


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
            await until_told(logs, "info")
            assert not task.done()

    told = [(line["log_level"], line["event"]) for line in logs if "journal of plans" in line["event"]]
    assert told == [("error", JournalLoop.waits)] * 2 + [("info", JournalLoop.goes_on)]


async def test_a_restoration_is_told() -> None:
    with capture_logs() as logs:
        log_restoration(Restoration("demo", restored=3, present=2))

    [line] = logs
    assert (line["log_level"], line["provider"], line["restored"], line["present"]) == ("warning", "demo", 3, 2)
