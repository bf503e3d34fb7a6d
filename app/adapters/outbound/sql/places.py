"""Where an activity stands in its table: by its day in UTC, then by a number of that day.

So a range of days is a range of places, and is read or removed without an index beside the table. What comes in usually
belongs behind all the others, which is the cheapest way to fill a table: sorted by `occurred_at` itself, SQLite takes
twice as long for each (ADR 0095).
"""

from collections.abc import Iterable
from datetime import date

NUMBERS = 40
"""Bits of a place that number the activities of one day; those before them are the day."""
DAY = 86_400_000_000
"""Microseconds."""

Month = int
"""Months since January of the year 0."""


def day_of(place: int) -> int:
    """Say of which day a place is."""
    return place >> NUMBERS


def first_place(day: int) -> int:
    """Say which place is the first of a day, which is a number as in `app.domain.stats`."""
    return day << NUMBERS


def months_of(days: Iterable[int]) -> set[Month]:
    """Name the months of some days."""
    return {month_of(day) for day in days}


def month_of(day: int) -> Month:
    """Name the month of a day."""
    found = date.fromordinal(day + _EPOCH)
    return found.year * 12 + found.month - 1


def first_of(month: Month) -> date:
    """Say with which date a month begins."""
    return date(month // 12, month % 12 + 1, 1)


def first_place_of(month: Month) -> int:
    """Say which place is the first of a month."""
    return first_place(first_of(month).toordinal() - _EPOCH)


_EPOCH = date(1970, 1, 1).toordinal()
