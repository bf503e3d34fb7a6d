"""The figures are compared with the activities once a day."""

import asyncio
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from app.adapters.inbound.worker.timed_loops import VerifyLoop
from app.application.ports.activities import Difference, Progress
from app.application.ports.figures import Verification
from app.application.verify_stats import VerifyStats
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.leases import MemoryLeases
from tests.fakes.store import MemoryStore
from tests.fakes.verifications import MemoryVerifications
from tests.support.fixed_clock import FixedClock
from tests.support.running_loops import running

BEGUN = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
DIFFERENCE = Difference("users on 2026-03-01", "2", "1")
DAY = 24 * 3600


class Kept(MemoryActivityStore):
    found: Difference | None = None

    async def verify(self, progress: Progress | None = None) -> Difference | None:
        assert progress is None, "nobody looks on"
        return self.found


class World:
    def __init__(self, at: time | None = time(3, 30), zone: str = "UTC", begun: datetime = BEGUN) -> None:
        self.clock = FixedClock(begun)
        self.store = MemoryStore()
        self.verifications = MemoryVerifications(self.store)
        self.kept = Kept(UTC)
        self.told: list[Difference | None] = []
        self.verify = VerifyStats(
            keeper=self.kept,
            verifications=self.verifications,
            clock=self.clock,
            at=at,
            zone=ZoneInfo(zone),
            on_verified=self.told.append,
        )


async def test_it_is_done_once_a_day_at_the_time_that_is_set() -> None:
    world = World()
    done = []
    for _ in range(48 * 2):
        done.append(await world.verify(BEGUN))
        world.clock.move(1800)

    assert [number / 2 + 1 for number, was in enumerate(done) if was] == [3.5, 27.5]
    assert world.told == [None, None]


async def test_what_differs_is_noted_and_told() -> None:
    world = World()
    world.kept.found = DIFFERENCE
    world.clock.move(DAY)

    assert await world.verify(BEGUN)
    assert await world.verifications.last() == Verification(world.clock.now(), differs=True)
    assert world.told == [DIFFERENCE]


async def test_one_that_was_missed_is_made_up_for() -> None:
    world = World()
    await world.verifications.note(Verification(BEGUN, differs=False))
    world.clock.move(12 * 3600)

    assert await world.verify(world.clock.now())
    assert not await world.verify(world.clock.now())


async def test_a_new_installation_waits_for_the_time() -> None:
    world = World()
    world.clock.move(12 * 3600)

    assert not await world.verify(world.clock.now())


async def test_without_a_time_it_is_never_done() -> None:
    world = World(at=None)
    world.store.unavailable = "what is off asks nobody"
    world.clock.move(10 * DAY)

    assert not await world.verify(BEGUN)


@pytest.mark.parametrize(("minutes", "due"), [(29, False), (30, True)])
async def test_the_time_is_that_of_the_zone_whose_days_are_counted(minutes: int, due: bool) -> None:
    world = World(at=time(3, 0), zone="Asia/Kolkata", begun=datetime(2026, 3, 1, 21, minutes, tzinfo=UTC))

    assert await world.verify(datetime(2026, 3, 1, 12, tzinfo=UTC)) is due


async def test_a_worker_does_it_for_ever() -> None:
    world = World()
    async with running(VerifyLoop(verify=world.verify, leases=MemoryLeases(world.store), every=0.01)):
        for number in (1, 2):
            world.clock.move(DAY)
            async with asyncio.timeout(10):
                while len(world.told) < number:  # noqa: ASYNC110 - a list tells nobody
                    await asyncio.sleep(0.01)
