"""Cursors of the change feed: what a client keeps and gives back is a bookmark, written down."""

import re

from app.application.read_changes import BEGINNING, Bookmark

PATTERN = "(0|([1-9][0-9]{0,17})-([0-9a-f]{8}))?"
_read = re.compile(PATTERN).fullmatch
LONGEST_QUOTE = 40
"""Characters of a cursor that are repeated."""


class InvalidCursorError(ValueError):
    """A cursor that was never given out by this service."""

    def __init__(self, text: str) -> None:
        """Quote it, but not all of something long."""
        found = repr(text) if len(text) <= LONGEST_QUOTE else f"one of {len(text)} characters"
        super().__init__(f"expected a cursor as this service gave it out, found {found}")


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
