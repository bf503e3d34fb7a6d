"""Until when somebody wants a key to be good."""

import re
from datetime import UTC, datetime, timedelta

from app.adapters.inbound.reading.instants import InvalidDateTimeError, read_instant

LIFETIME = re.compile(r"(\d{1,5})([dh])", re.ASCII)
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


class InvalidExpiryError(ValueError):
    """What was given is neither a time from now on nor a date-time."""

    def __init__(self, parameter: str, text: str) -> None:
        """Cut what was found, because it comes from outside."""
        expected = "90d, 12h or a date-time such as 2036-01-01T00:00:00Z"
        super().__init__(f"{parameter}: expected {expected}, found {text[:64]!r}")


def read_expiry(parameter: str, text: str) -> datetime:
    """Read a date-time, in UTC; without an offset it is UTC already.

    Raises:
        InvalidDateTimeError: it is none, or none of the years 1 to 9999 in UTC.
    """
    try:
        return read_instant(parameter, text, UTC).astimezone(UTC)
    except OverflowError:
        raise InvalidDateTimeError(parameter, text) from None


def read_lifetime(parameter: str, text: str, now: datetime) -> datetime:
    """Read the same, or how many days or hours from now on: `90d`, `12h`.

    Raises:
        InvalidExpiryError: it is neither.
    """
    found = LIFETIME.fullmatch(text)
    try:
        return now + int(found[1]) * UNITS[found[2]] if found else read_expiry(parameter, text)
    except InvalidDateTimeError:
        raise InvalidExpiryError(parameter, text) from None
