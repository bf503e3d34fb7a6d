"""What the dashboard shows, and what it costs: one look a second, whoever looks on."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date
from decimal import Decimal
from itertools import count

import pytest

from app.application.ports.activities import Stats
from app.application.read_stats import DailyActiveUsers, Retention
from app.application.watch_dashboard import WatchDashboard
from app.domain.feeds import RejectionReason
from app.domain.rollups import Day
from app.domain.stats import Cell, Granularity, TypeCount, TypeRanking, TypeTotal
from app.domain.sync_runs import SyncOutcome, SyncReport
from app.domain.timeline import Unit
from tests.fakes.activity_inbox import MemoryActivityInbox
from tests.fakes.activity_store import MemoryActivityStore
from tests.fakes.dead_letters import MemoryDeadLetters
from tests.support.builders import NOW, a_plan, an_activity
from tests.support.dashboard_world import DashboardWorld
from tests.support.waiting import eventually


class CountedStats(Stats):
    """Writes down what is asked, and waits as long as it is told to."""

    def __init__(self, kept: MemoryActivityStore) -> None:
        self.asked: list[str] = []
        self.held = asyncio.Event()
        self.held.set()
        self._kept = kept

    async def totals(self, after: str = "", limit: int | None = None) -> Sequence[TypeTotal]:
        raise NotImplementedError

    async def total(self, type_: str) -> TypeTotal | None:
        raise NotImplementedError

    async def ranking(self, limit: int) -> TypeRanking:
        await self._note("ranking")
        return await self._kept.ranking(limit)

    async def daily_users(self, first: date, last: date) -> Mapping[Day, int]:
        await self._note("daily_users")
        return await self._kept.daily_users(first, last)

    async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
        raise NotImplementedError

    async def cells(
        self, granularity: Granularity, first: int, last: int, later: int, type_: str = ""
    ) -> Mapping[Cell, int]:
        await self._note("cells")
        return await self._kept.cells(granularity, first, last, later, type_)

    async def _note(self, question: str) -> None:
        self.asked.append(question)
        await self.held.wait()


class World(DashboardWorld):
    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self.counted = CountedStats(self.history)
        self.watch.stats = self.counted
        self.watch.daily_active_users = DailyActiveUsers(self.counted, self.clock, UTC)
        self.watch.retention = Retention(self.counted, self.clock, UTC)

    def new_number(self) -> int:
        """Number an activity like no other."""
        return next(self._numbers)

    async def seconds(self, count: int) -> None:
        """Let somebody look on for some seconds."""
        for _ in range(count):
            await self.catalog.look()
            await self.watch.look()
            self.fixed_clock.move(1)


@pytest.fixture
async def world() -> World:
    return World()


async def test_the_first_look_knows_everything(world: World) -> None:
    await world.happened(
        an_activity(1, type_="view"), an_activity(2, type_="buy", value="12.50"), an_activity(3, type_="buy")
    )
    await world.user()
    world.plans(a_plan())
    await world.catalog.look()

    state = await world.watch.look()

    assert state.past.trouble is None
    assert state.past.types is not None
    assert (state.past.types.types, state.past.types.activities) == (2, 3)
    assert state.past.types.top == [TypeTotal("buy", 2, Decimal("12.50")), TypeTotal("view", 1, Decimal(0))]
    assert state.past.daily_users is not None
    assert state.past.daily_users[-1].users == 1
    assert state.past.cohorts is not None
    assert state.past.cohorts[-1].size == 1
    assert state.past.users is not None
    assert state.past.users.active == 1
    assert state.queue is not None
    assert (state.queue.accepted, state.queue.backlog) == (3, 0)
    assert state.plans.count == 1


async def test_of_many_types_the_most_frequent_are_shown_and_the_others_counted(world: World) -> None:
    await world.happened(*(an_activity(number, type_=f"t{number % 12:02}") for number in range(30)))

    types = (await world.watch.look()).past.types

    assert types is not None
    assert [total.type for total in types.top] == ["t00", "t01", "t02", "t03", "t04", "t05", "t06", "t07"]
    assert (types.types, types.activities) == (12, 30)


async def test_a_hundred_viewers_cost_as_much_as_one(world: World) -> None:
    states = await asyncio.gather(*(world.watch.look() for _ in range(100)))

    assert all(state is states[0] for state in states)
    assert world.counted.asked == ["ranking", "daily_users", "cells"]


async def test_the_history_is_asked_one_question_a_second(world: World) -> None:
    await world.seconds(1)
    world.counted.asked.clear()

    await world.seconds(6)

    assert world.counted.asked == ["ranking", "daily_users", "ranking", "cells", "ranking"]


async def test_new_activities_are_seen_within_two_looks(world: World) -> None:
    await world.seconds(2)
    await world.happened(an_activity())

    await world.seconds(2)
    state = await world.watch.look()

    assert state.past.types is not None
    assert state.past.types.activities == 1


async def test_after_a_pause_everything_is_asked_anew(world: World) -> None:
    await world.seconds(1)
    world.fixed_clock.move(60)
    world.counted.asked.clear()

    await world.seconds(1)

    assert world.counted.asked == ["ranking", "daily_users", "cells"]


async def test_nobody_is_asked_while_nobody_looks(world: World) -> None:
    await world.catalog.look()
    sampling = asyncio.create_task(world.watch())
    await asyncio.sleep(0.01)
    sampling.cancel()
    with suppress(asyncio.CancelledError):
        await sampling

    assert world.counted.asked == []


async def test_a_clock_that_was_set_back_does_not_stop_the_looks(world: World) -> None:
    first = await world.watch.look()
    world.fixed_clock.move(-3600)

    assert (await world.watch.look()).at < first.at


async def test_a_history_that_is_away_leaves_its_figures_out_and_the_rest_in(world: World) -> None:
    await world.seconds(1)
    world.history.unavailable = "the disk is full"
    world.plans(a_plan())

    await world.seconds(2)
    state = await world.watch.look()

    assert state.past.trouble == "the disk is full"
    assert (state.past.types, state.past.daily_users, state.past.cohorts, state.past.users) == (None,) * 4
    assert state.plans.count == 1


async def test_a_history_that_came_back_is_asked_everything_at_once(world: World) -> None:
    world.access.unavailable = "no connection"
    await world.seconds(1)
    world.access.unavailable = None

    await world.seconds(1)
    past = (await world.watch.look()).past

    assert past.trouble is None
    assert None not in (past.types, past.daily_users, past.cohorts, past.users)


async def test_a_history_that_is_slow_holds_up_nobody_and_is_asked_once(world: World) -> None:
    world.watch.timeout = 0.01
    world.counted.held.clear()

    await world.seconds(3)
    state = await world.watch.look()
    asked = list(world.counted.asked)
    world.counted.held.set()

    async def is_known() -> bool:
        world.fixed_clock.move(1)
        return (await world.watch.look()).past.types is not None

    assert (state.past.trouble, asked) == ("not asked yet", ["ranking"])
    await eventually(is_known)


async def test_what_was_found_out_for_somebody_who_left_long_ago_is_asked_again(world: World) -> None:
    world.watch.timeout = 0.01
    world.counted.held.clear()
    await world.watch.look()
    world.counted.held.set()
    for _ in range(20):
        await asyncio.sleep(0)  # the question in hand ends
    await world.happened(an_activity())
    world.fixed_clock.move(600)

    types = (await world.watch.look()).past.types

    assert types is not None
    assert types.activities == 1


async def test_what_is_retried_out_of_dead_letters_did_not_come_through_the_door(world: World) -> None:
    letters = MemoryDeadLetters(world.stream)
    inbox = MemoryActivityInbox(world.stream, block=0.01)
    await world.queue.append([an_activity()])
    (batch,) = await inbox.take()
    await inbox.bury(batch, batch.activities, "no room")
    await world.catalog.look()
    await world.watch.look()
    await letters.retry([letter.letter_id for letter in await letters.list(1)])
    world.fixed_clock.move(1)
    await world.catalog.look()

    assert (await world.watch.look()).last_hour.total == 0


async def test_a_process_that_ends_gives_up_a_question_in_hand(world: World) -> None:
    world.watch.timeout = 0.01
    world.counted.held.clear()
    await world.watch.look()
    sampling = asyncio.create_task(world.watch())
    await asyncio.sleep(0)

    sampling.cancel()
    with suppress(asyncio.CancelledError):
        await sampling
    await asyncio.sleep(0)

    assert all(task is asyncio.current_task() or task.done() for task in asyncio.all_tasks())


async def test_a_store_that_is_away_leaves_what_was_seen_last(world: World) -> None:
    await world.happened(an_activity())
    await world.catalog.look()
    world.store.unavailable = "no Redis"
    await world.catalog.look()
    world.fixed_clock.move(10)

    state = await world.watch.look()

    assert (state.trouble, state.seen_at) == ("no Redis", NOW)
    assert state.queue is not None
    assert state.queue.accepted == 1
    assert state.per_second is None


async def test_the_curve_grows_with_the_looks_of_the_catalog(world: World) -> None:
    for number in range(1, 12):
        await world.queue.append([an_activity(number)])
        await world.seconds(1)

    state = await world.watch.look()

    assert state.per_second == 1
    assert (state.last_hour.total, state.last_hour.counts[-1]) == (10, 9)


async def seen_for(world: World, watch: WatchDashboard, seconds: int) -> None:
    """Let a process go on for some seconds in each of which an activity comes, and nobody look on."""
    for _ in range(seconds):
        await world.queue.append([an_activity(world.new_number())])
        await world.catalog.look()
        watch.sample()
        await watch.keep_curve()
        world.fixed_clock.move(1)


async def test_a_process_that_begins_again_shows_the_hour_before(world: World) -> None:
    await world.catalog.look()
    await world.watch.keep_curve()
    await seen_for(world, world.watch, 35)

    begun = world.a_watch()
    await seen_for(world, begun, 3)
    hour = (await begun.look()).last_hour

    assert (hour.since, hour.total) == (NOW, 38)


async def test_what_was_seen_before_is_recalled_once_the_store_is_back(world: World) -> None:
    await world.catalog.look()
    await seen_for(world, world.watch, 12)
    begun = world.a_watch()
    begun.sample()
    world.store.unavailable = "no Redis"
    await begun.keep_curve()

    world.store.unavailable = None
    await seen_for(world, begun, 2)

    assert (await begun.look()).last_hour.since == NOW


async def test_before_the_store_was_seen_there_is_nothing_to_keep(world: World) -> None:
    await world.watch.keep_curve()

    assert await world.looks.recent() == []


async def test_a_provider_is_shown_with_all_its_rejections(world: World) -> None:
    for _ in range(2):
        report = SyncReport(
            run_id="1",
            provider="demo",
            started_at=NOW,
            took=1,
            outcome=SyncOutcome.APPLIED,
            rejected_for={next(iter(RejectionReason)): 2},
        )
        await world.journal.record(report)
    await world.catalog.look()

    [provider] = (await world.watch.look()).providers

    assert (provider.status.provider.name, provider.rejected_ever) == ("demo", 4)
    assert provider.status.last_run is not None
    assert provider.status.last_run.rejected == 2


@pytest.mark.parametrize(
    ("starts", "unit"),
    [
        ([f"2026-01-{day:02}T20:00" for day in range(4, 19)], Unit.DAY),
        ([f"2025-{month:02}-07T20:00" for month in range(1, 13)], Unit.MONTH),
        ([f"20{year}-01-07T20:00" for year in range(18, 34)], Unit.YEAR),
        (["2026-01-06T20:00"], Unit.DAY),
        (["2021-06-30T20:00"], Unit.YEAR),
        (["1999-12-31T20:00"], Unit.YEAR),
        ([], Unit.YEAR),
    ],
)
async def test_the_timeline_is_as_short_as_shows_enough(world: World, starts: list[str], unit: Unit) -> None:
    world.plans(*(a_plan(number, starts=start) for number, start in enumerate(starts)))

    line = (await world.watch.look()).plans.timeline

    assert line.unit == unit
    assert sum(line.plans) == (0 if starts == ["1999-12-31T20:00"] else len(starts))


async def test_the_nearest_plans_are_past_and_next(world: World) -> None:
    world.plans(*(a_plan(hour, starts=f"2026-01-05T{hour:02}:00") for hour in range(24)))

    plans = (await world.watch.look()).plans

    assert [plan.starts_at.hour for plan in plans.past] == [12, 11, 10, 9, 8, 7, 6, 5]
    assert [plan.starts_at.hour for plan in plans.next] == [13, 14, 15, 16, 17, 18, 19, 20]


async def test_a_catalog_that_is_not_loaded_has_no_number_of_plans(world: World) -> None:
    world.index.ready = False

    assert (await world.watch.look()).plans.count is None
