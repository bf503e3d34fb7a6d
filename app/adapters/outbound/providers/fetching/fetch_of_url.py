"""From a URL to what fetches it."""

import httpx

from app.adapters.machine.system_clock import SYSTEM_CLOCK
from app.adapters.outbound.providers.fetching.fetch import Fetch
from app.adapters.outbound.providers.fetching.file_fetch import FileFetch
from app.adapters.outbound.providers.fetching.http_fetch import ANYTHING, HttpFetch
from app.adapters.outbound.providers.fetching.pinned_get import PinnedGet
from app.adapters.outbound.providers.fetching.urls import checked, path_of
from app.application.ports.system import Clock


def fetch_of(url: str, get: PinnedGet, clock: Clock = SYSTEM_CLOCK, accept: str = ANYTHING) -> Fetch:
    """Choose by the scheme; `accept` is the Accept header of a kind, which the configuration may replace.

    Raises:
        ValueError: the URL is none that can be fetched.
    """
    try:
        parsed = checked(httpx.URL(url))
    except httpx.InvalidURL as error:
        raise ValueError(f"expected a URL, found something else: {error}") from error
    if parsed.scheme == "file":
        return FileFetch(path_of(url), get.limits, clock)
    if parsed.scheme in {"http", "https"} and parsed.host:
        return HttpFetch(url, get, clock, accept)
    raise ValueError("expected a URL with http://host/, https://host/ or file:///, found none of them")
