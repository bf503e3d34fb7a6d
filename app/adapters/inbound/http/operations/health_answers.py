"""What the health routes answer, for /openapi.json; `health_router.py` makes it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class LiveAnswer(BaseModel):
    """The process can answer."""

    status: Literal["live"]


class ReadyAnswer(BaseModel):
    """Whether the process has an index."""

    status: Literal["ready", "loading"]


class SearchHealth(BaseModel):
    """The index of this process."""

    ready: bool
    plans: int = Field(description="That search may find")


class HistoryHealth(BaseModel):
    """The database."""

    up: bool
    reason: str | None


class StoreHealth(HistoryHealth):
    """Redis."""

    seen_at: datetime | None = Field(description="When it was reached last")


class QueueHealth(BaseModel):
    """Activities that wait to be stored."""

    backlog: int
    oldest_pending: float = Field(description="Seconds")
    dead_letters: int
    workers: int


class StatsHealth(BaseModel):
    """The figures."""

    trouble: str | None


class ProviderHealth(BaseModel):
    """A provider's syncs."""

    name: str
    enabled: bool
    last_good_sync_at: datetime | None
    age: float | None = Field(description="Seconds since then")
    last_outcome: str | None
    reason: str | None
    waiting_for_approval: bool
    circuit: str


class HealthAnswer(BaseModel):
    """How the service fares: the status alone, or to those who may know it all of this."""

    status: Literal["ok", "degraded"]
    search: SearchHealth | None = None
    store: StoreHealth | None = None
    history: HistoryHealth | None = None
    activities: QueueHealth | None = None
    stats: StatsHealth | None = None
    providers: list[ProviderHealth] | None = None
    tzdata: str | None = Field(None, description="The time zone rules in use", examples=["2026.1"])
