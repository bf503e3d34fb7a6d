"""Cursors of the list of activities: a position in the order of time, written down."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.adapters.inbound.http.connection.connection_errors import InvalidCursorError
from app.application.ports.activity_archive import ActivityPosition

PATTERN = "[0-9]{1,17}_[0-9a-f]{32}"
_read = re.compile(f"({PATTERN})".replace("_", ")_(")).fullmatch
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def read_position(text: str | None) -> ActivityPosition | None:
    """Read a cursor; none is the beginning.

    Raises:
        InvalidCursorError: it is none of ours.
    """
    if text is None:
        return None
    found = _read(text)
    if found is None:
        raise InvalidCursorError(text)
    return ActivityPosition(_EPOCH + int(found[1]) * _MICROSECOND, UUID(found[2]))


def cursor_of(position: ActivityPosition) -> str:
    """Write a cursor."""
    return f"{(position.occurred_at - _EPOCH) // _MICROSECOND}_{position.activity_id.hex}"
