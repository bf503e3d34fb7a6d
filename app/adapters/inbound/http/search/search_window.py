"""The window that a search asks for, out of its query string."""

import re
from datetime import datetime, tzinfo

from app.adapters.formats.iso_8601 import DATE, TIME_OF_DAY
from app.adapters.inbound.http.connection.query_parameters import read_query, refuse_unknown_names
from app.adapters.inbound.http.search.search_errors import QueryTooLongError
from app.adapters.inbound.reading.instants import read_instant
from app.domain.time_window import TimeWindow

LONGEST_QUERY = 2048
"""Bytes; two date-times need 80."""
PARAMETERS = ("starts_at", "ends_at", "as_of")
USUAL_QUERY = re.compile(rf"starts_at=({DATE}T{TIME_OF_DAY}Z)&ends_at=({DATE}T{TIME_OF_DAY}Z)", re.ASCII).fullmatch
instant = datetime.fromisoformat


def usual_window(query: bytes) -> tuple[float, float] | None:
    """Read a window of the usual spelling, in POSIX seconds, as `read_window` would; None when it must."""
    text = query.decode("latin-1")
    usual = USUAL_QUERY(text) or USUAL_QUERY(text.replace("%3A", ":"))  # as many libraries encode it
    if usual is None:
        return None
    starts_at, ends_at = usual.groups()
    try:
        after, before = instant(starts_at).timestamp(), instant(ends_at).timestamp()
    except ValueError:
        return None  # 2021-09-31: the long way says it in words
    return (after, before) if after <= before else None


def open_window(query: bytes, timezone: tzinfo, *, is_lenient: bool = False) -> tuple[float, float]:
    """Read a window of any spelling, in POSIX seconds; a bound that is not given is an infinity.

    Raises what `read_window` does.
    """
    window = read_window(query, timezone, is_lenient=is_lenient)
    after = window.starts_at.timestamp() if window.starts_at else float("-inf")
    before = window.ends_at.timestamp() if window.ends_at else float("inf")
    return after, before


def asks_of_the_past(query: bytes) -> bool:
    """Tell whether a parameter is named `as_of`: then, and only then, the FastAPI route answers."""
    if (b"as_of" not in query and b"%" not in query) or len(query) > LONGEST_QUERY:
        return False
    return any(name == "as_of" for name, _ in read_query(query))


def read_window(query: bytes, timezone: tzinfo, *, is_lenient: bool = False) -> TimeWindow:
    """Read a query string: both bounds optional, of a repeated one the last counts.

    Raises:
        QueryTooLongError: more than LONGEST_QUERY bytes.
        UnknownParameterError: there is another parameter, and that is not lenient.
        InvalidDateTimeError: a bound is no date-time.
        WindowEndsBeforeItStartsError: the bounds are the wrong way round.
    """
    refuse_long_query(query)
    given = dict(read_query(query))
    if not is_lenient:
        refuse_unknown_names(given, PARAMETERS)
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
