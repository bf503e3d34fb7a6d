"""What people ask of periods: a figure for every hour, day, week or month of a range, and totals of a range."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo

from app.application.ports.activities import Stats
from app.application.ports.period_stats import DimensionQuestion, PeriodStats
from app.application.ports.system import Clock
from app.application.read_stats import DateRange, TotalsPage, UnknownTypeError, range_until
from app.domain.activities import ACTIVITY_TYPE
from app.domain.dimensions import DimensionValue
from app.domain.errors import DomainError
from app.domain.rollups import Day
from app.domain.series import (
    Interval,
    Metric,
    Point,
    Total,
    hours_between,
    periods_between,
    points_by_day,
    points_by_hour,
    total_of,
)
from app.domain.stats import Granularity, TypeTotal, start_of, today
from app.domain.user_days import ALL

MOST_VALUES = 20
"""Of a dimension, that are told unless more are asked for."""
MOST_DAYS_BY_HOUR = 92
"""Days that are answered by the hour: some 2,200 rows."""


class TooManyHoursError(DomainError):
    """A range of days is too long to be answered by the hour."""

    def __init__(self, days: int) -> None:
        """Say what is allowed."""
        super().__init__(
            f"interval=hour: from and to are {days:,} days apart, both included; at most {MOST_DAYS_BY_HOUR} are "
            "answered by the hour: give a shorter range, or interval=day"
        )


class NoSuchSeriesError(DomainError):
    """That figure is not kept for that period."""


class UnknownDimensionError(DomainError):
    """Activities are not counted by that."""

    def __init__(self, dimension: str, known: Sequence[str]) -> None:
        """Say by what they are."""
        super().__init__(
            f"activities are not counted by {dimension[:100]!r}, only by {', '.join(known) or 'nothing'}: add it to "
            "activity.dimensions, then `marquee stats rebuild`"
        )


class DimensionMissingError(DomainError):
    """A value, or a number of values, was given of no dimension."""

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__("value and limit say something of a dimension: give one, such as dimension=source")


@dataclass(frozen=True, slots=True)
class SeriesQuestion:
    """Which figure of which activities, by which periods; bounds that are left out as everywhere in the stats."""

    metric: Metric = Metric.COUNT
    interval: Interval = Interval.DAY
    type: str = ALL
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Tell a figure for every period of a range."""

    periods: PeriodStats
    clock: Clock
    zone: tzinfo

    async def __call__(self, asked: SeriesQuestion) -> Sequence[Point]:
        """List every period that the range touches, each as far as it lies in the range.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            TooManyHoursError: that is too long for hours.
            NoSuchSeriesError: users by the hour.
            HistoryUnavailableError: nobody can tell now.
        """
        days = range_until(asked.first, asked.last or today(self.clock.now(), self.zone))
        if asked.interval is Interval.HOUR:
            return await self._by_hour(asked, days)
        granularity = Granularity(asked.interval)
        if asked.metric is Metric.USERS:
            return await self._users(granularity, asked.type, days)
        found = await self.periods.days(days.first, days.last, asked.type)
        return points_by_day(granularity, periods_between(granularity, days.first, days.last), found, asked.metric)

    async def _by_hour(self, asked: SeriesQuestion, days: DateRange) -> Sequence[Point]:
        if asked.metric is Metric.USERS:
            raise NoSuchSeriesError("users are counted by day, week and month: give interval=day, or another metric")
        number = (days.last - days.first).days + 1
        if number > MOST_DAYS_BY_HOUR:
            raise TooManyHoursError(number)
        hours = hours_between(days.first, days.last, self.zone)
        found = await self.periods.hours(hours, asked.type)
        return points_by_hour(hours, found, asked.metric, self.zone)

    async def _users(self, granularity: Granularity, type_: str, days: DateRange) -> Sequence[Point]:
        """Read whole periods from what is counted, and find out the users of the parts at both ends."""
        periods = periods_between(granularity, days.first, days.last)
        kept = await self.periods.active(granularity, periods[0].number, periods[-1].number, type_)
        points = []
        for period in periods:
            users = kept.get(period.number, 0)
            if users and not period.is_whole:
                users = await self.periods.users_between(period.first, period.last, type_)
            points.append(Point(start_of(granularity, period.number), users))
        return points


@dataclass(frozen=True, slots=True)
class ValueSeries:
    """A figure for every period, of the activities with one value."""

    value: DimensionValue
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class SeriesByDimension:
    """Tell a figure for every period of a range, for each value of a dimension."""

    periods: PeriodStats
    clock: Clock
    zone: tzinfo
    dimensions: Sequence[str]
    """That are counted."""

    async def __call__(
        self, asked: SeriesQuestion, dimension: str, value: str | None = None, limit: int = MOST_VALUES
    ) -> Sequence[ValueSeries]:
        """List the values with the most activities in the range, most first; or one value.

        Raises:
            UnknownDimensionError: nothing is counted by it.
            NoSuchSeriesError: hours, or users.
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            FigureIncompleteError: it is not counted of all activities.
            HistoryUnavailableError: nobody can tell now.
        """
        if dimension not in self.dimensions:
            raise UnknownDimensionError(dimension, self.dimensions)
        if asked.interval is Interval.HOUR or asked.metric is Metric.USERS:
            raise NoSuchSeriesError("by a dimension, activities and sums are counted by day, week and month")
        days = range_until(asked.first, asked.last or today(self.clock.now(), self.zone))
        question = DimensionQuestion(dimension, days.first, days.last, asked.type, value)
        found: dict[DimensionValue, dict[Day, Total]] = {}
        for row in await self.periods.by_value(question, limit):
            found.setdefault(row.value, {})[row.day] = row.total
        if value is not None:
            found = found or {DimensionValue(value, is_other=False): {}}
        granularity = Granularity(asked.interval)
        periods = periods_between(granularity, days.first, days.last)
        return [
            ValueSeries(one, points_by_day(granularity, periods, totals, asked.metric)) for one, totals in found.items()
        ]


@dataclass(frozen=True, slots=True)
class TotalsOfRange:
    """List what was counted of each type in a range of days, a page at a time."""

    periods: PeriodStats
    clock: Clock
    zone: tzinfo

    async def __call__(self, first: date | None, last: date | None, after: str, limit: int) -> TotalsPage:
        """List the first `limit` types behind `after`, by name, that occurred in the range.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        days = range_until(first, last or today(self.clock.now(), self.zone))
        found = await self.periods.totals_between(days.first, days.last, after, limit + 1)
        return TotalsPage(found[:limit], len(found) > limit)


@dataclass(frozen=True, slots=True)
class TotalInRange:
    """Say how often one type occurred in a range of days."""

    stats: Stats
    periods: PeriodStats
    clock: Clock
    zone: tzinfo

    async def __call__(self, type_: str, first: date | None, last: date | None) -> TypeTotal:
        """Add up the days of the range: nothing, where the type occurred on others alone.

        Raises:
            UnknownTypeError: no activity of it was ever counted.
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        days = range_until(first, last or today(self.clock.now(), self.zone))
        if not ACTIVITY_TYPE.fullmatch(type_) or await self.stats.total(type_) is None:
            raise UnknownTypeError(type_)
        found = await self.periods.days(days.first, days.last, type_)
        return total_of(type_, found.values())
