"""The one table from errors to answers: nothing else here knows status codes for what went wrong."""

from collections.abc import Iterable
from time import monotonic
from typing import NamedTuple

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.adapters.formats.unpacking import TooMuchWorkError
from app.adapters.inbound.http.access.rate_limit_fields import Fields
from app.adapters.inbound.http.changes.change_cursors import InvalidCursorError
from app.adapters.inbound.http.changes.change_stream import TooManyStreamsError
from app.adapters.inbound.http.connection.bodies_in_hand import TooManyBodiesError
from app.adapters.inbound.http.connection.fair_shares import ShareTakenError
from app.adapters.inbound.http.connection.request_body import (
    BodyTooLargeError,
    InvalidContentLengthError,
    InvalidGzipError,
    UnsupportedEncodingError,
    UnsupportedMediaTypeError,
)
from app.adapters.inbound.http.describing.rendering import render_error
from app.adapters.inbound.http.ingest.activity_bodies import (
    NoActivitiesError,
    NotABatchError,
    NotAnActivityError,
    TooManyActivitiesError,
)
from app.adapters.inbound.http.ingest.record_split import TooDeepToSplitError, TooLargeToSplitError
from app.adapters.inbound.reading.dates import InvalidDateError
from app.adapters.inbound.reading.instants import InvalidDateTimeError
from app.adapters.inbound.reading.refusals import NotJsonError
from app.application.ports.activities import QueueFullError
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.application.ports.users import TokensUnavailableError, UserMovedError
from app.application.read_changes import UnknownCursorError
from app.application.read_history import WindowTooWideError
from app.application.read_stats import BeyondCalendarError, FromAfterToError, RangeTooLongError, UnknownTypeError
from app.domain.access import NotAllowedError, UnauthenticatedError
from app.domain.api_keys import InvalidKeyError, TooManyKeysError, UnknownKeyError
from app.domain.errors import (
    NoSchedulerError,
    UnknownPlanError,
    UnknownProviderError,
    WindowEndsBeforeItStartsError,
)
from app.domain.users import EmailTakenError, InvalidUserError, UnknownUserError, UsernameTakenError

log = structlog.get_logger()


class QueryTooLongError(ValueError):
    """A query string beyond reason."""


class CatalogNotLoadedError(Exception):
    """This process has no index yet: it has just started, or the catalog's store has not answered since."""

    def __init__(self) -> None:
        """Say it to whoever asked."""
        super().__init__("the catalog is not loaded yet: its store has not answered since this process began")


class PastUnavailableError(Exception):
    """A search of the past, while the history is away: the contract of /search knows no 503."""


class TooManyPastSearchesError(Exception):
    """More searches of the past than this process answers at a time; the contract of /search knows no 503."""

    def __init__(self) -> None:
        """Say what else there is."""
        super().__init__(
            "too many searches of the past are being answered or slowly read; come again later, or ask without as_of"
        )


class UnknownPathError(Exception):
    """There is nothing at a path."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Not Found")


class WrongMethodError(Exception):
    """There is something at a path, but nothing that can be done to it by this method."""

    def __init__(self, allowed: Iterable[str]) -> None:
        """Keep the methods that would be right."""
        super().__init__("Method Not Allowed")
        self.fields: Fields = ((b"allow", ", ".join(sorted(allowed)).encode()),)


class RateLimitedError(Exception):
    """Somebody asks too often; `fields` of the answer say when to come again."""

    def __init__(self, message: str, fields: Fields) -> None:
        """Keep the fields."""
        super().__init__(message)
        self.fields = fields


class ForeignPageError(Exception):
    """A browser sends this for a page of another site."""

    def __init__(self) -> None:
        """Say what is allowed."""
        super().__init__("a browser sent this for a page of another site; send it from a page of this one, or by curl")


class UnknownHostError(Exception):
    """Somebody without a key asks for this machine by a name that may be a foreign page's."""

    def __init__(self, host: str) -> None:
        """Say which name, and what helps."""
        super().__init__(
            f"expected a Host that is an IP address or localhost, found {host[:100]!r}: "
            "send a key, or list the host in security.hosts"
        )


class Answer(NamedTuple):
    """How an error is answered; `retry_after` in seconds."""

    status: int
    code: str
    retry_after: int | None = None


ANSWERS: dict[type[Exception], Answer] = {
    InvalidDateTimeError: Answer(400, "invalid_date_time"),
    WindowEndsBeforeItStartsError: Answer(400, "window_ends_before_it_starts"),
    QueryTooLongError: Answer(400, "query_too_long"),
    InvalidDateError: Answer(400, "invalid_date"),
    FromAfterToError: Answer(400, "from_after_to"),
    RangeTooLongError: Answer(400, "range_too_long"),
    BeyondCalendarError: Answer(400, "dates_out_of_range"),
    UnknownTypeError: Answer(404, "unknown_type"),
    NotJsonError: Answer(400, "invalid_json"),
    NotAnActivityError: Answer(400, "not_an_object"),
    NotABatchError: Answer(400, "invalid_batch"),
    NoActivitiesError: Answer(400, "no_activities"),
    TooDeepToSplitError: Answer(400, "too_deep"),
    InvalidContentLengthError: Answer(400, "invalid_content_length"),
    InvalidGzipError: Answer(400, "invalid_gzip"),
    BodyTooLargeError: Answer(413, "too_large"),
    TooMuchWorkError: Answer(413, "too_slow_to_unpack"),
    TooLargeToSplitError: Answer(413, "too_large"),
    TooManyActivitiesError: Answer(413, "too_many"),
    UnsupportedMediaTypeError: Answer(415, "unsupported_media_type"),
    UnsupportedEncodingError: Answer(415, "unsupported_encoding"),
    InvalidCursorError: Answer(400, "invalid_cursor"),
    UnknownCursorError: Answer(400, "unknown_cursor"),
    UnknownPlanError: Answer(404, "unknown_plan"),
    UnknownProviderError: Answer(404, "unknown_provider"),
    UnknownPathError: Answer(404, "not_found"),
    WrongMethodError: Answer(405, "method_not_allowed"),
    UnauthenticatedError: Answer(401, "unauthenticated"),
    NotAllowedError: Answer(403, "not_allowed"),
    ForeignPageError: Answer(403, "foreign_page"),
    UnknownHostError: Answer(403, "unknown_host"),
    RateLimitedError: Answer(429, "rate_limited"),
    ShareTakenError: Answer(429, "too_many_own_streams", retry_after=10),
    InvalidUserError: Answer(400, "invalid_user"),
    InvalidKeyError: Answer(400, "invalid_key"),
    UnknownUserError: Answer(404, "unknown_user"),
    UnknownKeyError: Answer(404, "unknown_key"),
    UsernameTakenError: Answer(409, "username_taken"),
    EmailTakenError: Answer(409, "email_taken"),
    UserMovedError: Answer(409, "user_moved"),
    TooManyKeysError: Answer(409, "too_many_keys"),
    TokensUnavailableError: Answer(503, "token_keys_unavailable", retry_after=5),
    CatalogNotLoadedError: Answer(500, "catalog_not_loaded", retry_after=1),
    NoSchedulerError: Answer(503, "no_scheduler", retry_after=5),
    TooManyStreamsError: Answer(503, "too_many_streams", retry_after=10),
    QueueFullError: Answer(503, "queue_full", retry_after=5),
    TooManyBodiesError: Answer(503, "too_many_bodies", retry_after=5),
    LiveStateUnavailableError: Answer(503, "live_state_unavailable", retry_after=1),
    HistoryUnavailableError: Answer(503, "history_unavailable", retry_after=5),
    PastUnavailableError: Answer(500, "history_unavailable", retry_after=5),
    TooManyPastSearchesError: Answer(500, "too_many_past_searches", retry_after=5),
    WindowTooWideError: Answer(400, "window_too_wide"),
}

INTERNAL = Answer(500, "internal_error")
INTERNAL_MESSAGE = "an error of ours; the log has it under this request's X-Request-ID"

HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
JSON = "application/json"

AWAY: dict[type[Exception], str] = {
    LiveStateUnavailableError: "the live state (Redis) cannot be used now: come again later; the log says why",
    HistoryUnavailableError: "the history (SQL) cannot be used now: come again later; the log says why",
    TokensUnavailableError: "whether this token is good cannot be told now: come again later; the log says why",
}
"""Errors whose own words name hosts, files and databases: those are for the log."""


class _Away:
    """Logs why a store is away, the same reason once a second: requests may come by the thousand."""

    def __init__(self) -> None:
        self._told, self._told_at = "", float("-inf")

    def tell(self, reason: str) -> None:
        if reason != self._told or monotonic() - self._told_at >= 1:
            self._told, self._told_at = reason, monotonic()
            log.warning("a store is away", reason=reason)


_away = _Away()


def describe(error: Exception) -> tuple[Answer, str]:
    """Choose the answer and its message; an error that the table does not know is a bug: logged once, not leaked."""
    answer = ANSWERS.get(type(error))
    if answer is None:
        log.error("a request failed", exc_info=error)
        return INTERNAL, INTERNAL_MESSAGE
    if type(error) in AWAY:
        if type(error) is not TokensUnavailableError:  # whoever fetches the issuer's keys tells it, once
            _away.tell(str(error))
        return answer, AWAY[type(error)]
    return answer, str(error)


def fields_of(error: Exception, answer: Answer) -> Fields:
    """Say which header fields an answer has besides those that every answer has."""
    if isinstance(error, UnauthenticatedError):
        return ((b"www-authenticate", b"Bearer"),)
    if isinstance(error, RateLimitedError | WrongMethodError):
        return error.fields
    return ((b"retry-after", b"%d" % answer.retry_after),) if answer.retry_after else ()


def handle_errors(api: FastAPI) -> None:
    """Give every error of every route the contract's shape; FastAPI's own 422 never leaves the service."""

    async def known(_request: Request, error: Exception) -> Response:
        answer, message = describe(error)
        headers = {name.decode(): value.decode() for name, value in fields_of(error, answer)}
        return _respond(answer.status, answer.code, message, headers)

    async def invalid(_request: Request, error: Exception) -> Response:
        problems = error.errors() if isinstance(error, RequestValidationError) else ()
        words = "; ".join(f"{'.'.join(map(str, p['loc'][1:]))}: {p['msg']}" for p in problems)
        return _respond(400, "invalid_request", words)

    async def plain(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = error.detail if isinstance(error, HTTPException) else INTERNAL_MESSAGE
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
        return _respond(status, HTTP_CODES.get(status, f"http_{status}"), detail, headers)

    for kind in (*ANSWERS, Exception):
        api.add_exception_handler(kind, known)
    api.add_exception_handler(RequestValidationError, invalid)
    api.add_exception_handler(HTTPException, plain)


def _respond(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(render_error(code, message), status, headers, JSON)
