"""The id of a request: the client's own, where it sent a proper one in `X-Request-ID`, else one that is made here."""

import re
from collections.abc import Iterable
from itertools import count
from secrets import token_hex

_is_proper = re.compile(rb"[A-Za-z0-9._~+/=:-]{1,128}").fullmatch


class RequestIds:
    """Tells the ids of the requests that pass one place in a process."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._prefix = token_hex(6).encode()

    def of_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Find the id among a request's header fields, or make one."""
        for name, value in headers:
            if name == b"x-request-id" and _is_proper(value):
                return value
        return self.new()

    def of_value(self, sent: bytes | None) -> bytes:
        """Take the id that was sent, or make one."""
        return sent if sent is not None and _is_proper(sent) else self.new()

    def new(self) -> bytes:
        """Make one."""
        return b"%s-%x" % (self._prefix, next(self._numbers))
