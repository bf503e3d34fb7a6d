"""`GET /metrics` as JSON, for programs that are no Prometheus."""

from time import monotonic
from typing import Any

from pydantic import BaseModel, Field

from app.adapters.inbound.http.describing.answers import render_json
from app.application.figures import CLIENTS_CUT, CUT_REASONS
from app.application.watch_service import WatchService

FRESH = 1.0
"""Seconds after which an answer is rendered anew, even if nothing was seen since."""


class CountersAnswer(BaseModel):
    """Counted since the first one ever; null while the history was never seen."""

    published: int | None = Field(alias="events.published", description="Domain events told, over all publishers")
    failed: int | None = Field(alias="events.failed", description="Domain events that were not taken at an attempt")
    created: int | None = Field(alias="users.created")
    updated: int | None = Field(alias="users.updated")
    deleted: int | None = Field(alias="users.deleted")


class MetricsAnswer(BaseModel):
    """Figures over all processes of the service, a second or two old; null: never seen by the process that answers."""

    total_users: int | None = Field(description="Also those that are inactive or deleted")
    active_users: int | None
    deleted_users: int | None
    events: CountersAnswer
    events_received: int | None = Field(description="Activities that the door has accepted, ever")
    events_processed: int | None = Field(description="Of these: stored, or found to be stored already")
    events_failed: int | None = Field(description="Became part of a dead letter, again when a retry fails")
    events_duplicate: int | None = Field(description="Activities that the door knew already, ever")
    average_processing_latency_ms: float | None = Field(
        description="From the door to being settled, over all activities; 0 before the first"
    )
    current_queue_depth: int | None = Field(description="Activities accepted and not settled")
    oldest_pending_seconds: float | None = Field(description="Since the oldest of these was accepted; 0 without any")
    dead_letters: int | None = Field(description="Letters that wait for an operator")
    clients_cut: dict[str, int] | None = Field(description="Clients refused or cut off, ever, by the reason")
    active_workers: int = Field(description="Worker processes that run, on whatever machine")
    events_per_second: float = Field(description="Accepted by the door, over the last 10 s")
    uptime_seconds: float = Field(description="Since the oldest process began that runs")


class RenderedFigures:
    """The answer, rendered once for all who ask until something new is seen."""

    def __init__(self, watch: WatchService) -> None:
        self._watch = watch
        self._looks = -1
        self._until = 0.0
        self._body = b""

    def body(self) -> bytes:
        """Take what was rendered, or render."""
        now = monotonic()
        if self._looks != self._watch.looks or now >= self._until:
            self._body = render_json(metrics_answer(self._watch))
            self._looks, self._until = self._watch.looks, now + FRESH
        return self._body


def metrics_answer(watch: WatchService) -> dict[str, Any]:
    """Say everything in plain values, in the words of MetricsAnswer."""
    users, told, queue, counted = watch.user_counts, watch.told, watch.activities, watch.counted
    return {
        "total_users": users and users.total,
        "active_users": users and users.active,
        "deleted_users": users and users.deleted,
        "events": {
            "events.published": None if told is None else sum(counts.published for counts in told.values()),
            "events.failed": None if told is None else sum(counts.failed for counts in told.values()),
            "users.created": users and users.created_ever,
            "users.updated": users and users.updated_ever,
            "users.deleted": users and users.deleted_ever,
        },
        "events_received": queue and queue.received,
        "events_processed": queue and queue.processed,
        "events_failed": queue and queue.buried,
        "events_duplicate": queue and queue.duplicates,
        "average_processing_latency_ms": queue and round(queue.average_wait * 1000, 3),
        "current_queue_depth": queue and queue.backlog,
        "oldest_pending_seconds": queue and round(queue.oldest_age, 3),
        "dead_letters": queue and queue.dead_letters,
        "clients_cut": None
        if counted is None
        else {word: int(counted.get(CLIENTS_CUT.of(word), 0)) for word in CUT_REASONS},
        "active_workers": watch.count_running("worker"),
        "events_per_second": round(watch.received_per_second, 3),
        "uptime_seconds": round(watch.uptime, 3),
    }
