"""Instants as senders of activities write them: RFC 3339 and its near relations, and numbers since 1970."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticCustomError

from app.adapters.formats.iso_8601 import DATE, TIME_OF_DAY
from app.adapters.inbound.reading.instants import InvalidDateTimeError, read_instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = {10: 10**6, 13: 10**3}
"""In one unit of a number with so many digits before the point: seconds or milliseconds, 9 September 2001 to 2286. A
number with fewer or more is no instant: 20260105 is rather a day than a second of 1970."""
DIGITS = re.compile(r"(?:\d{10}|\d{13})(?:\.\d{1,20})?", re.ASCII).fullmatch

USUAL_INSTANT = re.compile(rf"{DATE}[T ]{TIME_OF_DAY}(?:\.\d{{3,6}})?(?:Z|\+00:00)?", re.ASCII).fullmatch
"""What is UTC, and what `datetime` reads by itself."""
_ending = re.compile(r"(.*\d)(?: ?(?:UTC|GMT)| ?([-+]\d\d)(?::?(\d\d))?)", re.ASCII).fullmatch
"""What PostgreSQL, Ruby and Go write behind the time in the place of `Z` or `+02:00`."""


def sent_instant(given: Any) -> datetime:
    """Read an instant (aware, UTC, whole microseconds); without an offset it is UTC.

    Raises:
        PydanticCustomError: `wrong_type` or `invalid_date_time`.
    """
    if type(given) is str:
        try:
            if USUAL_INSTANT(given):
                return datetime.fromisoformat(given).replace(tzinfo=UTC)
            return _unusual(given.strip(" "))
        except (InvalidDateTimeError, ValueError, OverflowError):
            raise PydanticCustomError("invalid_date_time", "not of the form") from None
    if type(given) is int or type(given) is Decimal:
        return _since_1970(Decimal(given))
    raise PydanticCustomError("wrong_type", "not of the form")


def _unusual(text: str) -> datetime:
    if DIGITS(text):
        return _since_1970(Decimal(text))
    ending = _ending(text)
    if ending is not None:  # of a day alone it makes what is no date-time either
        text = f"{ending[1]}{ending[2]}:{ending[3] or '00'}" if ending[2] else f"{ending[1]}Z"
    return read_instant("", text, UTC).astimezone(UTC)


def _since_1970(number: Decimal) -> datetime:
    factor = MICROSECONDS.get(number.adjusted() + 1)
    if factor is None or number < 0:
        raise PydanticCustomError("invalid_date_time", "not of the form")
    return EPOCH + timedelta(microseconds=int(number * factor))
