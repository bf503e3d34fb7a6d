"""Fetching for every kind: one document, or the pages of one fetch, from a web server or from files."""

from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed
from app.application.ports.providers import FeedMark, FeedUnchanged, FeedWatcher


class FetchSession(Protocol):
    """One fetch of several documents, one after the other: the limits and cookies of all of them are the same ones.

    `total_timeout` counts the time that is spent in here, not what the caller does between two documents.
    """

    @abstractmethod
    async def first(self, since: FeedMark | None = None) -> FetchedFeed | FeedUnchanged | None:
        """Fetch what the configured URL has now; none of it when it is what `since` marks (as `Provider.fetch`).

        Raises:
            FeedError: as `Provider.fetch`.
        """

    @abstractmethod
    async def get(self, url: str) -> FetchedFeed:
        """Fetch a further document, asked for as the first one is, by its URL.

        The URL is absolute, or relative to the document that was fetched last (to the configured URL before there is
        one). What a document names is not trusted: from the web it leads to the web, never from https to http, and what
        is secret in the configuration goes to the configured origin alone. From a file it leads to files of the
        configured one's folder, or beneath it.

        Raises:
            FeedError: as `Provider.fetch`; FeedRefusedError also for a URL that must not be followed.
        """


class Fetch(Protocol):
    """How the source of a provider is fetched. Holds no state between fetches."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Where the source is, as it may be shown."""

    @abstractmethod
    def session(self, watcher: FeedWatcher | None = None) -> AbstractAsyncContextManager[FetchSession]:
        """Begin a fetch of several documents; the watcher is told the bytes of all of them together."""

    async def __call__(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FetchedFeed | FeedUnchanged | None:
        """Fetch one document, as `FetchSession.first`.

        Raises:
            FeedError: as `Provider.fetch`.
        """
        async with self.session(watcher) as session:
            return await session.first(since)
