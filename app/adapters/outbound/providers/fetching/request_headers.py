"""Which headers a URL is sent: what was configured goes to the origin of the feed alone."""

from base64 import b64encode
from collections.abc import Iterator

import httpx

from app.adapters.outbound.providers.fetching.decompression import ACCEPTED
from app.adapters.outbound.providers.fetching.origin_cookies import OriginCookies
from app.adapters.outbound.providers.fetching.urls import may_know_credentials
from app.application.ports.providers import FeedMark, FeedRequest


def request_headers(
    request: FeedRequest, origin: httpx.URL, url: httpx.URL, accept: str, cookies: OriginCookies
) -> dict[str, str]:
    """Give the headers for one URL of a fetch that began at `origin`."""
    headers = httpx.Headers({"Accept": accept, "Accept-Encoding": ACCEPTED, "User-Agent": request.user_agent})
    if may_know_credentials(origin, url):
        if origin.userinfo:
            credentials = f"{origin.username}:{origin.password}".encode()
            headers["Authorization"] = f"Basic {b64encode(credentials).decode('ascii')}"
        headers.update(request.headers)
    if cookie := "; ".join(_cookies(headers.get("cookie"), cookies.header(url))):
        headers["Cookie"] = cookie
    return {name.decode("ascii"): value.decode("ascii") for name, value in headers.raw}


def validators(since: FeedMark | None) -> dict[str, str]:
    """Give the headers by which the server is asked whether anything has changed."""
    headers = {}
    if since and since.etag:
        headers["If-None-Match"] = since.etag
    if since and since.last_modified:
        headers["If-Modified-Since"] = since.last_modified
    return headers


def _cookies(configured: str | None, kept: str | None) -> Iterator[str]:
    """Join both; a server that sets a cookie of a configured name replaces it."""
    names = {pair.partition("=")[0].strip() for pair in (kept or "").split(";")}
    for pair in (configured or "").split(";"):
        if pair.strip() and pair.partition("=")[0].strip() not in names:
            yield pair.strip()
    if kept:
        yield kept
