"""A provider whose kind cannot be had."""

from app.application.ports.providers import FeedMark, FeedRefusedError, FeedSnapshot, FeedWatcher, Provider


class UnusableProvider(Provider):
    """Stands in its place, so that it costs itself alone: each sync fails, and says why."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def fetch(self, since: FeedMark | None, watcher: FeedWatcher | None = None) -> FeedSnapshot | None:  # noqa: ARG002
        """Refuse.

        Raises:
            FeedRefusedError: always.
        """
        raise FeedRefusedError(self._reason)
