"""Cursors of the change feed: what a client keeps and gives back is a bookmark, written down."""

import re

from app.adapters.inbound.http.access.stream_urls import CURSOR_PATTERN
from app.adapters.inbound.http.connection.connection_errors import InvalidCursorError
from app.application.read_changes import BEGINNING, Bookmark

_read = re.compile(CURSOR_PATTERN).fullmatch


def read_cursor(text: str | None) -> Bookmark:
    """Read a cursor; none, or an empty one, is the beginning.

    Raises:
        InvalidCursorError: it is none of ours.
    """
    found = _read(text or "")
    if found is None:
        raise InvalidCursorError(text or "")
    return Bookmark(int(found[2]), found[3]) if found[2] else BEGINNING


def cursor_of(bookmark: Bookmark) -> str:
    """Write a cursor; the same for ever."""
    return f"{bookmark.position}-{bookmark.check}" if bookmark.position else "0"
