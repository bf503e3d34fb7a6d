"""What people ask of the stats. Days are days in the zone of the stats; what a caller leaves out ends today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from app.application.ports.activities import Stats
from app.application.ports.system import Clock
from app.domain.activities import ACTIVITY_TYPE
from app.domain.errors import DomainError
from app.domain.stats import (
    Cohort,
    DailyUsers,
    Granularity,
    TypeCount,
    TypeTotal,
    day_number,
    every_day,
    first_day,
    period_of,
    retention,
    today,
)

LONGEST_RANGE = 3660
"""Days: ten years."""
DEFAULT_RANGE = 30
"""Days of a range whose beginning is not given."""
DEFAULT_LIMIT = 10
DEFAULT_WINDOWS = 8
MOST_TYPES = 1000
"""Of a page of totals."""


class UnknownTypeError(DomainError):
    """No activity of that type was counted."""

    def __init__(self, type_: str) -> None:
        """Name the type; cut, because it comes from outside."""
        super().__init__(f"no activity of the type {type_[:100]!r} has been counted")


class FromAfterToError(DomainError):
    """A range of dates ends before it begins."""

    def __init__(self, first: date, last: date) -> None:
        """Name both."""
        super().__init__(f"from ({first}) is after to ({last}): give a range that ends on or after its first day")


class RangeTooLongError(DomainError):
    """A range of dates is longer than anybody needs."""

    def __init__(self, days: int, most: int = LONGEST_RANGE) -> None:
        """Say what is allowed."""
        super().__init__(f"from and to are {days:,} days apart, both included; at most {most:,} are answered")


class BeyondCalendarError(DomainError):
    """A question reaches beyond the last date that there is."""

    def __init__(self, windows: int, granularity: Granularity, start: date) -> None:
        """Name what was asked."""
        super().__init__(f"start_date: {windows} {granularity}s from {start} on reach beyond {date.max}")


class RetentionNotKeptError(DomainError):
    """Retention of that type is not kept."""

    def __init__(self, type_: str, kept: Collection[str]) -> None:
        """Say of which it is."""
        super().__init__(
            f"retention of the type {type_[:100]!r} is not kept, only of {', '.join(sorted(kept)) or 'none'}: add it "
            "to stats.retention_types, then `marquee stats rebuild`"
        )


@dataclass(frozen=True, slots=True)
class DateRange:
    """Some days, both bounds included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse what is no range, or too long a one.

        Raises:
            FromAfterToError: it ends before it begins.
            RangeTooLongError: it has more than LONGEST_RANGE days.
        """
        if self.first > self.last:
            raise FromAfterToError(self.first, self.last)
        days = (self.last - self.first).days + 1
        if days > LONGEST_RANGE:
            raise RangeTooLongError(days)


def range_until(first: date | None, last: date) -> DateRange:
    """Make the range that ends with `last`; without a first day it is DEFAULT_RANGE long, or begins with the calendar.

    Raises:
        FromAfterToError: as DateRange does.
        RangeTooLongError: the same.
    """
    if first is None:
        first = last - min(timedelta(days=DEFAULT_RANGE - 1), last - date.min)
    return DateRange(first, last)


@dataclass(frozen=True, slots=True)
class TotalOfType:
    """Say how often one type occurred."""

    stats: Stats

    async def __call__(self, type_: str) -> TypeTotal:
        """Find the total of a type.

        Raises:
            UnknownTypeError: no activity of it was counted since the last reset, or none can be.
            HistoryUnavailableError: nobody can tell now.
        """
        found = await self.stats.total(type_) if ACTIVITY_TYPE.fullmatch(type_) else None
        if found is None:
            raise UnknownTypeError(type_)
        return found


@dataclass(frozen=True, slots=True)
class TotalsPage:
    """Some of all totals, by name."""

    totals: Sequence[TypeTotal]
    more: bool
    """Whether there are others behind the last one."""


@dataclass(frozen=True, slots=True)
class PageOfTotals:
    """List the types a page at a time, however many there are."""

    stats: Stats

    async def __call__(self, after: str = "", limit: int = MOST_TYPES) -> TotalsPage:
        """List the first `limit` types behind `after`, by name.

        Raises:
            HistoryUnavailableError: nobody can tell now.
        """
        found = await self.stats.totals(after, limit + 1)
        return TotalsPage(found[:limit], len(found) > limit)


@dataclass(frozen=True, slots=True)
class DailyActiveUsers:
    """Count the users of every day."""

    stats: Stats
    clock: Clock
    zone: tzinfo

    async def __call__(self, first: date | None = None, last: date | None = None) -> Sequence[DailyUsers]:
        """List every day of a range, those without users too.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        asked = range_until(first, last or today(self.clock.now(), self.zone))
        return every_day(asked.first, asked.last, await self.stats.daily_users(asked.first, asked.last))


@dataclass(frozen=True, slots=True)
class TopTypes:
    """Tell which types occurred most often."""

    stats: Stats
    clock: Clock
    zone: tzinfo

    async def __call__(
        self, first: date | None = None, last: date | None = None, limit: int = DEFAULT_LIMIT
    ) -> Sequence[TypeCount]:
        """List the most frequent types of a range, most first, equal ones by name.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        asked = range_until(first, last or today(self.clock.now(), self.zone))
        return await self.stats.top_types(asked.first, asked.last, limit)


@dataclass(frozen=True, slots=True)
class Retention:
    """Tell how many of the users who came first in one period were active again in later ones."""

    stats: Stats
    clock: Clock
    zone: tzinfo
    retained: Collection[str] = ()
    """Of which types it is kept, besides that of all together."""

    async def __call__(
        self,
        granularity: Granularity = Granularity.DAY,
        windows: int = DEFAULT_WINDOWS,
        start: date | None = None,
        type_: str = "",
    ) -> Sequence[Cohort]:
        """List `windows` cohorts from the period of `start` on; without it the last cohort is the current period's.

        With a type, a cohort has those who were first active with it, and they count later when they are again.

        Raises:
            RetentionNotKeptError: not of this type.
            BeyondCalendarError: the calendar ends before the last cohort.
            HistoryUnavailableError: nobody can tell now.
        """
        if type_ and type_ not in self.retained:
            raise RetentionNotKeptError(type_, self.retained)
        now = today(self.clock.now(), self.zone)
        first = period_of(granularity, start) if start else period_of(granularity, now) - windows + 1
        last = first + windows - 1
        if start and first_day(granularity, last) > day_number(date.max):
            raise BeyondCalendarError(windows, granularity, start)
        cells = await self.stats.cells(granularity, first, last, windows - 1, type_)
        return retention(granularity, first, windows, cells, now)
