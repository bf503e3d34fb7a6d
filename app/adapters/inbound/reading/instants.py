"""Read the date-times that clients send: RFC 3339, and what comes instead of it."""

import re
from datetime import datetime, timedelta, timezone, tzinfo

from app.adapters.formats.iso_8601 import DATE, FRACTION, HOUR_AND_MINUTE, OFFSET

DATE_TIME = re.compile(
    rf"({DATE})[Tt ]({HOUR_AND_MINUTE}(?::[0-5]\d(?:{FRACTION})?)?)([Zz]|{OFFSET.replace('-+', '-+ ')})?", re.ASCII
)
EXPECTED = "expected a date-time such as 2021-02-01T00:00:00Z, 2021-02-01T00:00:00+02:00 or 2021-02-01T00:00:00"


class InvalidDateTimeError(ValueError):
    """What was given is no date-time; the message names the parameter, what was found and what was expected."""

    def __init__(self, parameter: str, text: str) -> None:
        """Cut what was found, because it comes from outside."""
        super().__init__(f"{parameter}: {text[:64]!r} is not a date-time; {EXPECTED}")


def read_instant(parameter: str, text: str, zone: tzinfo) -> datetime:
    """Read an instant (aware). Without an offset it is a wall-clock time in `zone`; a `+` may have become a space.

    A day ends at 23:59:59: neither `24:00` nor a leap second is read. An ambiguous wall-clock time is its first
    occurrence, one that does not exist moves forward (ADR 0006).

    Raises:
        InvalidDateTimeError: nothing else is raised.
    """
    match = DATE_TIME.fullmatch(text)
    if match is None:
        raise InvalidDateTimeError(parameter, text)
    date, time, offset = match.groups()
    try:
        found = datetime.fromisoformat(f"{date}T{time}{(offset or '').replace(' ', '+').upper()}")
    except ValueError:
        raise InvalidDateTimeError(parameter, text) from None
    if found.tzinfo:
        return found
    offset_then = found.replace(tzinfo=zone).utcoffset()
    return found.replace(tzinfo=timezone(offset_then or timedelta()))  # fixed: such datetimes compare as instants
