"""What is remembered of a document that came again with the same content."""

from dataclasses import replace

from app.application.ports.providers import FeedMark, FeedUnchanged


def unchanged(since: FeedMark, newest: FeedMark) -> FeedUnchanged | None:
    """Tell of it with its newest validators; None when those are the same, too."""
    mark = replace(since, etag=newest.etag, last_modified=newest.last_modified)
    return None if mark == since else FeedUnchanged(mark)
