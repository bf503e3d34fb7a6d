"""Fetches a document that says more on another day: it is handed on again, though its source has nothing new."""

import asyncio
from dataclasses import dataclass, replace

from app.adapters.outbound.providers.fetching.fetch import Fetch
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.mapped.kept_document import KeptDocument
from app.application.ports.providers import FeedMark, FeedUnchanged, FeedWatcher
from app.application.ports.system import Clock

ONCE = "once"
"""In place of the day, for a document that says the same on all days."""


@dataclass(frozen=True, slots=True)
class DailyFetch:
    """Marks say behind the digest of a document, after an @, on which day (UTC) it was read."""

    fetch: Fetch
    clock: Clock
    kept: KeptDocument | None
    """None: it is fetched anew each day."""

    async def __call__(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FetchedFeed | FeedUnchanged | None:
        """Fetch a document, or give that of another day once more.

        Raises:
            FeedError: as `Fetch`.
        """
        if since is None:
            return await self._whole(watcher)
        content, _, day = (since.content or "").partition("@")
        found = await self.fetch(replace(since, content=content or None), watcher)
        if isinstance(found, FetchedFeed):
            return self._of_today(found)
        newest = found.mark if found else replace(since, content=content)
        if day in {ONCE, self._today}:
            return found and FeedUnchanged(replace(newest, content=f"{content}@{day}"))
        return await self._kept(newest) or await self._whole(watcher)

    async def _whole(self, watcher: FeedWatcher | None) -> FetchedFeed:
        found = await self.fetch(None, watcher)
        assert isinstance(found, FetchedFeed)  # noqa: S101 - nothing is the same as nothing
        return self._of_today(found)

    async def _kept(self, newest: FeedMark) -> FetchedFeed | None:
        content = newest.content or ""
        file = await asyncio.to_thread(self.kept.open, content) if self.kept and content else None
        if file is None:
            return None
        charset = content.partition("-")[2] or None
        return self._of_today(FetchedFeed(file, newest, 0, source=self.fetch.source, charset=charset))

    def _of_today(self, feed: FetchedFeed) -> FetchedFeed:
        return replace(feed, mark=replace(feed.mark, content=f"{feed.mark.content}@{self._today}"))

    @property
    def _today(self) -> str:
        return self.clock.now().date().isoformat()


def content_of(mark: FeedMark) -> str:
    """Give the digest of a document without its day."""
    return (mark.content or "").partition("@")[0]
