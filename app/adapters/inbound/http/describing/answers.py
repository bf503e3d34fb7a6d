"""An answer of the service, and the one shape of every error: as it is rendered, and as the document shows it."""

from typing import Any, NamedTuple

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field
from starlette.types import Send

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
