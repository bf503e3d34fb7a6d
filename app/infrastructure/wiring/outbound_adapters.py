"""The wiring, first part: settings -> clients -> outbound adapters. `core.py` goes on."""

from dependency_injector import containers, providers

from app.adapters.inbound.http.search.plan_json import parse_plan, plan_prefix, render_plan
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.memory.live_index import LiveIndex
from app.adapters.outbound.memory.plan_calendar import IndexCalendar
from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_queue import RedisActivityQueue
from app.adapters.outbound.redis.activity_types import RedisActivityTypes
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.adapters.outbound.redis.connection import COMES_BACK, START_IT, connect
from app.adapters.outbound.redis.dead_letters import RedisDeadLetters
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.presence import RedisPresence
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_requests import RedisSyncRequests
from app.adapters.outbound.redis.tally import RedisTally
from app.adapters.outbound.sql.activity_store import SqlActivityStore, SqlImportMarks
from app.adapters.outbound.sql.activity_types import SqlTypeBound
from app.adapters.outbound.sql.api_keys import SqlApiKeys
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.plan_log import SqlPlanLog
from app.adapters.outbound.sql.publishing_positions import SqlPublishingPositions
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.adapters.outbound.sql.user_log import SqlUserLog
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
    publishers,
    rate_limiter,
    running_process,
    tokens,
    webhook_request,
)
from app.infrastructure.wiring.provider_directory import SettingsDirectory

BLOCK = 1.0
"""Seconds that a blocking read of Redis waits at the most."""

BLOCKING_READS = 100
"""Of one process, at once; who comes then waits for one of them to end."""

LOOP_LEASE = 5.0
"""Seconds after which another worker goes on with what one that died did alone: journal, publishing, webhooks. Short,
for everybody hears later meanwhile; a worker that was only slow and loses it does no harm."""


class Stores(containers.DeclarativeContainer):
    """What talks with the outside; each part is made when it is first asked for."""

    settings = providers.Dependency(instance_of=Settings)
    redis_url = providers.Dependency(instance_of=str)
    role = providers.Dependency(instance_of=str, default="cli")
    """What this process is for: `api`, `worker`, `scheduler`, `supervisor` or `cli`."""

    # clients
    remedy = providers.Callable(lambda s: COMES_BACK if s.redis.url == "embedded" else START_IT, settings)
    redis = providers.Singleton(connect, redis_url, timeout=settings.provided.redis.timeout, remedy=remedy)
    blocking_redis = providers.Singleton(
        connect,
        redis_url,
        timeout=providers.Callable(lambda s: s.redis.timeout + BLOCK, settings),
        remedy=remedy,
        max_connections=BLOCKING_READS,
    )

    database = providers.Singleton(
        open_database,
        settings.provided.database.url,
        settings.provided.service.data_dir,
        timeout=settings.provided.database.timeout,
    )

    # outbound
    clock = providers.Singleton(SystemClock)
    zone_rules = providers.Object(ZONE_RULES)
    circuits = providers.Singleton(RedisCircuitStates, redis, clock)
    catalog = providers.Singleton(RedisPlanCatalog, redis)
    sync_journal = providers.Singleton(
        RedisSyncJournal,
        redis,
        runs_kept=settings.provided.catalog.runs_kept,
        rejections_kept=settings.provided.catalog.rejections_kept,
    )
    change_log = providers.Singleton(RedisChangeLog, redis, blocking_redis, block=BLOCK)
    leases = providers.Singleton(RedisLeases, redis, ttl=settings.provided.catalog.lease)
    loop_leases = providers.Singleton(RedisLeases, redis, ttl=LOOP_LEASE)
    sync_requests = providers.Singleton(RedisSyncRequests, redis, blocking_redis, block=BLOCK)
    log_source = providers.Singleton(RedisJournalSource, redis, log_kept=settings.provided.catalog.change_log_limit)
    tracing = providers.Singleton(Tracing)
    """Off; a role that traces puts its own in this place before it asks for anything else."""
    activity_queue = providers.Singleton(
        lambda tracing, queue: tracing.queue(queue),
        tracing,
        providers.Singleton(
            RedisActivityQueue,
            redis,
            window=settings.provided.activity.dedup_window,
            max_backlog=settings.provided.activity.max_backlog,
            max_backlog_bytes=settings.provided.activity.max_backlog_bytes,
            replicas=settings.provided.redis.replicas,
            trace=tracing.provided.current,
        ),
    )
    activity_types = providers.Singleton(RedisActivityTypes, redis, settings.provided.activity.max_types)
    activity_inbox = providers.Singleton(
        RedisActivityInbox, redis, blocking_redis, takeover=settings.provided.activity.takeover, block=BLOCK
    )
    dead_letters = providers.Singleton(RedisDeadLetters, redis)
    queue_watch = providers.Singleton(RedisQueueWatch, redis, replicas=settings.provided.redis.replicas)
    directory = providers.Singleton(SettingsDirectory, settings, circuits, clock)
    index = providers.Singleton(LiveIndex, render_plan, plan_prefix, parse_plan, seed=settings.provided.search.timezone)

    calendar = providers.Singleton(IndexCalendar, index, providers.Object(parse_plan))

    zone = settings.provided.stats.zone
    day_rules = providers.Singleton(rules_of, settings.provided.stats.timezone)
    activity_store = providers.Singleton(SqlActivityStore, database, zone, day_rules)
    import_marks = providers.Singleton(SqlImportMarks, database)
    import_types = providers.Singleton(SqlTypeBound, database, settings.provided.activity.max_types)
    stats = providers.Singleton(SqlStats, database)
    plan_journal = providers.Singleton(SqlPlanJournal, database)
    stats_keeper = providers.Singleton(SqlStatsKeeper, database, zone, day_rules)

    users = providers.Singleton(SqlUsers, database)
    api_keys = providers.Singleton(SqlApiKeys, database)
    plan_log = providers.Singleton(SqlPlanLog, database)
    logs = providers.List(plan_log, providers.Singleton(SqlUserLog, database))
    publishing_positions = providers.Singleton(SqlPublishingPositions, database)
    webhook_endpoints = providers.Singleton(SqlWebhookEndpoints, database)
    webhook_states = providers.Singleton(SqlWebhookStates, database)
    webhook_deliveries = providers.Singleton(SqlWebhookDeliveries, database)
    webhook_log = providers.Singleton(SqlWebhookLog, database)
    webhook_sender = providers.Singleton(
        HttpWebhookSender,
        providers.Callable(webhook_request, settings),
        clock,
        timeout=settings.provided.webhooks.timeout,
    )
    publishers = providers.Callable(publishers, settings, redis, webhook_endpoints, webhook_deliveries, clock)
    tokens = providers.Singleton(tokens, settings, clock)
    limiter = providers.Singleton(rate_limiter, settings, redis)

    presence = providers.Singleton(RedisPresence, redis)
    tally = providers.Singleton(RedisTally, redis)
    own_process = providers.Singleton(running_process, role, clock)
