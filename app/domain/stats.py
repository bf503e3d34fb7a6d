"""Stats: figures over activities, and the rules by which one more activity changes them. Pure.

Days and weeks are numbers inside the rollups: days since 1970-01-01, ISO weeks since that of 1970-01-01 (which began on
Monday, 1969-12-29). Every rule here is about sets, so the order of arrival cannot matter.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from app.domain.activities import Activity
from app.domain.identities import Key
from app.domain.rollups import Day, Sums

Week = int

_EPOCH = date(1970, 1, 1)
_DAYS_BEFORE_EPOCH_MONDAY = 3


class Granularity(StrEnum):
    """The length of a period of retention."""

    DAY = "day"
    WEEK = "week"


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
    """The number of a day or a week, by the granularity."""
    later: int


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


def cells_of(visits: Visits) -> Iterator[Cell]:
    """List the retention cells in which a user with these visits counts, each once."""
    days = list(days_of(visits))
    for day in days:
        yield Cell(Granularity.DAY, visits.first, day - visits.first)
    first_week = week_of(visits.first)
    for week in dict.fromkeys(week_of(day) for day in days):
        yield Cell(Granularity.WEEK, first_week, week - first_week)


@dataclass(slots=True)
class UserFigures:
    """How the figures that count users change; numbers may be negative."""

    daily: Counter[Day] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)

    def move(self, before: Visits | None, after: Visits | None) -> None:
        """Account for one person whose set of days became `after` and was `before`; None: no day at all."""
        if after is None:
            if before is not None:
                self.daily.subtract(days_of(before))
                self.cells.subtract(cells_of(before))
        elif before is None and after.days == 1:  # as most users are seen first
            self.daily[after.first] += 1
            self.cells[Cell(Granularity.DAY, after.first, 0)] += 1
            self.cells[Cell(Granularity.WEEK, week_of(after.first), 0)] += 1
        elif before is None:
            self.daily.update(days_of(after))
            self.cells.update(cells_of(after))
        elif before.first == after.first and not before.days & ~after.days:
            self._extend(before, after)
        else:
            self.daily.update(days_of(after))
            self.daily.subtract(days_of(before))
            self.cells.update(cells_of(after))
            self.cells.subtract(cells_of(before))

    def arrive(self, visits: Visits, number: int) -> None:
        """Account for so many persons who were never seen before, all with these visits."""
        for day in days_of(visits):
            self.daily[day] += number
        for cell in cells_of(visits):
            self.cells[cell] += number

    def add(self, other: "UserFigures") -> None:
        """Take in what changes besides."""
        self.daily.update(other.daily)
        self.cells.update(other.cells)

    def _extend(self, before: Visits, after: Visits) -> None:
        """Do the same where the first day stays, which is nearly always: only the new days matter."""
        first_week = week_of(after.first)
        known = before.days
        for day in days_of(Visits(after.first, after.days & ~known)):
            self.daily[day] += 1
            self.cells[Cell(Granularity.DAY, after.first, day - after.first)] += 1
            if not _days_in_week(known, day, after.first):
                self.cells[Cell(Granularity.WEEK, first_week, week_of(day) - first_week)] += 1
            known |= 1 << (day - after.first)


def _days_in_week(days: int, day: Day, first: Day) -> int:
    monday = monday_of(week_of(day)) - first
    return (days >> monday if monday >= 0 else days << -monday) & 0b1111111


@dataclass(slots=True)
class Fold:
    """What some activities say, added up: the same for every order in which they came."""

    totals: dict[tuple[Day, str], tuple[int, Decimal]] = field(default_factory=dict)
    sums: dict[str, Sums] = field(default_factory=dict)
    """What each rollup counts, by its name; nothing of one that counts none of them."""
    days: dict[Key, set[Day]] = field(default_factory=dict)
    """The days on which each visitor was active; what has neither id counts in the totals only."""
    statements: list[Activity] = field(default_factory=list)
    """Those that say who somebody is, and count nothing."""

    @property
    def visits(self) -> Mapping[Key, Visits]:
        """The set of days of each visitor."""
        distinct = {id(days): days for days in self.days.values()}
        made = {name: visits_on(days) for name, days in distinct.items()}
        return {visitor: made[id(days)] for visitor, days in self.days.items()}


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


def period_of(granularity: Granularity, day: date) -> int:
    """Number the period in which a date falls."""
    number = day_number(day)
    return number if granularity is Granularity.DAY else week_of(number)


def start_of(granularity: Granularity, period: int) -> date:
    """Tell on which date a period begins."""
    return date_of(period if granularity is Granularity.DAY else monday_of(period))


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
