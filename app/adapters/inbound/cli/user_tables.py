"""Users and keys for people."""

from collections.abc import Iterable
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from app.adapters.inbound.cli.tables import at
from app.adapters.inbound.key_answers import state_of
from app.domain.api_keys import ApiKey
from app.domain.users import User

STATES = {"live": "green", "expired": "yellow", "revoked": "red"}


def users_table(users: Iterable[User]) -> Table:
    """Who may use the service, and as what."""
    table = _table("id", "username", "email", "name", "role", "active", "created")
    for user in users:
        active = "yes" if user.is_active else "deleted" if user.deleted_at else "no"
        cells = (str(user.user_id), user.username, user.email, user.full_name or "-", user.role.value, active)
        table.add_row(*map(escape, cells), at(user.created_at))
    return table


def keys_table(keys: Iterable[ApiKey], now: datetime) -> Table:
    """What keys somebody has."""
    table = _table("id", "name", "state", "created", "expires", "last used")
    for key in keys:
        state = state_of(key, now)
        cells = (at(key.created_at), at(key.expires_at), at(key.last_used_at))
        table.add_row(key.key_id, escape(key.name or "-"), f"[{STATES[state]}]{state}[/]", *cells)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in ("name", "email"))
    return table
