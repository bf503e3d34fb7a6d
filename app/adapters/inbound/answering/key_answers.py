"""How the edge speaks of keys: the secret once, and never again. Of users `cloud_events.user_data` does."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from app.adapters.inbound.answering.answers import Answer, Instant, given, read_at
from app.application.manage_keys import NewKey
from app.domain.api_keys import KEY, ApiKey


class KeyAnswer(Answer):
    """A key, without its secret."""

    id: str = read_at("key_id", description="Its public part: a key is `mqk_` or `mqp_`, this, and 38 more characters")
    name: str
    state: Literal["live", "expired", "revoked"] = given()
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None = Field(description="To the minute or so")
    publishable: Annotated[bool, BeforeValidator(bool)] = Field(
        description="Whether it is no secret: it posts activities of pages of `origins`, and nothing else"
    )
    origins: list[str] = given(description="Of the pages that may post with it; `*` is any")
    types: list[str] = given(description="The only types that it may post; none: any")


class NewKeyAnswer(KeyAnswer):
    """A key that was just made."""

    key: str = given(description="The whole key: shown here and never again", pattern=f"^{KEY.pattern}$")


def state_of(key: ApiKey, now: datetime) -> str:
    """Say in a word what a key is good for, as long as its user is active."""
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_live(now) else "expired"


def key_answer(key: ApiKey, now: datetime) -> dict[str, Any]:
    """Say everything of a key that may be shown."""
    may = key.publishable
    return KeyAnswer.of(
        key,
        state=state_of(key, now),
        origins=sorted(may.origins) if may else [],
        types=sorted(may.types) if may and may.types else [],
    )


def new_key_answer(made: NewKey) -> dict[str, Any]:
    """Say the same of a key that was just made, and show it whole."""
    return {"key": made.text, **key_answer(made.key, made.key.created_at)}
