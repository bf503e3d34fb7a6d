"""How the edge says what the core knows: in words that stay, for HTTP, `--json` and /openapi.json.

One model says of an answer what it is, where each field is read, and in which words: by pydantic.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from app.adapters.formats.iso_8601 import rfc_3339
from app.application.ports.history import PastState
from app.application.restore_catalog import Restoration
from app.domain.feeds import RejectionReason
from app.domain.sync_runs import SyncOutcome


def instant(at: datetime | None) -> str | None:
    """RFC 3339, UTC, with milliseconds; of none, none."""
    return rfc_3339(at) if at else None


Instant = Annotated[str, BeforeValidator(rfc_3339), WithJsonSchema({"type": "string", "format": "date-time"})]
WallClock = Annotated[str, BeforeValidator(datetime.isoformat)]
"""A provider's own clock: no offset."""
LocalTime = Annotated[
    WallClock,
    Field(description="On the provider's clock, without an offset", examples=["2021-06-30T21:00:00"]),
]
Amount = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""A number with the digits that went in."""


def rounded(digits: int) -> AfterValidator:
    """Round a number to so many digits after the point."""
    return AfterValidator(lambda exact: round(exact, digits))


def without_defaults(schema: dict[str, Any]) -> None:
    """Say nothing in a document of a default that is none to whoever reads it."""
    for field in schema["properties"].values():
        field.pop("default", None)


def given(**more: Any) -> Any:
    """Read a field nowhere: whoever answers says it."""
    return Field(None, **more)


def read_at(path: str, **more: Any) -> Any:
    """Read a field elsewhere than from the attribute of its name; a `default` is for a path that leads nowhere."""
    first, *steps = path.split(".")
    return Field(validation_alias=AliasPath(first, *(int(one) if one.isdigit() else one for one in steps)), **more)


class Answer(BaseModel):
    """What is said of something that the core knows, field by field read from its attributes."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True, json_schema_extra=without_defaults
    )

    @classmethod
    def of(cls, known: object, **given: Any) -> dict[str, Any]:
        """Say it, in plain values that `render_json` and `print_json` take; `given` are fields that are not read."""
        return cls.model_validate(known).model_dump() | given


class ZoneAnswer(Answer):
    """A part of the venue with one price; ids are not unique within a plan."""

    zone_id: str
    capacity: int = Field(description="Tickets left; 0 is sold out")
    price: Amount
    name: str
    numbered: bool


class PlanDetailsAnswer(Answer):
    """Everything known of a plan."""

    id: UUID = read_at("found.plan.key.plan_id")
    provider: str = read_at("found.plan.key.provider")
    base_id: str = read_at("found.plan.key.base_id")
    item_id: str = read_at("found.plan.key.item_id")
    title: str = read_at("found.plan.title")
    sell_mode: str = read_at("found.plan.sell_mode")
    organizer_id: str | None = read_at("found.plan.organizer_id")
    timezone: str = read_at("found.plan.timezone", description="The zone of the times without an offset")
    starts: LocalTime = read_at("found.plan.starts")
    ends: LocalTime = read_at("found.plan.ends")
    starts_at: Instant = read_at("found.instants.0")
    ends_at: Instant = read_at("found.instants.1")
    sell_from: LocalTime | None = read_at("found.plan.sell_from")
    sell_to: LocalTime | None = read_at("found.plan.sell_to")
    sold_out: bool = read_at("found.plan.sold_out")
    min_price: Amount | None = read_at("found.plan.prices.lowest", default=None)
    max_price: Amount | None = read_at("found.plan.prices.highest", default=None)
    zones: list[ZoneAnswer] = read_at("found.plan.zones")
    in_feed: bool = read_at("found.known.in_feed", description="Whether its provider sells it still")
    searchable: bool = read_at("found.known.seen_online", description="Whether `GET /search` finds it")
    first_seen_at: Instant = read_at("found.known.first_seen_at")
    last_seen_at: Instant | None
    withdrawn_at: Instant | None = read_at("found.known.withdrawn_at")


class PlanStateAnswer(PlanDetailsAnswer):
    """A state that a plan was known in, and the change that brought it."""

    last_seen_at: Instant | None = read_at("found.known.last_seen_at")
    at: Instant = Field(description="When it became known")
    kinds: list[str] = Field(description="What happened", examples=[["changed"]])
    run_id: str


class RunAnswer(Answer):
    """One run of a provider's sync."""

    run_id: str
    provider: str
    started_at: Instant
    took: Annotated[float, rounded(3)] = Field(description="Seconds")
    outcome: SyncOutcome
    dry_run: bool
    reason: str | None = Field(description="Why it failed, was held, was skipped or is incomplete")
    bytes: int = read_at("fetched_bytes")
    records: int
    changes: dict[str, int] = Field(description="Plans per kind of change")
    waiting: dict[str, int] = Field(description="Plans per kind of change that wait for an approval")
    held_for: list[str]
    rejected: int
    rejected_for: dict[str, int]
    ignored: dict[str, int]


class CircuitAnswer(Answer):
    """The circuit breaker of a provider."""

    state: str = Field(examples=["closed", "half-open", "open"])
    failures: int
    reason: str | None


class ProviderAnswer(Answer):
    """A configured provider and how it fares."""

    name: str = read_at("provider.name")
    kind: str = read_at("provider.kind")
    url: str | None = read_at("provider.url")
    timezone: str | None = read_at("provider.timezone")
    interval: float = read_at("provider.interval", description="Seconds between syncs")
    enabled: bool = read_at("provider.enabled")
    trouble: str | None = read_at("provider.trouble", description="Why it cannot be synced as it is configured")
    last_good_sync_at: Instant | None = read_at("snapshot_at")
    waiting_for_approval: bool = read_at("waiting")
    circuit: CircuitAnswer
    last_run: RunAnswer | None


class RejectionAnswer(Answer):
    """A record of a feed that could not be used."""

    reason: RejectionReason
    message: str = Field(description="What was found and what was expected")
    line: int = Field(description="The line of the feed, from 1; 0 when the source has no lines")
    base_id: str | None = Field(validation_alias=AliasChoices(AliasPath("key", "base_id"), "base_id"))
    item_id: str | None = read_at("key.item_id", default=None)
    source: str = Field(description="The record as the feed has it, cut to 2,000 characters")


def past_answer(state: PastState) -> dict[str, Any]:
    """A state that a plan was known in: what brought it, and everything known of the plan from then on."""
    told = PlanStateAnswer.of(state)
    return {name: told.pop(name) for name in ("at", "kinds", "run_id")} | told


def restoration_answer(done: Restoration) -> dict[str, Any]:
    """What came back from the journal, in plans."""
    return {"provider": done.provider, "restored": done.restored, "present": done.present}
