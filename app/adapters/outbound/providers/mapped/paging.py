"""Which page comes after which."""

from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin

import httpx

from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.fetching.links import target_of
from app.adapters.outbound.providers.mapped.mapping import Pages
from app.application.ports.providers import FeedBrokenError

MAX_PAGES = 10_000


@dataclass(slots=True)
class Paging:
    """Follows the pages of one fetch. URLs that it gives are absolute, without user and password."""

    pages: Pages
    url: str
    """Of the first page, as configured."""
    source: str
    """The same as it may be shown."""
    _asked: set[str] = field(default_factory=set)
    _number: int = 0

    def first(self) -> str | None:
        """Give the first page where it is another one than the configured URL."""
        return self._counted(0) if self.pages.parameter or self.pages.offset else None

    def following(self, feed: FetchedFeed, leads_to: str | None, records: int) -> str | None:
        """Give the page after one that was read well and leads somewhere; None at the end.

        Raises:
            FeedBrokenError: the pages lead in a circle, or there are too many of them.
        """
        self._asked.add(feed.url)
        self._number += 1
        if records == 0 and self.pages.until_empty:
            return None
        following = leads_to
        if self.pages.parameter or self.pages.offset:
            following = self._counted(self._number)
        if following is None or following == feed.url:  # who has told everything may say: ask here again
            return None
        if following in self._asked:
            raise FeedBrokenError(f"{self.source}: page {self._number} leads back to one before it", line=0)
        if self._number >= MAX_PAGES:
            raise FeedBrokenError(f"{self.source}: expected at most {MAX_PAGES:,} pages, found more", line=0)
        return following

    def leads_to(self, feed: FetchedFeed, said: str | None) -> str | None:
        """Give where a page leads to, whether or not anything is to be found there now."""
        target = target_of(feed.link, self.pages.link) if self.pages.link else said
        if not target:
            return None
        try:
            if self.pages.cursor:
                return self._with(self.pages.cursor, target)
            url = httpx.URL(urldefrag(urljoin(feed.url, target)).url)
            return str(url.copy_with(userinfo=b""))
        except (ValueError, httpx.InvalidURL):
            raise FeedBrokenError(f"{self.source}: page {self._number} leads to what is no URL", line=0) from None

    def _counted(self, number: int) -> str:
        if self.pages.parameter:
            return self._with(self.pages.parameter, str(self.pages.start + number))
        assert self.pages.offset  # noqa: S101 - one of the two is said
        return self._with(self.pages.offset, str(self.pages.start + number * self.pages.limit))

    def _with(self, parameter: str, value: str) -> str:
        return str(httpx.URL(self.url).copy_with(userinfo=b"").copy_merge_params({parameter: value}))
