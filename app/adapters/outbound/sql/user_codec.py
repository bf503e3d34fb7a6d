"""How users are written: as a row of the table users, and as JSON in the outbox."""

from typing import Any

import msgspec
from sqlalchemy import Row

from app.adapters.outbound.sql.rows import columns_of, instant_of, microseconds
from app.domain.domain_events import USER_FACTS, UserFact, UserUpdated
from app.domain.users import User, folded

_CLASSES = {kind.name: kind for kind in USER_FACTS}


class _Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a domain event says beyond its kind, its id and its instant."""

    user: User
    fields: tuple[str, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Said).decode


def user_columns(user: User, *left_out: str) -> dict[str, Any]:
    """Write all columns but those that are left out."""
    return columns_of(user, *left_out) | {"username_key": folded(user.username), "email_key": folded(user.email)}


def outbox_columns(told: UserFact) -> dict[str, Any]:
    """Write all columns but the position."""
    fields = told.fields if isinstance(told, UserUpdated) else ()
    return {
        "event_id": told.event_id,
        "name": told.name,
        "subject": told.subject,
        "occurred_at": microseconds(told.occurred_at),
        "data": _encode(_Said(told.user, fields)).decode(),
    }


def told_of(row: Row[*tuple[Any, ...]]) -> UserFact:
    """Read a row with all columns of outbox."""
    said = _decode(row.data)
    kind = _CLASSES[row.name]
    extra = {"fields": said.fields} if kind is UserUpdated else {}
    return kind(event_id=row.event_id, occurred_at=instant_of(row.occurred_at), user=said.user, **extra)
