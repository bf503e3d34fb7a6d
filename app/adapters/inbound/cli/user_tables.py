"""Users and keys for people."""

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text

from app.adapters.inbound.answering.key_answers import state_of
from app.adapters.inbound.cli.listing import Listing
from app.adapters.inbound.cli.tables import at
from app.domain.api_keys import ApiKey
from app.domain.users import User

STATES = {"live": "green", "expired": "yellow", "revoked": "red"}


def users_listing(users: Iterable[User]) -> Listing:
    """Who may use the service, and as what."""
    empty = "there are no users: `marquee users create USERNAME EMAIL` adds one"
    listing = Listing("id", "+username", "+email", "+name", "role", "active", "+created", empty=empty)
    for user in users:
        active = "yes" if user.is_active else "deleted" if user.deleted_at else "no"
        name = user.full_name or "-"
        listing.add(str(user.user_id), user.username, user.email, name, user.role.value, active, at(user.created_at))
    return listing


def keys_listing(who: str, keys: Iterable[ApiKey], now: datetime) -> Listing:
    """What keys somebody has."""
    empty = f"{who} has no keys: `marquee keys create {who}` makes one"
    listing = Listing("id", "+name", "state", "+created", "+expires", "+last used", empty=empty)
    for key in keys:
        state = state_of(key, now)
        cells = (at(key.created_at), at(key.expires_at), at(key.last_used_at))
        listing.add(key.key_id, key.name or "-", Text(state, STATES[state]), *cells)
    return listing
