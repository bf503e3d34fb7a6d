"""The kind `mapped`: a feed of any shape, read by a mapping of its configuration."""

import json
from collections.abc import Mapping as Dictionary
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.fetch_of_url import fetch_of
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.mapped.compile_mapping import compile_mapping
from app.adapters.outbound.providers.mapped.daily_fetch import DailyFetch
from app.adapters.outbound.providers.mapped.formats import ACCEPTED, DAILY
from app.adapters.outbound.providers.mapped.kept_document import KeptDocument
from app.adapters.outbound.providers.mapped.mapped_reader import MappedReader
from app.adapters.outbound.providers.mapped.mapped_snapshot import MappedSnapshot, PageSource
from app.adapters.outbound.providers.mapped.mapping import Pages
from app.adapters.outbound.providers.mapped.paging import Paging
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedUnchanged, FeedWatcher, Provider
from app.application.ports.system import Clock

# To be raised when the same document gives other records than before: then it is to be read once more.
READING = "1"


class MappedProvider(Provider):
    """Reads `url` (http://, https:// or file://) by `options`; times without an offset are local to `timezone`."""

    def __init__(  # noqa: PLR0913 - what a provider is made of
        self,
        *,
        name: str,
        url: str,
        timezone: str,
        options: Dictionary[str, object],
        get: PinnedGet | None = None,
        clock: Clock = SYSTEM_CLOCK,
        rules: str = "",
        kept: Path | None = None,
        readings: Path | None = None,
    ) -> None:
        """Take the provider's name and where it is, and the version of the time zone rules that instants follow from.

        A document that says more on another day is kept in the folder `kept`; without one it is fetched anew then. What
        single records were read as is remembered in the file `readings`, as long as it would be read the same way.

        Raises:
            InvalidMappingError: the options make no mapping; it has all mistakes.
            ValueError: the URL is none that can be fetched.
        """
        mapping = compile_mapping(options)
        get = get or PinnedGet()
        self.warnings = mapping.warnings
        self._name = name
        self._timezone = timezone
        self._options = options
        self._url = url
        self._clock = clock
        self._incremental = mapping.incremental
        self._pages = mapping.pages
        self._fetch = fetch_of(url, get, clock, ACCEPTED[mapping.format])
        self._readings = readings
        self._kept = KeptDocument(kept) if kept else None
        self._daily = DailyFetch(self._fetch, clock, self._kept) if mapping.format in DAILY else None
        said = json.dumps(options, sort_keys=True, default=str)
        way = f"{READING} {rules} {timezone} {url}{get.way} {said}"
        self._way = blake2b(way.encode(), digest_size=6).hexdigest()

    async def fetch(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FeedSnapshot | FeedUnchanged | None:
        """As the port says. A mark of another URL, time zone, mapping or way of reading counts as none."""
        since = self._own(since)
        if self._pages:
            return await self._fetch_pages(self._pages, since, watcher)
        feed = await (self._daily or self._fetch)(since, watcher)
        if feed is None:
            return None
        if isinstance(feed, FeedUnchanged):
            return FeedUnchanged(self._ours(feed.mark))
        return self._snapshot(feed, watcher)

    async def _fetch_pages(
        self, pages: Pages, since: FeedMark | None, watcher: FeedWatcher | None
    ) -> FeedSnapshot | FeedUnchanged | None:
        """Begin at the first page; with an incremental feed, where the last sync ended."""
        paging = Paging(pages, self._url, self._fetch.source)
        async with AsyncExitStack() as unless_handed_on:
            session = await unless_handed_on.enter_async_context(self._fetch.session(watcher))
            position = since.position if since and self._incremental else None
            first = position or paging.first()
            feed = await session.get(first) if first else await session.first()
            assert isinstance(feed, FetchedFeed)  # noqa: S101 - nothing is the same as nothing
            source = PageSource(session, paging, self._position)
            snapshot = self._snapshot(feed, watcher, source)
            unless_handed_on.push_async_callback(snapshot.aclose)
            if position is None or await snapshot.has_records():
                snapshot.open = unless_handed_on.pop_all()
                return snapshot
            mark = snapshot.mark
        return None if mark.position == self._position(position) else FeedUnchanged(mark)

    def _snapshot(
        self, feed: FetchedFeed, watcher: FeedWatcher | None, pages: PageSource | None = None
    ) -> MappedSnapshot:
        reader = partial(self._reader, self._clock.now(), None if pages else self._kept)
        mark = self._ours(feed.mark) if pages is None else FeedMark(content=f"{self._way}:pages")
        return MappedSnapshot(reader, feed, mark, self._incremental, watcher, pages)

    def _reader(self, now: datetime, kept: KeptDocument | None) -> MappedReader:
        memory = ReadingMemory(self._readings, f"{self._way} {self._name}") if self._readings else None
        return MappedReader(
            self._options, provider=self._name, timezone=self._timezone, now=now, kept=kept, memory=memory
        )

    def _ours(self, mark: FeedMark) -> FeedMark:
        return replace(mark, content=f"{self._way}:{mark.content}")

    def _position(self, url: str) -> str:
        return f"{self._way}:{url}"

    def _own(self, since: FeedMark | None) -> FeedMark | None:
        """Give the mark as the fetch knows it, None when it is of something else."""
        if since is None:
            return None
        way, _, content = (since.content or "").partition(":")
        position = (since.position or "").removeprefix(f"{self._way}:") if since.position else None
        if position is not None and position != since.position:
            return replace(since, content=content if way == self._way else None, position=position)
        return replace(since, content=content, position=None) if way == self._way else None
