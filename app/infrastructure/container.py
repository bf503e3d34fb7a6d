"""The wiring, read top to bottom: settings -> clients -> adapters -> use cases -> edges. Nothing happens on import."""

from functools import partial
from ipaddress import ip_address
from uuid import UUID, uuid4

import structlog
import uuid_utils
from dependency_injector import containers, providers

from app.adapters.inbound.cli.catalog_commands import CatalogCore
from app.adapters.inbound.cli.import_command import ImportCore
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.catalog_router import CatalogUseCases, catalog_router
from app.adapters.inbound.http.health_router import catalog_figures, health_router
from app.adapters.inbound.http.ingest_app import IngestApp
from app.adapters.inbound.http.ingest_door import IngestLimits
from app.adapters.inbound.http.ingest_router import ingest_router
from app.adapters.inbound.http.metrics import Figures, RequestMetrics, metrics_router
from app.adapters.inbound.http.rendering import parse_plan, plan_prefix, render_plan
from app.adapters.inbound.http.requests import RequestContext
from app.adapters.inbound.http.search_app import SearchApp
from app.adapters.inbound.http.search_router import search_router
from app.adapters.inbound.http.stats_router import stats_router
from app.adapters.inbound.stats_use_cases import StatsUseCases
from app.adapters.inbound.worker.journal_loop import JournalLoop, log_restoration
from app.adapters.inbound.worker.sync_schedule import SyncSchedule
from app.adapters.outbound.memory.live_index import LiveIndex
from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.dead_letters import RedisDeadLetters
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_requests import RedisSyncRequests
from app.adapters.outbound.sql.activity_store import SqlActivityStore, SqlImportMarks
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.follow_catalog import FollowCatalog
from app.application.import_activities import ImportActivities
from app.application.journal_changes import JournalChanges
from app.application.read_catalog import DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.read_history import ListPlanStates, SearchPast
from app.application.read_stats import DailyActiveUsers, Retention, TopTypes, TotalOfType
from app.application.record_activities import RecordActivities
from app.application.request_sync import RequestSync
from app.application.restore_catalog import RestoreCatalog
from app.application.store_activities import StoreActivities
from app.application.sync_provider import SyncProvider
from app.application.watch_catalog import WatchCatalog
from app.infrastructure.clock import SystemClock
from app.infrastructure.provider_directory import SettingsDirectory
from app.infrastructure.settings import Settings
from app.infrastructure.version import VERSION

log = structlog.get_logger()

BLOCK = 1.0
"""Seconds that a blocking read of Redis waits at the most."""


def new_run_id() -> str:
    """Make an id for a run."""
    return str(uuid4())


def new_activity_id() -> UUID:
    """Make an id for an activity that came without one: UUIDv7 (RFC 9562), so that later ones sort behind."""
    return UUID(int=uuid_utils.uuid7().int)


def ingest_limits(settings: Settings) -> IngestLimits:
    """Say how much one request may bring."""
    activity = settings.activity
    return IngestLimits(activity.array_limit, activity.batch_limit, activity.max_body_bytes)


def operations_open(settings: Settings) -> bool:
    """Tell whether operators' routes are open: by default only where nobody else can reach them."""
    return settings.service.open_operations or is_loopback(settings.service.host)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host; a name other than localhost may lead anywhere."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _tell_trouble(trouble: str | None) -> None:
    if trouble:
        log.warning("search goes on with the plans it has, changes will follow later", reason=trouble)
    else:
        log.info("search follows the catalog's changes")


def _tell_worker_trouble(trouble: str | None) -> None:
    if trouble:
        log.warning("activities wait to be stored; nothing is lost, the queue keeps them", reason=trouble)
    else:
        log.info("activities are stored again")


def _tell_buried(reason: str) -> None:
    log.error("activities cannot be stored and became a dead letter; see `marquee dead-letters list`", reason=reason)


def _tell_bug(error: Exception) -> None:
    log.error("a sync met an error that it does not know", exc_info=error)


class Container(containers.DeclarativeContainer):
    """Everything that a process may need; each part is made when it is first asked for."""

    settings = providers.Dependency(instance_of=Settings)
    redis_url = providers.Dependency(instance_of=str)

    # clients
    redis = providers.Singleton(connect, redis_url, timeout=settings.provided.redis.timeout)
    blocking_redis = providers.Singleton(
        connect, redis_url, timeout=providers.Callable(lambda s: s.redis.timeout + BLOCK, settings)
    )

    database = providers.Singleton(
        open_database,
        settings.provided.database.url,
        settings.provided.service.data_dir,
        timeout=settings.provided.database.timeout,
    )

    # outbound
    clock = providers.Singleton(SystemClock)
    circuits = providers.Singleton(RedisCircuitStates, redis)
    catalog = providers.Singleton(RedisPlanCatalog, redis)
    sync_journal = providers.Singleton(
        RedisSyncJournal,
        redis,
        runs_kept=settings.provided.catalog.runs_kept,
        rejections_kept=settings.provided.catalog.rejections_kept,
    )
    change_log = providers.Singleton(RedisChangeLog, redis, blocking_redis, block=BLOCK)
    leases = providers.Singleton(RedisLeases, redis, ttl=settings.provided.catalog.lease)
    sync_requests = providers.Singleton(RedisSyncRequests, redis, blocking_redis, block=BLOCK)
    log_source = providers.Singleton(RedisJournalSource, redis, log_kept=settings.provided.catalog.change_log_limit)
    activity_queue = providers.Singleton(
        RedisActivityQueue,
        redis,
        window=settings.provided.activity.dedup_window,
        max_backlog=settings.provided.activity.max_backlog,
        max_backlog_bytes=settings.provided.activity.max_backlog_bytes,
    )
    activity_inbox = providers.Singleton(
        RedisActivityInbox, redis, blocking_redis, takeover=settings.provided.activity.takeover, block=BLOCK
    )
    dead_letters = providers.Singleton(RedisDeadLetters, redis)
    queue_watch = providers.Singleton(RedisQueueWatch, redis)
    directory = providers.Singleton(SettingsDirectory, settings, circuits)
    index = providers.Singleton(LiveIndex, render_plan, plan_prefix, parse_plan, seed=settings.provided.search.timezone)

    zone = settings.provided.stats.zone
    activity_store = providers.Singleton(SqlActivityStore, database, zone)
    import_marks = providers.Singleton(SqlImportMarks, database)
    stats = providers.Singleton(SqlStats, database)
    plan_journal = providers.Singleton(SqlPlanJournal, database)
    stats_keeper = providers.Singleton(SqlStatsKeeper, database, zone)

    # use cases
    sync_provider = providers.Singleton(
        SyncProvider,
        catalog=catalog,
        journal=sync_journal,
        leases=leases,
        clock=clock,
        on_bug=providers.Object(_tell_bug),
    )
    describe_plan = providers.Singleton(DescribePlan, catalog)
    describe_providers = providers.Singleton(DescribeProviders, directory, catalog, sync_journal, circuits)
    list_runs = providers.Singleton(ListRuns, directory, sync_journal)
    list_rejections = providers.Singleton(ListRejections, directory, sync_journal)
    request_sync = providers.Singleton(RequestSync, directory, sync_requests, providers.Object(new_run_id))
    follow_catalog = providers.Singleton(FollowCatalog, catalog, change_log, index, providers.Object(_tell_trouble))
    watch_catalog = providers.Singleton(WatchCatalog, describe_providers, sync_journal, queue_watch, clock)

    restore_catalog = providers.Singleton(
        RestoreCatalog,
        catalog=catalog,
        journal=plan_journal,
        leases=leases,
        clock=clock,
        new_run_id=providers.Object(new_run_id),
    )
    journal_changes = providers.Singleton(
        JournalChanges,
        catalog=catalog,
        source=log_source,
        journal=plan_journal,
        restore=restore_catalog,
        clock=clock,
        new_run_id=providers.Object(new_run_id),
        on_restored=providers.Object(log_restoration),
    )
    list_plan_states = providers.Singleton(ListPlanStates, plan_journal)
    search_past = providers.Singleton(SearchPast, plan_journal)
    record_activities = providers.Singleton(
        RecordActivities, activity_queue, clock, settings.provided.activity.rules, providers.Object(new_activity_id)
    )
    store_activities = providers.Singleton(
        StoreActivities,
        activity_inbox,
        activity_store,
        providers.Object(_tell_worker_trouble),
        providers.Object(_tell_buried),
    )
    total_of_type = providers.Singleton(TotalOfType, stats)
    daily_active_users = providers.Singleton(DailyActiveUsers, stats, clock, zone)
    top_types = providers.Singleton(TopTypes, stats, clock, zone)
    retention = providers.Singleton(Retention, stats, clock, zone)
    import_activities = providers.Singleton(ImportActivities, activity_store, import_marks)

    # inbound
    cli_core = providers.Singleton(
        CatalogCore,
        directory=directory,
        sync=sync_provider,
        describe_providers=describe_providers,
        list_runs=list_runs,
        list_rejections=list_rejections,
        restore=restore_catalog,
        new_run_id=providers.Object(new_run_id),
    )
    stats_use_cases = providers.Singleton(
        StatsUseCases,
        stats=stats,
        keeper=stats_keeper,
        total_of_type=total_of_type,
        daily_active_users=daily_active_users,
        top_types=top_types,
        retention=retention,
    )
    import_core = providers.Singleton(
        ImportCore, import_activities=import_activities, rules=settings.provided.activity.rules, clock=clock
    )
    journal_loop = providers.Singleton(JournalLoop, journal=journal_changes, leases=leases)
    schedule = providers.Singleton(
        SyncSchedule,
        sync=sync_provider,
        directory=directory,
        catalog=catalog,
        requests=sync_requests,
        clock=clock,
        new_run_id=providers.Object(new_run_id),
    )
    metrics = providers.Singleton(RequestMetrics)
    is_ready = providers.Callable(lambda index: partial(getattr, index, "ready"), index)
    size = providers.Callable(lambda index: partial(getattr, index, "size"), index)
    catalog_use_cases = providers.Singleton(
        CatalogUseCases,
        describe_plan=describe_plan,
        list_plan_states=list_plan_states,
        describe_providers=describe_providers,
        list_runs=list_runs,
        list_rejections=list_rejections,
        request_sync=request_sync,
    )
    figures = providers.Singleton(
        lambda watch, is_ready, size: Figures(partial(catalog_figures, watch, is_ready, size)),
        watch_catalog,
        is_ready,
        size,
    )
    is_open = providers.Callable(lambda settings: partial(operations_open, settings), settings)
    limits = providers.Callable(ingest_limits, settings)
    routers = providers.List(
        providers.Singleton(search_router, index, settings.provided.search.zone, is_ready, search_past),
        providers.Singleton(
            catalog_router,
            catalog_use_cases,
            is_open,
        ),
        providers.Singleton(ingest_router, record_activities, limits),
        providers.Singleton(stats_router, stats_use_cases, is_open),
        providers.Singleton(health_router, watch_catalog, is_ready, size),
        providers.Singleton(metrics_router, metrics, figures),
    )
    api = providers.Singleton(create_api, routers, providers.Object(VERSION))
    http = providers.Singleton(
        SearchApp,
        providers.Singleton(
            IngestApp,
            providers.Singleton(RequestContext, api, metrics.provided.observe),
            record_activities,
            limits,
            metrics.provided.observe_ingest,
        ),
        index,
        settings.provided.search.zone,
        metrics.provided.observe_search,
    )
