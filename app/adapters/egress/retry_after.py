"""The Retry-After header (RFC 9110, 10.2.3)."""

from collections.abc import Mapping
from datetime import datetime

from app.adapters.egress.dates import http_date

LONGEST = 24 * 3600.0


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read seconds or an HTTP date -> seconds from now on, between 0 and a day; None when nothing can be read.

    A date is compared with that of the answer, where it has one: of two clocks that differ, that is the one it is of.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(float(value), LONGEST)
    at = http_date(value)
    if at is None:
        return None
    answered_at = http_date(headers.get("date", "")) or now
    return min(max((at - answered_at).total_seconds(), 0.0), LONGEST)
