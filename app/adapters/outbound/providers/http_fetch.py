"""Fetching a feed over http(s)://: conditional, streamed to a temporary file, within limits, redirects by hand."""

import asyncio
import hashlib
import tempfile
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import IO, TypeVar

import httpx

from app.adapters.egress.addresses import AddressRefusedError, NoAddressError
from app.adapters.egress.retry_after import retry_after
from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.decompression import ACCEPTED, Body, check_size
from app.adapters.outbound.providers.fetched_feed import FetchedFeed
from app.adapters.outbound.providers.pinned_get import PinnedGet
from app.adapters.outbound.providers.urls import checked, may_know_credentials, shown
from app.application.ports.providers import FeedMark, FeedRefusedError, FeedUnavailableError, FeedWatcher
from app.application.ports.system import Clock

T = TypeVar("T")
MAX_REDIRECTS = 5

_REDIRECTS = {301, 302, 303, 307, 308}
_MAY_PASS = {408, 425, 429}
_HEADERS = {
    "Accept": "application/xml, text/xml;q=0.9, */*;q=0.1",
    "Accept-Encoding": ACCEPTED,
    "Connection": "close",
    "User-Agent": "marquee",
}


class HttpFetch:
    """Fetches one URL."""

    def __init__(self, url: str, get: PinnedGet, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._url = httpx.URL(url)
        self._get = get
        self._limits = get.limits
        self.source = shown(self._url)
        """The URL as it may be shown."""

    async def __call__(self, since: FeedMark | None, watcher: FeedWatcher | None) -> FetchedFeed | None:
        """Fetch what is there now; None when it is what `since` marks.

        Raises:
            FeedError: as `Provider.fetch`.
        """
        return await self._asked(since, lambda response: self._take(response, since, watcher))

    async def probe(self) -> None:
        """See that a fetch would be answered, without reading what.

        Raises:
            FeedError: as for a fetch.
        """
        await self._asked(None, self._check)

    async def _asked(self, since: FeedMark | None, take: Callable[[httpx.Response], Awaitable[T]]) -> T:
        """Ask, and say in a feed's words, with its URL, what goes wrong."""
        try:
            async with asyncio.timeout(self._limits.total_timeout):
                return await self._follow(since, take)
        except TimeoutError:
            raise FeedUnavailableError(
                f"{self.source}: expected the whole feed within {self._limits.total_timeout:g} s, it took longer"
            ) from None
        except AddressRefusedError as error:
            raise FeedRefusedError(f"{self.source}: {error}") from error
        except NoAddressError as error:
            raise FeedUnavailableError(f"{self.source}: {error}") from error
        except (httpx.TransportError, OSError) as error:
            raise FeedUnavailableError(f"{self.source}: {self._explained(error)}") from error

    async def _follow(self, since: FeedMark | None, take: Callable[[httpx.Response], Awaitable[T]]) -> T:
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            async with self._get.send("GET", url, self._headers(url, since)) as response:
                if response.status_code not in _REDIRECTS:
                    return await take(response)
                url = self._next(url, response)
        raise FeedRefusedError(f"{self.source}: expected at most {MAX_REDIRECTS} redirects, found more")

    def _headers(self, url: httpx.URL, since: FeedMark | None) -> dict[str, str]:
        headers = dict(_HEADERS)
        if since and since.etag:
            headers["If-None-Match"] = since.etag
        if since and since.last_modified:
            headers["If-Modified-Since"] = since.last_modified
        if self._url.userinfo and may_know_credentials(self._url, url):
            credentials = f"{self._url.username}:{self._url.password}".encode()
            headers["Authorization"] = f"Basic {b64encode(credentials).decode('ascii')}"
        return headers

    def _next(self, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        try:
            following = checked(url.join(response.headers["location"]).copy_with(userinfo=b""))
        except (KeyError, ValueError, httpx.InvalidURL) as error:
            raise FeedRefusedError(f"{self.source}: expected a redirect to a URL, found none that can be") from error
        if following.scheme not in {"http", "https"} or not following.host:
            raise FeedRefusedError(f"{self.source}: expected a redirect to http(s)://, found {following.scheme!r}")
        if (url.scheme, following.scheme) == ("https", "http"):
            raise FeedRefusedError(f"{self.source}: expected https to be kept, found a redirect to {shown(following)}")
        return following

    async def _take(
        self, response: httpx.Response, since: FeedMark | None, watcher: FeedWatcher | None
    ) -> FetchedFeed | None:
        if response.status_code == HTTPStatus.NOT_MODIFIED and since and (since.etag or since.last_modified):
            return None
        await self._check(response)
        with ExitStack() as unless_handed_on:
            file = unless_handed_on.enter_context(tempfile.TemporaryFile())
            feed = await self._spool(response, file, watcher)
            if since and since.content == feed.mark.content:
                return None
            unless_handed_on.pop_all()
            return feed

    async def _spool(self, response: httpx.Response, file: IO[bytes], watcher: FeedWatcher | None) -> FetchedFeed:
        length = response.headers.get("content-length", "")
        total = int(length) if length.isdecimal() else None
        check_size(total or 0, self._limits, self.source)
        body = Body(response.headers.get("content-encoding", ""), self._limits, self.source)
        content = hashlib.sha256()
        async for piece in response.aiter_raw():
            for part in body.decode(piece):
                content.update(part)
                file.write(part)
                if body.turn_is_over():
                    await asyncio.sleep(0)
            if watcher:
                watcher.fetched(body.received, total)
        body.finish()
        file.seek(0)
        headers = response.headers
        mark = FeedMark(_sendable(headers.get("etag")), _sendable(headers.get("last-modified")), content.hexdigest())
        return FetchedFeed(file, mark, body.received)

    async def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.OK:
            return
        found = f"{self.source}: expected 200, found {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_PASS:
            raise FeedUnavailableError(found, retry_after=retry_after(response.headers, self._clock.now()))
        raise FeedRefusedError(found)

    def _explained(self, error: Exception) -> str:
        match error:
            case httpx.ConnectTimeout():
                return f"no connection within {self._limits.connect_timeout:g} s"
            case httpx.TimeoutException():
                return f"nothing came for {self._limits.idle_timeout:g} s"
            case httpx.RemoteProtocolError():
                return f"the answer ended too early, or is none of HTTP: {error}"
            case _:
                return f"{error}" or type(error).__name__


def _sendable(validator: str | None) -> str | None:
    """Keep a validator that can be sent back as it came; one with other characters than ASCII is done without."""
    return validator if validator and validator.isascii() else None
