"""From errors to answers, by a table that is handed in: nothing else knows status codes for what went wrong."""

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import NamedTuple

import structlog

from app.adapters.inbound.http.describing.answers import Fields, Reply, error_reply

log = structlog.get_logger()


class ErrorKind(NamedTuple):
    """How errors of one class are answered."""

    status: int
    code: str
    retry_after: int | None = None
    """Seconds."""
    fields: Fields = ()
    public_message: str | None = None
    """What is said in the place of the error's own words: those name hosts, files or databases."""
    is_logged: bool = False
    """Whether the log has those words."""


INTERNAL = error_reply(500, "internal_error", "an error of ours; the log has it under this request's X-Request-ID")


class ErrorTable:
    """Answers errors; one of a class that the table does not know is a bug: logged once, not leaked.

    An error may say more for programs (`extra`), and with which header fields it is answered (`fields`).
    """

    def __init__(self, kinds: Mapping[type[Exception], ErrorKind]) -> None:
        self._kinds = kinds
        self._logged, self._logged_at = "", float("-inf")

    def __iter__(self) -> Iterator[type[Exception]]:
        """List the classes that it knows."""
        return iter(self._kinds)

    def reply(self, error: Exception) -> Reply:
        """Answer an error, in the shape of every error."""
        kind = self._kinds.get(type(error))
        if kind is None:
            log.error("a request failed", exc_info=error)
            return INTERNAL
        if kind.is_logged:
            self._log_reason(str(error))
        retry: Fields = ((b"retry-after", b"%d" % kind.retry_after),) if kind.retry_after else ()
        fields = (*kind.fields, *getattr(error, "fields", ()), *retry)
        message, extra = kind.public_message or str(error), getattr(error, "extra", {})
        return error_reply(kind.status, kind.code, message, fields, **extra)

    def _log_reason(self, reason: str) -> None:
        """Log why a store is away, the same reason once a second: requests may come by the thousand."""
        if reason != self._logged or monotonic() - self._logged_at >= 1:
            self._logged, self._logged_at = reason, monotonic()
            log.warning("a store is away", reason=reason)
