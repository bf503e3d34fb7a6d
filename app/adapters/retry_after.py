"""The Retry-After header (RFC 9110, 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 24 * 3600.0


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read seconds or an HTTP date -> seconds from `now` on, between 0 and a day; None when nothing can be read."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(float(value), LONGEST)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return min(max(((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds(), 0.0), LONGEST)
