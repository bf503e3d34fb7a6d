"""Figures that count users: how many were active in a period, and how many of those who came first came again. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator
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
    """A week or a month."""

    granularity: Granularity
    period: int
    first: Day
    mask: int
    """A bit for each of its days."""


def cells_of(visits: Visits, type_: str = ALL) -> Iterator[Cell]:
    """List the retention cells in which a user with these visits counts, each once."""
    for granularity, periods in _periods_of(visits):
        for period in periods:
            yield Cell(granularity, periods[0], period - periods[0], type_)


def active_in(visits: Visits, type_: str = ALL) -> Iterator[Active]:
    """List the periods in which a user with these visits counts, each once."""
    for granularity, periods in _periods_of(visits):
        for period in periods:
            yield Active(type_, granularity, period)


@dataclass(slots=True)
class UserFigures:
    """How the figures that count users change; numbers may be negative."""

    retained: Collection[str] = frozenset()
    """Of which types retention is kept, besides that of all."""
    active: Counter[Active] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)

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
        active, cells = self.active, self.cells
        for period in active_in(visits, type_):
            active[period] += number
        if type_ == ALL or type_ in self.retained:
            for cell in cells_of(visits, type_):
                cells[cell] += number

    def _extend(self, type_: str, before: Visits, after: Visits) -> None:
        """Do the same where the first day stays, which is nearly always: only the new days matter."""
        first, known = after.first, before.days
        retained = type_ == ALL or type_ in self.retained
        for day in days_of(Visits(first, after.days & ~known)):
            reached = [(Granularity.DAY, day, first)]
            reached += [
                (span.granularity, span.period, begin.period)
                for span, begin in zip(_spans(day), _spans(first), strict=True)
                if not _has_some(known, first, span)
            ]
            for granularity, period, begun in reached:
                self.active[Active(type_, granularity, period)] += 1
                if retained:
                    self.cells[Cell(granularity, begun, period - begun, type_)] += 1
            known |= 1 << (day - first)


def _has_some(days: int, first: Day, span: _Span) -> bool:
    offset = span.first - first
    return bool((days >> offset if offset >= 0 else days << -offset) & span.mask)


@lru_cache(maxsize=4_096)
def _spans(day: Day) -> tuple[_Span, _Span]:
    """Give the week and the month of a day."""
    week, month = week_of(day), month_of(day)
    begin = month_start(month)
    return (
        _Span(Granularity.WEEK, week, monday_of(week), 0b1111111),
        _Span(Granularity.MONTH, month, begin, (1 << (month_start(month + 1) - begin)) - 1),
    )


@lru_cache(maxsize=1_024)
def _periods_of(visits: Visits) -> tuple[tuple[Granularity, tuple[int, ...]], ...]:
    """List the days, weeks and months, ascending."""
    days = tuple(days_of(visits))
    weeks = tuple(dict.fromkeys(map(week_of, days)))
    months = tuple(dict.fromkeys(map(month_of, days)))
    return (Granularity.DAY, days), (Granularity.WEEK, weeks), (Granularity.MONTH, months)
