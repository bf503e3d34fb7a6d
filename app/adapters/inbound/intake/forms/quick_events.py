"""Batches of CloudEvents as most clients send them, read straight into columns; `cloud_events.py` says what they mean.

`tests/unit/forms/test_quick_forms.py` compares the two.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from app.adapters.inbound.intake.quick_columns import (
    Text,
    UnusualError,
    check_types,
    if_usual,
    instants,
    json_texts,
    numbers,
    objects,
    texts,
)
from app.adapters.inbound.intake.quick_records import QuickRecords
from app.adapters.inbound.reading.activity_fields import LONGEST_ID
from app.adapters.inbound.reading.json_record import exact, is_read_as_sent
from app.adapters.inbound.reading.sent_ids import ids_of_texts
from app.application.record_activities import SentColumns
from app.domain.activities import LONGEST_SOURCE, LONGEST_USER_ID


class _Event(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event without extensions but that of unknown visitors, whose data is an object."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: Text = UNSET
    subject: Text = UNSET
    datacontenttype: Literal["application/json"] | UnsetType = UNSET
    data: dict[str, Any] | UnsetType | None = UNSET
    anonymousid: Text = UNSET


_decode = msgspec.json.Decoder(list[_Event], float_hook=exact).decode


def read_events_quickly(array: bytes, no_users: frozenset[str]) -> QuickRecords | None:
    """Read an array of usual events, whose subject is the user; None when there is anything else in it."""
    return if_usual(array, lambda: _read(array, _decode(array), no_users))


def _read(sent: bytes, events: Sequence[_Event], no_users: frozenset[str]) -> QuickRecords | None:
    _, ids, sources, types, times, users, _, data, visitors = zip(*map(astuple, events), strict=True)
    if not is_read_as_sent(sent, events, data):
        return None
    check_types(types)
    if not (no_users.isdisjoint(users) and no_users.isdisjoint(visitors)):
        return None
    if "" in ids or max(map(len, ids)) > LONGEST_ID or not all(sources):
        raise UnusualError
    written, made = json_texts(ids), ids_of_texts(sources, ids)
    columns = SentColumns(
        b"".join([id_.bytes for id_ in made]),
        types,
        instants(times),
        texts(sources, LONGEST_SOURCE),
        texts(users, LONGEST_USER_ID),
        numbers([one.get("value") if one else None for one in data]),
        objects(data),
        texts(visitors, LONGEST_USER_ID),
        [f'{{"id":{id_}}}' for id_ in written],
    )
    return QuickRecords(columns, [*map(str, made)], written)
