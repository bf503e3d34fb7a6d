"""What the dashboard asks of a range of days."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest

from app.application.look_at_days import MOST_DAYS, MOST_RANGES, AskedDays, DaySum, FiguresOfDays, TypesOfDays
from app.application.read_stats import DateRange, FromAfterToError, RangeTooLongError
from app.domain.stats import DailyUsers, TypeCount, TypeTotal
from tests.fakes.activity_store import MemoryActivityStore
from tests.support.builders import NOW, an_activity
from tests.support.fixed_clock import FixedClock

TODAY = date(2026, 1, 5)
YESTERDAY = date(2026, 1, 4)


class Counted(MemoryActivityStore):
    """Counts how often the order of the types was asked for."""

    asked = 0

    async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
        self.asked += 1
        await asyncio.sleep(0)
        return await super().top_types(first, last, limit)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def history() -> Counted:
    return Counted(UTC)


@pytest.fixture
def figures(history: Counted, clock: FixedClock) -> FiguresOfDays:
    return FiguresOfDays(history, history, clock, UTC, ("purchase", "refund"))


@pytest.fixture
def types(history: Counted, clock: FixedClock) -> TypesOfDays:
    return TypesOfDays(history, history, clock, UTC)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        (AskedDays(), date(2025, 12, 7), TODAY),
        (AskedDays(count=1), TODAY, TODAY),
        (AskedDays(last=YESTERDAY, count=7), date(2025, 12, 29), YESTERDAY),
        (AskedDays(first=YESTERDAY), YESTERDAY, TODAY),
        (AskedDays(last=date(1, 1, 3), count=7), date(1, 1, 1), date(1, 1, 3)),
        (AskedDays(date(2025, 1, 5), TODAY), date(2025, 1, 5), TODAY),
    ],
)
def test_a_range_ends_today_and_has_as_many_days_as_were_asked_for(asked: AskedDays, first: date, last: date) -> None:
    assert asked.until(TODAY) == DateRange(first, last)


def test_a_range_that_is_none_or_too_long_is_refused() -> None:
    with pytest.raises(FromAfterToError):
        AskedDays(first=TODAY, last=YESTERDAY).until(TODAY)
    with pytest.raises(RangeTooLongError, match=f"at most {MOST_DAYS}"):
        AskedDays(first=TODAY - timedelta(days=MOST_DAYS)).until(TODAY)


async def test_revenue_is_the_sum_of_all_types_of_purchases_day_by_day(
    figures: FiguresOfDays, history: Counted
) -> None:
    await history.store(
        [
            an_activity(1, type_="purchase", value="12.50"),
            an_activity(2, type_="refund", value="-2.5"),
            an_activity(3, type_="purchase", value="100", at=NOW - timedelta(days=1), user="ben"),
            an_activity(4, type_="view", value="7"),
        ]
    )

    found = await figures(AskedDays(count=3), "view")

    assert (found.today, found.range) == (TODAY, DateRange(date(2026, 1, 3), TODAY))
    assert list(found.revenue.days) == [
        DaySum(date(2026, 1, 3), 0, Decimal()),
        DaySum(YESTERDAY, 1, Decimal(100)),
        DaySum(TODAY, 2, Decimal("10.00")),
    ]
    assert (found.revenue.count, found.revenue.sum) == (3, Decimal(110))
    assert found.chosen is not None
    assert (found.chosen.types, found.chosen.count, found.chosen.sum) == (["view"], 1, Decimal(7))
    assert [day.users for day in found.users] == [0, 1, 1]
    assert found.users[-1] == DailyUsers(TODAY, 1)


async def test_without_a_type_none_is_told_by_day(figures: FiguresOfDays) -> None:
    assert (await figures(AskedDays())).chosen is None


async def test_types_are_listed_a_page_at_a_time_and_searched(types: TypesOfDays, history: Counted) -> None:
    await history.store(
        [an_activity(10 * n + m, type_=f"Type.{n}", value="1.5") for n in range(1, 6) for m in range(n)]
    )
    await history.store([an_activity(99, type_="Type.1", at=NOW - timedelta(days=40), value="8")])

    first = await types(AskedDays(), limit=2)
    second = await types(AskedDays(), offset=2, limit=2)
    searched = await types(AskedDays(), "TYPE.1")

    assert list(first.page) == [TypeTotal("Type.5", 5, Decimal("7.5")), TypeTotal("Type.4", 4, Decimal(6))]
    assert [total.type for total in second.page] == ["Type.3", "Type.2"]
    assert (first.types, first.activities, first.found) == (5, 15, 5)
    assert (searched.types, searched.found, list(searched.page)) == (5, 1, [TypeTotal("Type.1", 1, Decimal("1.5"))])


async def test_the_order_is_asked_for_once_in_two_seconds_for_all(
    types: TypesOfDays, history: Counted, clock: FixedClock
) -> None:
    await asyncio.gather(*(types(AskedDays(), search) for search in ("", "a", "b")))
    clock.move(1.9)
    await types(AskedDays())
    asked_before = history.asked
    clock.move(0.2)
    await types(AskedDays())

    assert (asked_before, history.asked) == (1, 2)


async def test_an_order_that_took_long_is_good_for_longer(clock: FixedClock) -> None:
    class Slow(Counted):
        async def top_types(self, first: date, last: date, limit: int) -> Sequence[TypeCount]:
            clock.move(1)
            return await super().top_types(first, last, limit)

    slow = Slow(UTC)
    types = TypesOfDays(slow, slow, clock, UTC)
    for _ in range(20):
        await types(AskedDays())
        clock.move(1)
    asked_before = slow.asked
    await types(AskedDays())

    assert (asked_before, slow.asked) == (1, 2)


async def test_a_few_ranges_are_remembered(types: TypesOfDays, history: Counted) -> None:
    for count in range(1, MOST_RANGES + 2):
        await types(AskedDays(count=count))
    await types(AskedDays(count=2))
    await types(AskedDays(count=1))

    assert history.asked == MOST_RANGES + 2
