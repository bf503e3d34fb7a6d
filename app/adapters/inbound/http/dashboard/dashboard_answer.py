"""What `GET /dashboard/state` answers: its shape, for /openapi.json, and how it is made. Six sections and a time.

The stream sends the whole once, then each second the sections that have changed.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from operator import not_
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field

from app.adapters.inbound.answering.answers import Amount, Answer, Instant, WallClock, instant, read_at, rounded
from app.adapters.inbound.http.describing.answers import render_json
from app.application.watch_dashboard import DashboardState
from app.domain.activity_curve import STEP
from app.domain.stats import Cohort, Granularity
from app.domain.timeline import Timeline, Unit


class DashboardPart(Answer):
    """Something that the dashboard is told: these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class StoreSection(DashboardPart):
    """Whether what holds the present can be reached; when not, queue and providers are as of `seen_at`."""

    up: bool
    reason: str | None
    seen_at: datetime | None = Field(description="When it was reached last; null while it is up")


class HourAnswer(DashboardPart):
    """Activities that the door took in the last hour."""

    since: Instant | None = Field(description="From when on this process has counted; null: not yet")
    ends_at: Instant = Field(description="When the last whole step ended")
    step: int = Field(STEP, description="Seconds of one step")
    counts: list[int | None] = Field(description="Oldest first; null where nobody counted")
    total: int = Field(description="Of the hour, up to now")


class ActivitiesSection(DashboardPart):
    """The door and the queue behind it; counts are of activities since the first one."""

    per_second: Annotated[float, rounded(2)] | None = Field(description="The mean of the last 10 seconds")
    last_hour: HourAnswer
    received: int | None = read_at("queue.received", default=None)
    duplicates: int | None = read_at("queue.duplicates", default=None)
    settled: int | None = read_at(
        "queue.settled", default=None, description="Stored, or found to be stored already, or buried"
    )
    backlog: int | None = read_at("queue.backlog", default=None)
    oldest_age: Annotated[float, rounded(0)] | None = read_at(
        "queue.oldest_age", default=None, description="Seconds since the oldest came that is not settled"
    )
    dead_letters: int | None = read_at(
        "queue.dead_letters", default=None, description="Letters that wait for an operator"
    )


class TypeAnswer(DashboardPart):
    """How often a type occurred, and the sum of its values."""

    type: str
    count: int
    sum: Amount = Field(description="With the digits that went in")


class TypesAnswer(DashboardPart):
    """All types since the last reset."""

    types: int
    activities: int
    top: list[TypeAnswer] = Field(description="The most frequent, most first")


class DayAnswer(DashboardPart):
    """How many users were active on a day."""

    date: date
    users: int


class CohortAnswer(DashboardPart):
    """The users whose first activity fell on one day."""

    start: date
    size: int
    active: list[int | None] = Field(description="How many were active n days later; null: not over yet")


class RetentionAnswer(DashboardPart):
    """A cohort a day."""

    granularity: Granularity
    cohorts: list[CohortAnswer]


def _by_day(cohorts: Sequence[Cohort]) -> dict[str, Any]:
    return {"granularity": Granularity.DAY, "cohorts": cohorts}


class UsersAnswer(DashboardPart):
    """Those who may use the service."""

    total: int
    active: int
    deleted: int


class HistorySection(DashboardPart):
    """What the database says; all null while it is away, and `reason` says why."""

    up: Annotated[bool, BeforeValidator(not_)] = read_at("trouble")
    reason: str | None = read_at("trouble")
    types: TypesAnswer | None
    daily_users: list[DayAnswer] | None
    retention: Annotated[RetentionAnswer, BeforeValidator(_by_day)] | None = read_at("cohorts")
    users: UsersAnswer | None
    counting: str | None = Field(description="What is to be known of the days that were counted; null: all is well")


class PlanAnswer(DashboardPart):
    """A plan."""

    id: UUID = read_at("summary.plan_id")
    title: str = read_at("summary.title")
    starts: WallClock = read_at(
        "summary.starts", description="By the provider's own clock, without an offset, like `ends`"
    )
    ends: WallClock | None = read_at("summary.ends")
    start_has_time: bool = read_at("summary.start_has_time", description="Whether the start is more than a date")
    starts_at: Instant
    ends_at: Instant
    min_price: Amount | None = read_at("summary.min_price")
    max_price: Amount | None = read_at("summary.max_price")


class PeriodAnswer(DashboardPart):
    """How many plans begin in a period."""

    start: date
    plans: int


class TimelineAnswer(DashboardPart):
    """As many periods before the current one as after it."""

    unit: Unit
    periods: list[PeriodAnswer]


def _by_period(line: Timeline) -> dict[str, Any]:
    periods = [{"start": start, "plans": count} for start, count in zip(line.starts, line.plans, strict=True)]
    return {"unit": line.unit, "periods": periods}


class CatalogSection(DashboardPart):
    """The plans that search finds."""

    plans: int | None = read_at("count", description="Null while they have not been loaded")
    next: list[PlanAnswer] = Field(description="The next to begin, the earliest first")
    past: list[PlanAnswer] = Field(description="The last that began, the latest first; some may go on still")
    timeline: Annotated[TimelineAnswer, BeforeValidator(_by_period)]


def _of_run(name: str, description: str | None = None) -> Any:
    return read_at(f"status.last_run.{name}", default=None, description=description)


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


class DashboardProvider(DashboardPart):
    """A provider and how it fares."""

    name: str = read_at("status.provider.name")
    enabled: bool = read_at("status.provider.enabled")
    last_good_sync_at: Instant | None = read_at("status.snapshot_at")
    last_run_at: Instant | None = _of_run("started_at")
    outcome: str | None = _of_run("outcome")
    reason: str | None = _of_run("reason", "Why the last run failed, was held or skipped")
    records: int | None = _of_run("records")
    changes: Annotated[int, BeforeValidator(_total)] | None = _of_run("changes", "That the last run made, of all kinds")
    rejected: int | None = _of_run("rejected", "Records of the last run that could not be used")
    rejected_now: int = read_at("status.rejections", description="Records, or parts of some, that cannot be used now")
    rejected_ever: int
    waiting_for_approval: bool = read_at("status.waiting")
    circuit: str = read_at("status.circuit.state")


class ProviderCountsAnswer(DashboardPart):
    """How many providers there are, shown or not."""

    total: int
    troubled: int = Field(description="That fail, wait for an approval, or are left alone by the breaker")


class DashboardAnswer(DashboardPart):
    """Everything on the dashboard."""

    at: datetime
    store: StoreSection
    activities: ActivitiesSection
    history: HistorySection
    catalog: CatalogSection
    providers: list[DashboardProvider] = Field(description="At most 50, the troubled ones first")
    provider_counts: ProviderCountsAnswer


def sections(state: DashboardState) -> Mapping[str, bytes]:
    """Render a state, each section by itself."""
    up = state.trouble is None  # without an instant then: that would change every second
    answer = {
        "at": instant(state.at),
        "store": {"up": up, "reason": state.trouble, "seen_at": None if up else instant(state.seen_at)},
        "activities": ActivitiesSection.of(state),
        "history": HistorySection.of(state.past),
        "catalog": CatalogSection.of(state.plans),
        "providers": [DashboardProvider.of(provider) for provider in state.providers],
        "provider_counts": ProviderCountsAnswer.of(state.provider_counts),
    }
    return {name: render_json(value) for name, value in answer.items()}


def joined(parts: Mapping[str, bytes]) -> bytes:
    """Put sections together."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in parts.items()) + b"}"
