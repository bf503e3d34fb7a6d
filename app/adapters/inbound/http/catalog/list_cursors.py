"""Cursors of the list of plans: a position in one of its orders, written down."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.adapters.inbound.http.connection.connection_errors import InvalidCursorError
from app.domain.plan_listing import ListPosition

PATTERN = "(([ad])(-?[0-9]{1,18})_([0-9a-f]{32}))?"
_read = re.compile(PATTERN).fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def read_cursor(text: str | None, *, descending: bool) -> ListPosition | None:
    """Read a cursor of a list in this order; none, or an empty one, is the beginning.

    Raises:
        InvalidCursorError: it is none of ours, or of the other order.
    """
    if not text:
        return None
    found = _read(text)
    if found is None or (found[2] == "d") is not descending:
        raise InvalidCursorError(text)
    microseconds = min(max(int(found[3]), _EARLIEST), _LATEST)
    return ListPosition(_EPOCH + microseconds * _MICROSECOND, UUID(found[4]))


def cursor_of(position: ListPosition, *, descending: bool) -> str:
    """Write a cursor."""
    letter = "d" if descending else "a"
    return f"{letter}{(position.starts_at - _EPOCH) // _MICROSECOND}_{position.plan_id.hex}"
