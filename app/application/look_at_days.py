"""What the dashboard asks of a range of days: what was earned, what one type did, all types a page at a time."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import reduce

from app.application.ports.activities import Stats
from app.application.ports.day_sums import DaySums
from app.application.ports.system import Clock
from app.application.read_stats import DateRange, RangeTooLongError
from app.application.single_flight import SingleFlights
from app.domain.rollups import add
from app.domain.stats import DailyUsers, TypeCount, TypeTotal, date_of, day_number, every_day, today

MOST_DAYS = 366
"""Of a range that the dashboard asks for."""
PURCHASES = ("purchase",)
"""The types whose values are what was earned."""
FRESH = timedelta(seconds=2)
"""How long the order of the types of a range is good enough, at the least."""
TIMES = 20
"""How many times as long as it took to ask it is good enough: so it costs a twentieth of the time at the most."""
MOST_RANGES = 8
"""Whose order of types is remembered, in one process."""
MOST_RANKED = 100_000
"""Types of a range; others are found by no search."""


@dataclass(frozen=True, slots=True)
class DaySum:
    """How many activities there were on a day, and the exact sum of their values."""

    date: date
    count: int
    sum: Decimal


@dataclass(frozen=True, slots=True)
class SumsByDay:
    """What some types together did on each day of a range."""

    types: Sequence[str]
    days: Sequence[DaySum]

    @property
    def count(self) -> int:
        """How many there were in all."""
        return sum(day.count for day in self.days)

    @property
    def sum(self) -> Decimal:
        """The exact sum of their values."""
        return _sum(day.sum for day in self.days)


@dataclass(frozen=True, slots=True)
class DaysFigures:
    """What there is to see of a range of days."""

    range: DateRange
    today: date
    """In the zone of the stats."""
    revenue: SumsByDay
    chosen: SumsByDay | None
    """The same of the one type that was asked for."""
    users: Sequence[DailyUsers]


@dataclass(frozen=True, slots=True)
class AskedDays:
    """A range as somebody asks for it: its bounds, or only how many days it has."""

    first: date | None = None
    last: date | None = None
    count: int = 30
    """Of a range whose first day is not given."""

    def until(self, now: date) -> DateRange:
        """Make the range; without a last day it ends `now`.

        Raises:
            FromAfterToError: it ends before it begins.
            RangeTooLongError: it has more than MOST_DAYS days.
        """
        last = self.last or now
        first = self.first or last - min(timedelta(days=self.count - 1), last - date.min)
        made = DateRange(first, last)
        if (days := (last - first).days + 1) > MOST_DAYS:
            raise RangeTooLongError(days, MOST_DAYS)
        return made


@dataclass(frozen=True, slots=True)
class FiguresOfDays:
    """Say what was earned on each day, how many users there were, and what one type did."""

    stats: Stats
    sums: DaySums
    clock: Clock
    zone: tzinfo
    purchase_types: Sequence[str] = PURCHASES

    async def __call__(self, asked: AskedDays, type_: str | None = None) -> DaysFigures:
        """Look at a range.

        Raises:
            FromAfterToError: as AskedDays does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        now = today(self.clock.now(), self.zone)
        days = asked.until(now)
        return DaysFigures(
            range=days,
            today=now,
            revenue=await self._by_day(self.purchase_types, days),
            chosen=None if type_ is None else await self._by_day([type_], days),
            users=every_day(days.first, days.last, await self.stats.daily_users(days.first, days.last)),
        )

    async def _by_day(self, types: Sequence[str], days: DateRange) -> SumsByDay:
        found = await self.sums.of_types(types, days.first, days.last)
        nothing = (0, Decimal())

        def on(day: int) -> DaySum:
            counted = [found.get((day, type_), nothing) for type_ in types]
            return DaySum(date_of(day), sum(count for count, _ in counted), _sum(sum_ for _, sum_ in counted))

        return SumsByDay(types, [on(day) for day in range(day_number(days.first), day_number(days.last) + 1)])


@dataclass(frozen=True, slots=True)
class PageOfTypes:
    """Some of the types that occurred in a range, the most frequent first."""

    range: DateRange
    types: int
    """How many occurred in it."""
    activities: int
    """Of all of them."""
    found: int
    """How many of them have what was searched for in their names."""
    page: Sequence[TypeTotal]


@dataclass(slots=True)
class TypesOfDays:
    """List the types of a range a page at a time. Their order is asked for now and then, for whoever looks on."""

    stats: Stats
    sums: DaySums
    clock: Clock
    zone: tzinfo
    _ranked: OrderedDict[DateRange, tuple[datetime, Sequence[TypeCount]]] = field(default_factory=OrderedDict)
    """Until when it is good enough, and the order; the oldest first."""
    _flights: SingleFlights[DateRange, Sequence[TypeCount]] = field(init=False)

    def __post_init__(self) -> None:
        """Ask once for all who ask at the same time."""
        self._flights = SingleFlights(self._ask)

    async def __call__(self, asked: AskedDays, search: str = "", offset: int = 0, limit: int = 25) -> PageOfTypes:
        """List those with `search` in their names, whatever its case, from number `offset` on.

        Raises:
            FromAfterToError: as AskedDays does.
            RangeTooLongError: the same.
            HistoryUnavailableError: nobody can tell now.
        """
        days = asked.until(today(self.clock.now(), self.zone))
        ranked = await self._order(days)
        wanted = search.casefold()
        found = [one for one in ranked if wanted in one.type.casefold()] if wanted else ranked
        page = found[offset : offset + limit]
        return PageOfTypes(
            range=days,
            types=len(ranked),
            activities=sum(one.count for one in ranked),
            found=len(found),
            page=await self._with_sums([one.type for one in page], days),
        )

    async def _order(self, days: DateRange) -> Sequence[TypeCount]:
        known = self._ranked.get(days)
        if known and self.clock.now() < known[0]:
            return known[1]
        return await self._flights(days)

    async def _ask(self, days: DateRange) -> Sequence[TypeCount]:
        began = self.clock.now()
        ranked = await self.stats.top_types(days.first, days.last, MOST_RANKED)
        ended = self.clock.now()
        self._ranked[days] = ended + max(FRESH, (ended - began) * TIMES), ranked
        self._ranked.move_to_end(days)
        while len(self._ranked) > MOST_RANGES:
            self._ranked.popitem(last=False)
        return ranked

    async def _with_sums(self, types: Sequence[str], days: DateRange) -> Sequence[TypeTotal]:
        """Add up counts and values, both as they are now; the order is that of a moment ago."""
        counts, sums = dict.fromkeys(types, 0), dict.fromkeys(types, Decimal())
        for (_, type_), (count, sum_) in (await self.sums.of_types(types, days.first, days.last)).items():
            counts[type_] += count
            sums[type_] = add(sums[type_], sum_)
        return [TypeTotal(type_, counts[type_], sums[type_]) for type_ in types]


def _sum(values: Iterable[Decimal]) -> Decimal:
    return reduce(add, values, Decimal())
