"""The kind `plan-list-xml`: a URL, or a file, that says in either XML dialect all that a provider sells now."""

from dataclasses import replace
from hashlib import blake2b

import httpx

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.feed_reader import FeedReader
from app.adapters.outbound.providers.file_fetch import FileFetch
from app.adapters.outbound.providers.http_fetch import HttpFetch
from app.adapters.outbound.providers.pinned_get import PinnedGet
from app.adapters.outbound.providers.snapshot import XmlSnapshot
from app.adapters.outbound.providers.urls import checked, path_of
from app.application.ports.providers import FeedMark, FeedSnapshot, FeedWatcher, Provider
from app.application.ports.system import Clock

# To be raised when the same document gives other records than before: then it is to be read once more.
READING = "2"  # 2: 24:00:00 is the next midnight


class PlanListXmlProvider(Provider):
    """Reads `url` (http://, https:// or file://); the feed's times are local times of `timezone`, an IANA name."""

    def __init__(
        self, *, name: str, url: str, timezone: str, get: PinnedGet | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Take the provider's name and where it is; `get` brings limits, addresses and trust.

        Raises:
            ValueError: the URL is none that can be fetched.
        """
        self._name = name
        self._timezone = timezone
        self._fetch = _fetch(url, get or PinnedGet(), clock)
        self._way = blake2b(f"{READING} {timezone} {url}".encode(), digest_size=6).hexdigest()

    async def fetch(self, since: FeedMark | None, watcher: FeedWatcher | None = None) -> FeedSnapshot | None:
        """As the port says. A mark of another URL, time zone or way of reading counts as none."""
        feed = await self._fetch(self._own(since), watcher)
        if feed is None:
            return None
        reader = FeedReader(feed.file, self._fetch.source, provider=self._name, timezone=self._timezone)
        mark = replace(feed.mark, content=f"{self._way}:{feed.mark.content}")
        return XmlSnapshot(reader, mark, feed.received, more=False, watcher=watcher)

    def _own(self, since: FeedMark | None) -> FeedMark | None:
        way, _, content = (since.content or "" if since else "").partition(":")
        return replace(since, content=content) if since and way == self._way else None


def _fetch(url: str, get: PinnedGet, clock: Clock) -> HttpFetch | FileFetch:
    try:
        scheme = checked(httpx.URL(url)).scheme
    except httpx.InvalidURL as error:
        raise ValueError(f"expected a URL, found something else: {error}") from error
    if scheme == "file":
        return FileFetch(path_of(url), get.limits, clock)
    if scheme in {"http", "https"} and httpx.URL(url).host:
        return HttpFetch(url, get, clock)
    raise ValueError("expected a URL with http://host/, https://host/ or file:///, found none of them")
