"""What the catalog's routes answer, for /openapi.json; `answering/answers.py` makes it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.domain.feeds import RejectionReason
from app.domain.sync_runs import SyncOutcome

LocalTime = Annotated[
    str, Field(description="On the provider's clock, without an offset", examples=["2021-06-30T21:00:00"])
]


class ZoneAnswer(BaseModel):
    """A part of the venue with one price; ids are not unique within a plan."""

    zone_id: str
    capacity: int = Field(description="Tickets left; 0 is sold out")
    price: float
    name: str
    numbered: bool


class PlanDetailsAnswer(BaseModel):
    """Everything known of a plan."""

    id: UUID
    provider: str
    base_id: str
    item_id: str
    title: str
    sell_mode: str
    organizer_id: str | None
    timezone: str = Field(description="The zone of the times without an offset")
    starts: LocalTime
    ends: LocalTime
    starts_at: datetime
    ends_at: datetime
    sell_from: LocalTime | None
    sell_to: LocalTime | None
    sold_out: bool
    min_price: float | None
    max_price: float | None
    zones: list[ZoneAnswer]
    in_feed: bool = Field(description="Whether its provider sells it still")
    searchable: bool = Field(description="Whether `GET /search` finds it")
    first_seen_at: datetime
    last_seen_at: datetime | None
    withdrawn_at: datetime | None


class PlanStateAnswer(PlanDetailsAnswer):
    """A state that a plan was known in, and the change that brought it."""

    at: datetime = Field(description="When it became known")
    kinds: list[str] = Field(description="What happened", examples=[["changed"]])
    run_id: str


class RunAnswer(BaseModel):
    """One run of a provider's sync."""

    run_id: str
    provider: str
    started_at: datetime
    took: float = Field(description="Seconds")
    outcome: SyncOutcome
    dry_run: bool
    reason: str | None = Field(description="Why it failed, was held, was skipped or is incomplete")
    bytes: int
    records: int
    changes: dict[str, int] = Field(description="Plans per kind of change")
    waiting: dict[str, int] = Field(description="Plans per kind of change that wait for an approval")
    held_for: list[str]
    rejected: int
    rejected_for: dict[str, int]
    ignored: dict[str, int]


class CircuitAnswer(BaseModel):
    """The circuit breaker of a provider."""

    state: str = Field(examples=["closed", "half-open", "open"])
    failures: int
    reason: str | None


class ProviderAnswer(BaseModel):
    """A configured provider and how it fares."""

    name: str
    kind: str
    url: str | None
    timezone: str | None
    interval: float = Field(description="Seconds between syncs")
    enabled: bool
    trouble: str | None = Field(description="Why it cannot be synced as it is configured")
    last_good_sync_at: datetime | None
    waiting_for_approval: bool
    circuit: CircuitAnswer
    last_run: RunAnswer | None


class RejectionAnswer(BaseModel):
    """A record of a feed that could not be used."""

    reason: RejectionReason
    message: str = Field(description="What was found and what was expected")
    line: int = Field(description="The line of the feed, from 1; 0 when the source has no lines")
    base_id: str | None
    item_id: str | None
    source: str = Field(description="The record as the feed has it, cut to 2,000 characters")


class RequestedSyncAnswer(BaseModel):
    """A sync that the scheduler was asked for."""

    run_id: str
    runs: str = Field(description="Where its report will stand", examples=["/catalog/providers/demo/runs"])
