"""How the edge says single activities, in the words of the door and of exports."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


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
