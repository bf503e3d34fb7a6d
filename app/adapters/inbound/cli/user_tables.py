"""Users and keys for people."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.text import Text

from app.adapters.inbound.answering.key_answers import state_of
from app.adapters.inbound.cli.catalog_tables import at
from app.adapters.inbound.cli.listing import Cell, Listing
from app.domain.api_keys import ApiKey
from app.domain.users import User

STATES = {"live": "green", "expired": "yellow", "revoked": "red"}


def users_listing(users: Iterable[User]) -> Listing:
    """Who may use the service, and as what."""
    empty = "there are no users: `marquee users create USERNAME EMAIL` adds one"
    titles = ("id", "+username", "+email", "+name", "role", "active", "+created")
    return Listing(*titles, rows=map(_user, users), empty=empty)


def _user(user: User) -> Sequence[Cell]:
    active = "yes" if user.is_active else "deleted" if user.deleted_at else "no"
    name = user.full_name or "-"
    return str(user.user_id), user.username, user.email, name, user.role.value, active, at(user.created_at)


def keys_listing(who: str, keys: Iterable[ApiKey], now: datetime) -> Listing:
    """What keys somebody has."""
    empty = f"{who} has no keys: `marquee keys create {who}` makes one"
    titles = ("id", "+name", "state", "+created", "+expires", "+last used", "+pages of")
    return Listing(*titles, rows=(_key(key, state_of(key, now)) for key in keys), empty=empty)


def _key(key: ApiKey, state: str) -> Sequence[Cell]:
    times = (at(key.created_at), at(key.expires_at), at(key.last_used_at))
    pages = ", ".join(sorted(key.publishable.origins)) if key.publishable else "-"
    return key.key_id, key.name or "-", Text(state, STATES[state]), *times, pages
