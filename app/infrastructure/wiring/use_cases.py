"""The wiring, second part: ports -> use cases. `container.py` goes on."""

from functools import partial
from random import random
from secrets import token_bytes

from dependency_injector import providers

from app.adapters.inbound.worker.journal_loop import log_restoration
from app.adapters.outbound.webhooks.trial import render_trial
from app.application.announce_process import AnnounceProcess
from app.application.authenticate import Authenticate
from app.application.deliver_webhooks import DeliverWebhooks
from app.application.figures import count_stored
from app.application.first_admin import LetFirstAdminIn
from app.application.follow_catalog import FollowCatalog
from app.application.import_activities import ImportActivities
from app.application.journal_changes import JournalChanges
from app.application.manage_keys import CreateKey, ListKeys, RevokeKey
from app.application.manage_users import CreateUser, DeleteUser, FindUser, UpdateUser
from app.application.manage_webhooks import (
    AddWebhook,
    FindWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    SwitchWebhook,
    TryWebhook,
)
from app.application.note_types import NoteTypes
from app.application.plans_around import PlansAround
from app.application.ports.activities import TypeBound
from app.application.publish_domain_events import PublishDomainEvents
from app.application.read_catalog import DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.read_changes import ReadChanges, WatchLog
from app.application.read_history import ListPlanStates, SearchPast
from app.application.read_stats import DailyActiveUsers, PageOfTotals, Retention, TopTypes, TotalOfType
from app.application.record_activities import RecordActivities
from app.application.request_sync import RequestSync
from app.application.restore_catalog import RestoreCatalog
from app.application.retime_plans import RetimePlans
from app.application.store_activities import StoreActivities
from app.application.sync_provider import SyncProvider
from app.application.verify_stats import VerifyStats
from app.application.watch_catalog import WatchCatalog
from app.application.watch_dashboard import WatchDashboard
from app.application.watch_service import WatchService
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.configured_adapters import traced_inbox, traced_store
from app.infrastructure.wiring.identifiers import new_id, new_run_id, random_text
from app.infrastructure.wiring.outbound_adapters import OutboundAdapters
from app.infrastructure.wiring.trouble_log import (
    log_catalog_trouble,
    log_dead_letter,
    log_delivery_bug,
    log_failing,
    log_publisher_bug,
    log_retimed,
    log_switched_off,
    log_sync_bug,
    log_verified,
    log_worker_trouble,
)


def unless_listed(settings: Settings, types: TypeBound) -> TypeBound | None:
    """Bound the types only where none are listed: a list is a bound, and what helps when others took all the room."""
    return types if settings.activity.types is None else None


class UseCases(OutboundAdapters):
    """The use cases."""

    retime_plans = providers.Singleton(
        RetimePlans,
        catalog=OutboundAdapters.catalog,
        leases=OutboundAdapters.leases,
        clock=OutboundAdapters.clock,
        new_run_id=providers.Object(new_run_id),
        rules=OutboundAdapters.zone_rules,
        on_retimed=providers.Object(log_retimed),
    )
    sync_provider = providers.Singleton(
        SyncProvider,
        catalog=OutboundAdapters.catalog,
        journal=OutboundAdapters.sync_journal,
        leases=OutboundAdapters.leases,
        clock=OutboundAdapters.clock,
        retime=retime_plans,
        on_bug=providers.Object(log_sync_bug),
    )
    describe_plan = providers.Singleton(DescribePlan, OutboundAdapters.catalog)
    describe_providers = providers.Singleton(
        DescribeProviders,
        OutboundAdapters.directory,
        OutboundAdapters.catalog,
        OutboundAdapters.sync_journal,
        OutboundAdapters.circuits,
    )
    list_runs = providers.Singleton(ListRuns, OutboundAdapters.directory, OutboundAdapters.sync_journal)
    list_rejections = providers.Singleton(ListRejections, OutboundAdapters.directory, OutboundAdapters.sync_journal)
    request_sync = providers.Singleton(
        RequestSync, OutboundAdapters.directory, OutboundAdapters.sync_requests, providers.Object(new_run_id)
    )
    follow_catalog = providers.Singleton(
        FollowCatalog, OutboundAdapters.change_log, OutboundAdapters.index, providers.Object(log_catalog_trouble)
    )
    watch_catalog = providers.Singleton(
        WatchCatalog,
        describe_providers,
        OutboundAdapters.sync_journal,
        OutboundAdapters.queue_watch,
        OutboundAdapters.clock,
    )

    restore_catalog = providers.Singleton(
        RestoreCatalog,
        catalog=OutboundAdapters.catalog,
        source=OutboundAdapters.log_source,
        journal=OutboundAdapters.plan_journal,
        leases=OutboundAdapters.leases,
        clock=OutboundAdapters.clock,
        retime=retime_plans,
        new_run_id=providers.Object(new_run_id),
    )
    journal_changes = providers.Singleton(
        JournalChanges,
        source=OutboundAdapters.log_source,
        journal=OutboundAdapters.plan_journal,
        restore=restore_catalog,
        clock=OutboundAdapters.clock,
        new_run_id=providers.Object(new_run_id),
        on_restored=providers.Object(log_restoration),
    )
    list_plan_states = providers.Singleton(ListPlanStates, OutboundAdapters.plan_journal)
    search_past = providers.Singleton(SearchPast, OutboundAdapters.plan_journal)
    record_activities = providers.Singleton(
        RecordActivities,
        OutboundAdapters.activity_queue,
        OutboundAdapters.clock,
        OutboundAdapters.settings.provided.activity.rules,
        providers.Object(new_id),
        providers.Callable(unless_listed, OutboundAdapters.settings, OutboundAdapters.activity_types),
    )
    note_types = providers.Singleton(NoteTypes, OutboundAdapters.stats, OutboundAdapters.activity_types)
    store_activities = providers.Singleton(
        StoreActivities,
        providers.Singleton(traced_inbox, OutboundAdapters.tracing, OutboundAdapters.activity_inbox),
        providers.Singleton(
            traced_store,
            OutboundAdapters.tracing,
            OutboundAdapters.activity_store,
            OutboundAdapters.database,
        ),
        providers.Object(log_worker_trouble),
        providers.Object(log_dead_letter),
        providers.Callable(partial, providers.Object(count_stored), OutboundAdapters.tally),
    )
    page_of_totals = providers.Singleton(PageOfTotals, OutboundAdapters.stats)
    total_of_type = providers.Singleton(TotalOfType, OutboundAdapters.stats)
    daily_active_users = providers.Singleton(
        DailyActiveUsers, OutboundAdapters.stats, OutboundAdapters.clock, OutboundAdapters.zone
    )
    top_types = providers.Singleton(TopTypes, OutboundAdapters.stats, OutboundAdapters.clock, OutboundAdapters.zone)
    retention = providers.Singleton(Retention, OutboundAdapters.stats, OutboundAdapters.clock, OutboundAdapters.zone)
    import_activities = providers.Singleton(
        ImportActivities,
        OutboundAdapters.activity_store,
        OutboundAdapters.import_marks,
        providers.Callable(unless_listed, OutboundAdapters.settings, OutboundAdapters.import_types),
    )

    authenticate = providers.Singleton(
        Authenticate,
        OutboundAdapters.api_keys,
        OutboundAdapters.clock,
        OutboundAdapters.tokens,
        grace=OutboundAdapters.settings.provided.security.key_grace,
    )
    create_user = providers.Singleton(
        CreateUser, OutboundAdapters.users, OutboundAdapters.clock, providers.Object(new_id)
    )
    find_user = providers.Singleton(FindUser, OutboundAdapters.users)
    update_user = providers.Singleton(
        UpdateUser, OutboundAdapters.users, OutboundAdapters.clock, providers.Object(new_id)
    )
    delete_user = providers.Singleton(
        DeleteUser, OutboundAdapters.users, OutboundAdapters.clock, providers.Object(new_id)
    )
    create_key = providers.Singleton(
        CreateKey, OutboundAdapters.api_keys, OutboundAdapters.clock, providers.Object(random_text)
    )
    list_keys = providers.Singleton(ListKeys, OutboundAdapters.users, OutboundAdapters.api_keys)
    revoke_key = providers.Singleton(RevokeKey, OutboundAdapters.api_keys, OutboundAdapters.clock)
    let_first_admin_in = providers.Singleton(LetFirstAdminIn, OutboundAdapters.users, create_user, create_key)

    publish_domain_events = providers.Singleton(
        PublishDomainEvents,
        OutboundAdapters.logs,
        OutboundAdapters.publishers,
        OutboundAdapters.publishing_positions,
        providers.Object(log_publisher_bug),
    )
    deliver_webhooks = providers.Singleton(
        DeliverWebhooks,
        OutboundAdapters.webhook_endpoints,
        OutboundAdapters.webhook_deliveries,
        OutboundAdapters.webhook_sender,
        OutboundAdapters.clock,
        providers.Object(random),
        OutboundAdapters.settings.provided.webhooks.failing_allowed,
        OutboundAdapters.tally,
        on_switched_off=providers.Object(log_switched_off),
        on_turned=providers.Object(log_failing),
        on_bug=providers.Object(log_delivery_bug),
    )
    add_webhook = providers.Singleton(
        AddWebhook,
        OutboundAdapters.webhook_endpoints,
        OutboundAdapters.webhook_sender,
        OutboundAdapters.clock,
        providers.Object(new_id),
        providers.Object(token_bytes),
    )
    find_webhook = providers.Singleton(FindWebhook, OutboundAdapters.webhook_endpoints)
    switch_webhook = providers.Singleton(
        SwitchWebhook, OutboundAdapters.webhook_endpoints, OutboundAdapters.webhook_deliveries, OutboundAdapters.clock
    )
    rotate_webhook_secret = providers.Singleton(
        RotateWebhookSecret, OutboundAdapters.webhook_endpoints, OutboundAdapters.clock, providers.Object(token_bytes)
    )
    try_webhook = providers.Singleton(
        TryWebhook,
        OutboundAdapters.webhook_endpoints,
        OutboundAdapters.webhook_sender,
        OutboundAdapters.clock,
        providers.Object(new_id),
        providers.Callable(
            partial, providers.Object(render_trial), source=OutboundAdapters.settings.provided.publishing.source
        ),
    )
    replay_webhook = providers.Singleton(
        ReplayWebhook, OutboundAdapters.webhook_endpoints, OutboundAdapters.webhook_log, OutboundAdapters.clock
    )

    read_changes = providers.Singleton(ReadChanges, OutboundAdapters.plan_log)
    watch_log = providers.Singleton(WatchLog, OutboundAdapters.plan_log)
    announce_process = providers.Singleton(AnnounceProcess, OutboundAdapters.presence, OutboundAdapters.own_process)
    watch_service = providers.Singleton(
        WatchService,
        OutboundAdapters.own_process,
        watch_catalog,
        OutboundAdapters.presence,
        OutboundAdapters.tally,
        OutboundAdapters.verifications,
        OutboundAdapters.users,
        OutboundAdapters.publishing_positions,
        OutboundAdapters.webhook_states,
        OutboundAdapters.stats_keeper,
        OutboundAdapters.clock,
        OutboundAdapters.database,
        OutboundAdapters.zone_rules,
    )
    verify_stats = providers.Singleton(
        VerifyStats,
        keeper=OutboundAdapters.stats_keeper,
        verifications=OutboundAdapters.verifications,
        clock=OutboundAdapters.clock,
        at=OutboundAdapters.settings.provided.stats.verify_at,
        zone=OutboundAdapters.zone,
        on_verified=providers.Object(log_verified),
    )
    plans_around = providers.Singleton(
        PlansAround, OutboundAdapters.calendar, OutboundAdapters.clock, OutboundAdapters.zone
    )
    watch_dashboard = providers.Singleton(
        WatchDashboard,
        catalog=watch_catalog,
        plans=plans_around,
        stats=OutboundAdapters.stats,
        daily_active_users=daily_active_users,
        retention=retention,
        users=OutboundAdapters.users,
        clock=OutboundAdapters.clock,
    )
