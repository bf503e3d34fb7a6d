"""`GET /metrics` as JSON, for programs that are no Prometheus."""

from time import monotonic
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from app.adapters.inbound.answering.answers import Answer, given, read_at, rounded
from app.adapters.inbound.http.describing.answers import render_json
from app.application.figures import CLIENTS_CUT, CUT_REASONS
from app.application.watch_service import WatchService

FRESH = 1.0
"""Seconds after which an answer is rendered anew, even if nothing was seen since."""


def _seen(path: str, description: str | None = None) -> Any:
    return read_at(path, default=None, description=description)


class CountersAnswer(BaseModel):
    """Counted since the first one ever; null while the history was never seen."""

    published: int | None = Field(alias="events.published", description="Domain events told, over all publishers")
    failed: int | None = Field(alias="events.failed", description="Domain events that were not taken at an attempt")
    created: int | None = Field(alias="users.created")
    updated: int | None = Field(alias="users.updated")
    deleted: int | None = Field(alias="users.deleted")


Milliseconds = Annotated[float, BeforeValidator(lambda seconds: round(seconds * 1000, 3))]


class MetricsAnswer(Answer):
    """Figures over all processes of the service, a second or two old; null: never seen by the process that answers."""

    total_users: int | None = _seen("user_counts.total", "Also those that are inactive or deleted")
    active_users: int | None = _seen("user_counts.active")
    deleted_users: int | None = _seen("user_counts.deleted")
    events: CountersAnswer = given()
    events_received: int | None = _seen("activities.received", "Activities that the door has accepted, ever")
    events_processed: int | None = _seen("activities.processed", "Of these: stored, or found to be stored already")
    events_failed: int | None = _seen("activities.buried", "Became part of a dead letter, again when a retry fails")
    events_duplicate: int | None = _seen("activities.duplicates", "Activities that the door knew already, ever")
    average_processing_latency_ms: Milliseconds | None = _seen(
        "activities.average_wait", "From the door to being settled, over all activities; 0 before the first"
    )
    current_queue_depth: int | None = _seen("activities.backlog", "Activities accepted and not settled")
    oldest_pending_seconds: Annotated[float, rounded(3)] | None = _seen(
        "activities.oldest_age", "Since the oldest of these was accepted; 0 without any"
    )
    dead_letters: int | None = _seen("activities.dead_letters", "Letters that wait for an operator")
    clients_cut: dict[str, int] | None = given(description="Clients refused or cut off, ever, by the reason")
    active_workers: int = given(description="Worker processes that run, on whatever machine")
    events_per_second: Annotated[float, rounded(3)] = read_at(
        "received_per_second", description="Accepted by the door, over the last 10 s"
    )
    uptime_seconds: Annotated[float, rounded(3)] = read_at(
        "uptime", description="Since the oldest process began that runs"
    )


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
    users, told, counted = watch.user_counts, watch.told, watch.counted
    events = {
        "events.published": None if told is None else sum(counts.published for counts in told.values()),
        "events.failed": None if told is None else sum(counts.failed for counts in told.values()),
        "users.created": users and users.created_ever,
        "users.updated": users and users.updated_ever,
        "users.deleted": users and users.deleted_ever,
    }
    cut = None if counted is None else {word: int(counted.get(CLIENTS_CUT.of(word), 0)) for word in CUT_REASONS}
    return MetricsAnswer.of(watch, events=events, clients_cut=cut, active_workers=watch.count_running("worker"))
