"""Activities leave when they are older than they are kept."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.adapters.inbound.worker.timed_loops import ExpiryLoop
from app.application.expire_activities import ExpireActivities
from app.application.ports.activities import FrozenDaysError
from app.application.ports.removal import FiguresIncompleteError
from app.application.ports.system import HistoryUnavailableError
from app.domain.backoff import Backoff
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.leases import MemoryLeases
from tests.fakes.store import MemoryStore
from tests.support.builders import an_activity
from tests.support.fixed_clock import FixedClock
from tests.support.running_loops import running

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


class Steps(MemoryActivityStore):
    """A store of which three leave in a step, and whose disk comes back in two."""

    given_back = 0
    incomplete = 0
    """So many times the figures do not count them."""

    async def remove_some(self, before: date) -> int | None:
        if self.incomplete:
            self.incomplete -= 1
            raise FiguresIncompleteError("hourly_totals")
        later = {key: self._kept[key] for key in list(self._kept)[3:]}
        self._kept = {key: self._kept[key] for key in list(self._kept)[:3]}
        removed = await super().remove_some(before)
        self._kept |= later
        return removed

    async def give_back(self) -> bool:
        self.given_back += 1
        return self.given_back % 2 == 1


class World:
    def __init__(self, keep_days: int | None = 7, zone: str = "UTC") -> None:
        self.kept = Steps(ZoneInfo(zone))
        self.clock = FixedClock(NOW)
        self.told: list[tuple[int, date]] = []
        self.expire = ExpireActivities(
            expiry=self.kept,
            clock=self.clock,
            zone=ZoneInfo(zone),
            keep_days=keep_days,
            on_expired=lambda count, before: self.told.append((count, before)),
            pause=0,
        )

    async def fill(self, days: int) -> None:
        await self.kept.store([an_activity(n, at=NOW - timedelta(days=days - 1 - n)) for n in range(days)])


async def test_they_leave_in_steps_and_the_disk_is_given_back() -> None:
    world = World()
    await world.fill(15)

    assert await world.expire() == 7
    assert await world.expire() == 0

    assert world.told == [(7, date(2026, 2, 22))]
    assert world.kept.given_back == 4
    world.clock.move(86_400)
    assert await world.expire() == 1


async def test_days_are_those_of_the_stats() -> None:
    world = World(zone="Europe/Madrid")
    await world.fill(10)

    await world.expire()

    assert world.told == [(2, date(2026, 2, 23))]


async def test_nothing_leaves_where_all_is_kept_but_by_hand() -> None:
    world = World(None)
    await world.fill(10)

    assert await world.expire() == 0
    assert await world.expire.before(date(2026, 2, 25)) == 5


async def test_what_failed_goes_on_with_the_next_call() -> None:
    world = World()
    await world.fill(10)
    world.kept.unavailable = "away"
    with pytest.raises(HistoryUnavailableError):
        await world.expire()
    world.kept.unavailable = None

    assert await world.expire() == 2


async def test_a_worker_lets_them_leave_at_its_start_and_goes_on() -> None:
    world = World()
    await world.fill(10)

    loop = ExpiryLoop(expire=world.expire, leases=MemoryLeases(MemoryStore()), every=0.001)
    async with running(loop), asyncio.timeout(20):
        while len(world.told) < 2:
            world.clock.move(86_400)
            await asyncio.sleep(0.001)

    assert sum(count for count, _ in world.told) >= 2


async def test_a_worker_waits_until_figures_are_made_anew() -> None:
    world = World()
    await world.fill(10)
    world.kept.incomplete = 3

    loop = ExpiryLoop(
        expire=world.expire, leases=MemoryLeases(MemoryStore()), every=0.001, retry=Backoff(first=0.001, longest=0.001)
    )
    async with running(loop), asyncio.timeout(20):
        while not world.told:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.001)

    assert world.kept.incomplete == 0


async def test_what_is_frozen_is_given_up_by_whoever_names_it() -> None:
    world = World()
    await world.fill(10)
    await world.expire()

    with pytest.raises(FrozenDaysError, match="confirm with 2026-02-22") as told:
        await world.kept.reset()
    await world.kept.reset(told.value.day)

    assert await world.kept.totals() == []
