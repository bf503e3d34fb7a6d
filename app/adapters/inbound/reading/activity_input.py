"""One activity in the words of every client that sends one: names and forms of its fields, for HTTP and for files."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
from pydantic import (
    BaseModel,
    Field,
    InstanceOf,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from app.adapters.formats.iso_8601 import DATE, TIME_OF_DAY
from app.adapters.inbound.reading.instants import InvalidDateTimeError, read_instant
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to, shown
from app.application.record_activities import SentActivity
from app.domain.activities import (
    ACTIVITY_TYPE,
    DECIMAL_DIGITS,
    LONGEST_SOURCE,
    LONGEST_USER_ID,
    RESERVED_TYPES,
    WHOLE_DIGITS,
    is_countable,
)

OTHER_NAMES = {"event_id": "id", "event_type": "type", "timestamp": "occurred_at", "data": "properties"}
"""What fields may be called too. `data.value`, besides, is the `value` of a record that has none."""

EXPECTED = {
    "id": "a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057",
    "type": "a name of at most 100 of a-z 0-9 _ . - that begins with a letter, such as view or ticket.bought",
    "source": f"text of 1 to {LONGEST_SOURCE} characters, none of them a control character",
    "occurred_at": "a date-time such as 2021-02-01T00:00:00Z",
    "user_id": f"text of 1 to {LONGEST_USER_ID} characters, none of them a control character",
    "value": f"a number below 10^{WHOLE_DIGITS} with at most {DECIMAL_DIGITS} digits after the point",
    "properties": "an object",
}
CODES = {
    "missing": "missing_field",
    "uuid_parsing": "invalid_id",
    "uuid_type": "wrong_type",
    "string_type": "wrong_type",
    "is_instance_of": "wrong_type",
    "string_too_short": "empty",
    "string_too_long": "too_long",
}
"""Ours for those of pydantic; all others that occur here are ours already."""

USUAL_INSTANT = re.compile(rf"{DATE}[T ]{TIME_OF_DAY}(?:\.\d{{3,6}})?(?:Z|\+00:00)?", re.ASCII).fullmatch
"""What is UTC, and what `datetime` reads by itself."""


def _instant(given: Any) -> datetime:
    if not isinstance(given, str):
        raise PydanticCustomError("wrong_type", "not of the form")
    try:
        if USUAL_INSTANT(given):
            return datetime.fromisoformat(given).replace(tzinfo=UTC)
        return read_instant("", given, UTC).astimezone(UTC)
    except (InvalidDateTimeError, ValueError, OverflowError):
        raise PydanticCustomError("invalid_date_time", "not of the form") from None


def _number(given: Any) -> Decimal:
    if type(given) is not int and type(given) is not Decimal:
        raise PydanticCustomError("wrong_type", "not of the form")
    number = Decimal(given)
    if not is_countable(number):
        raise PydanticCustomError("value_out_of_range", "not of the form")
    return number


# Rust's regular expressions decide: a call into Python for each field costs as much as all of them.
PLAIN_TEXT = r"^[^\x00-\x1f\x7f-\x9f]*$"
Source = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_SOURCE, pattern=PLAIN_TEXT)]
UserId = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_USER_ID, pattern=PLAIN_TEXT)]
Instant = Annotated[
    datetime,
    PlainValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-05T12:00:00Z"]}),
]
Number = Annotated[Decimal, PlainValidator(_number), WithJsonSchema({"type": "number"})]
JsonObject = Annotated[dict[str, Any], InstanceOf(), WithJsonSchema({"type": "object"})]


class ActivityFields(BaseModel):
    """An activity, by its canonical names. Fields with other names are ignored."""

    id: Annotated[UUID | None, Field(description="Any UUID; absent: the service makes one and returns it.")] = None
    type: Annotated[
        str,
        Field(description=f"What was done. Reserved: {', '.join(sorted(RESERVED_TYPES))}."),
        StringConstraints(strict=True, pattern=f"^{ACTIVITY_TYPE.pattern}$"),
        WithJsonSchema({"type": "string", "pattern": f"^{ACTIVITY_TYPE.pattern}$", "examples": ["view"]}),
    ]
    occurred_at: Annotated[
        Instant | None, Field(description="RFC 3339; without an offset it is UTC; absent: now; at most 1 hour ahead.")
    ] = None
    source: Annotated[Source | None, Field(description="Where it comes from, such as web.")] = None
    user_id: Annotated[UserId | None, Field(description="Whose it is.")] = None
    value: Annotated[
        Number | None, Field(description="What it is worth; summed exactly, with the digits that were sent.")
    ] = None
    properties: Annotated[JsonObject | None, Field(description="Anything else.")] = None


_validate = ActivityFields.__pydantic_validator__.validate_python
_validate_all = TypeAdapter(list[ActivityFields]).validator.validate_python
_encode = msgspec.json.Encoder(decimal_format="number").encode
_new = tuple.__new__
_encode_sorted = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


def read_activity(record: dict[str, Any]) -> SentActivity:
    """Read a record as it was parsed from JSON, with Decimals for numbers that are no integers. It is not changed.

    Raises:
        RefusedRecordError: it breaks a rule; a problem for each field that does.
    """
    try:
        found = _validate(_by_canonical_names(record))
    except ValidationError as error:
        problems = (_problem(detail, record) for detail in error.errors(include_url=False, include_context=True))
        raise RefusedRecordError(*problems) from None
    if found.type in RESERVED_TYPES:
        raise RefusedRecordError(_reserved(found.type, record))
    return _sent(found)


def read_activities(records: list[dict[str, Any]]) -> list[SentActivity] | None:
    """Read many at once, as `read_activity` reads each; None when one of them breaks a rule."""
    try:
        found = _validate_all([_by_canonical_names(record) for record in records])
    except (ValidationError, RefusedRecordError):
        return None
    if not RESERVED_TYPES.isdisjoint([fields.type for fields in found]):
        return None
    return [_sent(fields) for fields in found]


def _sent(found: ActivityFields) -> SentActivity:
    properties = None if found.properties is None else _encode(found.properties).decode()
    fields = (found.id, found.type, found.occurred_at, found.source, found.user_id, found.value, properties)
    return _new(SentActivity, fields)  # without SentActivity's own __new__, which takes as long as all the rest


def place_of(record: dict[str, Any], field: str) -> tuple[str, ...]:
    """Tell by which name, or names inside each other, a record gives a field."""
    if record.get(field) is not None:
        return (field,)
    data = record.get("data")
    if field == "value" and isinstance(data, dict) and data.get("value") is not None:
        return ("data", "value")
    for other, name in OTHER_NAMES.items():
        if name == field and other in record:
            return (other,)
    return (field,)


def _by_canonical_names(record: dict[str, Any]) -> dict[str, Any]:
    if not ("data" in record or "event_type" in record or "event_id" in record or "timestamp" in record):
        return record
    given = dict(record)
    for other, name in OTHER_NAMES.items():
        value = given.pop(other, None)
        if value is None:
            continue
        if given.get(name) is None:
            given[name] = value
        elif _encode_sorted(given[name]) != _encode_sorted(value):
            message = f"{name} and {other} are two names of one field and differ here: send one of them"
            raise RefusedRecordError(Problem("ambiguous_field", message, pointer_to([other])))
    data = record.get("data")
    if type(data) is dict and given.get("value") is None:
        given["value"] = data.get("value")
    return given


def _reserved(type_: str, record: dict[str, Any]) -> Problem:
    place = place_of(record, "type")
    message = f"{type_!r} is the name of a question to the stats; choose another one"
    return Problem("reserved_type", f"{place[0]}: {message}", pointer_to(place))


def _problem(detail: ErrorDetails, record: dict[str, Any]) -> Problem:
    """Say it in one sentence about what the client has sent."""
    field = str(detail["loc"][0])
    place = place_of(record, field)
    code = CODES.get(detail["type"], detail["type"])
    if code == "string_pattern_mismatch":
        code = "invalid_type" if field == "type" else "control_character"
    found = "nothing" if code == "missing_field" else shown(detail["input"])
    message = f"expected {EXPECTED[field]}, found {found}"
    return Problem(code, f"{'.'.join(place)}: {message}", pointer_to(place))
