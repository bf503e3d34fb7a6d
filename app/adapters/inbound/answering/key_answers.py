"""How the edge speaks of keys: the secret once, and never again. Of users `cloud_events.user_data` does."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from app.adapters.inbound.answering.answers import Answer, Instant, given, read_at
from app.application.manage_keys import NewKey
from app.domain.api_keys import SCANNER, ApiKey


class KeyAnswer(Answer):
    """A key, without its secret."""

    id: str = read_at("key_id", description="Its public part: a key is `mqk_`, this, and 38 more characters")
    name: str
    state: Literal["live", "expired", "revoked"] = given()
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None = Field(description="To the minute or so")


class NewKeyAnswer(KeyAnswer):
    """A key that was just made."""

    key: str = given(description="The whole key: shown here and never again", pattern=f"^{SCANNER.pattern}$")


def state_of(key: ApiKey, now: datetime) -> str:
    """Say in a word what a key is good for, as long as its user is active."""
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_live(now) else "expired"


def key_answer(key: ApiKey, now: datetime) -> dict[str, Any]:
    """Say everything of a key that may be shown."""
    return KeyAnswer.of(key, state=state_of(key, now))


def new_key_answer(made: NewKey) -> dict[str, Any]:
    """Say the same of a key that was just made, and show it whole."""
    return {"key": made.text, **key_answer(made.key, made.key.created_at)}
