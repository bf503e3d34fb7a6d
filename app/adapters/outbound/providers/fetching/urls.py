"""URLs as they may be shown and followed: without what only the provider and we should know."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from app.adapters.egress.pinned_request import port_of

_HIGHEST_PORT = 65_535


def shown(url: httpx.URL) -> str:
    """Give a URL for messages and logs: no user and password, no values in the query, no fragment."""
    bare = str(url.copy_with(userinfo=b"", query=None, fragment=None))
    names = "&".join(f"{name}=..." for name in url.params)
    return f"{bare}?{names}" if names else bare


def checked(url: httpx.URL) -> httpx.URL:
    """Give a URL back whose host and port can be.

    Raises:
        ValueError: they cannot.
    """
    if url.port is not None and not 0 < url.port <= _HIGHEST_PORT:
        raise ValueError(f"expected a port from 1 to {_HIGHEST_PORT}, found {url.port}")
    url.host  # noqa: B018 - raises for what is no international domain name (a ValueError)
    return url


def may_know_credentials(url: httpx.URL, other: httpx.URL) -> bool:
    """Tell whether `other` may be sent what was meant for `url`: the same origin, or the same host with https now."""
    if (url.scheme, url.raw_host, port_of(url)) == (other.scheme, other.raw_host, port_of(other)):
        return True
    upgraded = (url.scheme, port_of(url)) == ("http", 80) and (other.scheme, port_of(other)) == ("https", 443)
    return upgraded and url.raw_host == other.raw_host


def path_of(url: str) -> Path:
    """Give the path of a file:// URL; `file://feeds/a.xml` is relative, `file:///feeds/a.xml` is not."""
    parts = urlsplit(url)
    host = "" if parts.netloc == "localhost" else parts.netloc
    return Path(unquote(host + parts.path))
