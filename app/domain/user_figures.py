"""Figures that count users: how many were active in a period, and how many of those who came first came again. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from app.domain.rollups import Day
from app.domain.stats import Cell, Granularity, Visits, days_of, monday_of, month_of, month_start, week_of
from app.domain.user_days import ALL, UserDays


class Active(NamedTuple):
    """Who was active with a type in a period."""

    type: str
    granularity: Granularity
    period: int


class _Span(NamedTuple):
    """A day, a week or a month."""

    period: int
    first: Day
    mask: int
    """A bit for each of its days."""


_LENGTHS = (Granularity.DAY, Granularity.WEEK, Granularity.MONTH)
_Reached = tuple[str, int, int, int]
"""A type, a place in _LENGTHS, a period, and the period in which it began: plain, for a million are counted."""


@dataclass(slots=True)
class UserFigures:
    """How the figures that count users change; numbers may be negative."""

    retained: Collection[str] = frozenset()
    """Of which types retention is kept, besides that of all."""
    _active: Counter[Active] = field(default_factory=Counter)
    _cells: Counter[Cell] = field(default_factory=Counter)
    _reached: list[_Reached] = field(default_factory=list)
    """Periods that somebody has reached and that are not counted yet."""

    @property
    def active(self) -> Counter[Active]:
        """How many were active with a type in a period."""
        self._settle()
        return self._active

    @property
    def cells(self) -> Counter[Cell]:
        """How many of those who came first came again."""
        self._settle()
        return self._cells

    def move(self, before: UserDays | None, after: UserDays | None) -> None:
        """Account for one person whose days became `after` and were `before`; None: no day at all."""
        self._move(ALL, before and before.all, after and after.all)
        were = dict(before.by_type) if before else {}
        for type_, visits in after.by_type if after else ():
            known = were.pop(type_, None)
            if known != visits:
                self._move(type_, known, visits)
        for type_, visits in were.items():
            self._move(type_, visits, None)

    def arrive(self, days: UserDays, number: int) -> None:
        """Account for so many persons who were never seen before, all with these days."""
        self._count(ALL, days.all, number)
        for type_, visits in days.by_type:
            self._count(type_, visits, number)

    def add(self, other: "UserFigures") -> None:
        """Take in what changes besides."""
        self.active.update(other.active)
        self.cells.update(other.cells)

    def _move(self, type_: str, before: Visits | None, after: Visits | None) -> None:
        if before == after:
            return
        if before and after and before.first == after.first and not before.days & ~after.days:
            self._extend(type_, before, after)
            return
        if after:
            self._count(type_, after, 1)
        if before:
            self._count(type_, before, -1)

    def _count(self, type_: str, visits: Visits, number: int) -> None:
        reached = [
            (type_, length, period, periods[0])
            for length, (_, periods) in enumerate(_periods_of(visits))
            for period in periods
        ]
        if number == 1:
            self._reached += reached
        else:
            self._add(reached, number)

    def _extend(self, type_: str, before: Visits, after: Visits) -> None:
        """Do the same where the first day stays, which is nearly always: only the new days matter."""
        first, known = after.first, before.days
        _, first_week, first_month = _spans(first)
        new = after.days & ~known
        while new:
            bit = new & -new
            new ^= bit
            day, week, month = _spans(first + bit.bit_length() - 1)
            self._reached.append((type_, 0, day.period, first))
            if not _has_some(known, first, week):
                self._reached.append((type_, 1, week.period, first_week.period))
            if not _has_some(known, first, month):
                self._reached.append((type_, 2, month.period, first_month.period))
            known |= bit

    def _settle(self) -> None:
        if self._reached:
            for reached, number in Counter(self._reached).items():
                self._add((reached,), number)
            self._reached.clear()

    def _add(self, reached: Iterable[_Reached], number: int) -> None:
        for type_, length, period, begun in reached:
            granularity = _LENGTHS[length]
            self._active[Active(type_, granularity, period)] += number
            if type_ == ALL or type_ in self.retained:
                self._cells[Cell(granularity, begun, period - begun, type_)] += number


def _has_some(days: int, first: Day, span: _Span) -> bool:
    offset = span.first - first
    return bool((days >> offset if offset >= 0 else days << -offset) & span.mask)


@lru_cache(maxsize=4_096)
def _spans(day: Day) -> tuple[_Span, _Span, _Span]:
    """Give a day by itself, its week and its month."""
    week, month = week_of(day), month_of(day)
    begin = month_start(month)
    return (
        _Span(day, day, 1),
        _Span(week, monday_of(week), 0b1111111),
        _Span(month, begin, (1 << (month_start(month + 1) - begin)) - 1),
    )


@lru_cache(maxsize=1_024)
def _periods_of(visits: Visits) -> tuple[tuple[Granularity, tuple[int, ...]], ...]:
    """List the days, weeks and months, ascending."""
    days = tuple(days_of(visits))
    weeks = tuple(dict.fromkeys(map(week_of, days)))
    months = tuple(dict.fromkeys(map(month_of, days)))
    return (Granularity.DAY, days), (Granularity.WEEK, weeks), (Granularity.MONTH, months)
