"""Series: one figure for each period of a range of days, also for periods in which nothing was. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from app.domain.rollups import Day, Hour, LocalClock, add
from app.domain.stats import Granularity, TypeTotal, day_number, first_day, period_of, start_of
from app.domain.timeline import midnight

_HOUR = 3_600
_SECOND = 1_000_000
Total = tuple[int, Decimal]
"""How many, and the exact sum of their values."""
Figure = int | Decimal


class Metric(StrEnum):
    """What is counted."""

    COUNT = "count"
    SUM = "sum"
    USERS = "users"


class Interval(StrEnum):
    """The length of a period; weeks are ISO weeks."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Point(NamedTuple):
    """The figure of one period."""

    start: date | datetime
    """An hour begins at an instant, in the zone of the stats; all else on a day."""
    figure: Figure


@dataclass(frozen=True, slots=True)
class Period:
    """A period as far as it lies in the range."""

    number: int
    first: Day
    last: Day
    is_whole: bool


def periods_between(granularity: Granularity, first: date, last: date) -> Sequence[Period]:
    """List the periods that a range of days touches, both bounds included."""
    begin, end = day_number(first), day_number(last)
    found = []
    for number in range(period_of(granularity, first), period_of(granularity, last) + 1):
        opens, closes = first_day(granularity, number), first_day(granularity, number + 1) - 1
        found.append(Period(number, max(opens, begin), min(closes, end), begin <= opens and closes <= end))
    return found


def hours_between(first: date, last: date, zone: tzinfo) -> Sequence[Hour]:
    """List the real hours of a range of days: a day has 23 or 25 of them when clocks change."""
    clock, end = LocalClock(zone), day_number(last)
    at = int(midnight(first, zone).timestamp())
    hours: list[Hour] = []
    while True:
        (hour,), (day,) = clock.read([at * _SECOND])
        if day > end:
            return hours
        hours.append(hour)
        at = hour + _HOUR


def points_by_day(
    granularity: Granularity, periods: Iterable[Period], days: Mapping[Day, Total], metric: Metric
) -> Sequence[Point]:
    """Add up the days of each period."""
    return [
        Point(
            start_of(granularity, period.number),
            picked(metric, _added(days.get(day) for day in range(period.first, period.last + 1))),
        )
        for period in periods
    ]


def points_by_hour(hours: Iterable[Hour], found: Mapping[Hour, Total], metric: Metric, zone: tzinfo) -> Sequence[Point]:
    """Give each hour its figure."""
    return [Point(datetime.fromtimestamp(hour, zone), picked(metric, found.get(hour, _NOTHING))) for hour in hours]


def picked(metric: Metric, total: Total) -> Figure:
    """Pick what was asked for: how many, or the sum."""
    return total[1] if metric is Metric.SUM else total[0]


def total_of(type_: str, totals: Iterable[Total]) -> TypeTotal:
    """Add up the totals of one type."""
    return TypeTotal(type_, *_added(totals))


def _added(totals: Iterable[Total | None]) -> Total:
    count, sum_ = _NOTHING
    for one in totals:
        if one is not None:
            count, sum_ = count + one[0], add(sum_, one[1])
    return count, sum_


_NOTHING: Total = (0, Decimal())
