"""One activity in the words of every client that sends one, for HTTP, brokers and files."""

from operator import itemgetter
from typing import Any

import msgspec
from pydantic import ValidationError

from app.adapters.inbound.reading.activity_fields import (
    ActivityFields,
    UnusualFields,
    problem_of,
    validate_unusual,
    validate_usual,
)
from app.adapters.inbound.reading.given_fields import GivenFields, fields_given
from app.adapters.inbound.reading.reading import Reading
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to
from app.application.record_activities import SentActivity
from app.domain.activities import ALIAS, IDENTIFY, RESERVED_TYPES, with_origin
from app.domain.sender_clocks import is_off, right_instant

MAY_STATE = frozenset({"identify", "alias"})
"""Types of records that may say who somebody is."""
UNUSUAL_TYPES = RESERVED_TYPES | MAY_STATE

Record = dict[str, Any]

_encode = msgspec.json.Encoder(decimal_format="number").encode
_new = tuple.__new__
_type, _user, _visitor = map(itemgetter, map(SentActivity._fields.index, ("type", "user_id", "anonymous_id")))


def read_activity(record: Record, reading: Reading) -> SentActivity:
    """Read a record as it was parsed from JSON, with Decimals for numbers that are no integers. It is not changed.

    Raises:
        RefusedRecordError: it breaks a rule; a problem for each field that does.
    """
    given = fields_given(record, reading.names)
    try:
        (found,) = validate_unusual([given.fields])
    except ValidationError as error:
        problems = (
            problem_of(detail, reading.names.place_of(record, str(detail["loc"][1])))
            for detail in error.errors(include_url=False, include_context=True)
        )
        raise RefusedRecordError(*problems) from None
    if found.type in RESERVED_TYPES:
        raise RefusedRecordError(_reserved(found.type, reading.names.place_of(record, "type")))
    return _settled(found, given, reading)


def read_activities(records: list[Record], reading: Reading) -> list[SentActivity] | None:
    """Read many at once, as `read_activity` reads each; None when one of them breaks a rule."""
    if not reading.is_off and reading.names.usual.issuperset(set[str]().union(*records)):
        found = _usual(records, reading)
        if found is not None:
            return found
    return _unusual(records, reading)


def _usual(records: list[Record], reading: Reading) -> list[SentActivity] | None:
    """Read records in which nothing has to be looked at; None when something has."""
    try:
        sent = [_sent(fields) for fields in validate_usual(records)]
    except ValidationError:
        return None
    no_users = reading.names.no_users
    if not UNUSUAL_TYPES.isdisjoint(map(_type, sent)):
        return None
    return sent if no_users.isdisjoint(map(_user, sent)) and no_users.isdisjoint(map(_visitor, sent)) else None


def _unusual(records: list[Record], reading: Reading) -> list[SentActivity] | None:
    try:
        given = [fields_given(record, reading.names) for record in records]
        found = validate_unusual([one.fields for one in given])
    except (ValidationError, RefusedRecordError):
        return None
    if not RESERVED_TYPES.isdisjoint([fields.type for fields in found]):
        return None
    return [_settled(fields, one, reading) for fields, one in zip(found, given, strict=True)]


def _sent(found: ActivityFields) -> SentActivity:
    held = found.properties
    if found.plan_id is not None:
        held = (held or {}) | {"plan_id": found.plan_id}
    properties = None if held is None else _encode(held).decode()
    begin = (found.id, found.type, found.occurred_at, found.source, found.user_id, found.value)
    fields = (*begin, properties, found.anonymous_id, None)
    return _new(SentActivity, fields)  # without SentActivity's own __new__, which takes as long as all the rest


def _settled(found: UnusualFields, given: GivenFields, reading: Reading) -> SentActivity:
    """Make the activity of a record that is taken, and note what was noticed."""
    if given.ignored:
        reading.ignore(given.ignored)
    reading.placeholders.update(given.placeholders)
    sent = _sent(found)
    if given.sent_id is not None and found.id is not None:
        reading.sent_ids[found.id] = given.sent_id
        sent = sent._replace(origin=with_origin(None, id=given.sent_id))
    if given.states and found.type == "alias":
        sent = sent._replace(type=ALIAS, anonymous_id=found.previous_id)
    elif given.states:
        sent = sent._replace(type=IDENTIFY)
    return _by_our_clock(sent, found, given, reading)


def _by_our_clock(sent: SentActivity, found: UnusualFields, given: GivenFields, reading: Reading) -> SentActivity:
    """Correct an instant by a sender's clock that is off, and keep both."""
    sent_at, received_at = found.sent_at or reading.sent_at, reading.received_at
    if sent_at is None or received_at is None or not is_off(sent_at, received_at):
        return sent
    noted = {"sent_at": sent_at.isoformat(), "received_at": received_at.isoformat()}
    if sent.occurred_at is None:
        return sent._replace(origin=with_origin(sent.origin, **noted))
    at = right_instant(sent.occurred_at, sent_at, received_at)
    if at != sent.occurred_at:
        noted["occurred_at"] = str(given.fields["occurred_at"])
    return sent._replace(occurred_at=at, origin=with_origin(sent.origin, **noted))


def _reserved(type_: str, place: tuple[str, ...]) -> Problem:
    message = f"{type_!r} is the name of a question to the stats; choose another one"
    return Problem("reserved_type", f"{'.'.join(place)}: {message}", pointer_to(place))
