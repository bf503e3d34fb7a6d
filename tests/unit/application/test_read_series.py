"""What people ask of periods."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from app.application.ports.period_stats import FigureIncompleteError
from app.application.read_series import (
    DimensionMissingError,
    NoSuchSeriesError,
    Series,
    SeriesByDimension,
    SeriesQuestion,
    TooManyHoursError,
    TotalInRange,
    TotalsOfRange,
    UnknownDimensionError,
)
from app.application.read_stats import FromAfterToError, RangeTooLongError, UnknownTypeError
from app.domain.activities import Activity
from app.domain.dimensions import DimensionValue
from app.domain.series import Figure, Interval, Metric, Point
from app.domain.stats import TypeTotal
from tests.fakes.activity_store import MemoryActivityStore
from tests.support.fixed_clock import FixedClock

MADRID = ZoneInfo("Europe/Madrid")
LATE_IN_MADRID = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
"""There it is Tuesday, the 6th, already."""


class World:
    """A store, and the questions to it at LATE_IN_MADRID."""

    def __init__(self) -> None:
        self.store = MemoryActivityStore(MADRID)
        clock = FixedClock(LATE_IN_MADRID)
        self.series = Series(self.store, clock, MADRID)
        self.by_dimension = SeriesByDimension(self.store, clock, MADRID, ["source"])
        self.totals_of_range = TotalsOfRange(self.store, clock, MADRID)
        self.total_in_range = TotalInRange(self.store, self.store, clock, MADRID)

    async def sold(self, at: str, value: str = "2.50", user: str = "ana", *, type_: str = "purchase") -> None:
        at_ = datetime.fromisoformat(at)
        await self.store.store([Activity(uuid4(), type_, at_, "web", user, Decimal(value))])


@pytest.fixture
def world() -> World:
    return World()


def told(points: Sequence[Point]) -> dict[str, Figure]:
    return {point.start.isoformat(): point.figure for point in points if point.figure}


async def test_revenue_by_day_has_every_day_until_today(world: World) -> None:
    await world.sold("2026-01-04T23:30:00Z")  # the 5th in Madrid
    await world.sold("2026-01-05T12:00:00Z", "0.05")
    await world.sold("2026-01-05T12:00:00Z", "9", type_="refund")

    points = await world.series(SeriesQuestion(Metric.SUM, Interval.DAY, "purchase"))

    assert (len(points), points[-1]) == (30, Point(date(2026, 1, 6), Decimal()))
    assert told(points) == {"2026-01-05": Decimal("2.55")}


async def test_activities_are_counted_by_the_hour_of_the_clock(world: World) -> None:
    await world.sold("2026-01-05T12:59:59Z")
    await world.sold("2026-01-05T13:00:00Z")
    asked = SeriesQuestion(Metric.COUNT, Interval.HOUR, first=date(2026, 1, 5))

    points = await world.series(asked)

    assert len(points) == 48
    assert told(points) == {"2026-01-05T13:00:00+01:00": 1, "2026-01-05T14:00:00+01:00": 1}


@pytest.mark.parametrize(
    ("interval", "first", "last", "expected"),
    [
        (Interval.DAY, "2025-12-31", "2026-01-04", {"2025-12-31": 2, "2026-01-03": 1}),
        (Interval.WEEK, "2025-12-29", "2026-01-04", {"2025-12-29": 2}),
        (Interval.WEEK, "2026-01-01", "2026-01-31", {"2025-12-29": 1, "2026-01-05": 1}),
        (Interval.MONTH, "2026-01-01", "2026-01-31", {"2026-01-01": 2}),
        (Interval.MONTH, "2025-12-31", "2026-01-04", {"2025-12-01": 2, "2026-01-01": 1}),
        (Interval.MONTH, "2026-01-04", "2026-01-31", {"2026-01-01": 1}),
    ],
)
async def test_users_count_once_a_period_as_far_as_it_is_in_the_range(
    world: World, interval: Interval, first: str, last: str, expected: dict[str, int]
) -> None:
    for at, user in (("2025-12-31", "ana"), ("2025-12-31", "eva"), ("2026-01-03", "ana"), ("2026-01-05", "eva")):
        await world.sold(f"{at}T12:00:00Z", user=user)

    for type_ in ("", "purchase"):
        asked = SeriesQuestion(Metric.USERS, interval, type_, date.fromisoformat(first), date.fromisoformat(last))
        assert told(await world.series(asked)) == expected
    nobody = SeriesQuestion(Metric.USERS, interval, "view", date.fromisoformat(first), date.fromisoformat(last))
    assert told(await world.series(nobody)) == {}


async def test_what_is_not_kept_or_too_long_is_refused(world: World) -> None:
    with pytest.raises(NoSuchSeriesError, match="interval=day"):
        await world.series(SeriesQuestion(Metric.USERS, Interval.HOUR))
    with pytest.raises(TooManyHoursError, match="93 days apart"):
        await world.series(SeriesQuestion(interval=Interval.HOUR, first=date(2025, 10, 6)))
    with pytest.raises(FromAfterToError):
        await world.series(SeriesQuestion(first=date(2027, 1, 1)))
    with pytest.raises(RangeTooLongError):
        await world.series(SeriesQuestion(first=date(2001, 1, 1)))


async def test_values_of_a_dimension_have_a_series_each(world: World) -> None:
    await world.sold("2026-01-05T12:00:00Z")
    asked = SeriesQuestion(Metric.SUM, Interval.WEEK, "purchase", date(2025, 12, 29))

    (web,) = await world.by_dimension(asked, "source")

    assert web.value == DimensionValue("web", is_other=False)
    assert [str(point.figure) for point in web.points] == ["0", "2.50"]
    (shop,) = await world.by_dimension(asked, "source", "shop")
    assert (shop.value.text, told(shop.points), len(shop.points)) == ("shop", {}, 2)


async def test_only_dimensions_that_are_counted_are_told_of_activities_and_sums(world: World) -> None:
    with pytest.raises(UnknownDimensionError, match=r"'properties\.page', only by source: add it to"):
        await world.by_dimension(SeriesQuestion(), "properties.page")
    for asked in (SeriesQuestion(Metric.USERS), SeriesQuestion(interval=Interval.HOUR)):
        with pytest.raises(NoSuchSeriesError):
            await world.by_dimension(asked, "source")
    assert "dimension=source" in str(DimensionMissingError())
    assert "`marquee stats rebuild`" in str(FigureIncompleteError("source"))


async def test_totals_of_a_range_are_those_of_its_days(world: World) -> None:
    for at, type_ in (("2026-01-04", "view"), ("2026-01-05", "view"), ("2026-01-05", "buy"), ("2026-01-06", "buy")):
        await world.sold(f"{at}T12:00:00Z", type_=type_)

    page = await world.totals_of_range(date(2026, 1, 5), date(2026, 1, 5), "", 1)

    assert (page.totals, page.more) == ([TypeTotal("buy", 1, Decimal("2.50"))], True)
    behind = await world.totals_of_range(date(2026, 1, 4), None, "buy", 10)
    assert (behind.totals, behind.more) == ([TypeTotal("view", 2, Decimal("5.00"))], False)


async def test_the_total_of_a_type_in_a_range_may_be_nothing(world: World) -> None:
    await world.sold("2026-01-05T12:00:00Z")

    assert await world.total_in_range("purchase", None, date(2026, 1, 5)) == TypeTotal("purchase", 1, Decimal("2.50"))
    assert await world.total_in_range("purchase", date(2026, 1, 6), None) == TypeTotal("purchase", 0, Decimal())
    for never in ("sold", "No Type"):
        with pytest.raises(UnknownTypeError):
            await world.total_in_range(never, None, None)
