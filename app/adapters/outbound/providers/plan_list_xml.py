"""The kind `plan-list-xml`: a URL, or a file, that says in either XML dialect all that a provider sells now."""

from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.fetch_of_url import fetch_of
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.plan_list.feed_reader import FeedReader
from app.adapters.outbound.providers.plan_list.snapshot import XmlSnapshot
from app.adapters.outbound.providers.reading.reading_memory import ReadingMemory
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedUnchanged, FeedWatcher, Provider
from app.application.ports.system import Clock

# To be raised when the same document gives other records than before: then it is to be read once more.
READING = "3"  # 2: 24:00:00 is the next midnight; 3: a fault costs what it touches
ACCEPTED = "application/xml, text/xml;q=0.9, */*;q=0.1"


class PlanListXmlProvider(Provider):
    """Reads `url` (http://, https:// or file://); the feed's times are local times of `timezone`, an IANA name."""

    def __init__(  # noqa: PLR0913 - what a provider is made of
        self,
        *,
        name: str,
        url: str,
        timezone: str,
        get: PinnedGet | None = None,
        clock: Clock = SYSTEM_CLOCK,
        readings: Path | None = None,
        rules: str = "",
    ) -> None:
        """Take the provider's name and where it is; `get` brings limits, addresses and trust.

        What is read well is remembered in the file `readings` as long as it would be read by the same time zone
        `rules`; without a file, not at all.

        Raises:
            ValueError: the URL is none that can be fetched.
        """
        self._name = name
        self._timezone = timezone
        get = get or PinnedGet()
        self._fetch = fetch_of(url, get, clock, ACCEPTED)
        self._readings = readings
        self._how_read = f"{READING} {name} {timezone} {rules}"
        self._way = blake2b(f"{READING} {timezone} {url}{get.way}".encode(), digest_size=6).hexdigest()

    async def fetch(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FeedSnapshot | FeedUnchanged | None:
        """As the port says. A mark of another URL, time zone or way of reading counts as none."""
        feed = await self._fetch(self._own(since), watcher)
        if feed is None:
            return None
        if isinstance(feed, FeedUnchanged):
            return FeedUnchanged(self._ours(feed.mark))
        reader = FeedReader(
            feed.file,
            feed.source,
            provider=self._name,
            timezone=self._timezone,
            charset=feed.charset,
            memory=ReadingMemory(self._readings, self._how_read),
        )
        return XmlSnapshot(reader, self._ours(feed.mark), feed.received, more=False, watcher=watcher)

    def _ours(self, mark: FeedMark) -> FeedMark:
        return replace(mark, content=f"{self._way}:{mark.content}")

    def _own(self, since: FeedMark | None) -> FeedMark | None:
        way, _, content = (since.content or "" if since else "").partition(":")
        return replace(since, content=content) if since and way == self._way else None
