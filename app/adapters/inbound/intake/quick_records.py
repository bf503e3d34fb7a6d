"""Records as most clients send them, read at once: canonical names and forms, parsed straight into columns.

Whatever is not as simple as that is left to `activity_input.py`, which says what everything means. What is read here
means the same there; `tests/unit/http/test_ingest_paths.py` compares them.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from app.adapters.inbound.intake.quick_columns import (
    Text,
    UnusualError,
    check_types,
    has_none,
    if_usual,
    instants,
    objects,
    text,
    texts,
    uuid,
    uuids,
)
from app.adapters.inbound.reading.activity_fields import LONGEST_ID
from app.adapters.inbound.reading.json_record import exact, is_read_as_sent
from app.adapters.inbound.reading.reading import USUAL_NAMES
from app.application.record_activities import SentColumns
from app.domain.activities import (
    DECIMAL_DIGITS,
    LONGEST_SOURCE,
    LONGEST_USER_ID,
    WHOLE_DIGITS,
)

_WHOLE = rf"[1-9][0-9]{{0,{WHOLE_DIGITS - 1}}}"
USUAL_NUMBER = re.compile(
    rf"(?:0|-?{_WHOLE}|-?(?:0|{_WHOLE})\.[0-9]{{1,{DECIMAL_DIGITS}}})".encode(), re.ASCII
).fullmatch
"""What is countable, and what Decimal writes as it was sent."""


NOTHING = (None,)
"""A column of one record that has no such field."""


class _Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An activity by its canonical names. Absent fields are told from null: they have no colon."""

    type: str
    id: Text = UNSET
    occurred_at: Text = UNSET
    source: Text = UNSET
    user_id: Text = UNSET
    value: msgspec.Raw | UnsetType = UNSET
    properties: dict[str, Any] | UnsetType | None = UNSET
    anonymous_id: Text = UNSET
    plan_id: Text = UNSET


_decode_one = msgspec.json.Decoder(_Record, float_hook=exact).decode
_decode = msgspec.json.Decoder(list[_Record], float_hook=exact).decode


class QuickRecords(NamedTuple):
    """What was read."""

    columns: SentColumns
    ids: Sequence[str] | None
    """UUIDs as they were sent, or were made of texts; None when nobody asks for them, or they are to be made yet."""
    texts: Sequence[str] | None = None
    """Ids that are texts, as they were sent, as JSON; None when they are none."""


def read_quickly(array: bytes, no_users: frozenset[str] = USUAL_NAMES.no_users) -> QuickRecords | None:
    """Read an array of usual records; None when there is anything else in it, or a user that is none."""
    return if_usual(array, lambda: _read(array, _decode(array), no_users))


def read_one_quickly(body: bytes, no_users: frozenset[str] = USUAL_NAMES.no_users) -> QuickRecords | None:
    """Read one usual record, as `read_quickly` reads an array of one: columns of one take no loops."""
    return if_usual(body, lambda: _read_one(body, _decode_one(body), no_users))


def read_lines_quickly(body: bytes, lines: Sequence[bytes], no_users: frozenset[str]) -> QuickRecords | None:
    """Read usual records, a line each, as `read_quickly` reads an array."""
    return if_usual(body, lambda: _read(body, [_decode_one(line) for line in lines], no_users))


def _read(sent: bytes, records: Sequence[_Record], no_users: frozenset[str]) -> QuickRecords | None:
    types, ids, times, sources, users, values, properties, visitors, plans = zip(*map(astuple, records), strict=True)
    if not is_read_as_sent(sent, records, properties):
        return None
    check_types(types)
    if not (no_users.isdisjoint(users) and no_users.isdisjoint(visitors)):
        return None
    if not has_none(plans):
        properties = _with_plans(properties, texts(plans, LONGEST_ID))
    columns = SentColumns(
        None if has_none(ids) else uuids(ids),
        types,
        instants(times),
        texts(sources, LONGEST_SOURCE),
        texts(users, LONGEST_USER_ID),
        [None] * len(types) if has_none(values) else [_value(raw) for raw in values],
        objects(properties),
        texts(visitors, LONGEST_USER_ID),
        [None] * len(types),
    )
    return QuickRecords(columns, None if columns.ids is None else ids)


def _read_one(sent: bytes, record: _Record, no_users: frozenset[str]) -> QuickRecords | None:
    properties = (record.properties,)
    if not is_read_as_sent(sent, (record,), properties):
        return None
    types, id_ = (record.type,), record.id
    check_types(types)
    if record.user_id in no_users or record.anonymous_id in no_users:
        return None
    if record.plan_id is not UNSET:
        properties = _with_plans(properties, (text(record.plan_id, LONGEST_ID),))
    columns = SentColumns(
        None if id_ is UNSET else uuid(id_),
        types,
        None if record.occurred_at is UNSET else instants((record.occurred_at,)),
        (text(record.source, LONGEST_SOURCE),),
        (text(record.user_id, LONGEST_USER_ID),),
        (_value(record.value),),
        NOTHING if properties[0] is UNSET else objects(properties),
        (text(record.anonymous_id, LONGEST_USER_ID),),
        NOTHING,
    )
    return QuickRecords(columns, None if columns.ids is None else (cast("str", id_),))


def _with_plans(properties: Sequence[Any], plans: Sequence[str | None]) -> tuple[Any, ...]:
    """Keep the ids of plans among the properties."""
    return tuple(
        held if plan is None else ({} if held is UNSET or held is None else held) | {"plan_id": plan}
        for held, plan in zip(properties, plans, strict=True)
    )


def _value(raw: msgspec.Raw | UnsetType) -> Decimal | None:
    if raw is UNSET:
        return None
    text = bytes(raw)
    if text == b"null":
        return None
    if USUAL_NUMBER(text) is None:
        raise UnusualError
    return Decimal(text.decode())
