"""Dates in headers of HTTP (RFC 9110, 5.6.7), and the other forms that servers write."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def http_date(value: str) -> datetime | None:
    """Read a date, in UTC when it says no offset; None when it is none."""
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
