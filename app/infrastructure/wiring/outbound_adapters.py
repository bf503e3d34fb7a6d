"""The wiring, first part: settings -> clients -> outbound adapters. `use_cases.py` goes on.

A part gets what it takes by its name (`filled_by_name` in `container.py`); what is given here is called otherwise.
"""

from dependency_injector import containers
from dependency_injector.providers import Callable, Dependency, List, Object, Singleton

from app.adapters.machine.forget_list import ForgetFile
from app.adapters.machine.system_clock import SystemClock
from app.adapters.outbound.redis.absences import RedisAbsences
from app.adapters.outbound.redis.activity_inbox import RedisActivityInbox
from app.adapters.outbound.redis.activity_types import RedisActivityTypes
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.adapters.outbound.redis.connection import connect
from app.adapters.outbound.redis.dead_letters import RedisDeadLetters
from app.adapters.outbound.redis.door_looks import RedisDoorLooks
from app.adapters.outbound.redis.figures import RedisPresence, RedisTally, RedisVerifications
from app.adapters.outbound.redis.held_plans import RedisHeldPlans
from app.adapters.outbound.redis.journal_source import RedisJournalSource
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.queue_watch import RedisQueueWatch
from app.adapters.outbound.redis.queued_activities import RedisQueuedActivities
from app.adapters.outbound.redis.recent_ids import RedisRecentIds
from app.adapters.outbound.redis.refused_samples import RedisRefusedSamples
from app.adapters.outbound.redis.rejection_lists import RedisRejectionLists
from app.adapters.outbound.redis.subscription_readers import RedisSubscriptionReaders
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_requests import RedisSyncRequests
from app.adapters.outbound.redis.sync_transitions import RedisTransitionLog
from app.adapters.outbound.search_index.live_index import LiveIndex
from app.adapters.outbound.search_index.mapped_index_file import MappedIndexFile
from app.adapters.outbound.search_index.plan_calendar import IndexCalendar
from app.adapters.outbound.search_index.plan_list import IndexPlanList
from app.adapters.outbound.sql.activity_archive import SqlActivityArchive
from app.adapters.outbound.sql.activity_expiry import SqlActivityExpiry
from app.adapters.outbound.sql.activity_outbox import SqlActivityOutbox
from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.activity_types import SqlTypeBound
from app.adapters.outbound.sql.api_keys import SqlApiKeys
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.day_sums import SqlDaySums
from app.adapters.outbound.sql.domain_event_logs import SqlPlanLog, SqlUserLog
from app.adapters.outbound.sql.forgotten_names import SqlForgottenNames
from app.adapters.outbound.sql.funnel_evidence import SqlFunnelInstants
from app.adapters.outbound.sql.imports import SqlImports
from app.adapters.outbound.sql.period_stats import SqlPeriodStats
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.plan_stats import SqlPlanStats
from app.adapters.outbound.sql.publishing_positions import SqlPublishingPositions
from app.adapters.outbound.sql.removal import SqlActivityRemoval
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.adapters.outbound.sql.told_activities import SqlToldActivities
from app.adapters.outbound.sql.users import SqlUsers
from app.adapters.outbound.sql.webhook_deliveries import SqlWebhookDeliveries
from app.adapters.outbound.sql.webhook_endpoints import SqlWebhookEndpoints
from app.adapters.outbound.sql.webhook_log import SqlWebhookLog
from app.adapters.outbound.webhooks.sender import HttpWebhookSender
from app.infrastructure.observability.no_traces import Tracing
from app.infrastructure.settings.settings import Settings
from app.infrastructure.time_zones.zone_files import rules_of
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from app.infrastructure.wiring import configured_adapters, redis_clients
from app.infrastructure.wiring.plan_rendering import RENDERING
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
    remedy = Callable(redis_clients.remedy)
    redis = client = Singleton(connect, redis_url, timeout=settings.provided.redis.timeout)
    blocking_redis = blocking = Singleton(
        connect, redis_url, timeout=Callable(redis_clients.blocking_timeout), max_connections=BLOCKING_READS
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
    block = Object(redis_clients.BLOCK)
    replicas = settings.provided.redis.replicas
    circuits = Singleton(RedisCircuitStates)
    catalog = Singleton(RedisPlanCatalog)
    runs_kept = settings.provided.catalog.runs_kept
    rejections_kept = settings.provided.catalog.rejections_kept
    sync_journal = Singleton(RedisSyncJournal)
    rejections = Singleton(RedisRejectionLists)
    held = Singleton(RedisHeldPlans)
    absences = Singleton(RedisAbsences)
    transitions = Singleton(RedisTransitionLog)
    change_log = Singleton(RedisChangeLog)
    leases = Singleton(RedisLeases, ttl=settings.provided.catalog.lease)
    loop_leases = Singleton(RedisLeases, ttl=LOOP_LEASE)
    requests = Singleton(RedisSyncRequests)
    log_source = Singleton(RedisJournalSource, log_kept=settings.provided.catalog.change_log_limit)
    tracing = Dependency(instance_of=Tracing, default=Tracing())
    activity_queue = Singleton(configured_adapters.activity_queue)
    max_types = settings.provided.activity.max_types
    activity_types = Singleton(RedisActivityTypes, most=max_types)
    activity_inbox = Singleton(RedisActivityInbox, takeover=settings.provided.activity.takeover)
    dead_letters = Singleton(RedisDeadLetters)
    queued_activities = queued = Singleton(RedisQueuedActivities)
    recent_ids = Singleton(RedisRecentIds, window=settings.provided.activity.dedup_window)
    queue_watch = Singleton(RedisQueueWatch)
    door_looks = Singleton(RedisDoorLooks)
    directory = Singleton(SettingsDirectory)
    rendering = Object(RENDERING)
    index = Singleton(LiveIndex)
    index_file = Singleton(MappedIndexFile, index, data_dir=settings.provided.service.data_dir)
    calendar = Singleton(IndexCalendar, index)
    plan_list = Singleton(IndexPlanList, index)

    zone = settings.provided.stats.zone
    day_rules = Singleton(rules_of, settings.provided.stats.timezone)
    funnel_types = settings.provided.stats.funnel_types
    retained = settings.provided.stats.retention_types
    rollups = Callable(configured_adapters.rollups)
    activity_store = Singleton(SqlActivityStore, rules=day_rules)
    imports = undone_imports = Singleton(SqlImports)
    activity_archive = Singleton(SqlActivityArchive)
    expiry = Singleton(SqlActivityExpiry, rules=day_rules)
    activity_removal = removal = Singleton(SqlActivityRemoval, rules=day_rules)
    import_types = Singleton(SqlTypeBound, most=max_types)
    stats = Singleton(SqlStats)
    funnel_instants = Singleton(SqlFunnelInstants, rules=day_rules)
    sums = Singleton(SqlDaySums)
    periods = Singleton(SqlPeriodStats)
    plan_stats = Singleton(SqlPlanStats)
    plan_journal = Singleton(SqlPlanJournal)
    stats_keeper = keeper = Singleton(SqlStatsKeeper, rules=day_rules)

    users = Singleton(SqlUsers)
    keys = Singleton(SqlApiKeys)
    plan_log = Singleton(SqlPlanLog)
    logs = List(plan_log, Singleton(SqlUserLog), transitions)
    positions = Singleton(SqlPublishingPositions)
    endpoints = Singleton(SqlWebhookEndpoints)
    deliveries = Singleton(SqlWebhookDeliveries)
    webhook_log = Singleton(SqlWebhookLog)
    forget_list = Singleton(ForgetFile, data_dir=settings.provided.service.data_dir)
    forgotten_names = Singleton(SqlForgottenNames)
    told_activities = Singleton(SqlToldActivities)
    activity_outbox = Singleton(SqlActivityOutbox)
    sender = Singleton(
        HttpWebhookSender, Callable(configured_adapters.webhook_request), timeout=settings.provided.webhooks.timeout
    )
    publishers = Callable(configured_adapters.publishers)
    tokens = Singleton(configured_adapters.tokens)
    limiter = Singleton(configured_adapters.rate_limiter)

    presence = Singleton(RedisPresence)
    tally = Singleton(RedisTally)
    verifications = Singleton(RedisVerifications)
    subscription_readers = Singleton(RedisSubscriptionReaders)
    refused_samples = Singleton(RedisRefusedSamples)
    own_process = Singleton(configured_adapters.running_process)
