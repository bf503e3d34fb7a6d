"""Batches of calls as Segment's libraries send them, read straight into columns; `segment.py` says what they mean.

`tests/unit/forms/test_quick_forms.py` compares the two.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from app.adapters.inbound.intake.forms.segment import VIEWS
from app.adapters.inbound.intake.forms.type_names import type_of_name
from app.adapters.inbound.intake.quick_columns import (
    ID_LENGTH,
    Text,
    UnusualError,
    has_none,
    if_usual,
    instants,
    json_texts,
    numbers,
    objects,
    texts,
    uuids,
)
from app.adapters.inbound.intake.quick_records import QuickRecords
from app.adapters.inbound.reading.activity_fields import LONGEST_ID
from app.adapters.inbound.reading.json_record import exact, is_read_as_sent
from app.adapters.inbound.reading.sent_ids import ids_of_texts
from app.application.record_activities import SentColumns
from app.domain.activities import LONGEST_SOURCE, LONGEST_USER_ID

_NAMES = {"message_id": "messageId", "user_id": "userId", "anonymous_id": "anonymousId", "metadata": "_metadata"}
_Plain = str | int | bool | None
_Said = dict[str, _Plain | dict[str, _Plain]] | UnsetType | None
"""What libraries say: never deep, and hardly with a fraction, of which the digits would be lost here."""
_KEPT = ("context", "integrations", "_metadata", "name", "category")
UUID_LENGTHS = (32, 36, 38, 45)
"""Characters that its spellings have."""


class _Call(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename=_NAMES):
    """A call that is an activity, with what libraries say beside it."""

    type: Literal["track", "page", "screen"]
    event: Text = UNSET
    message_id: Text = UNSET
    timestamp: Text = UNSET
    user_id: Text = UNSET
    anonymous_id: Text = UNSET
    channel: Text = UNSET
    properties: dict[str, Any] | UnsetType | None = UNSET
    context: _Said = UNSET
    integrations: _Said = UNSET
    metadata: _Said = UNSET
    name: Text = UNSET
    category: Text = UNSET


_decode = msgspec.json.Decoder(list[_Call], float_hook=exact).decode


def read_calls_quickly(array: bytes, no_users: frozenset[str]) -> QuickRecords | None:
    """Read an array of usual calls; None when there is anything else in it, or a user that is none."""
    return if_usual(array, lambda: _read(array, _decode(array), no_users))


def _read(sent: bytes, calls: Sequence[_Call], no_users: frozenset[str]) -> QuickRecords | None:
    kinds, names, ids, times, users, visitors, channels, given, *others = zip(*map(astuple, calls), strict=True)
    if not is_read_as_sent(sent, calls, given):
        return None
    if not (no_users.isdisjoint(users) and no_users.isdisjoint(visitors)):
        return None
    types = [_type(kind, name) for kind, name in zip(kinds, names, strict=True)]
    sources = texts(channels, LONGEST_SOURCE)
    raw, written = _ids(ids, sources)
    columns = SentColumns(
        raw,
        types,
        instants(times),
        sources,
        texts(users, LONGEST_USER_ID),
        numbers([_worth(one) if one else None for one in given]),
        objects(_kept(given, others)),
        texts(visitors, LONGEST_USER_ID),
        _origins(written, [_noted(kind, name) for kind, name in zip(kinds, names, strict=True)]),
    )
    return QuickRecords(columns, None if raw is None or written else ids, written)


def _type(kind: str, name: Text) -> str:
    if kind != "track":
        return VIEWS[kind]
    if type(name) is not str or not name.strip():
        raise UnusualError
    return type_of_name(name)


def _ids(given: Sequence[Any], sources: Sequence[str | None]) -> tuple[bytes | None, list[str] | None]:
    """Make ids of what calls are called, and write that as JSON where it is text."""
    if has_none(given):
        return None, None
    if UNSET in given or None in given:
        raise UnusualError
    lengths = set(map(len, given))
    if lengths == {ID_LENGTH}:
        return uuids(given), None
    if not lengths.isdisjoint(UUID_LENGTHS) or " " in "".join(given):  # with blanks around it, it may have any length
        raise UnusualError
    texts(given, LONGEST_ID)
    return b"".join([id_.bytes for id_ in ids_of_texts(sources, given)]), json_texts(given)


def _worth(properties: dict[str, Any]) -> Any:
    revenue = properties.get("revenue")
    return properties.get("value") if revenue is None else revenue


def _kept(given: Sequence[Any], others: Sequence[Sequence[Any]]) -> list[dict[str, Any] | None]:
    """Put what is said beside the properties among them; a name that is taken there takes a closer look."""
    kept = [{**one} if one else {} for one in given]
    for name, column in zip(_KEPT, others, strict=True):
        if not has_none(column):
            for one, said in zip(kept, column, strict=True):
                if (said or said == "") and one.setdefault(name, said) != said:
                    raise UnusualError
    return [one or None for one in kept]


@lru_cache(maxsize=4096)
def _noted(kind: str, name: Text) -> str | None:
    """Write the name of a call as JSON, where it is not its type."""
    if kind != "track" or type(name) is not str or type_of_name(name) == name:
        return None
    return json_texts([name])[0]


def _origins(ids: Sequence[str] | None, names: Iterable[str | None]) -> list[str | None]:
    if ids is None:
        return [None if name is None else f'{{"type":{name}}}' for name in names]
    noted = zip(ids, names, strict=True)
    return [f'{{"id":{id_}}}' if name is None else f'{{"id":{id_},"type":{name}}}' for id_, name in noted]
