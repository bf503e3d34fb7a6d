"""The calls of Segment's HTTP API on FastAPI: their documentation. The work is done by the same Door."""

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.adapters.inbound.http.describing.answers import JSON
from app.adapters.inbound.http.ingest.ingest_door import SEGMENT, Door
from app.adapters.inbound.http.ingest.ingest_router import (
    IGNORED,
    PlacedError,
    RefusedBatchAnswer,
    RefusedRecord,
    answer_by_door,
    failures,
    record_schema,
)
from app.adapters.inbound.intake.forms.segment import KINDS
from app.adapters.inbound.intake.intake import Form
from app.adapters.inbound.reading.json_record import LARGEST_INTEGER, SMALLEST_INTEGER
from app.domain.activities import LONGEST_USER_ID


class SegmentAnswer(BaseModel):
    """What Segment's clients are answered; the counts are there when something was refused."""

    success: Literal[True]
    accepted: int | None = None
    duplicates: int | None = None
    refused: int | None = None
    results: list[RefusedRecord] | None = Field(None, description="What was refused, and why")
    ignored: list[str] | None = Field(None, description=IGNORED)


PLAIN = r"^[^\x00-\x1f\x7f-\x9f]*$"
_OURS: dict[str, Any] = record_schema()["properties"]
PLAIN_TEXT: dict[str, Any] = {"type": "string", "maxLength": LONGEST_USER_ID, "pattern": PLAIN}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": SMALLEST_INTEGER, "maximum": LARGEST_INTEGER}
SOMEBODY: dict[str, Any] = {"anyOf": [PLAIN_TEXT | {"minLength": 1}, NUMBER]}
PERHAPS: dict[str, Any] = {"anyOf": [PLAIN_TEXT, NUMBER, {"type": "null"}]}
ANYTHING: dict[str, Any] = {"description": "Kept among the properties."}
CALL: dict[str, Any] = {
    "messageId": _OURS["id"] | {"description": "Any text: the same twice counts once."},
    "timestamp": _OURS["occurred_at"],
    "originalTimestamp": _OURS["occurred_at"]
    | {"description": "The same by the sender's clock, if somebody corrected it."},
    "sentAt": _OURS["sent_at"],
    "userId": PERHAPS,
    "anonymousId": PERHAPS,
    "channel": _OURS["source"],
    "properties": _OURS["properties"] | {"description": "`revenue`, else `value`, is what it is worth."},
    "traits": ANYTHING,
    "context": ANYTHING,
    "integrations": ANYTHING,
}
NAME = {"type": "string", "pattern": r"\S", "description": "`Order Completed` is `order_completed`."}
OF_KIND: dict[str, dict[str, Any]] = {
    "track": {"event": NAME},
    "identify": {},
    "page": {"name": ANYTHING, "category": ANYTHING},
    "screen": {"name": ANYTHING, "category": ANYTHING},
    "alias": {"previousId": SOMEBODY, "userId": SOMEBODY, "anonymousId": ANYTHING},
    "group": {"groupId": ANYTHING},
}
NEEDED = {"track": ["event"], "alias": ["userId", "previousId"]}
SAYS = {
    "track": "Somebody did something",
    "identify": "Say who somebody is",
    "page": "Somebody saw a page: `page_view`",
    "screen": "Somebody saw a screen: `screen_view`",
    "alias": "Say that two ids are of one user",
    "group": "Say which group somebody is in",
}
USER: dict[str, Any] = {"userId": "u-17"}
ORDER = {"event": "Order Completed", "properties": {"revenue": 12.5}}
EXAMPLES: dict[str, dict[str, Any]] = {
    "track": USER | ORDER,
    "identify": USER | {"anonymousId": "v-1"},
    "page": USER | {"name": "Home"},
    "screen": USER | {"name": "Home"},
    "alias": USER | {"previousId": "u-16"},
    "group": USER | {"groupId": "g-1"},
}


def segment_router(door: Door) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["activities"])
    for path, form in SEGMENT.items():
        _add(router, door, path, form)
    return router


def _add(router: APIRouter, door: Door, path: str, form: Form) -> None:
    is_batch = form is Form.SEGMENT_BATCH

    async def post(request: Request) -> Response:
        return await answer_by_door(door, path, request)

    schema = _batch(door.limits.array) if is_batch else _call(form.value)
    example = (
        {"batch": [{"type": kind} | said for kind, said in EXAMPLES.items()]} if is_batch else EXAMPLES[form.value]
    )
    content = {"schema": schema, "examples": {"one": {"value": example}}}
    router.add_api_route(
        path,
        post,
        methods=["POST"],
        name=f"segment_{path.rpartition('/')[2]}",
        summary="Take calls of a client of Segment" if is_batch else SAYS[form.value],
        description="As Segment's HTTP API takes it: the key is the user of Basic authentication.",
        response_model=SegmentAnswer,
        responses=failures(door.limits, RefusedBatchAnswer if is_batch else PlacedError),
        openapi_extra={"requestBody": {"required": True, "content": {JSON: content}}},
    )


def _call(kind: str) -> dict[str, Any]:
    properties = CALL | OF_KIND[kind] | {"type": {"enum": [kind, None]}}
    schema = {"type": "object", "properties": properties, "title": f"Segment{kind.title()}"}
    return schema | {"required": NEEDED[kind]} if kind in NEEDED else schema


def _batch(most: int) -> dict[str, Any]:
    """Describe a batch as the door takes it: one call that can be taken is enough, the others are refused alone."""
    a_call = {"anyOf": [_listed(kind) for kind in KINDS]}
    calls = {"type": "array", "items": {}, "contains": a_call, "minItems": 1, "maxItems": most}
    return {"type": "object", "required": ["batch"], "properties": {"batch": calls, "sentAt": _OURS["sent_at"]}}


def _listed(kind: str) -> dict[str, Any]:
    schema = _call(kind)
    properties = schema["properties"] | {"type": {"const": kind}}
    return schema | {
        "properties": properties,
        "required": ["type", *NEEDED.get(kind, ())],
        "title": f"Listed{kind.title()}",
    }
