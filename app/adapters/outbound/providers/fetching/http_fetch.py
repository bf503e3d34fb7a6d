"""Fetching a feed over http(s)://: conditional, streamed to a temporary file, within limits, redirects by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from time import monotonic
from typing import TypeVar

import httpx

from app.adapters.egress.addresses import AddressRefusedError, NoAddressError
from app.adapters.egress.pinned_request import KeptConnections
from app.adapters.egress.retry_after import retry_after
from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.fetch import Fetch, FetchSession
from app.adapters.outbound.providers.fetching.fetched_feed import FetchedFeed, Used
from app.adapters.outbound.providers.fetching.newest_mark import unchanged
from app.adapters.outbound.providers.fetching.origin_cookies import OriginCookies
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.fetching.request_headers import request_headers, validators
from app.adapters.outbound.providers.fetching.spooling import Spool
from app.adapters.outbound.providers.fetching.urls import checked, may_know_credentials, shown
from app.application.ports.providers import (
    FeedMark,
    FeedRefusedError,
    FeedUnavailableError,
    FeedUnchanged,
    FeedWatcher,
)
from app.application.ports.system import Clock

T = TypeVar("T")
MAX_REDIRECTS = 5
ANYTHING = "*/*"

_REDIRECTS = {301, 302, 303, 307, 308}
_KEEPS_METHOD = {307, 308}
_MAY_PASS = {408, 425, 429}


class HttpFetch(Fetch):
    """Fetches one URL, and what it leads to; `accept` is what is asked for unless the configuration says otherwise."""

    def __init__(self, url: str, get: PinnedGet, clock: Clock = SYSTEM_CLOCK, accept: str = ANYTHING) -> None:
        self.url = httpx.URL(url)
        self.get = get
        self.clock = clock
        self.accept = accept

    @property
    def source(self) -> str:
        """As the Protocol says."""
        return shown(self.url)

    def session(self, watcher: FeedWatcher | None = None) -> AbstractAsyncContextManager[FetchSession]:
        """As the Protocol says. Connections are kept from one document to the next."""
        return self._session(watcher)

    @asynccontextmanager
    async def _session(self, watcher: FeedWatcher | None) -> AsyncIterator["HttpSession"]:
        async with KeptConnections() as kept:
            yield HttpSession(self, watcher, kept)

    async def __call__(
        self, since: FeedMark | None, watcher: FeedWatcher | None = None
    ) -> FetchedFeed | FeedUnchanged | None:
        """As the Protocol says; nothing follows, so that no connection is kept."""
        return await HttpSession(self, watcher).first(since)

    async def probe(self) -> None:
        """See that a fetch would be answered, without reading what.

        Raises:
            FeedError: as for a fetch.
        """
        await HttpSession(self, None).probe()


@dataclass(slots=True)
class HttpSession(FetchSession):
    """One fetch: what it has used, the cookies that it was given, and where it is."""

    fetch: HttpFetch
    watcher: FeedWatcher | None
    kept: KeptConnections | None = None
    _used: Used = field(default_factory=Used)
    _cookies: OriginCookies = field(default_factory=OriginCookies)
    _at: httpx.URL | None = None
    _source: str = ""
    """What is asked for now, as it may be shown."""

    async def first(self, since: FeedMark | None = None) -> FetchedFeed | FeedUnchanged | None:
        """As the Protocol says."""
        return await self._asked(self.fetch.url, since, lambda url, response: self._changed(url, response, since))

    async def get(self, url: str) -> FetchedFeed:
        """As the Protocol says."""
        base = self._at or self.fetch.url
        following = self._following(base, url, "the URL of a page")
        return await self._asked(following, None, self._take)

    async def probe(self) -> None:
        """See that a fetch would be answered."""
        await self._asked(self.fetch.url, None, lambda _, response: self._check(response))

    async def _asked(
        self, url: httpx.URL, since: FeedMark | None, take: Callable[[httpx.URL, httpx.Response], Awaitable[T]]
    ) -> T:
        """Ask, and say in a feed's words, with its URL, what goes wrong."""
        limits, began = self.fetch.get.limits, monotonic()
        self._source = shown(url)
        try:
            async with asyncio.timeout(limits.total_timeout - self._used.seconds):
                return await self._follow(url, since, take)
        except TimeoutError:
            raise FeedUnavailableError(
                f"{self._source}: expected the whole feed within {limits.total_timeout:g} s, it took longer"
            ) from None
        except AddressRefusedError as error:
            raise FeedRefusedError(f"{self._source}: {error}") from error
        except NoAddressError as error:
            raise FeedUnavailableError(f"{self._source}: {error}") from error
        except (httpx.TransportError, OSError) as error:
            raise FeedUnavailableError(f"{self._source}: {self._explained(error)}") from error
        finally:
            self._used.seconds += monotonic() - began

    async def _follow(
        self, first: httpx.URL, since: FeedMark | None, take: Callable[[httpx.URL, httpx.Response], Awaitable[T]]
    ) -> T:
        method, url = self.fetch.get.request.method, first
        for _ in range(MAX_REDIRECTS + 1):
            async with self._send(method, url, since) as response:
                self._cookies.take(url, response, self.fetch.clock.now())
                if response.status_code not in _REDIRECTS:
                    self._at = url
                    return await take(url, response)
                url = self._following(url, response.headers.get("location"), "a redirect")
                method = method if response.status_code in _KEEPS_METHOD else "GET"
        raise FeedRefusedError(f"{self._source}: expected at most {MAX_REDIRECTS} redirects, found more")

    def _send(self, method: str, url: httpx.URL, since: FeedMark | None) -> AbstractAsyncContextManager[httpx.Response]:
        get, origin = self.fetch.get, self.fetch.url
        headers = request_headers(get.request, origin, url, self.fetch.accept, self._cookies)
        headers |= {"Connection": "keep-alive" if self.kept else "close", **validators(since)}
        knows = may_know_credentials(origin, url)
        content = None
        if method == "POST":
            if not knows:
                raise FeedRefusedError(f"{self._source}: expected a POST to stay there, found it led elsewhere")
            headers["Content-Type"] = get.request.content_type
            content = (get.request.body or "").encode()
        send = get.send_to_origin if knows else get.send
        return send(method, url, headers, content, self.kept)

    def _following(self, url: httpx.URL, to: str | None, what: str) -> httpx.URL:
        """Give where a document, or an answer, leads on to."""
        try:
            following = checked(url.join(_said(to)).copy_with(userinfo=b""))
        except (ValueError, httpx.InvalidURL) as error:
            raise FeedRefusedError(f"{self._source}: expected {what} to be a URL, found none that can be") from error
        if following.scheme not in {"http", "https"} or not following.host:
            raise FeedRefusedError(f"{self._source}: expected {what} to be http(s)://, found {following.scheme!r}")
        if (url.scheme, following.scheme) == ("https", "http"):
            raise FeedRefusedError(f"{self._source}: expected https to be kept, found {what} {shown(following)}")
        return following

    async def _changed(
        self, url: httpx.URL, response: httpx.Response, since: FeedMark | None
    ) -> FetchedFeed | FeedUnchanged | None:
        if response.status_code == HTTPStatus.NOT_MODIFIED and since and (since.etag or since.last_modified):
            return None
        feed = await self._take(url, response)
        if since is None or since.content != feed.mark.content:
            return feed
        feed.file.close()
        return unchanged(since, feed.mark)

    async def _take(self, url: httpx.URL, response: httpx.Response) -> FetchedFeed:
        await self._check(response)
        spool = Spool(self._source, self.fetch.get.limits, self._used, self.watcher)
        feed = await spool(url, response)
        if self.fetch.get.request.method == "POST":  # which is not conditional: its answer is known by its content
            return replace(feed, mark=feed.mark.without_validators())
        return feed

    async def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.OK:
            return
        found = f"{self._source}: expected 200, found {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_PASS:
            raise FeedUnavailableError(found, retry_after=retry_after(response.headers, self.fetch.clock.now()))
        raise FeedRefusedError(found)

    def _explained(self, error: Exception) -> str:
        limits = self.fetch.get.limits
        match error:
            case httpx.ConnectTimeout():
                return f"no connection within {limits.connect_timeout:g} s"
            case httpx.TimeoutException():
                return f"nothing came for {limits.idle_timeout:g} s"
            case httpx.RemoteProtocolError():
                return f"the answer ended too early, or is none of HTTP: {error}"
            case _:
                return f"{error}" or type(error).__name__


def _said(to: str | None) -> str:
    if not to:
        raise ValueError("nothing is said")
    return to
