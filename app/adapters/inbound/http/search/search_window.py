"""The window that a search asks for, out of its query string."""

import re
from datetime import datetime, tzinfo
from urllib.parse import parse_qsl

from app.adapters.formats.iso_8601 import DATE, TIME_OF_DAY
from app.adapters.inbound.http.search.search_errors import QueryTooLongError
from app.adapters.inbound.reading.instants import read_instant
from app.domain.time_window import TimeWindow

LONGEST_QUERY = 2048
"""Bytes; two date-times need 80."""
USUAL_QUERY = re.compile(rf"starts_at=({DATE}T{TIME_OF_DAY}Z)&ends_at=({DATE}T{TIME_OF_DAY}Z)", re.ASCII).fullmatch


def usual_window(query: bytes) -> tuple[float, float] | None:
    """Read a window of the usual spelling, in POSIX seconds, as `read_window` would; None when it must."""
    usual = USUAL_QUERY(query.decode("latin-1"))
    if usual is None:
        return None
    starts_at, ends_at = usual.groups()
    try:
        after, before = datetime.fromisoformat(starts_at).timestamp(), datetime.fromisoformat(ends_at).timestamp()
    except ValueError:
        return None  # 2021-09-31: the long way says it in words
    return (after, before) if after <= before else None


def asks_of_the_past(query: bytes) -> bool:
    """Tell whether a parameter is named `as_of`: then, and only then, the FastAPI route answers."""
    if (b"as_of" not in query and b"%" not in query) or len(query) > LONGEST_QUERY:
        return False
    return any(name == "as_of" for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True))


def read_window(query: bytes, timezone: tzinfo) -> TimeWindow:
    """Read a query string: both bounds optional, unknown parameters ignored, of a repeated one the last counts.

    Raises:
        QueryTooLongError: more than LONGEST_QUERY bytes.
        InvalidDateTimeError: a bound is no date-time.
        WindowEndsBeforeItStartsError: the bounds are the wrong way round.
    """
    refuse_long_query(query)
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return window_of(given.get("starts_at"), given.get("ends_at"), timezone)


def refuse_long_query(query: bytes) -> None:
    """Refuse what nobody means.

    Raises:
        QueryTooLongError: more than LONGEST_QUERY bytes.
    """
    if len(query) > LONGEST_QUERY:
        raise QueryTooLongError(f"the query string has {len(query)} bytes; at most {LONGEST_QUERY} are read")


def window_of(starts_at: str | None, ends_at: str | None, timezone: tzinfo) -> TimeWindow:
    """Make a window of what the two parameters say; None is an open bound."""
    return TimeWindow(
        read_instant("starts_at", starts_at, timezone) if starts_at is not None else None,
        read_instant("ends_at", ends_at, timezone) if ends_at is not None else None,
    )
