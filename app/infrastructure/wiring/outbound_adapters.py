"""The wiring, first part: settings -> clients -> outbound adapters. `use_cases.py` goes on."""

from dependency_injector import containers
from dependency_injector.providers import Callable, Dependency, List, Object, Singleton

from app.adapters.inbound.http.search.plan_json import parse_plan, plan_prefix, render_plan
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.memory.live_index import LiveIndex
from app.adapters.outbound.memory.plan_calendar import IndexCalendar
from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.activity_types import RedisActivityTypes
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.dead_letters import RedisDeadLetters
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.presence import RedisPresence
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_requests import RedisSyncRequests
from app.adapters.outbound.redis.tally import RedisTally
from app.adapters.outbound.redis.verifications import RedisVerifications
from app.adapters.outbound.sql.activity_store import SqlActivityStore, SqlImportMarks
from app.adapters.outbound.sql.activity_types import SqlTypeBound
from app.adapters.outbound.sql.api_keys import SqlApiKeys
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.domain_event_logs import SqlPlanLog, SqlUserLog
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.publishing_positions import SqlPublishingPositions
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.adapters.outbound.sql.users import SqlUsers
from app.adapters.outbound.sql.webhook_deliveries import SqlWebhookDeliveries
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.adapters.outbound.sql.webhook_states import SqlWebhookStates
from app.adapters.outbound.webhooks.sender import HttpWebhookSender
from app.infrastructure.observability.tracing import Tracing
from app.infrastructure.settings.settings import Settings
from app.infrastructure.time_zones.zone_files import rules_of
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from app.infrastructure.wiring.configured_adapters import (
    BLOCK,
    blocking_timeout,
    publishers,
    rate_limiter,
    remedy,
    running_process,
    tokens,
    traced_queue,
    webhook_request,
)
from app.infrastructure.wiring.provider_directory import SettingsDirectory

BLOCKING_READS = 100
"""Of one process, at once; who comes then waits for one of them to end."""

LOOP_LEASE = 5.0
"""Seconds after which another worker goes on with what one that died did alone: journal, publishing, webhooks. Short,
for everybody hears later meanwhile; a worker that was only slow and loses it does no harm."""


class Outbound(containers.DeclarativeContainer):
    """What talks with the outside; each part is made when it is first asked for."""

    settings = Dependency(instance_of=Settings)
    redis_url = Dependency(instance_of=str)
    role = Dependency(instance_of=str, default="cli")
    """What this process is for: `api`, `worker`, `scheduler`, `supervisor` or `cli`."""

    # clients
    remedy = Callable(remedy, settings)
    redis = Singleton(connect, redis_url, timeout=settings.provided.redis.timeout, remedy=remedy)
    blocking_redis = Singleton(
        connect, redis_url, timeout=Callable(blocking_timeout, settings), remedy=remedy, max_connections=BLOCKING_READS
    )

    database = Singleton(
        open_database,
        settings.provided.database.url,
        settings.provided.service.data_dir,
        timeout=settings.provided.database.timeout,
    )

    # outbound
    clock = Singleton(SystemClock)
    zone_rules = Object(ZONE_RULES)
    circuits = Singleton(RedisCircuitStates, redis, clock)
    catalog = Singleton(RedisPlanCatalog, redis)
    sync_journal = Singleton(
        RedisSyncJournal,
        redis,
        runs_kept=settings.provided.catalog.runs_kept,
        rejections_kept=settings.provided.catalog.rejections_kept,
    )
    change_log = Singleton(RedisChangeLog, redis, blocking_redis, block=BLOCK)
    leases = Singleton(RedisLeases, redis, ttl=settings.provided.catalog.lease)
    loop_leases = Singleton(RedisLeases, redis, ttl=LOOP_LEASE)
    sync_requests = Singleton(RedisSyncRequests, redis, blocking_redis, block=BLOCK)
    log_source = Singleton(RedisJournalSource, redis, log_kept=settings.provided.catalog.change_log_limit)
    tracing = Dependency(instance_of=Tracing, default=Tracing())
    activity_queue = Singleton(
        traced_queue,
        tracing,
        Singleton(
            RedisActivityQueue,
            redis,
            window=settings.provided.activity.dedup_window,
            max_backlog=settings.provided.activity.max_backlog,
            max_backlog_bytes=settings.provided.activity.max_backlog_bytes,
            replicas=settings.provided.redis.replicas,
            trace=tracing.provided.current,
        ),
    )
    activity_types = Singleton(RedisActivityTypes, redis, settings.provided.activity.max_types)
    activity_inbox = Singleton(
        RedisActivityInbox, redis, blocking_redis, takeover=settings.provided.activity.takeover, block=BLOCK
    )
    dead_letters = Singleton(RedisDeadLetters, redis)
    queue_watch = Singleton(RedisQueueWatch, redis, replicas=settings.provided.redis.replicas)
    directory = Singleton(SettingsDirectory, settings, circuits, clock)
    index = Singleton(LiveIndex, render_plan, plan_prefix, parse_plan, seed=settings.provided.search.timezone)

    calendar = Singleton(IndexCalendar, index, parse_plan)

    zone = settings.provided.stats.zone
    day_rules = Singleton(rules_of, settings.provided.stats.timezone)
    activity_store = Singleton(SqlActivityStore, database, zone, day_rules)
    import_marks = Singleton(SqlImportMarks, database)
    import_types = Singleton(SqlTypeBound, database, settings.provided.activity.max_types)
    stats = Singleton(SqlStats, database)
    plan_journal = Singleton(SqlPlanJournal, database)
    stats_keeper = Singleton(SqlStatsKeeper, database, zone, day_rules)

    users = Singleton(SqlUsers, database)
    api_keys = Singleton(SqlApiKeys, database)
    plan_log = Singleton(SqlPlanLog, database)
    logs = List(plan_log, Singleton(SqlUserLog, database))
    publishing_positions = Singleton(SqlPublishingPositions, database)
    webhook_endpoints = Singleton(SqlWebhookEndpoints, database)
    webhook_states = Singleton(SqlWebhookStates, database)
    webhook_deliveries = Singleton(SqlWebhookDeliveries, database)
    webhook_log = Singleton(SqlWebhookLog, database)
    webhook_sender = Singleton(
        HttpWebhookSender, Callable(webhook_request, settings), clock, timeout=settings.provided.webhooks.timeout
    )
    publishers = Callable(publishers, settings, redis, webhook_endpoints, webhook_deliveries, clock)
    tokens = Singleton(tokens, settings, clock)
    limiter = Singleton(rate_limiter, settings, redis)

    presence = Singleton(RedisPresence, redis)
    tally = Singleton(RedisTally, redis)
    verifications = Singleton(RedisVerifications, redis)
    own_process = Singleton(running_process, role, clock)
