"""A fetched document as a FeedSnapshot."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from app.adapters.outbound.providers.plan_list.feed_reader import FeedReader
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedWatcher
from app.domain.feeds import FeedRecord


@dataclass(slots=True)
class XmlSnapshot(FeedSnapshot):
    """Reads the document in a thread of its own, one batch whenever somebody asks.

    Not ahead of whoever takes the records: two threads that both want the interpreter wait for each other, and the
    whole takes a fifth longer (`make bench-sync`).
    """

    reader: FeedReader
    mark: FeedMark = field()  # said like this, the port's property is no default
    fetched_bytes: int = field()
    more: bool = field()
    watcher: FeedWatcher | None
    _thread: ThreadPoolExecutor = field(init=False)
    _closed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")

    @property
    def ignored(self) -> Mapping[str, int]:
        """As the port says."""
        return dict(self.reader.ignored.counts)

    @property
    def unknown_records(self) -> int:
        """As the port says."""
        return self.reader.ignored.unknown_records

    async def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        """As the port says."""
        total = 0
        while batch := await self._next_batch():
            total += len(batch)
            if self.watcher:
                self.watcher.read(total)
            yield batch

    async def aclose(self) -> None:
        """As the port says."""
        if self._closed:
            return
        self._closed = True
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self.reader.close)
        self._thread.shutdown(wait=False)
        await closing

    def _next_batch(self) -> asyncio.Future[Sequence[FeedRecord]]:
        return asyncio.get_running_loop().run_in_executor(self._thread, self.reader.next_batch)
