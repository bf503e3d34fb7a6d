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
from app.domain.plans import PlanStatus
from app.domain.proposed_changes import HeldChanges
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
ENDS = "Null when nobody knows the end; ends_at is the start then. The last second of a day of which no time is said."
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


class PlaceAnswer(Answer):
    """Where a plan takes place, as far as its provider says it."""

    name: str | None
    city: str | None
    country: str | None
    latitude: float | None = Field(description="Degrees north (WGS 84)")
    longitude: float | None = Field(description="Degrees east")


class DetailsAnswer(Answer):
    """What a provider may say of a plan beyond what `GET /search` has words for."""

    status: PlanStatus
    place: PlaceAnswer | None
    url: str | None = Field(description="Where it is described or sold")
    image: str | None = Field(description="URL of a picture")
    category: str | None
    currency: str | None = Field(description="Of its prices (ISO 4217)")


class PlanDetailsAnswer(Answer):
    """Everything known of a plan."""

    id: UUID = read_at("found.plan.plan_id")
    provider: str = read_at("found.plan.key.provider")
    base_id: str = read_at("found.plan.key.base_id")
    item_id: str = read_at("found.plan.key.item_id")
    title: str = read_at("found.plan.title")
    sell_mode: str = read_at("found.plan.sell_mode")
    organizer_id: str | None = read_at("found.plan.organizer_id")
    timezone: str = read_at("found.plan.timezone", description="The zone of the times without an offset")
    starts: LocalTime = read_at("found.plan.starts")
    ends: LocalTime | None = read_at("found.plan.ends", description=ENDS)
    start_has_time: bool = read_at("found.plan.start_has_time", description="Whether the start is more than a date")
    end_has_time: bool = read_at("found.plan.end_has_time", description="The same of the end")
    starts_at: Instant = read_at("found.instants.0")
    ends_at: Instant = read_at("found.instants.1")
    sell_from: LocalTime | None = read_at("found.plan.sell_from")
    sell_to: LocalTime | None = read_at("found.plan.sell_to")
    sold_out: bool = read_at("found.plan.sold_out")
    min_price: Amount | None = read_at("found.plan.prices.lowest", default=None)
    max_price: Amount | None = read_at("found.plan.prices.highest", default=None)
    currency: str | None = read_at("found.plan.details.currency", default=None, description="Of the prices (ISO 4217)")
    status: PlanStatus = read_at("found.plan.status")
    place: PlaceAnswer | None = read_at("found.plan.details.place", default=None)
    url: str | None = read_at("found.plan.details.url", default=None)
    image: str | None = read_at("found.plan.details.image", default=None)
    category: str | None = read_at("found.plan.details.category", default=None)
    zones: list[ZoneAnswer] = read_at("found.plan.zones")
    in_feed: bool = read_at("found.known.in_feed", description="Whether its provider sells it still")
    searchable: bool = read_at("found.known.seen_online", description="Whether `GET /search` finds it")
    first_seen_at: Instant = read_at("found.known.first_seen_at")
    last_seen_at: Instant | None
    withdrawn_at: Instant | None = read_at("found.known.withdrawn_at")


class ListedPlanAnswer(Answer):
    """A plan of a list: what a search says, and what it has no words for."""

    id: UUID = read_at("summary.plan_id")
    provider: str
    title: str = read_at("summary.title")
    status: PlanStatus
    timezone: str | None = Field(
        description="The zone of the times without an offset; null for what an older version has written"
    )
    starts: LocalTime = read_at("summary.starts")
    ends: LocalTime | None = read_at("summary.ends", description=ENDS)
    start_has_time: bool = read_at("summary.start_has_time", description="Whether the start is more than a date")
    end_has_time: bool = read_at("summary.end_has_time", description="The same of the end")
    starts_at: Instant
    ends_at: Instant
    min_price: Amount | None = read_at("summary.min_price")
    max_price: Amount | None = read_at("summary.max_price")
    currency: str | None = read_at("details.currency", default=None, description="Of the prices (ISO 4217)")
    place: PlaceAnswer | None = read_at("details.place", default=None)
    url: str | None = read_at("details.url", default=None, description="Where it is described or sold")
    image: str | None = read_at("details.image", default=None, description="URL of a picture")
    category: str | None = read_at("details.category", default=None)


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
    reason: str | None = Field(description="Why it failed, was held, was skipped, is incomplete or of no use")
    bytes: int = read_at("fetched_bytes")
    records: int
    changes: dict[str, int] = Field(description="Plans per kind of change")
    waiting: dict[str, int] = Field(description="Plans per kind of change that wait for an approval")
    settling: int = Field(description="Plans that are absent, and wait until that counts as a withdrawal")
    held_for: list[str]
    rejected: int
    rejected_for: dict[str, int]
    ignored: dict[str, int]
    passed_over: int = Field(description="Records that the configuration asked not to read")


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
    rejections: int = Field(description="Records, or parts of some, that cannot be used now")
    circuit: CircuitAnswer
    last_run: RunAnswer | None


class RejectionAnswer(Answer):
    """A record of a feed, or a part of one, that cannot be used: one row for as long as that is so."""

    reason: RejectionReason = read_at("rejection.reason")
    message: str = read_at("rejection.message", description="What was found and what was expected")
    line: int = read_at("rejection.line", description="The line of the feed, from 1; 0 when the source has no lines")
    base_id: str | None = Field(
        validation_alias=AliasChoices(AliasPath("rejection", "key", "base_id"), AliasPath("rejection", "base_id"))
    )
    item_id: str | None = read_at("rejection.key.item_id", default=None)
    part: str | None = read_at(
        "rejection.part", description="What of the record, by the feed's names; null for the whole of it"
    )
    source: str = read_at("rejection.source", description="The record as the feed has it, cut to 2,000 characters")
    first_seen_at: Instant
    last_seen_at: Instant
    times: int = Field(description="Runs that met it")
    run_id: str = Field(description="The last of them")
    mended_at: Instant | None = Field(description="When a run found it no more; null while it stands")


class PlanWordsAnswer(Answer):
    """A plan in the words by which a change can be judged."""

    title: str = read_at("summary.title")
    starts: LocalTime = read_at("summary.starts")
    ends: LocalTime | None = read_at("summary.ends", description=ENDS)
    min_price: Amount | None = read_at("summary.min_price")
    max_price: Amount | None = read_at("summary.max_price")
    status: PlanStatus
    timezone: str | None
    currency: str | None = read_at("details.currency", default=None, description="Of the prices (ISO 4217)")
    place: PlaceAnswer | None = read_at("details.place", default=None)
    url: str | None = read_at("details.url", default=None, description="Where it is described or sold")
    image: str | None = read_at("details.image", default=None, description="URL of a picture")
    category: str | None = read_at("details.category", default=None)


class ProposedChangeAnswer(Answer):
    """How a plan would change."""

    plan_id: UUID
    changes: list[str] = read_at("kinds", description="What would happen to it", examples=[["withdrawn"]])
    before: PlanWordsAnswer | None = Field(description="As the catalog has it; null when it does not know the plan")
    after: PlanWordsAnswer | None = Field(description="As the feed has it; null when the plan is gone from there")


class DryRunAnswer(RunAnswer):
    """What a run would do, plan by plan."""

    plans: list[ProposedChangeAnswer] = Field(description="At most 1,000")


class HeldAnswer(Answer):
    """What the gate holds of a provider."""

    run_id: str | None = Field(description="The newest run that proposed it; null when nothing is held")
    at: Instant | None
    held_for: list[str]
    reason: str | None
    total: int = Field(description="How many plans would change")
    plans: list[ProposedChangeAnswer] = Field(description="At most 1,000 of them")


def held_answer(held: HeldChanges | None) -> dict[str, Any]:
    """What the gate holds; the same fields when that is nothing."""
    if held is None:
        return {"run_id": None, "at": None, "held_for": [], "reason": None, "total": 0, "plans": []}
    return HeldAnswer.of(held)


def past_answer(state: PastState) -> dict[str, Any]:
    """A state that a plan was known in: what brought it, and everything known of the plan from then on."""
    told = PlanStateAnswer.of(state)
    return {name: told.pop(name) for name in ("at", "kinds", "run_id")} | told


def restoration_answer(done: Restoration) -> dict[str, Any]:
    """What came back from the journal, in plans."""
    return {"provider": done.provider, "restored": done.restored, "present": done.present}
