"""Stats: figures over activities, and the periods that they are about. Pure.

Periods are numbers inside the rollups: days since 1970-01-01, ISO weeks since that of 1970-01-01 (which began on
Monday, 1969-12-29), months since January 1970. Every rule here is about sets, so the order of arrival cannot matter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from app.domain.rollups import Day

Week = int
Month = int

_EPOCH = date(1970, 1, 1)
_DAYS_BEFORE_EPOCH_MONDAY = 3


class Granularity(StrEnum):
    """The length of a period in which users are counted."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class TypeTotal:
    """How often a type occurred, and the exact sum of its values (0 without any)."""

    type: str
    count: int
    sum: Decimal


@dataclass(frozen=True, slots=True)
class TypeRanking:
    """All types since the last reset, and the most frequent of them."""

    types: int
    activities: int
    top: Sequence[TypeTotal]
    """Most first; equal counts by name."""


@dataclass(frozen=True, slots=True)
class TypeCount:
    """How often a type occurred."""

    type: str
    count: int


class DailyUsers(NamedTuple):
    """How many users were active on a day."""

    date: date
    users: int


class Cell(NamedTuple):
    """A retention cell: the users whose first ever activity fell in `cohort`, active again `later` periods on."""

    granularity: Granularity
    cohort: int
    """The number of a day, a week or a month, by the granularity."""
    later: int
    type: str = ""
    """First and active with this type; of all types together it is empty."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The users whose first ever activity fell in one period."""

    start: date
    size: int
    active: Sequence[int | None]
    """How many were active exactly n periods later; None while that period has not ended."""


class Visits(NamedTuple):
    """The set of days on which one user was active. Never empty."""

    first: Day
    days: int
    """A bit for each day from `first` on; bit 0 is always set."""


def visits_on(days: Iterable[Day]) -> Visits:
    """Make the set of some days, at least one."""
    given = set(days)
    if len(given) == 1:
        return Visits(given.pop(), 1)
    first = min(given)
    return Visits(first, sum(1 << (day - first) for day in given))


def union(one: Visits, other: Visits) -> Visits:
    """Join two sets."""
    first = min(one.first, other.first)
    return Visits(first, one.days << (one.first - first) | other.days << (other.first - first))


def before(day: Day, visits: Visits) -> Visits | None:
    """Choose the days before one; None: there are none."""
    days = visits.days & ((1 << max(day - visits.first, 0)) - 1)
    return Visits(visits.first, days) if days else None


def without(visits: Visits, days: Iterable[Day]) -> Visits | None:
    """Take days out of a set; None: none is left. Days that are not in it do not matter."""
    last = visits.first + visits.days.bit_length()
    gone = sum(1 << (day - visits.first) for day in set(days) if visits.first <= day < last)
    rest = visits.days & ~gone
    if not rest:
        return None
    skipped = (rest & -rest).bit_length() - 1
    return Visits(visits.first + skipped, rest >> skipped)


def days_of(visits: Visits) -> Iterator[Day]:
    """List the days, ascending."""
    bits, day = visits.days, visits.first
    while bits:
        gap = (bits & -bits).bit_length() - 1
        yield day + gap
        bits >>= gap + 1
        day += gap + 1


def day_number(day: date) -> Day:
    """Number a date."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(day: Day) -> date:
    """Read a day's number."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def week_of(day: Day) -> Week:
    """Number the ISO week in which a day falls."""
    return (day + _DAYS_BEFORE_EPOCH_MONDAY) // 7


def monday_of(week: Week) -> Day:
    """Tell on which day a week begins."""
    return week * 7 - _DAYS_BEFORE_EPOCH_MONDAY


@lru_cache(maxsize=4_096)
def month_of(day: Day) -> Month:
    """Number the calendar month in which a day falls."""
    falls = date_of(day)
    return (falls.year - _EPOCH.year) * 12 + falls.month - 1


def month_start(month: Month) -> Day:
    """Tell on which day a month begins; of the one behind the calendar, the day behind it."""
    year, before = divmod(month, 12)
    if _EPOCH.year + year > date.max.year:
        return day_number(date.max) + 1 + (month - _MONTHS) * _LONGEST_MONTH
    return day_number(date(_EPOCH.year + year, before + 1, 1))


def period_of(granularity: Granularity, day: date) -> int:
    """Number the period in which a date falls."""
    return _NUMBERED[granularity](day_number(day))


def first_day(granularity: Granularity, period: int) -> Day:
    """Tell on which day a period begins."""
    return _BEGUN[granularity](period)


def start_of(granularity: Granularity, period: int) -> date:
    """Tell on which date a period begins."""
    return date_of(first_day(granularity, period))


def retention(
    granularity: Granularity, first: int, windows: int, cells: Mapping[Cell, int], today: date
) -> list[Cohort]:
    """Lay out the cells of the `windows` cohorts from period `first` on, `windows` cells each.

    A period has ended when `today` lies behind it.
    """
    current = period_of(granularity, today)

    def active(cohort: int, later: int) -> int | None:
        return cells.get(Cell(granularity, cohort, later), 0) if cohort + later < current else None

    return [
        Cohort(
            start=start_of(granularity, cohort),
            size=cells.get(Cell(granularity, cohort, 0), 0),
            active=[active(cohort, later) for later in range(windows)],
        )
        for cohort in range(first, first + windows)
    ]


def every_day(first: date, last: date, users: Mapping[Day, int]) -> list[DailyUsers]:
    """Give every day from `first` to `last`, both included, its number of users."""
    return [
        DailyUsers(day, users.get(day_number(day), 0))
        for day in (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    ]


def today(now: datetime, zone: tzinfo) -> date:
    """Tell the date of an instant in `zone`."""
    return now.astimezone(zone).date()


_EPOCH_ORDINAL = _EPOCH.toordinal()
_LONGEST_MONTH = 31
_MONTHS = (date.max.year + 1 - _EPOCH.year) * 12
_NUMBERED: Mapping[Granularity, Callable[[Day], int]] = {
    Granularity.DAY: lambda day: day,
    Granularity.WEEK: week_of,
    Granularity.MONTH: month_of,
}
_BEGUN: Mapping[Granularity, Callable[[int], Day]] = {
    Granularity.DAY: lambda day: day,
    Granularity.WEEK: monday_of,
    Granularity.MONTH: month_start,
}
