"""A fetched document as a FeedSnapshot."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence

from app.adapters.outbound.providers.feed_reader import FeedReader
from app.adapters.outbound.providers.fetched_feed import FetchedFeed
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedWatcher
from app.domain.feeds import FeedRecord


class XmlSnapshot(FeedSnapshot):
    """Reads the document in a thread, one batch ahead of whoever takes the records."""

    def __init__(
        self, feed: FetchedFeed, reader: FeedReader, *, mark: FeedMark, more: bool, watcher: FeedWatcher | None
    ) -> None:
        self._feed = feed
        self._reader = reader
        self._mark = mark
        self._more = more
        self._watcher = watcher
        self._reading = threading.Lock()

    @property
    def mark(self) -> FeedMark:
        """As the port says."""
        return self._mark

    @property
    def fetched_bytes(self) -> int:
        """As the port says."""
        return self._feed.received

    @property
    def more(self) -> bool:
        """As the port says."""
        return self._more

    @property
    def ignored(self) -> Mapping[str, int]:
        """As the port says; it may be a batch ahead of the records."""
        return dict(self._reader.ignored.counts)

    async def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        """As the port says."""
        total = 0
        ahead = asyncio.create_task(asyncio.to_thread(self._next_batch))
        try:
            while batch := await ahead:
                ahead = asyncio.create_task(asyncio.to_thread(self._next_batch))
                total += len(batch)
                if self._watcher:
                    self._watcher.read(total)
                yield batch
        finally:
            await asyncio.wait([ahead])
            ahead.cancelled() or ahead.exception()  # taken note of, so that asyncio does not complain

    async def aclose(self) -> None:
        """As the port says."""
        await asyncio.to_thread(self._close)

    def _next_batch(self) -> Sequence[FeedRecord]:
        with self._reading:
            return self._reader.next_batch()

    def _close(self) -> None:
        with self._reading:
            self._feed.file.close()
