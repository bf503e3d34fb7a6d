"""The log of requests that were refused in front of the router: the id of each kind's first in a second."""

from collections.abc import Callable
from time import monotonic

import structlog

from app.adapters.inbound.http.describing.answers import Reply
from app.adapters.machine.once_a_second import OnceASecond

log = structlog.get_logger()


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
