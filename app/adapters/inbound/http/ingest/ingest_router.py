"""`POST /events` and `POST /events/batch` on FastAPI: their documentation. The work is done by the same Door."""

from copy import deepcopy
from typing import Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from app.adapters.inbound.http.describing.answers import JSON, Documented, ErrorAnswer, Problem, failure
from app.adapters.inbound.http.ingest.ingest_door import BATCH, EVENTS, Door, IngestLimits
from app.adapters.inbound.reading.activity_fields import UnusualFields
from app.adapters.inbound.reading.activity_names import OTHER_NAMES
from app.domain.activities import DECIMAL_DIGITS, RESERVED_TYPES, WHOLE_DIGITS

EXAMPLE_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
INSTANTS = ("occurred_at", "sent_at")
SINCE_1970: list[dict[str, Any]] = [
    {"type": "number", "minimum": 10**9, "exclusiveMaximum": 10**10, "description": "Seconds since 1970"},
    {"type": "number", "minimum": 10**12, "exclusiveMaximum": 10**13, "description": "Milliseconds since 1970"},
]
IGNORED = "Names of fields that mean nothing here; what they hold is among the properties. Absent when there are none"


class TakenAnswer(BaseModel):
    """An activity that is safe."""

    id: str = Field(description="The id that was sent, or the UUID that was made", examples=[EXAMPLE_ID])
    activity_id: UUID | None = Field(
        None, description="The UUID that stands for the id, when that was sent as another text; else absent"
    )
    status: Literal["accepted", "duplicate"] = Field(description="`duplicate`: an activity of this id is known")


class OneTakenAnswer(TakenAnswer):
    """The one activity that was sent is safe."""

    ignored: list[str] | None = Field(None, description=IGNORED)


class PlacedProblem(Problem):
    """What is wrong with a record."""

    pointer: str = Field(description="Where, in the body as it was sent (RFC 6901)", examples=["/3/data/value"])


class RecordProblem(PlacedProblem):
    """Why a record was not taken: its first problem."""

    details: list[PlacedProblem] | None = Field(None, description="All problems, when there are more")
    limit: int | None = Field(None, description="What is allowed, when it was too large")


class TakenRecord(TakenAnswer):
    """A record of several that is safe."""

    index: int = Field(description="Its place in the array, from 0")


class RefusedRecord(BaseModel):
    """A record of several that was not taken."""

    index: int = Field(description="Its place in the array, from 0")
    status: Literal["refused"]
    error: RecordProblem


class BatchAnswer(BaseModel):
    """What became of several records, in the order in which they were sent."""

    accepted: int
    duplicates: int
    refused: int
    results: list[TakenRecord | RefusedRecord]
    ignored: list[str] | None = Field(None, description=IGNORED)


class PlacedError(ErrorAnswer):
    """The shape of every error, with the place in the body."""

    error: RecordProblem | Problem


class ListedProblem(PlacedProblem):
    """What is wrong with one record of several."""

    index: int


class RefusedBatch(Problem):
    """Nothing could be taken; `details` when each record was refused for itself."""

    details: list[ListedProblem] | None = None


class RefusedBatchAnswer(ErrorAnswer):
    """The same in the shape of every error."""

    error: RefusedBatch


class LimitProblem(Problem):
    """Too much at once."""

    limit: int = Field(description="How much is taken at once: records, or bytes")


class LimitAnswer(ErrorAnswer):
    """The same in the shape of every error."""

    error: LimitProblem


EXAMPLE = {
    "id": EXAMPLE_ID,
    "type": "view",
    "occurred_at": "2026-01-05T12:00:00Z",
    "source": "web",
    "user_id": "u-17",
    "value": 12.50,
    "properties": {"plan_id": "a5d1c3f0-6f55-5a3e-9d52-0b1d2f1f2f11"},
}
OTHER_EXAMPLE = {
    "event_id": "01890a5d-ac96-774b-bcce-b302099a8058",
    "event_type": "buy",
    "timestamp": "2026-01-05T12:00:07Z",
    "user_id": "u-17",
    "data": {"value": 25, "zone": "Platea"},
}


def _plain(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("$")


SHOWN_NAMES = {
    other: name
    for other, name in OTHER_NAMES.items()
    if other == _plain(other) or _plain(other) not in {**OTHER_NAMES, name: name}
}
"""Those names of a field that differ by more than letters: generated clients would call others alike."""
TYPE_NAMES = ("type", *(other for other, name in SHOWN_NAMES.items() if name == "type"))
"""One of them has to be there; the others may be null, as those of any field."""


def ingest_router(door: Door) -> APIRouter:
    """Make the routes."""
    limits = door.limits
    router = APIRouter(tags=["activities"])

    @router.post(
        EVENTS,
        status_code=status.HTTP_202_ACCEPTED,
        summary="Take one activity, or an array of them",
        description=f"One object, or an array of up to {limits.array:,}. A record that is refused costs the others "
        "nothing. 202 is a promise: what was accepted survives a crash. The same id again is a duplicate.",
        response_model=OneTakenAnswer | BatchAnswer,
        responses=failures(limits, PlacedError | RefusedBatchAnswer),
        openapi_extra=_request(
            {"oneOf": [record_schema(), _array(limits.array)]}, one=EXAMPLE, array=[EXAMPLE, OTHER_EXAMPLE]
        ),
    )
    async def post_events(request: Request) -> Response:
        return await answer_by_door(door, EVENTS, request)

    @router.post(
        BATCH,
        status_code=status.HTTP_202_ACCEPTED,
        summary="Take a batch of activities",
        description=f"Up to {limits.batch:,} activities; else as `POST {EVENTS}` with an array.",
        response_model=BatchAnswer,
        responses=failures(limits, RefusedBatchAnswer),
        openapi_extra=_request(
            {"type": "object", "required": ["events"], "properties": {"events": _array(limits.batch)}},
            batch={"events": [EXAMPLE, OTHER_EXAMPLE]},
        ),
    )
    async def post_event_batch(request: Request) -> Response:
        return await answer_by_door(door, BATCH, request)

    return router


async def answer_by_door(door: Door, path: str, request: Request) -> Response:
    """Answer a request as the bare application does."""
    return (await door.answer(path, dict(request.scope["headers"]), request.receive)).response()


def failures(limits: IngestLimits, malformed: Any) -> Documented:
    """Document what a post may be answered else."""
    retry = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    busy = "Too much waits to be stored, or comes in at once, or the queue is away"
    return {
        **failure(400, "No JSON, or nothing in it that can be taken", malformed),
        **failure(413, f"Too many activities, or more than {limits.body:,} bytes", LimitAnswer),
        **failure(415, "Neither JSON in UTF-8 as it is, nor in gzip"),
        **failure(503, busy, headers=retry),
    }


def record_schema() -> dict[str, Any]:
    """Describe an activity with every name that a field may have."""
    schema = UnusualFields.model_json_schema(mode="validation")
    properties = schema["properties"]
    a_type = properties["type"] | {"not": {"enum": sorted(RESERVED_TYPES)}}
    described = {word: a_type.pop(word) for word in ("title", "description")}
    properties["type"] = {"anyOf": [a_type, {"type": "null"}], **described}
    properties["occurred_at"]["description"] += " Not before 1970."
    for name in INSTANTS:  # texts of so many digits are taken too
        properties[name]["anyOf"] = [*properties[name]["anyOf"], *SINCE_1970]
    _number_of(properties["value"]).update(exclusiveMinimum=-(10**WHOLE_DIGITS), exclusiveMaximum=10**WHOLE_DIGITS)
    properties["value"]["description"] += f" At most {DECIMAL_DIGITS} digits after the point."
    for other, name in SHOWN_NAMES.items():
        description = f"Another name of `{name}`: send one of them, or the same in both."
        properties[other] = deepcopy(properties[name]) | {"description": description}
    properties["data"]["description"] += " Its `value` is the activity's, if that has none."
    del schema["required"]
    schema |= _one_of_the_names(*TYPE_NAMES)
    said = "What a visitor did. What fields of other names hold is kept among the properties."
    return schema | {"title": "Activity", "description": said}


def _one_of_the_names(name: str, *others: str) -> dict[str, Any]:
    """Demand one of the names of a text field; with `anyOf`, generated clients would know no other field."""
    there = {"required": [name], "properties": {name: {"type": "string"}}}
    return {"if": {"not": there}, "then": _one_of_the_names(*others)} if others else there


def _number_of(value: dict[str, Any]) -> dict[str, Any]:
    (number,) = (kind for kind in value["anyOf"] if kind["type"] == "number")
    return cast("dict[str, Any]", number)


def _array(most: int) -> dict[str, Any]:
    """Describe an array as the door takes it: one record that can be taken is enough, the others are refused alone."""
    record = record_schema() | {"title": "ListedActivity"}  # generated clients have a class of each name
    anything = {"description": "Anything else is refused for itself, and costs the others nothing."}
    items = {"anyOf": [record, anything]}
    return {"type": "array", "items": items, "contains": record, "minItems": 1, "maxItems": most}


def _request(schema: dict[str, Any], **examples: Any) -> dict[str, Any]:
    shown = {name: {"value": value} for name, value in examples.items()}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema, "examples": shown}}}}
