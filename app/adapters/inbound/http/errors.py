"""The one table from errors to answers: nothing else here knows status codes for what went wrong."""

from typing import NamedTuple

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.adapters.inbound.dates import InvalidDateError
from app.adapters.inbound.http.activity_bodies import (
    NoActivitiesError,
    NotABatchError,
    NotAnActivityError,
    TooManyActivitiesError,
)
from app.adapters.inbound.http.careful_split import TooDeepToSplitError, TooLargeToSplitError
from app.adapters.inbound.http.rendering import render_error
from app.adapters.inbound.http.request_body import (
    BodyTooLargeError,
    InvalidContentLengthError,
    InvalidGzipError,
    UnsupportedEncodingError,
    UnsupportedMediaTypeError,
)
from app.adapters.inbound.instants import InvalidDateTimeError
from app.adapters.inbound.refusals import NotJsonError
from app.application.ports.activities import QueueFullError
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.application.read_history import WindowTooWideError
from app.application.read_stats import BeyondCalendarError, FromAfterToError, RangeTooLongError, UnknownTypeError
from app.domain.errors import (
    NoSchedulerError,
    UnknownPlanError,
    UnknownProviderError,
    WindowEndsBeforeItStartsError,
)

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


class OperationsClosedError(Exception):
    """An operator's route, on an address that others can reach."""

    def __init__(self) -> None:
        """Say which setting opens it."""
        super().__init__(
            "operations are closed, because this service listens beyond loopback; "
            "service.open_operations: true opens them to everybody who can reach it"
        )


class ForeignPageError(Exception):
    """A browser sends this for a page of another site."""

    def __init__(self) -> None:
        """Say what is allowed."""
        super().__init__("a browser sent this for a page of another site; send it from a page of this one, or by curl")


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
    TooLargeToSplitError: Answer(413, "too_large"),
    TooManyActivitiesError: Answer(413, "too_many"),
    UnsupportedMediaTypeError: Answer(415, "unsupported_media_type"),
    UnsupportedEncodingError: Answer(415, "unsupported_encoding"),
    UnknownPlanError: Answer(404, "unknown_plan"),
    UnknownProviderError: Answer(404, "unknown_provider"),
    OperationsClosedError: Answer(403, "operations_closed"),
    ForeignPageError: Answer(403, "foreign_page"),
    CatalogNotLoadedError: Answer(500, "catalog_not_loaded", retry_after=1),
    NoSchedulerError: Answer(503, "no_scheduler", retry_after=5),
    QueueFullError: Answer(503, "queue_full", retry_after=5),
    LiveStateUnavailableError: Answer(503, "live_state_unavailable", retry_after=1),
    HistoryUnavailableError: Answer(503, "history_unavailable", retry_after=5),
    PastUnavailableError: Answer(500, "history_unavailable", retry_after=5),
    WindowTooWideError: Answer(400, "window_too_wide"),
}

INTERNAL = Answer(500, "internal_error")
INTERNAL_MESSAGE = "an error of ours; the log has it under this request's X-Request-ID"

HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
JSON = "application/json"


def describe(error: Exception) -> tuple[Answer, str]:
    """Choose the answer and its message; an error that the table does not know is a bug: logged once, not leaked."""
    answer = ANSWERS.get(type(error))
    if answer is None:
        log.error("a request failed", exc_info=error)
        return INTERNAL, INTERNAL_MESSAGE
    return answer, str(error)


def handle_errors(api: FastAPI) -> None:
    """Give every error of every route the contract's shape; FastAPI's own 422 never leaves the service."""

    async def known(_request: Request, error: Exception) -> Response:
        answer, message = describe(error)
        headers = {"retry-after": str(answer.retry_after)} if answer.retry_after else None
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
