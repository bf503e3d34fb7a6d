"""Take the figures of days out: what was counted of each type, and the users."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from decimal import Decimal

from app.application.ports.activities import Stats
from app.application.ports.period_stats import PeriodStats
from app.application.ports.system import Clock
from app.application.read_stats import LONGEST_RANGE, DateRange
from app.domain.stats import date_of, today

TYPES = 1_000
"""That are read at once."""


@dataclass(frozen=True, slots=True)
class DayFigure:
    """A total of a type on a day, or, without a type, the users of that day."""

    date: date
    type: str | None
    count: int | None
    sum: Decimal | None
    users: int | None


@dataclass(frozen=True, slots=True)
class ExportStats:
    """Hand out the figures of a range of days, day by day; those on which nothing happened have none."""

    stats: Stats
    periods: PeriodStats
    clock: Clock
    zone: tzinfo

    async def __call__(
        self, first: date | None = None, last: date | None = None
    ) -> AsyncGenerator[Sequence[DayFigure], None]:
        """Hand out the users of each day, then its types by name. Without a first day, all that one range may hold.

        Raises:
            FromAfterToError: as DateRange does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell any more.
        """
        last = last or today(self.clock.now(), self.zone)
        first = first or last - min(timedelta(days=LONGEST_RANGE - 1), last - date.min)
        asked = DateRange(first, last)
        users = await self.stats.daily_users(asked.first, asked.last)
        counted = await self.periods.days(asked.first, asked.last)
        for day in sorted({*users, *counted}):
            yield [DayFigure(date_of(day), None, None, None, users.get(day, 0)), *await self._types_of(date_of(day))]

    async def _types_of(self, day: date) -> Sequence[DayFigure]:
        found: list[DayFigure] = []
        after = ""
        while page := await self.periods.totals_between(day, day, after, TYPES):
            found += [DayFigure(day, total.type, total.count, total.sum, None) for total in page]
            after = page[-1].type
        return found
