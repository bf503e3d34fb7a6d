"""The documents of one fetch as a FeedSnapshot: a page is fetched when the one before it was read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from app.adapters.outbound.providers.fetching.fetch import FetchSession
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.mapped.daily_fetch import ONCE
from app.adapters.outbound.providers.mapped.mapped_reader import Batch, MappedReader
from app.adapters.outbound.providers.mapped.paging import Paging
from app.application.ports.providers import (
    FeedBrokenError,
    FeedError,
    FeedMark,
    FeedRefusedError,
    FeedSnapshot,
    FeedUnavailableError,
    FeedWatcher,
)
from app.domain.feeds import FeedRecord

T = TypeVar("T")


_MORE_TRIES = 2
_LONGEST_PAUSE = 60.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class PageSource:
    """Where further pages come from."""

    session: FetchSession
    paging: Paging
    position: Callable[[str], str]
    """Makes a page's URL a position of a mark."""

    async def get(self, url: str) -> FetchedFeed:
        """Fetch a page; one whose server says when to ask again (Retry-After) is asked again then, within its limits.

        Raises:
            FeedError: as the session does.
        """
        for _ in range(_MORE_TRIES):
            try:
                return await self.session.get(url)
            except FeedUnavailableError as error:
                if error.retry_after is None or error.retry_after > _LONGEST_PAUSE:
                    raise
                await asyncio.sleep(error.retry_after)
        return await self.session.get(url)


@dataclass(slots=True)
class MappedSnapshot(FeedSnapshot):
    """Reads documents in a thread of its own, one batch whenever somebody asks."""

    make_reader: Callable[[], MappedReader]
    feed: FetchedFeed
    """The first document."""
    mark: FeedMark = field()  # said like this, the port's property is no default
    incremental: bool = field()
    watcher: FeedWatcher | None
    pages: PageSource | None = None
    open: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What is to be closed with it."""
    fetched_bytes: int = field(default=0)
    more: bool = field(default=False)
    _reader: MappedReader | None = field(default=None, init=False)
    _thread: ThreadPoolExecutor = field(init=False)
    _closed: bool = field(default=False, init=False)
    _ahead: list[Sequence[FeedRecord]] = field(default_factory=list, init=False)
    _stream: AsyncGenerator[Sequence[FeedRecord]] = field(init=False)

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")
        self.fetched_bytes = self.feed.received
        self._stream = self._read()

    @property
    def ignored(self) -> Mapping[str, int]:
        """As the port says."""
        return dict(self._reader.ignored.counts) if self._reader else {}

    @property
    def passed_over(self) -> int:
        """As the port says."""
        return self._reader.passed_over if self._reader else 0

    @property
    def unknown_records(self) -> int:
        """As the port says."""
        return self._reader.unknown if self._reader else 0

    @property
    def told_from(self) -> datetime | None:
        """As the port says."""
        return self._reader.told_from if self._reader else None

    async def has_records(self) -> bool:
        """Read on until there is a record, which is kept for `records`; False when there is none in any page."""
        if not self._ahead and (batch := await anext(self._stream, None)):
            self._ahead.append(batch)
        return bool(self._ahead)

    async def records(self) -> AsyncIterator[Sequence[FeedRecord]]:
        """As the port says."""
        total = 0
        while batch := self._ahead.pop() if self._ahead else await anext(self._stream, None):
            total += len(batch)
            if self.watcher:
                self.watcher.read(total)
            yield batch

    async def aclose(self) -> None:
        """As the port says."""
        if self._closed:
            return
        self._closed = True
        await self._stream.aclose()
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
        try:
            await closing
        finally:
            await self.open.aclose()

    async def _read(self) -> AsyncGenerator[Sequence[FeedRecord]]:
        feed: FetchedFeed | None = self.feed
        while feed:
            await self._run(partial(self._begin, feed))
            ended = False
            while not ended:
                batch = await self._page_of(feed)
                ended = batch.ended
                if batch.records:
                    yield batch.records
            feed = await self._following(feed)
        await self._run(self._finish)
        self._settle_mark()

    def _settle_mark(self) -> None:
        """Say of a document that says the same on all days that it need not be read again on another one."""
        content, at, _ = (self.mark.content or "").partition("@")
        if at and self._reader and not self._reader.says_more_later:
            self.mark = replace(self.mark, content=f"{content}@{ONCE}")

    async def _page_of(self, feed: FetchedFeed) -> Batch:
        """Read the next batch; a further page that is no feed breaks it, and what was read before counts."""
        try:
            return await self._run(self._batch)
        except FeedRefusedError as error:
            if feed is self.feed:
                raise
            raise FeedBrokenError(f"a further page cannot be read: {error}", line=0) from error

    async def _following(self, feed: FetchedFeed) -> FetchedFeed | None:
        """Fetch the page after one that was read well.

        Raises:
            FeedBrokenError: it cannot be had; what was read before counts.
        """
        if self.pages is None:
            return None
        said, seen = await self._run(self._facts)
        leads_to = self.pages.paging.leads_to(feed, said)
        self._stand_at(leads_to or feed.url)
        following = self.pages.paging.following(feed, leads_to, seen)
        if following is None:
            return None
        self._stand_at(following)
        try:
            found = await self.pages.get(following)
        except FeedError as error:
            raise FeedBrokenError(f"a further page cannot be had: {error}", line=0) from error
        self.fetched_bytes += found.received
        return found

    def _stand_at(self, url: str) -> None:
        if self.incremental and self.pages:
            self.mark = replace(self.mark, position=self.pages.position(url))

    def _facts(self) -> tuple[str | None, int]:
        assert self._reader  # noqa: S101 - it was made when the first document began
        return self._reader.next_page(), self._reader.seen

    def _finish(self) -> None:
        assert self._reader  # noqa: S101 - the same
        self._reader.finish()

    def _begin(self, feed: FetchedFeed) -> None:
        if self._reader is None:
            self._reader = self.make_reader()
        self._reader.begin(feed)

    def _batch(self) -> Batch:
        assert self._reader  # noqa: S101 - it was made when the first document began
        return self._reader.next_batch()

    def _close(self) -> None:
        if self._reader:
            self._reader.close()
        else:
            self.feed.file.close()

    def _run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._thread, work)
