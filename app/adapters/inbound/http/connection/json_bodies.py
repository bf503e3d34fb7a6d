"""Small JSON bodies: one object, read by the rules of an activity, and held against a model."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError

from app.adapters.inbound.http.connection.request_body import read_json_body
from app.adapters.inbound.http.describing.answers import JSON
from app.adapters.inbound.reading.json_record import parse_record
from app.adapters.inbound.reading.refusals import LONGEST_QUOTE, RefusedRecordError

MOST = 64 * 1024
"""Bytes of a body, unpacked too."""
MOST_PROBLEMS = 5
"""That are listed of one body."""


class Body(BaseModel):
    """An object that somebody sends: no other fields, no other types than those that are written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


BodyT = TypeVar("BodyT", bound=Body)


async def read_body(request: Request, kind: type[BodyT], *, needed: bool = True) -> BodyT:
    """Read the body of a request; none at all is an empty object where it is not `needed`.

    Raises:
        RequestValidationError: it is JSON of another kind.
        NotJsonError: it is no JSON.
        ClientGoneError: there is nobody to answer.
        UnsupportedMediaTypeError, UnsupportedEncodingError, InvalidContentLengthError, InvalidGzipError,
        BodyTooLargeError, TooMuchWorkError: as `read_json_body`.
    """
    headers = dict(request.scope["headers"])
    sent = await read_json_body(headers, request.receive, MOST) if needed or _has_body(headers) else b"{}"
    try:
        return kind.model_validate(parse_record(sent))
    except RefusedRecordError as refused:
        found = [_placed(problem.pointer.split("/")[1:], problem.message) for problem in refused.problems]
    except ValidationError as error:
        found = [_placed(problem["loc"], problem["msg"]) for problem in error.errors()]
    raise RequestValidationError(found[:MOST_PROBLEMS]) from None


def documented(kind: type[Body], *, needed: bool = True) -> dict[str, Any]:
    """Describe a body that is read by ourselves, for `openapi_extra`. Answers bring the models it refers to."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": needed, "content": {JSON: {"schema": schema}}}}


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _placed(place: Sequence[int | str], message: str) -> dict[str, Any]:
    """Say where something is wrong, but not all of a long name: it comes from outside."""
    return {"loc": ("body", *(str(step)[:LONGEST_QUOTE] for step in place or ("body",))), "msg": message}
