"""Cookies of one fetch (RFC 6265): each goes back to the origin that set it, and to nobody else.

Not by `http.cookiejar`, which widens them to domains, and writes tracebacks about what servers get wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from app.adapters.egress.dates import http_date
from app.adapters.outbound.providers.fetching.urls import may_know_credentials

MOST = 50
"""Cookies that are kept in one fetch, as many as RFC 6265 (6.1) expects for a domain; the oldest make room."""
LONGEST = 4096
"""Characters of a cookie with its name, as there."""


@dataclass(frozen=True, slots=True)
class _Cookie:
    origin: httpx.URL
    name: str
    path: str
    value: str
    secure: bool

    @property
    def key(self) -> tuple[str, str, str, int | None]:
        return self.name, self.path, self.origin.scheme + self.origin.host, self.origin.port

    def belongs_to(self, url: httpx.URL) -> bool:
        if not may_know_credentials(self.origin, url) or (self.secure and url.scheme != "https"):
            return False
        return url.path == self.path or url.path.startswith(self.path.rstrip("/") + "/")


@dataclass(slots=True)
class OriginCookies:
    """What servers have set so far. Domains do not widen it: the other host of a domain gets nothing."""

    _kept: dict[tuple[str, str, str, int | None], _Cookie] = field(default_factory=dict)

    def take(self, url: httpx.URL, response: httpx.Response, now: datetime) -> None:
        """Keep what an answer from a URL sets, and forget what it ends; what nobody could send is passed over."""
        for said in response.headers.get_list("set-cookie"):
            pair, *attributes = said.split(";")
            name, equals, value = (part.strip() for part in pair.partition("="))
            if name and equals and pair.isascii() and pair.isprintable() and len(name) + len(value) <= LONGEST:
                self._keep(url, name, value, dict(_parsed(attributes)), now)

    def header(self, url: httpx.URL) -> str | None:
        """Give the Cookie header for a URL; None when there is nothing to send."""
        found = [cookie for cookie in self._kept.values() if cookie.belongs_to(url)]
        found.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in found) or None

    def _keep(self, url: httpx.URL, name: str, value: str, said: dict[str, str], now: datetime) -> None:
        domain = said.get("domain", "").lstrip(".").lower()
        if domain and url.host != domain and not url.host.endswith(f".{domain}"):
            return
        path = said.get("path", "")
        path = path if path.startswith("/") else url.path.rpartition("/")[0] or "/"
        cookie = _Cookie(url, name, path, value, "secure" in said)
        if _has_ended(said, now):
            self._kept.pop(cookie.key, None)
            return
        self._kept[cookie.key] = cookie
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]


def _parsed(attributes: list[str]) -> Iterator[tuple[str, str]]:
    """Give names in small letters with their values; of one that is said twice the last counts."""
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        yield name.strip().lower(), value.strip()


def _has_ended(said: dict[str, str], now: datetime) -> bool:
    age = said.get("max-age", "")
    if age.removeprefix("-").isdecimal():
        return age.startswith("-") or not age.strip("0")
    ends = http_date(said.get("expires", ""))
    return ends is not None and ends <= now
