"""What people ask of the stats."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from app.application.ports.system import HistoryUnavailableError
from app.application.read_stats import (
    BeyondCalendarError,
    DailyActiveUsers,
    DateRange,
    FromAfterToError,
    PageOfTotals,
    RangeTooLongError,
    Retention,
    RetentionNotKeptError,
    TopTypes,
    TotalOfType,
    UnknownTypeError,
)
from app.domain.activities import Activity
from app.domain.stats import Granularity, TypeCount, TypeTotal
from tests.fakes.activity_store import MemoryActivityStore
from tests.support.fixed_clock import FixedClock

LATE_IN_MADRID = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
"""There it is the 6th already."""
MADRID = ZoneInfo("Europe/Madrid")
TODAY = date(2026, 1, 6)


class World:
    """A store, and the questions to it at LATE_IN_MADRID."""

    def __init__(self) -> None:
        self.store = MemoryActivityStore(MADRID)
        clock = FixedClock(LATE_IN_MADRID)
        self.total_of_type = TotalOfType(self.store)
        self.daily_active_users = DailyActiveUsers(self.store, clock, MADRID)
        self.top_types = TopTypes(self.store, clock, MADRID)
        self.retention = Retention(self.store, clock, MADRID, ["purchase"])

    async def happened(
        self, *days: str, type_: str = "view", user: str | None = "ana", value: str | None = None
    ) -> None:
        await self.store.store(
            [
                Activity(
                    uuid4(),
                    type_,
                    datetime.fromisoformat(f"{day}T12:00:00Z"),
                    user_id=user,
                    value=None if value is None else Decimal(value),
                )
                for day in days
            ]
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_the_total_of_a_type_has_its_digits(world: World) -> None:
    await world.happened("2026-01-01", "2026-01-02", type_="purchase", value="12.50")

    assert await world.total_of_type("purchase") == TypeTotal("purchase", 2, Decimal("25.00"))


@pytest.mark.parametrize("type_", ["sold", "", "No Type", "\0", "v" * 200])
async def test_a_type_never_seen_is_unknown(world: World, type_: str) -> None:
    await world.happened("2026-01-01")

    with pytest.raises(UnknownTypeError, match="no activity of the type"):
        await world.total_of_type(type_)


async def test_a_name_that_no_type_can_have_is_not_looked_up(world: World) -> None:
    world.store.unavailable = "away"

    with pytest.raises(UnknownTypeError):
        await world.total_of_type("\0")


async def test_daily_users_are_of_the_last_30_days_when_nothing_else_is_said(world: World) -> None:
    await world.happened("2025-12-07", "2025-12-08", "2026-01-06")

    days = await world.daily_active_users()

    assert (len(days), days[0].date, days[-1].date) == (30, date(2025, 12, 8), TODAY)
    assert [day.users for day in days] == [1, *[0] * 28, 1]


async def test_daily_users_from_a_day_on_end_today(world: World) -> None:
    days = await world.daily_active_users(date(2026, 1, 4))

    assert [day.date.day for day in days] == [4, 5, 6]


async def test_daily_users_up_to_a_day_are_of_the_30_days_before(world: World) -> None:
    days = await world.daily_active_users(None, date(2025, 1, 30))

    assert (days[0].date, days[-1].date) == (date(2025, 1, 1), date(2025, 1, 30))


async def test_a_range_begins_with_the_calendar_at_the_earliest(world: World) -> None:
    days = await world.daily_active_users(None, date(1, 1, 3))

    assert [day.date for day in days] == [date(1, 1, 1), date(1, 1, 2), date(1, 1, 3)]


async def test_a_range_may_end_with_the_calendar(world: World) -> None:
    days = await world.daily_active_users(date(9999, 12, 30), date.max)

    assert [day.users for day in days] == [0, 0]


def test_a_range_does_not_end_before_it_begins() -> None:
    with pytest.raises(FromAfterToError, match=r"from \(2026-01-06\) is after to \(2026-01-05\)"):
        DateRange(TODAY, TODAY - timedelta(days=1))


def test_a_range_has_3660_days_at_the_most() -> None:
    longest = DateRange(TODAY - timedelta(days=3659), TODAY)

    with pytest.raises(RangeTooLongError, match="3,661 days"):
        DateRange(longest.first - timedelta(days=1), TODAY)


async def test_top_types_are_those_of_the_range_most_first_then_by_name(world: World) -> None:
    await world.happened("2026-01-01", "2026-01-02", type_="view")
    await world.happened("2026-01-01", "2026-01-02", type_="buy", user=None)
    await world.happened("2026-01-02", "2026-01-02", "2026-01-02", type_="click")
    await world.happened(*["2025-11-01"] * 9, type_="old")

    assert await world.top_types() == [TypeCount("click", 3), TypeCount("buy", 2), TypeCount("view", 2)]
    assert await world.top_types(limit=1) == [TypeCount("click", 3)]
    assert await world.top_types(date(2026, 1, 1), date(2026, 1, 1)) == [TypeCount("buy", 1), TypeCount("view", 1)]


async def test_retention_ends_with_the_cohort_of_today_when_no_start_is_given(world: World) -> None:
    await world.happened("2026-01-04", "2026-01-05")

    cohorts = await world.retention(windows=3)

    assert [cohort.start for cohort in cohorts] == [date(2026, 1, 4), date(2026, 1, 5), TODAY]
    assert [list(cohort.active) for cohort in cohorts] == [[1, 1, None], [0, None, None], [None, None, None]]


async def test_weeks_of_retention_begin_on_the_monday_of_the_week_of_the_start(world: World) -> None:
    await world.happened("2025-12-23", "2025-12-30", "2026-01-05")

    cohorts = await world.retention(Granularity.WEEK, 3, date(2025, 12, 28))

    assert [cohort.start for cohort in cohorts] == [date(2025, 12, 22), date(2025, 12, 29), date(2026, 1, 5)]
    assert (cohorts[0].size, list(cohorts[0].active)) == (1, [1, 1, None])


async def test_weeks_of_retention_end_with_this_week_when_no_start_is_given(world: World) -> None:
    cohorts = await world.retention(Granularity.WEEK)

    assert (len(cohorts), cohorts[-1].start) == (8, date(2026, 1, 5))


@pytest.mark.parametrize(
    ("granularity", "windows", "start"),
    [(Granularity.DAY, 2, date.max), (Granularity.WEEK, 2, date.max), (Granularity.WEEK, 366, date(9999, 1, 1))],
)
async def test_retention_does_not_reach_beyond_the_calendar(
    world: World, granularity: Granularity, windows: int, start: date
) -> None:
    with pytest.raises(BeyondCalendarError, match="beyond 9999-12-31"):
        await world.retention(granularity, windows, start)


@pytest.mark.parametrize(
    ("granularity", "start", "first", "windows"),
    [
        (Granularity.DAY, date.max, date.max, 1),
        (Granularity.WEEK, date.max, date(9999, 12, 27), 1),
        (Granularity.WEEK, date.min, date.min, 366),
    ],
)
async def test_retention_answers_at_both_ends_of_the_calendar(
    world: World, granularity: Granularity, start: date, first: date, windows: int
) -> None:
    cohorts = await world.retention(granularity, windows, start)

    assert (len(cohorts), cohorts[0].start) == (windows, first)


async def test_the_history_that_is_away_says_so(world: World) -> None:
    world.store.unavailable = "the disk is full"

    with pytest.raises(HistoryUnavailableError, match="the disk is full"):
        await world.daily_active_users()


async def test_a_reset_empties_the_figures_and_a_rebuild_brings_them_back(world: World) -> None:
    await world.happened("2026-01-01", "2026-01-02", value="1.5")
    before = await world.store.totals()

    await world.store.reset()
    emptied, difference = await world.store.totals(), await world.store.verify()
    rebuilt = await world.store.rebuild()

    assert (emptied, rebuilt) == ([], 2)
    assert difference is not None
    assert (difference.rollup, difference.kept, difference.folded) == ("count of view on 2026-01-01", "nothing", "1")
    assert await world.store.totals() == before
    assert await world.store.verify() is None


async def test_an_activity_that_was_stored_changes_nothing(world: World) -> None:
    activity = Activity(UUID(int=1), "view", LATE_IN_MADRID)

    assert await world.store.store([activity, activity._replace(type="click")]) == 1
    assert await world.store.store([activity]) == 0
    assert await world.store.totals() == [TypeTotal("view", 1, Decimal())]


async def test_a_page_of_totals_says_whether_more_follow(world: World) -> None:
    kinds = ["a", "b", "c"]
    await world.store.store([Activity(UUID(int=n), kind, LATE_IN_MADRID) for n, kind in enumerate(kinds)])
    page_of_totals = PageOfTotals(world.store)

    pages = [
        await page_of_totals(),
        await page_of_totals("", 2),
        await page_of_totals("b", 1),
        await page_of_totals("c"),
    ]

    assert [([total.type for total in page.totals], page.more) for page in pages] == [
        (kinds, False),
        (["a", "b"], True),
        (["c"], False),
        ([], False),
    ]


async def test_retention_of_a_type_begins_with_it(world: World) -> None:
    await world.happened("2025-11-05", "2025-12-05", "2026-01-05")
    await world.happened("2025-12-07", type_="purchase")

    november, december = await world.retention(Granularity.MONTH, 2, date(2025, 11, 1))
    none, bought = await world.retention(Granularity.MONTH, 2, date(2025, 11, 1), "purchase")

    assert (november.start, november.size, november.active, december.size) == (date(2025, 11, 1), 1, [1, 1], 0)
    assert (none.size, bought.start, bought.size, bought.active) == (0, date(2025, 12, 1), 1, [1, None])


async def test_retention_that_is_not_kept_is_told_with_what_to_do(world: World) -> None:
    with pytest.raises(RetentionNotKeptError, match=r"'view' is not kept, only of purchase: add it to stats"):
        await world.retention(type_="view")


@pytest.mark.parametrize("granularity", Granularity)
async def test_cohorts_that_the_calendar_does_not_reach_are_refused(world: World, granularity: Granularity) -> None:
    with pytest.raises(BeyondCalendarError):
        await world.retention(granularity, 366, date(9999, 12, 1))
