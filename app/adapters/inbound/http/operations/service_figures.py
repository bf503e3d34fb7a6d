"""What `/metrics` says of the whole service, whichever process answers. Documented in doc/operations/metrics.md."""

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import Metric

from app.adapters.inbound.http.operations.metric_families import counter, gauge, histogram, summary
from app.application.figures import (
    CLIENTS_CUT,
    CUT_REASONS,
    NOT_UNDERSTOOD,
    STORE_BOUND_NAMES,
    STORE_SECONDS,
    STORE_SECONDS_WITHIN,
    STORED_ACTIVITIES,
    STORED_BATCHES,
    SUBSCRIPTION_ACTIVITIES,
    SUBSCRIPTION_MESSAGES,
    WEBHOOK_DELIVERIES,
    WEBHOOK_OUTCOMES,
    FigureKind,
)
from app.application.ports.activities import QueueFigures
from app.application.ports.figures import Figure, Verification
from app.application.ports.publishing import ToldCounts
from app.application.watch_service import WatchService, WebhookCounts
from app.domain.stats import day_number
from app.domain.users import UserCounts

DAY_SECONDS = 86_400


def service_figures(watch: WatchService, version: str) -> Iterable[Metric]:
    """Look everything up; what was never seen has a family, but no figure in it."""
    yield from _queue_figures(watch.activities)
    yield from _counted_figures(watch.counted)
    yield from _subscription_figures(watch)
    yield from _user_figures(watch.user_counts)
    yield from _publishing_figures(watch.told, watch.webhook_counts)
    up = [] if watch.history_looked_at is None else [((), float(watch.history_trouble is None))]
    yield gauge("marquee_history_up", "1 when the history's database answers.", (), up)
    days = [] if watch.history_looked_at is None else [((), float(watch.stats_trouble is not None))]
    yield gauge("marquee_stats_trouble", "1 when `/health` has something to say of the days counted.", (), days)
    since = [] if watch.activities_from is None else [((), float(day_number(watch.activities_from) * DAY_SECONDS))]
    kept = "When the first day begins of which all activities are there (Unix time, as if in UTC)."
    yield gauge("marquee_activities_from_time_seconds", kept, (), since)
    yield from _verified_figures(watch.verification)
    running = Counter(process.role for process in watch.running)
    roles = [((role,), float(count)) for role, count in sorted(running.items())]
    yield gauge("marquee_processes", "Processes that run, on whatever machine.", ("role",), roles)
    started = [((), watch.started_at.timestamp())]
    yield gauge("marquee_start_time_seconds", "When the oldest process began that runs (Unix time).", (), started)
    build = [((version, platform.python_version()), 1.0)]
    yield gauge("marquee_build_info", "1; which version answers.", ("version", "python"), build)


def _verified_figures(last: Verification | None) -> Iterator[Metric]:
    differ, at = ([((), float(last.differs))], [((), last.begun_at.timestamp())]) if last else ([], [])
    yield gauge("marquee_stats_differ", "1 when the last verification found figures that differ.", (), differ)
    yield gauge("marquee_stats_verified_time_seconds", "When that verification began (Unix time).", (), at)


def _queue_figures(queue: QueueFigures | None) -> Iterator[Metric]:
    def rows(name: str) -> list[tuple[tuple[str, ...], float]]:
        return [((), float(getattr(queue, name)))] if queue else []

    yield counter("marquee_activities_received", "Activities that the door has accepted.", (), rows("received"))
    yield counter("marquee_activities_duplicate", "Activities that the door knew already.", (), rows("duplicates"))
    yield counter("marquee_activities_processed", "Activities that were stored, or were so.", (), rows("processed"))
    yield counter("marquee_activities_failed", "Activities that became part of a dead letter.", (), rows("buried"))
    yield summary(
        "marquee_activity_wait_seconds",
        "Seconds from the door to being settled, weighed by activities.",
        (queue.timed, queue.waited) if queue else None,
    )
    yield gauge("marquee_activity_backlog", "Activities that wait to be stored.", (), rows("backlog"))
    yield gauge("marquee_activity_backlog_bytes", "Their size as they are queued.", (), rows("backlog_bytes"))
    yield gauge(
        "marquee_activity_oldest_pending_seconds", "Since the oldest of them was accepted.", (), rows("oldest_age")
    )
    yield gauge("marquee_dead_letters", "Letters that wait for an operator.", (), rows("dead_letters"))


def _counted_figures(counted: Mapping[Figure, float] | None) -> Iterator[Metric]:
    """Tell what was counted; from 0 on, so that `increase()` sees the first, but nothing before it was ever read."""

    def rows(kind: FigureKind, *words: str) -> list[tuple[tuple[str, ...], float]]:
        every: list[tuple[str, ...]] = [(word,) for word in words] or [()]
        return [] if counted is None else [(labels, counted.get(kind.of(*labels), 0.0)) for labels in every]

    yield counter("marquee_stored_batches", "Transactions that stored activities.", (), rows(STORED_BATCHES))
    yield counter("marquee_stored_activities", "Activities that were new to the store.", (), rows(STORED_ACTIVITIES))
    yield histogram(
        "marquee_activity_store_duration_seconds",
        "Seconds that these transactions took.",
        [(bound, count) for (bound,), count in rows(STORE_SECONDS_WITHIN, *STORE_BOUND_NAMES)],
        counted.get(STORE_SECONDS.of(), 0.0) if counted is not None else 0.0,
    )
    yield counter(
        "marquee_webhook_deliveries",
        "Attempts to deliver a webhook, by how they ended.",
        WEBHOOK_DELIVERIES.labels,
        rows(WEBHOOK_DELIVERIES, *WEBHOOK_OUTCOMES),
    )
    reasons = rows(CLIENTS_CUT, *CUT_REASONS)
    yield counter("marquee_clients_cut", "Clients refused or cut off, by the reason.", CLIENTS_CUT.labels, reasons)


def _subscription_figures(watch: WatchService) -> Iterator[Metric]:
    """Tell what came by brokers; a subscription has a figure once something came."""
    for kind, words in (
        (NOT_UNDERSTOOD, "Records that were refused, or had ignored fields or placeholders of users, by reason."),
        (SUBSCRIPTION_MESSAGES, "Messages of brokers, by what became of them."),
        (SUBSCRIPTION_ACTIVITIES, "Activities that messages of brokers brought, by what became of them."),
    ):
        rows = [(figure.labels, count) for figure, count in (watch.counted or {}).items() if figure.name == kind.name]
        yield counter(f"marquee_{kind.name}", words, kind.labels, sorted(rows))
    up: dict[str, bool] = {}
    backlogs: dict[str, int] = {}
    for reader in watch.readers:
        up[reader.subscription] = up.get(reader.subscription, False) or reader.trouble is None
        if reader.backlog is not None:
            backlogs[reader.subscription] = max(reader.backlog, backlogs.get(reader.subscription, 0))
    reads = [((name,), float(reads)) for name, reads in up.items()]
    yield gauge("marquee_subscription_up", "1 while somebody reads it without trouble.", ("subscription",), reads)
    waits = [((name,), float(count)) for name, count in backlogs.items()]
    yield gauge("marquee_subscription_backlog", "Messages that wait at the broker.", ("subscription",), waits)


def _user_figures(users: UserCounts | None) -> Iterator[Metric]:
    states, changes = _users(users) if users else ([], [])
    yield gauge("marquee_users", "Users, by whether they may use the service.", ("state",), states)
    yield counter("marquee_user_changes", "What became of users since the first.", ("change",), changes)


def _publishing_figures(told: Mapping[str, ToldCounts] | None, webhooks: WebhookCounts | None) -> Iterator[Metric]:
    by_publisher = sorted((told or {}).items())
    published = [((name,), float(counts.published)) for name, counts in by_publisher]
    failed = [((name,), float(counts.failed)) for name, counts in by_publisher]
    yield counter("marquee_domain_events_published", "Domain events told.", ("publisher",), published)
    yield counter("marquee_domain_events_failed", "Domain events not taken at an attempt.", ("publisher",), failed)
    states = {"on": webhooks.on, "off": webhooks.off, "given_up": webhooks.given_up} if webhooks else {}
    rows = [((state,), float(count)) for state, count in states.items()]
    yield gauge("marquee_webhook_endpoints", "Webhooks, by whether anything is sent to them.", ("state",), rows)


def _users(counts: UserCounts) -> tuple[list[tuple[tuple[str], float]], list[tuple[tuple[str], float]]]:
    inactive = counts.total - counts.active - counts.deleted
    states = {"active": counts.active, "inactive": inactive, "deleted": counts.deleted}
    changes = {"created": counts.created_ever, "updated": counts.updated_ever, "deleted": counts.deleted_ever}
    return [((name,), float(n)) for name, n in states.items()], [((name,), float(n)) for name, n in changes.items()]
