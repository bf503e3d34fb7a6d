"""How the edge speaks of keys: the secret once, and never again. Of users `cloud_events.user_data` does."""

from datetime import datetime
from typing import Any

from app.adapters.inbound.answering.answers import instant
from app.application.manage_keys import NewKey
from app.domain.api_keys import ApiKey


def state_of(key: ApiKey, now: datetime) -> str:
    """Say in a word what a key is good for, as long as its user is active."""
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_live(now) else "expired"


def key_answer(key: ApiKey, now: datetime) -> dict[str, Any]:
    """Say everything of a key that may be shown."""
    return {
        "id": key.key_id,
        "name": key.name,
        "state": state_of(key, now),
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "revoked_at": instant(key.revoked_at),
        "last_used_at": instant(key.last_used_at),
    }


def new_key_answer(made: NewKey) -> dict[str, Any]:
    """Say the same of a key that was just made, and show it whole."""
    return {"key": made.text, **key_answer(made.key, made.key.created_at)}
