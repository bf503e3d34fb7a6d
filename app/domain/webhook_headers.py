"""Headers that a webhook sends beside ours, such as the key that its receiver's gateway asks for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.domain.webhook_errors import InvalidWebhookError

HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
"""A token of RFC 9110."""
HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,1998}[\x21-\x7e])?", re.ASCII)
MOST_HEADERS = 16
LARGEST_HEADERS = 4096
"""Characters of all names and values; many servers take 8 kB of headers in all."""

_OF_THE_CONNECTION = frozenset(
    {"connection", "expect", "host", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_OURS = frozenset(
    {"accept-encoding", "content-encoding", "content-length", "content-type", "user-agent", "digest", "signature"}
)
_FAMILIES = ("proxy-", "webhook-")


@dataclass(frozen=True, slots=True)
class Header:
    """One header field; its value may be a secret."""

    name: str
    value: str = field(repr=False)


def check_headers(headers: Iterable[Header]) -> None:
    """Refuse what could change how a message is framed, signed or understood.

    Raises:
        InvalidWebhookError: of the first that may not be sent; no value is in its message.
    """
    seen: set[str] = set()
    size = 0
    for header in headers:
        _check_header(header)
        seen_as = _as_receivers_see(header.name)
        if seen_as in seen:
            raise InvalidWebhookError("headers", f"{header.name} is there twice; case does not count")
        seen.add(seen_as)
        size += len(header.name) + len(header.value)
    if len(seen) > MOST_HEADERS or size > LARGEST_HEADERS:
        raise InvalidWebhookError("headers", f"up to {MOST_HEADERS}, of {LARGEST_HEADERS:,} characters in all")


def merged(headers: Iterable[Header], changes: Mapping[str, str | None]) -> tuple[Header, ...]:
    """Put in and replace some headers; a value of None takes one away. Case does not count. In order of their names."""
    kept = {header.name.lower(): header for header in headers}
    for name, value in changes.items():
        if value is None:
            kept.pop(name.lower(), None)
        else:
            kept[name.lower()] = Header(name, value)
    return tuple(kept[name] for name in sorted(kept))


def _check_header(header: Header) -> None:
    if not HEADER_NAME.fullmatch(header.name):
        raise InvalidWebhookError("headers", f"{header.name[:64]!r} is no name of a header")
    name = _as_receivers_see(header.name)
    if name in _OF_THE_CONNECTION or name in _OURS or name.startswith(_FAMILIES):
        raise InvalidWebhookError("headers", f"{header.name} is said by Marquee or by the connection itself")
    if not HEADER_VALUE.fullmatch(header.value):
        raise InvalidWebhookError(
            "headers", f"the value of {header.name} is not 1 to 2,000 visible ASCII characters, spaces only inside"
        )


def _as_receivers_see(name: str) -> str:
    """Many receivers hand on names as variables, in which `-` and `_` are one."""
    return name.lower().replace("_", "-")
