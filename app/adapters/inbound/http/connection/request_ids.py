"""The id of a request: the client's own, where it sent a proper one in `X-Request-ID`, else one that is made here.

Where a request was refused in front of the router, the log has the id of each kind's first in a second.
"""

import re
from collections.abc import Callable, Iterable
from itertools import count
from secrets import token_hex
from time import monotonic

import structlog

from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.machine.once_a_second import OnceASecond

log = structlog.get_logger()

is_proper = re.compile(rb"[A-Za-z0-9._~+/=:-]{1,128}").fullmatch
"""An id that is taken over."""


class RequestIds:
    """Tells the ids of the requests that pass one place in a process."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._prefix = token_hex(6).encode()

    def of_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Find the id among a request's header fields, or make one."""
        for name, value in headers:
            if name == b"x-request-id" and is_proper(value):
                return value
        return self.new()

    def of_value(self, sent: bytes | None) -> bytes:
        """Take the id that was sent, or make one."""
        return sent if sent is not None and is_proper(sent) else self.new()

    def new(self) -> bytes:
        """Make one."""
        return b"%s-%x" % (self._prefix, next(self._numbers))


class RefusalLog:
    """Logs answers 4xx of one route, at most one line a second of each code.

    They cost a client nothing, and are to cost no disk; `left_out` says how many came since the line before.
    """

    def __init__(self, method: str, path: str, now: Callable[[], float] = monotonic) -> None:
        self._method = method
        self._path = path
        self._now = now
        self._by_code: dict[str, OnceASecond] = {}

    def note(self, reply: Reply, request_id: bytes) -> None:
        """Log an answer, if it is a refusal and there was none of its code just now."""
        if not 400 <= reply.status < 500:  # noqa: PLR2004 - HTTP's client errors
            return
        left_out = self._by_code.setdefault(reply.code, OnceASecond(self._now)).left_out()
        if left_out is not None:
            said = {"left_out": left_out} if left_out else {}
            log.info(
                "answered",
                method=self._method,
                path=self._path,
                status=reply.status,
                code=reply.code,
                request_id=request_id.decode(),
                **said,
            )
