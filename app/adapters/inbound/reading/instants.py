"""Read the dates and date-times that people and clients send: RFC 3339, and what comes instead of it."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import ClassVar

from app.adapters.formats.iso_8601 import DATE, FRACTION, HOUR_AND_MINUTE, OFFSET

DATE_TIME = re.compile(
    rf"({DATE})[Tt ]({HOUR_AND_MINUTE}(?::[0-5]\d(?:{FRACTION})?)?)([Zz]|{OFFSET.replace('-+', '-+ ')})?", re.ASCII
)
EXPECTED = "expected a date-time such as 2021-02-01T00:00:00Z, 2021-02-01T00:00:00+02:00 or 2021-02-01T00:00:00"
LIFETIME = re.compile(r"(\d{1,5})([dh])", re.ASCII)
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}
LENGTH = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_LENGTHS = {**UNITS, "s": timedelta(seconds=1), "m": timedelta(minutes=1), "w": timedelta(weeks=1)}

_DATE = re.compile(DATE, re.ASCII)


class InvalidTimeError(ValueError):
    """What was given is not of the form; the message names the parameter, what was found and what was expected."""

    said: ClassVar[str]

    def __init__(self, parameter: str, text: str) -> None:
        """Cut what was found, because it comes from outside."""
        super().__init__(f"{parameter}: {self.said.format(found=repr(text[:64]))}")


class InvalidDateError(InvalidTimeError):
    """It is no date."""

    said = "{found} is not a date; expected one such as 2026-01-05"


class InvalidDateTimeError(InvalidTimeError):
    """It is no date-time."""

    said = f"{{found}} is not a date-time; {EXPECTED}"


class InvalidBoundError(InvalidTimeError):
    """It is neither a date nor a date-time."""

    said = f"{{found}} is neither a date such as 2026-01-05 nor a date-time; {EXPECTED}"


class InvalidExpiryError(InvalidTimeError):
    """It is neither a time from now on nor a date-time."""

    said = "expected 90d, 12h or a date-time such as 2036-01-01T00:00:00Z, found {found}"


class InvalidLengthError(InvalidTimeError):
    """It is no length of time."""

    said = "{found} is no length of time; expected one such as 30m, 12h, 7d or 2w"


def read_length(parameter: str, text: str) -> timedelta:
    """Read a length of time: a whole number and s, m, h, d or w.

    Raises:
        InvalidLengthError: nothing else is raised.
    """
    found = LENGTH.fullmatch(text)
    if found is None:
        raise InvalidLengthError(parameter, text)
    return int(found[1]) * _LENGTHS[found[2]]


def read_date(parameter: str, text: str | None) -> date | None:
    """Read a date, YYYY-MM-DD; None stays None.

    Raises:
        InvalidDateError: nothing else is raised.
    """
    return None if text is None else read_given_date(parameter, text)


def read_given_date(parameter: str, text: str) -> date:
    """Read a date as `read_date` does that somebody has to give."""
    if _DATE.fullmatch(text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise InvalidDateError(parameter, text)


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
    day, time, offset = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{time}{(offset or '').replace(' ', '+').upper()}")
    except ValueError:
        raise InvalidDateTimeError(parameter, text) from None
    if found.tzinfo:
        return found
    offset_then = found.replace(tzinfo=zone).utcoffset()
    return found.replace(tzinfo=timezone(offset_then or timedelta()))  # fixed: such datetimes compare as instants


def read_bound(parameter: str, text: str | None, zone: tzinfo) -> datetime | date | None:
    """Read a date as one, and else an instant as `read_instant` does; None stays None.

    Raises:
        InvalidBoundError: it is neither.
    """
    try:
        return read_date(parameter, text)
    except InvalidDateError:
        with suppress(InvalidDateTimeError):
            return read_instant(parameter, text or "", zone)
    raise InvalidBoundError(parameter, text or "")


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
