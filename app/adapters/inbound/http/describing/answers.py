"""An answer of the service, and the one shape of every error: as it is rendered, and as the document shows it.

Errors become answers by a table that is handed in: nothing else knows status codes for what went wrong.
"""

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple

import msgspec
import structlog
from fastapi import Response
from pydantic import BaseModel, Field
from starlette.types import Send

log = structlog.get_logger()

JSON = "application/json"
Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields: names in small letters and values, as ASGI wants them."""
CONTENT_TYPE = (b"content-type", JSON.encode())
Documented = dict[int | str, dict[str, Any]]
"""Answers of a route by their status, as FastAPI's `responses` takes them."""


class Problem(BaseModel):
    """What went wrong."""

    code: str = Field(description="A stable snake_case word for programs", examples=["invalid_date_time"])
    message: str = Field(description="What was found and what was expected, for people")


class ErrorAnswer(BaseModel):
    """The shape of every error of every route."""

    error: Problem
    data: None = None


class Reply(NamedTuple):
    """An answer in JSON."""

    status: int
    body: bytes
    fields: Fields = ()
    """Besides its type and its length."""
    code: str = ""
    """The word of its error, for the log."""

    def headers(self, *before: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """List all header fields; those `before` come in front of its own."""
        return [CONTENT_TYPE, (b"content-length", b"%d" % len(self.body)), *before, *self.fields]

    async def send(self, send: Send, *before: tuple[bytes, bytes]) -> None:
        """Send it by ASGI, with more header fields."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers(*before)})
        await send({"type": "http.response.body", "body": self.body})

    def response(self) -> Response:
        """Give it to FastAPI."""
        headers = {name.decode(): value.decode() for name, value in self.fields}
        return Response(self.body, self.status, headers, JSON)


render_json = msgspec.json.Encoder(decimal_format="number").encode
"""Renders anything of plain values, dataclasses and enums; Decimals are numbers with their own digits."""


def error_reply(status: int, code: str, message: str, fields: Fields = (), **more: Any) -> Reply:
    """Answer with an error; `code` is a stable snake_case word, `more` is for programs."""
    error = {"code": code, "message": message, **more}
    return Reply(status, render_json({"error": error, "data": None}), fields, code)


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with a value that `render_json` takes."""
    return Response(render_json(value), status, headers, JSON)


def failure(status: int, description: str, model: Any = ErrorAnswer, **more: Any) -> Documented:
    """Document an error that a route answers."""
    return {status: {"model": model, "description": description, **more}}


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
