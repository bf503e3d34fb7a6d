"""From a record as it was sent to its fields by their canonical names, and to what is left over."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from pydantic_core import PydanticCustomError

from app.adapters.inbound.reading.activity_names import CANONICAL, SINGLE, FieldNames, path_of
from app.adapters.inbound.reading.refusals import Problem, RefusedRecordError, pointer_to, shown
from app.adapters.inbound.reading.sent_ids import is_an_id, uuid_in
from app.adapters.inbound.reading.sent_instants import sent_instant
from app.domain.activity_ids import id_of_text

MOST_UNKNOWN = 10
"""Problems that one record has for unknown fields."""
USERS = ("user_id", "anonymous_id", "previous_id")
STATED = {"identify": "anonymous_id", "alias": "previous_id"}
"""What says who somebody is, and whose id it has beside the user's; without the two it is a type as any other."""

Record = dict[str, Any]
Mapped = tuple[tuple[str, ...], str, Any]
"""What a configuration maps: where it stood, the field, the value."""

_encode_sorted = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


class GivenFields(NamedTuple):
    """What a record gives."""

    fields: Record
    """By canonical names; ids are UUIDs where they can be, and no user is a placeholder."""
    ignored: list[str]
    """Names that mean nothing: what they hold is among the properties."""
    placeholders: list[str]
    """What was no user where one was expected."""
    sent_id: str | None
    """An id that is a text, as it was sent."""
    states: bool
    """Whether it says who somebody is; where one of the two is a placeholder it says nothing, and counts nothing."""


def fields_given(record: Record, names: FieldNames) -> GivenFields:
    """Find the fields of a record, which is not changed.

    Raises:
        RefusedRecordError: two names of one field say different things, or a name means nothing and may not be there.
    """
    others, mapped = _taken_out(record, names)
    fields, left = _by_canonical_names(others, mapped)
    data = next((value for _, field, value in mapped if field == "data"), others.get("data"))
    if type(data) is dict and fields.get("value") is None:
        fields["value"] = data.get("value")
    states = _states(fields)
    placeholders = _without_placeholders(fields, names)
    _settle_alias(fields, left, names.place_of(record, "previous_id"), states=states)
    if left and names.refuse_unknown:
        raise RefusedRecordError(*(_unknown(name, names) for name in list(left)[:MOST_UNKNOWN]))
    _keep(fields, [(field.removeprefix(SINGLE), value) for _, field, value in mapped if field.startswith(SINGLE)])
    _keep(fields, left.items())
    return GivenFields(fields, list(left), placeholders, _settle_id(fields), states)


def _taken_out(record: Record, names: FieldNames) -> tuple[Record, list[Mapped]]:
    mapped: list[Mapped] = []
    for name, field in names.mapping.items():
        path = path_of(record, name)
        if path:
            value, record = _without(record, path)
            mapped.append((path, field, value))
    return record, mapped


def _without(record: Record, path: tuple[str, ...]) -> tuple[Any, Record]:
    first, *rest = path
    others = dict(record)
    value = others.pop(first)
    if rest:
        value, inside = _without(value, tuple(rest))
        others |= {first: inside} if inside else {}
    return value, others


def _by_canonical_names(record: Record, mapped: list[Mapped]) -> tuple[Record, Record]:
    """Sort what a record holds into fields and what is left over; null is as good as absent."""
    fields: Record = {}
    left: Record = {}
    said_at: dict[str, tuple[str, ...]] = {}
    for path, field, value in _named(record, mapped):
        if field is None:
            if value is not None:
                left[path[0]] = value
        elif fields.get(field) is None:
            fields[field], said_at[field] = value, path
        elif value is not None and not _is_same(field, fields[field], value):
            raise RefusedRecordError(_ambiguous(field, said_at[field], path))
    return fields, left


def _named(record: Record, mapped: list[Mapped]) -> Iterator[tuple[tuple[str, ...], str | None, Any]]:
    for path, field, value in mapped:
        if not field.startswith(SINGLE):
            yield path, CANONICAL.get(field, field), value
    for name, value in record.items():
        yield (name,), CANONICAL.get(name), value


def _is_same(field: str, one: Any, other: Any) -> bool:
    """Tell whether two names of a field say the same, be it in different spelling."""
    if _encode_sorted(one) == _encode_sorted(other):
        return True
    if field in ("occurred_at", "sent_at"):
        try:
            return sent_instant(one) == sent_instant(other)
        except PydanticCustomError:
            return False
    if field == "id" and isinstance(one, str) and isinstance(other, str):
        return uuid_in(one) is not None and uuid_in(one) == uuid_in(other)
    return False


def _ambiguous(field: str, one: tuple[str, ...], other: tuple[str, ...]) -> Problem:
    first, second = (other, one) if other == (field,) else (one, other)
    said = f"{'.'.join(first)} and {'.'.join(second)} are two names of one field and differ here"
    return Problem("ambiguous_field", f"{said}: send one of them", pointer_to(second))


def _states(fields: Record) -> bool:
    other = STATED.get(type_) if isinstance(type_ := fields.get("type"), str) else None
    return other is not None and fields.get("user_id") is not None and fields.get(other) is not None


def _without_placeholders(fields: Record, names: FieldNames) -> list[str]:
    found = []
    for field in USERS:
        value = fields.get(field)
        if type(value) is str and value in names.no_users:
            fields[field] = None
            found.append(value)
    return found


def _settle_alias(fields: Record, left: Record, place: tuple[str, ...], *, states: bool) -> None:
    """Leave the other id of a user, which stood at a place, to an alias of that user alone.

    There it is in the place of a visitor's id.
    """
    if states and fields["type"] == "alias":
        if fields.get("anonymous_id") is not None:
            left["anonymous_id"] = fields.pop("anonymous_id")
    elif fields.get("previous_id") is not None:
        left[place[-1]] = fields.pop("previous_id")
    else:
        fields.pop("previous_id", None)


def _unknown(name: str, names: FieldNames) -> Problem:
    nearest = names.nearest(name)
    if nearest == name:
        return Problem("unknown_field", f"{shown(name)} means nothing in a record of this type", pointer_to([name]))
    hint = f"; did you mean {nearest}?" if nearest else ""
    return Problem("unknown_field", f"{shown(name)} is no field of an activity{hint}", pointer_to([name]))


def _keep(fields: Record, others: Any) -> None:
    """Put what is left over among the properties; a name that is taken there by something else gets a `_`."""
    properties = fields.get("properties")
    if not others or not (properties is None or type(properties) is dict):
        return
    kept = dict(properties or {})
    for name, value in others:
        if name in kept and _encode_sorted(kept[name]) == _encode_sorted(value):
            continue
        free = name
        while free in kept:
            free += "_"
        kept[free] = value
    fields["properties"] = kept


def _settle_id(fields: Record) -> str | None:
    """Make a UUID of an id that is a text; return the text."""
    text, source = fields.get("id"), fields.get("source")
    if type(text) is not str or not is_an_id(text) or not (source is None or type(source) is str):
        return None
    known = uuid_in(text)
    fields["id"] = known or id_of_text(source, text)
    return None if known else text
