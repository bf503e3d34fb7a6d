"""How the edge says single activities, in the words of the door and of exports."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from app.domain.activities import Activity


class ActivityAnswer(BaseModel):
    """An activity that was stored."""

    id: UUID
    type: str = Field(description="`$identify`, `$alias` and `$group` say who somebody is", examples=["view"])
    occurred_at: datetime
    source: str | None
    user_id: str | None
    anonymous_id: str | None
    value: float | None = Field(description="With the digits that were sent")
    properties: dict[str, Any] | None
    origin: dict[str, Any] | None = Field(description="What is kept of how it came, where that differs")


def activity_answer(activity: Activity) -> dict[str, Any]:
    """Say all of it."""
    return {
        "id": str(activity.activity_id),
        "type": activity.type,
        "occurred_at": activity.occurred_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "source": activity.source,
        "user_id": activity.user_id,
        "anonymous_id": activity.anonymous_id,
        "value": activity.value,
        "properties": _raw(activity.properties),
        "origin": _raw(activity.origin),
    }


def _raw(written: str | None) -> msgspec.Raw | None:
    return None if written is None else msgspec.Raw(written.encode())
