"""Whether the service lives, whether it can answer, and how it fares.

None of it waits for a store, but that the first to ask how it fares waits a second at most for the history.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response, status
from prometheus_client.core import Metric
from pydantic import BaseModel, Field

from app.adapters.inbound.answering.answers import Answer, Instant, given, instant, read_at, rounded
from app.adapters.inbound.http.describing.answers import ErrorAnswer, json_response
from app.adapters.inbound.http.operations.metric_families import counter, gauge
from app.application.note_refusals import counts_by_reason
from app.application.ports.activities import QueueFigures
from app.application.ports.index_file import IndexFile, IndexFileFacts
from app.application.ports.subscriptions import SubscriptionReader
from app.application.read_catalog import ProviderStatus
from app.application.watch_catalog import WatchCatalog
from app.application.watch_service import WatchService


class LiveAnswer(BaseModel):
    """The process can answer."""

    status: Literal["live"]


class ReadyAnswer(BaseModel):
    """Whether the process has an index."""

    status: Literal["ready", "loading"]


class IndexFileHealth(BaseModel):
    """The file that the index stands on."""

    written_at: datetime
    age: float = Field(description="Seconds since then; changes that came later are followed over it")
    plans: int
    bytes: int


class SearchHealth(BaseModel):
    """The index of this process."""

    ready: bool
    plans: int = Field(description="That search may find")
    index_file: IndexFileHealth | None = Field(description="null: the index was loaded from the live state alone")


class HistoryHealth(BaseModel):
    """The database."""

    up: bool
    reason: str | None


class StoreHealth(HistoryHealth):
    """Redis."""

    seen_at: datetime | None = Field(description="When it was reached last")


class QueueHealth(Answer):
    """Activities that wait to be stored."""

    backlog: int
    oldest_pending: Annotated[float, rounded(3)] = read_at("oldest_age", description="Seconds")
    dead_letters: int
    workers: int = given()
    not_understood: dict[str, int] = given(
        description="Records by why they were refused, and `ignored_fields`, `placeholder_users` of those taken"
    )


class StatsHealth(BaseModel):
    """The figures."""

    trouble: str | None
    activities_from: date | None = Field(
        description="The first day of which all activities are there; those before it have left. null: none has"
    )


class ProviderHealth(Answer):
    """A provider's syncs."""

    name: str = read_at("provider.name")
    enabled: bool = read_at("provider.enabled")
    last_good_sync_at: Instant | None = read_at("snapshot_at")
    age: float | None = given(description="Seconds since then")
    last_outcome: str | None = read_at("last_run.outcome", default=None)
    reason: str | None = read_at("last_run.reason", default=None)
    waiting_for_approval: bool = read_at("waiting")
    circuit: str = read_at("circuit.state")


class SubscriptionHealth(BaseModel):
    """A broker's activities."""

    name: str
    state: Literal["reading", "failing", "unread"] = Field(description="unread: no worker gives a sign of life")
    readers: int = Field(description="Workers that read it")
    reason: str | None = Field(description="Why nothing comes in now")
    backlog: int | None = Field(description="Messages that wait at the broker, roughly")
    last_trouble: str | None
    last_trouble_at: datetime | None


class HealthAnswer(BaseModel):
    """How the service fares: the status alone, or to those who may know it all of this."""

    status: Literal["ok", "degraded"]
    search: SearchHealth | None = None
    store: StoreHealth | None = None
    history: HistoryHealth | None = None
    activities: QueueHealth | None = None
    stats: StatsHealth | None = None
    providers: list[ProviderHealth] | None = None
    subscriptions: list[SubscriptionHealth] | None = None
    tzdata: str | None = Field(None, description="The time zone rules in use", examples=["2026.1"])


CIRCUIT_STATES = ("closed", "half-open", "open")


@dataclass(frozen=True, slots=True)
class SearchState:
    """What this process answers searches from."""

    is_ready: Callable[[], bool]
    """Whether it has the catalog."""
    size: Callable[[], int]
    """How many plans search may find."""
    index_file: IndexFile


def health_router(
    watch: WatchCatalog,
    service: WatchService,
    search: SearchState,
    tells_all: bool = True,
    subscriptions: Sequence[str] = (),
) -> APIRouter:
    """Make the routes. Unless it `tells_all`, only those with a key hear more than the status.

    `subscriptions` are the names of those that are configured.
    """
    router = APIRouter(prefix="/health", tags=["operations"])

    @router.get("/live", summary="200 while the process can answer at all", response_model=LiveAnswer)
    async def get_liveness() -> Response:
        return json_response({"status": "live"})

    @router.get(
        "/ready",
        summary="200 once the process has an index, 503 before",
        response_model=ReadyAnswer,
        responses={503: {"model": ReadyAnswer | ErrorAnswer, "description": "No index yet, or nobody can tell"}},
    )
    async def get_readiness() -> Response:
        word, code = ("ready", 200) if search.is_ready() else ("loading", status.HTTP_503_SERVICE_UNAVAILABLE)
        return json_response({"status": word}, code)

    @router.get("", summary="What is up, how old the catalog is, the circuits' states", response_model=HealthAnswer)
    async def get_health(request: Request) -> Response:
        await service.asked()
        troubled = watch.away is not None or service.history_trouble is not None or not search.is_ready()
        told: dict[str, object] = {"status": "degraded" if troubled else "ok"}
        if tells_all or request.scope.get("principal") is not None:
            told |= details()
        return json_response(told)

    def details() -> dict[str, object]:
        now, queue = watch.clock.now(), service.activities
        return {
            "search": _search_health(search, now),
            "store": {"up": watch.away is None, "reason": watch.away, "seen_at": instant(watch.seen_at)},
            "history": {"up": service.history_trouble is None, "reason": service.history_trouble},
            "activities": queue and _queue_health(queue, service),
            "stats": {"trouble": service.stats_trouble, "activities_from": _written(service.activities_from)},
            "providers": [ProviderHealth.of(provider, age=_age(provider, now)) for provider in watch.providers],
            "subscriptions": [_subscription_health(name, service.readers) for name in subscriptions],
            "tzdata": service.zone_rules,
        }

    return router


def _queue_health(queue: QueueFigures, service: WatchService) -> dict[str, object]:
    return QueueHealth.of(
        queue, workers=service.count_running("worker"), not_understood=counts_by_reason(service.counted or {})
    )


def _subscription_health(name: str, all_readers: Sequence[SubscriptionReader]) -> dict[str, object]:
    """Say the best that any reader says, and the last trouble of any."""
    readers = [reader for reader in all_readers if reader.subscription == name]
    troubles = [reader.trouble for reader in readers]
    backlogs = [reader.backlog for reader in readers if reader.backlog is not None]
    told = [(at, reader.last_trouble) for reader in readers if (at := reader.last_trouble_at) is not None]
    last_at, last = max(told) if told else (None, None)
    return {
        "name": name,
        "state": "unread" if not readers else "reading" if None in troubles else "failing",
        "readers": len(readers),
        "reason": None if None in troubles or not troubles else troubles[0],
        "backlog": max(backlogs, default=None),
        "last_trouble": last,
        "last_trouble_at": instant(last_at),
    }


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _age(status: ProviderStatus, now: datetime) -> float | None:
    return _seconds_since(status.snapshot_at, now) if status.snapshot_at else None


def _search_health(search: SearchState, now: datetime) -> dict[str, object]:
    file = search.index_file.in_use
    return {"ready": search.is_ready(), "plans": search.size(), "index_file": file and _file_health(file, now)}


def _file_health(file: IndexFileFacts, now: datetime) -> dict[str, object]:
    age = _seconds_since(file.written_at, now)
    return {"written_at": instant(file.written_at), "age": age, "plans": file.plans, "bytes": file.size}


def _seconds_since(at: datetime, now: datetime) -> float:
    return round((now - at).total_seconds(), 1)


def catalog_figures(watch: WatchCatalog, search: SearchState) -> Iterable[Metric]:
    """Look up what `/metrics` says of the catalog; documented in doc/operations/metrics.md."""
    now = watch.clock.now()
    rows = [status for status in watch.providers if status.provider.enabled]  # one that is off is not late
    ages = [((s.provider.name,), age) for s in rows if (age := _age(s, now)) is not None]
    totals = [
        (name, key.partition("."), count) for name, counts in watch.totals.items() for key, count in counts.items()
    ]
    outcomes = [((name, word), float(count)) for name, (kind, _, word), count in totals if kind == "runs"]
    rejections = [((name, word), float(count)) for name, (kind, _, word), count in totals if kind == "rejections"]
    states = [((s.provider.name, word), float(s.circuit.state == word)) for s in rows for word in CIRCUIT_STATES]
    held = [((s.provider.name,), float(s.waiting)) for s in rows]
    standing = [((s.provider.name,), float(s.rejections)) for s in rows]
    yield gauge("marquee_catalog_plans", "Plans that search may find.", (), [((), search.size())])
    yield gauge("marquee_search_ready", "1 when this process has an index.", (), [((), search.is_ready())])
    written = [((), facts.written_at.timestamp())] if (facts := search.index_file.in_use) else []
    yield gauge("marquee_index_file_written_time_seconds", "When the index file in use was written.", (), written)
    lacking = "1 when this process has changes that are not in the index file."
    yield gauge("marquee_index_file_behind", lacking, (), [((), search.index_file.is_behind)])
    yield gauge("marquee_store_up", "1 when Redis answers and takes writes.", (), [((), watch.away is None)])
    yield gauge("marquee_sync_age_seconds", "Seconds since the last good sync.", ("provider",), ages)
    yield counter("marquee_sync_runs", "Runs of the sync by how they ended.", ("provider", "outcome"), outcomes)
    yield counter("marquee_sync_rejections", "Records that could not be used.", ("provider", "reason"), rejections)
    yield gauge("marquee_sync_held", "1 while changes wait for an approval.", ("provider",), held)
    yield gauge("marquee_sync_rejections_standing", "Records that cannot be used now.", ("provider",), standing)
    yield gauge("marquee_circuit_state", "1 for the state that it is in.", ("provider", "state"), states)
