"""A timeline around today: how many plans begin in each day, month or year. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum


class Unit(StrEnum):
    """The length of a period of the timeline."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    @property
    def reach(self) -> int:
        """How many periods there are before the current one, and as many after it."""
        return _REACH[self]


_REACH = {Unit.DAY: 14, Unit.MONTH: 12, Unit.YEAR: 8}


@dataclass(frozen=True, slots=True)
class Timeline:
    """How many plans begin in each period; the current one is in the middle."""

    unit: Unit
    starts: Sequence[date]
    """The first day of each period."""
    plans: Sequence[int]


def period_starts(unit: Unit, today: date) -> list[date]:
    """List the first day of each period around today, and of the one after the last."""
    offsets = range(-unit.reach, unit.reach + 2)
    if unit is Unit.DAY:
        return [today + timedelta(days=offset) for offset in offsets]
    if unit is Unit.MONTH:
        months = [today.year * 12 + today.month - 1 + offset for offset in offsets]
        return [date(month // 12, month % 12 + 1, 1) for month in months]
    return [date(today.year + offset, 1, 1) for offset in offsets]


def midnight(day: date, zone: tzinfo) -> datetime:
    """Tell when a day begins in `zone` (aware, UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
