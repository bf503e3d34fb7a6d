"""A fetched document as a FeedSnapshot."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from app.adapters.outbound.providers.feed_reader import FeedReader
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedWatcher
from app.domain.feeds import FeedRecord


class XmlSnapshot(FeedSnapshot):
    """Reads the document in a thread of its own, one batch whenever somebody asks.

    Not ahead of whoever takes the records: two threads that both want the interpreter wait for each other, and the
    whole takes a fifth longer (`make bench-sync`).
    """

    def __init__(
        self, reader: FeedReader, *, mark: FeedMark, fetched_bytes: int, more: bool, watcher: FeedWatcher | None
    ) -> None:
        self._reader = reader
        self._mark = mark
        self._fetched_bytes = fetched_bytes
        self._more = more
        self._watcher = watcher
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")
        self._closed = False

    @property
    def mark(self) -> FeedMark:
        """As the port says."""
        return self._mark

    @property
    def fetched_bytes(self) -> int:
        """As the port says."""
        return self._fetched_bytes

    @property
    def more(self) -> bool:
        """As the port says."""
        return self._more

    @property
    def ignored(self) -> Mapping[str, int]:
        """As the port says."""
        return dict(self._reader.ignored.counts)

    async def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        """As the port says."""
        total = 0
        while batch := await self._next_batch():
            total += len(batch)
            if self._watcher:
                self._watcher.read(total)
            yield batch

    async def aclose(self) -> None:
        """As the port says."""
        if self._closed:
            return
        self._closed = True
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._reader.close)
        self._thread.shutdown(wait=False)
        await closing

    def _next_batch(self) -> asyncio.Future[Sequence[FeedRecord]]:
        return asyncio.get_running_loop().run_in_executor(self._thread, self._reader.next_batch)
