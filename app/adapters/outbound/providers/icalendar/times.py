"""Dates, times, durations and offsets as iCalendar writes them (RFC 5545, 3.3)."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from app.adapters.outbound.providers.icalendar.faults import invalid
from app.domain.feeds import RejectionReason

_TIME = re.compile(r"(\d{8})(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"([+-]?)P(?=.)(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,10})S)?)?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_END_OF_DAY = ("24", "00", "00")


class WrittenTime(NamedTuple):
    """A date or a time as it stands in a value, before anybody asks for its zone."""

    clock: datetime
    """Naive; the midnight of a date."""
    whole_day: bool
    utc: bool


class Duration(NamedTuple):
    """Days follow the wall clock, hours are exact: RFC 5545 keeps them apart, and so do the nights of the clocks."""

    days: int
    exact: timedelta


def read_time(name: str, text: str) -> WrittenTime:
    """Read a DATE or a DATE-TIME. The second 60 counts as 59, and 24:00:00 is the next midnight.

    Raises:
        UnusableEventError: it is neither.
    """
    found = _TIME.fullmatch(text)
    try:
        if found:
            day = datetime(int(text[:4]), int(text[4:6]), int(text[6:8]))  # noqa: DTZ001 - a wall clock
            if found[2] is None:
                return WrittenTime(day, whole_day=True, utc=False)
            return WrittenTime(day + _time_of_day(*found.group(2, 3, 4)), whole_day=False, utc=bool(found[5]))
    except (ValueError, OverflowError):
        pass  # the form is right, but the calendar has no such day
    expected = "a date such as 20261024 or a time such as 20261024T190000"
    raise invalid(name, text, expected, RejectionReason.INVALID_DATE)


def _time_of_day(hour: str, minute: str, second: str) -> timedelta:
    if (hour, minute, second) != _END_OF_DAY and not (hour < "24" and minute < "60" and second <= "60"):
        raise ValueError
    return timedelta(hours=int(hour), minutes=int(minute), seconds=min(int(second), 59))


def read_duration(name: str, text: str) -> Duration:
    """Read a DURATION, which an event has none of below zero.

    Raises:
        UnusableEventError: it is none, or it is negative.
    """
    found = _DURATION.fullmatch(text)
    if found is None or found[1] == "-":
        expected = "a duration such as PT2H or P1D, not below zero"
        raise invalid(name, text, expected, RejectionReason.INVALID_DATE)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    return Duration(7 * weeks + days, timedelta(hours=hours, minutes=minutes, seconds=seconds))


def read_offset(name: str, text: str) -> timedelta:
    """Read a UTC-OFFSET.

    Raises:
        UnusableEventError: it is none.
    """
    found = _OFFSET.fullmatch(text)
    if found is None or not (found[2] < "24" and found[3] < "60" and (found[4] or "") < "60"):
        raise invalid(name, text, "an offset such as +0100", RejectionReason.INVALID_DATE)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return -offset if found[1] == "-" else offset
