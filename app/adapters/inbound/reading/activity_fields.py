"""The fields of an activity, by their canonical names: what each may hold, and the words in which it is refused."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, InstanceOf, PlainValidator, StringConstraints, TypeAdapter, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from app.adapters.inbound.reading.refusals import Problem, pointer_to, shown
from app.adapters.inbound.reading.sent_instants import sent_instant
from app.domain.activities import (
    ACTIVITY_TYPE,
    DECIMAL_DIGITS,
    LONGEST_SOURCE,
    LONGEST_USER_ID,
    RESERVED_TYPES,
    WHOLE_DIGITS,
    is_countable,
)

LONGEST_ID = 255

_text = "text of 1 to {} characters, none of them a control character".format
_instant = (
    "a date-time such as 2021-02-01T00:00:00Z, or the seconds (10 digits) or milliseconds (13 digits) since 1970".format
)
EXPECTED = {
    "id": f"a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057, or {_text(LONGEST_ID)}",
    "type": "a name of at most 100 of a-z 0-9 _ . - that begins with a letter, such as view or ticket.bought",
    "source": _text(LONGEST_SOURCE),
    "occurred_at": _instant(),
    "user_id": _text(LONGEST_USER_ID),
    "anonymous_id": _text(LONGEST_USER_ID),
    "value": f"a number below 10^{WHOLE_DIGITS} with at most {DECIMAL_DIGITS} digits after the point",
    "plan_id": _text(LONGEST_ID),
    "properties": "an object",
    "sent_at": _instant(),
    "previous_id": _text(LONGEST_USER_ID),
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
PlanReference = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=LONGEST_ID, pattern=PLAIN_TEXT)]
Id = Annotated[UUID, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_ID, "pattern": PLAIN_TEXT})]
Instant = Annotated[
    datetime,
    PlainValidator(sent_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-05T12:00:00Z"]}),
]
Number = Annotated[Decimal, PlainValidator(_number), WithJsonSchema({"type": "number"})]
JsonObject = Annotated[dict[str, Any], InstanceOf(), WithJsonSchema({"type": "object"})]


class ActivityFields(BaseModel):
    """An activity, by its canonical names."""

    id: Annotated[
        Id | None, Field(description="A UUID or any other text; absent: the service makes a UUID and returns it.")
    ] = None
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
    anonymous_id: Annotated[
        UserId | None, Field(description="Who it is as long as nobody knows whose it is: a visitor's id of a browser.")
    ] = None
    value: Annotated[
        Number | None, Field(description="What it is worth; summed exactly, with the digits that were sent.")
    ] = None
    plan_id: Annotated[
        PlanReference | None,
        Field(description="Which plan it is about; kept as the property of this name. Only a UUID counts for a plan."),
    ] = None
    properties: Annotated[JsonObject | None, Field(description="Anything else.")] = None


class UnusualFields(ActivityFields):
    """The same with the fields that few send."""

    sent_at: Annotated[
        Instant | None, Field(description="When it was sent, by the sender's clock: one that is off is corrected.")
    ] = None
    previous_id: Annotated[
        UserId | None, Field(description="Of the type `alias` with a `user_id`: the other id of that user.")
    ] = None


validate_usual = TypeAdapter(list[ActivityFields]).validator.validate_python
validate_unusual = TypeAdapter(list[UnusualFields]).validator.validate_python


def problem_of(detail: ErrorDetails, place: tuple[str, ...]) -> Problem:
    """Say what is wrong with the field at a place in one sentence about what the client has sent."""
    field = str(detail["loc"][1])
    code = CODES.get(detail["type"], detail["type"])
    if code == "string_pattern_mismatch":
        code = "invalid_type" if field == "type" else "control_character"
    found = "nothing" if code == "missing_field" else shown(detail["input"])
    message = f"expected {EXPECTED[field]}, found {found}"
    return Problem(code, f"{'.'.join(place)}: {message}", pointer_to(place))
