"""What `GET /dashboard/state` answers: its shape, for /openapi.json, and how it is made. Six sections and a time.

The stream sends the whole once, then each second the sections that have changed.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.adapters.inbound.answering.answers import instant, wall_clock
from app.adapters.inbound.answering.stats_answers import daily_users_answer, retention_answer, total_answer
from app.adapters.inbound.http.describing.answers import render_json
from app.application.plans_around import PlansNow
from app.application.watch_dashboard import DashboardState, PastFigures, ProviderFigures
from app.domain.activity_curve import STEP, LastHour
from app.domain.plans import SearchablePlan
from app.domain.stats import Granularity
from app.domain.timeline import Unit


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StoreSection(_Answer):
    """Whether what holds the present can be reached; when not, queue and providers are as of `seen_at`."""

    up: bool
    reason: str | None
    seen_at: datetime | None = Field(description="When it was reached last; null while it is up")


class HourAnswer(_Answer):
    """Activities that the door took in the last hour."""

    since: datetime | None = Field(description="From when on this process has counted; null: not yet")
    ends_at: datetime = Field(description="When the last whole step ended")
    step: int = Field(description="Seconds of one step")
    counts: list[int | None] = Field(description="Oldest first; null where nobody counted")
    total: int = Field(description="Of the hour, up to now")


class ActivitiesSection(_Answer):
    """The door and the queue behind it; counts are of activities since the first one."""

    per_second: float | None = Field(description="The mean of the last 10 seconds")
    last_hour: HourAnswer
    received: int | None
    duplicates: int | None
    settled: int | None = Field(description="Stored, or found to be stored already, or buried")
    backlog: int | None
    dead_letters: int | None = Field(description="Letters that wait for an operator")


class TypeAnswer(_Answer):
    """How often a type occurred, and the sum of its values."""

    type: str
    count: int
    sum: float = Field(description="With the digits that went in")


class TypesAnswer(_Answer):
    """All types since the last reset."""

    types: int
    activities: int
    top: list[TypeAnswer] = Field(description="The most frequent, most first")


class DayAnswer(_Answer):
    """How many users were active on a day."""

    date: date
    users: int


class CohortAnswer(_Answer):
    """The users whose first activity fell on one day."""

    start: date
    size: int
    active: list[int | None] = Field(description="How many were active n days later; null: not over yet")


class RetentionAnswer(_Answer):
    """A cohort a day."""

    granularity: Granularity
    cohorts: list[CohortAnswer]


class UsersAnswer(_Answer):
    """Those who may use the service."""

    total: int
    active: int
    deleted: int


class HistorySection(_Answer):
    """What the database says; all null while it is away, and `reason` says why."""

    up: bool
    reason: str | None
    types: TypesAnswer | None
    daily_users: list[DayAnswer] | None
    retention: RetentionAnswer | None
    users: UsersAnswer | None


class PlanAnswer(_Answer):
    """A plan."""

    id: UUID
    title: str
    starts: str = Field(description="By the provider's own clock, without an offset, like `ends`")
    ends: str
    starts_at: datetime
    ends_at: datetime
    min_price: float | None
    max_price: float | None


class PeriodAnswer(_Answer):
    """How many plans begin in a period."""

    start: date
    plans: int


class TimelineAnswer(_Answer):
    """As many periods before the current one as after it."""

    unit: Unit
    periods: list[PeriodAnswer]


class CatalogSection(_Answer):
    """The plans that search finds."""

    plans: int | None = Field(description="Null while they have not been loaded")
    next: list[PlanAnswer] = Field(description="The next to begin, the earliest first")
    past: list[PlanAnswer] = Field(description="The last that began, the latest first; some may go on still")
    timeline: TimelineAnswer


class DashboardProvider(_Answer):
    """A provider and how it fares."""

    name: str
    enabled: bool
    last_good_sync_at: datetime | None
    last_run_at: datetime | None
    outcome: str | None
    reason: str | None = Field(description="Why the last run failed, was held or skipped")
    records: int | None
    changes: int | None = Field(description="That the last run made, of all kinds")
    rejected: int | None = Field(description="Records of the last run that could not be used")
    rejected_ever: int
    waiting_for_approval: bool
    circuit: str


class ProviderCountsAnswer(_Answer):
    """How many providers there are, shown or not."""

    total: int
    troubled: int = Field(description="That fail, wait for an approval, or are left alone by the breaker")


class DashboardAnswer(_Answer):
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
    answer = {
        "at": instant(state.at),
        "store": _store(state),
        "activities": _activities(state),
        "history": _history(state.past),
        "catalog": _catalog(state.plans),
        "providers": [_provider(provider) for provider in state.providers],
        "provider_counts": {"total": state.provider_counts.total, "troubled": state.provider_counts.troubled},
    }
    return {name: render_json(value) for name, value in answer.items()}


def joined(parts: Mapping[str, bytes]) -> bytes:
    """Put sections together."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in parts.items()) + b"}"


def _store(state: DashboardState) -> dict[str, Any]:
    """Without an instant while it is up: that would change every second."""
    up = state.trouble is None
    return {"up": up, "reason": state.trouble, "seen_at": None if up else instant(state.seen_at)}


def _activities(state: DashboardState) -> dict[str, Any]:
    names = ("received", "duplicates", "settled", "backlog", "dead_letters")
    return {
        "per_second": None if state.per_second is None else round(state.per_second, 2),
        "last_hour": _hour(state.last_hour),
        **{name: getattr(state.queue, name, None) for name in names},
    }


def _hour(hour: LastHour) -> dict[str, Any]:
    return {
        "since": instant(hour.since),
        "ends_at": instant(hour.ends_at),
        "step": STEP,
        "counts": hour.counts,
        "total": hour.total,
    }


def _history(past: PastFigures) -> dict[str, Any]:
    types, users = past.types, past.users
    return {
        "up": past.trouble is None,
        "reason": past.trouble,
        "types": types
        and {
            "types": types.types,
            "activities": types.activities,
            "top": [total_answer(total) for total in types.top],
        },
        "daily_users": None if past.daily_users is None else [daily_users_answer(day) for day in past.daily_users],
        "retention": None if past.cohorts is None else retention_answer(Granularity.DAY, past.cohorts),
        "users": users and {"total": users.total, "active": users.active, "deleted": users.deleted},
    }


def _catalog(plans: PlansNow) -> dict[str, Any]:
    line = plans.timeline
    periods = zip(line.starts, line.plans, strict=True)
    return {
        "plans": plans.count,
        "next": [_plan(plan) for plan in plans.next],
        "past": [_plan(plan) for plan in plans.past],
        "timeline": {
            "unit": line.unit,
            "periods": [{"start": start.isoformat(), "plans": count} for start, count in periods],
        },
    }


def _plan(plan: SearchablePlan) -> dict[str, Any]:
    summary = plan.summary
    return {
        "id": str(summary.plan_id),
        "title": summary.title,
        "starts": wall_clock(summary.starts),
        "ends": wall_clock(summary.ends),
        "starts_at": instant(plan.starts_at),
        "ends_at": instant(plan.ends_at),
        "min_price": summary.min_price,
        "max_price": summary.max_price,
    }


def _provider(figures: ProviderFigures) -> dict[str, Any]:
    status = figures.status
    run = status.last_run
    return {
        "name": status.provider.name,
        "enabled": status.provider.enabled,
        "last_good_sync_at": instant(status.snapshot_at),
        "last_run_at": instant(run.started_at) if run else None,
        "outcome": run.outcome if run else None,
        "reason": run.reason if run else None,
        "records": run.records if run else None,
        "changes": sum(run.changes.values()) if run else None,
        "rejected": run.rejected if run else None,
        "rejected_ever": figures.rejected_ever,
        "waiting_for_approval": status.waiting,
        "circuit": status.circuit.state,
    }
