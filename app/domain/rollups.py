"""Rollups: counts and sums of activities by some key. Pure; what one more activity changes never depends on the order.

A rollup says by what its activities are counted; the store adds what it says of new ones, and takes the same away of
those that are removed. So everything that is counted is counted by the same few lines.
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Context, Decimal, Inexact
from typing import Any, Protocol

from app.domain.activities import DECIMAL_DIGITS, WHOLE_DIGITS
from app.domain.activity_columns import ActivityColumns, instant_of

Day = int
"""Days since 1970-01-01, in the zone of the stats."""
Hour = int
"""An hour of the clock in the zone of the stats: the second at which it begins, since 1970 (UTC). So the two hours that
a clock shows alike in autumn are two, and days of 23 hours have 23."""
Sums = dict[tuple[Any, ...], tuple[int, Decimal]]
"""By key: how many, and the exact sum of their values."""

QUARTER = 15 * 60 * 1_000_000
"""Microseconds. Zones change their offset at its bounds, nearly always; where not, each instant is looked at."""
_SECOND = 1_000_000
_HOUR = 3_600
_DAY = 86_400
_MINUTE = 60 * _SECOND
_LONGEST_DAY = 50 * _HOUR * _SECOND
_LONGEST_CHANGE = 3 * _HOUR * _SECOND
# Room for 10**18 of the longest values; beyond, the addition would say so instead of rounding.
_EXACT = Context(prec=WHOLE_DIGITS + DECIMAL_DIGITS + 18, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class DatedActivities:
    """Activities that count, and when each occurred by the clock of the stats."""

    activities: ActivityColumns
    hours: Sequence[Hour]
    days: Sequence[Day]


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to where raw activities have left: what was counted of them stays, and is not made anew."""

    day: Day
    """The first that can still be made anew; those before it are frozen."""
    instant: int
    """When it began, by the rules under which the frozen days were counted: microseconds since 1970, UTC."""

    @property
    def hour(self) -> Hour:
        """The first hour that is not frozen."""
        return self.instant // _SECOND


class Rollup(Protocol):
    """What counts activities by some key, in which is the `day` or the `hour`: so its table calls them."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of its table."""

    @property
    def counts_by(self) -> str:
        """What of it is configured, by names with commas between them: when one is added, it is to be made anew."""
        return ""

    @abstractmethod
    def sums(self, dated: DatedActivities) -> Sums:
        """Count activities; the keys are those of the table, without the slot."""

    @abstractmethod
    def told(self, key: Any) -> str:
        """Say in words what is counted under a key."""


class LocalClock:
    """Tells the hour and the day of instants (microseconds since 1970, UTC) in a zone; remembers quarters of hours.

    What occurred before the cut is of a frozen day, and what occurred later is not, whatever the zone's rules say now.
    """

    def __init__(self, zone: tzinfo, cut: Cut | None = None) -> None:
        self.zone = zone
        self._cut = cut
        self._known: dict[int, tuple[Hour, Day] | None] = {}
        """By quarter; None: the zone changes its offset within."""

    def read(self, instants: Sequence[int]) -> tuple[list[Hour], list[Day]]:
        """Tell hour and day of each."""
        quarters = [at // QUARTER for at in instants]
        known = self._known
        for quarter in set(quarters).difference(known):
            begin, last = self._look(quarter * QUARTER), self._look((quarter + 1) * QUARTER - 1)
            known[quarter] = begin if begin == last else None
        found = [known[quarter] for quarter in quarters]
        if None in found:
            found = [one or self._look(at) for one, at in zip(found, instants, strict=True)]
        hours, days = zip(*found, strict=True) if found else ((), ())
        return list(hours), list(days)

    def _look(self, at: int) -> tuple[Hour, Day]:
        offset = instant_of(at).astimezone(self.zone).utcoffset()
        shift = 0 if offset is None else offset.days * _DAY + offset.seconds
        local = at // _SECOND + shift
        hour, day = at // _SECOND - local % _HOUR, local // _DAY
        if self._cut is None:
            return hour, day
        if at < self._cut.instant:
            return hour, min(day, self._cut.day - 1)
        return max(hour, self._cut.hour), max(day, self._cut.day)


def cut_behind(instant: int, zone: tzinfo) -> Cut:
    """Find the first cut behind an instant (microseconds since 1970, UTC): where a day begins, once and for all.

    A clock that is set back over midnight shows two days in turns: there is no cut between these two.
    """
    clock = LocalClock(zone)

    def day(at: int) -> Day:
        return clock.read([at])[1][0]

    wanted = day(instant - 1) + 1
    while True:
        before, behind = instant - 1, instant + _LONGEST_DAY
        while behind - before > 1:
            middle = (before + behind) // 2
            before, behind = (middle, behind) if day(middle) < wanted else (before, middle)
        around = range(_MINUTE, _LONGEST_CHANGE, _MINUTE)
        if all(day(behind - more) < wanted <= day(behind + more) for more in around):
            return Cut(wanted, behind)
        instant, wanted = behind, wanted + 1


def add(one: Decimal, other: Decimal) -> Decimal:
    """Add exactly.

    Raises:
        decimal.Inexact: the digits do not suffice any more (after 10**18 of the largest values).
    """
    return _EXACT.add(one, other)


def sums_by(keys: Sequence[Hashable], values: Iterable[Decimal | None]) -> dict[Any, tuple[int, Decimal]]:
    """Count by key, and add up the values that are there."""
    sums: dict[Hashable, Decimal] = {}
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            sums[key] = add(sums[key], value) if key in sums else value
    nothing = Decimal()
    return {key: (count, sums.get(key, nothing)) for key, count in Counter(keys).items()}


def added_up(all_sums: Iterable[Mapping[Any, tuple[int, Decimal]]]) -> dict[Any, tuple[int, Decimal]]:
    """Add up several, key by key."""
    result: dict[Any, tuple[int, Decimal]] = {}
    for sums in all_sums:
        for key, (count, sum_) in sums.items():
            counted, summed = result.get(key, (0, Decimal()))
            result[key] = (counted + count, add(summed, sum_))
    return result


def negated(sums: Mapping[Any, tuple[int, Decimal]]) -> dict[Any, tuple[int, Decimal]]:
    """Say what takes away what these add."""
    return {key: (-count, _EXACT.minus(sum_)) for key, (count, sum_) in sums.items()}


@dataclass(frozen=True, slots=True)
class HourlyTotals(Rollup):
    """Count by hour and type."""

    name: str = "hourly_totals"

    def sums(self, dated: DatedActivities) -> Sums:
        """Count them; mostly all are of one hour."""
        return sums_by(list(zip(dated.hours, dated.activities.types, strict=True)), dated.activities.values)

    def told(self, key: Any) -> str:
        """Name the type and the hour, by UTC."""
        return f"count of {key[1]} in the hour from {instant_of(key[0] * _SECOND).isoformat()}"
