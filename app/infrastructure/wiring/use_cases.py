"""The wiring, second part: ports -> use cases. `container.py` goes on."""

from functools import partial
from random import random
from secrets import token_bytes

from dependency_injector.providers import Callable, Singleton

from app.adapters.formats.cloud_events import render_trial
from app.adapters.inbound.worker.journal_loop import log_restoration
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
from app.infrastructure.wiring.outbound_adapters import Outbound
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


class UseCases(Outbound):
    """The use cases."""

    retime_plans = Singleton(
        RetimePlans,
        catalog=Outbound.catalog,
        leases=Outbound.leases,
        clock=Outbound.clock,
        new_run_id=new_run_id,
        rules=Outbound.zone_rules,
        on_retimed=log_retimed,
    )
    sync_provider = Singleton(
        SyncProvider,
        catalog=Outbound.catalog,
        journal=Outbound.sync_journal,
        leases=Outbound.leases,
        clock=Outbound.clock,
        retime=retime_plans,
        on_bug=log_sync_bug,
    )
    describe_plan = Singleton(DescribePlan, Outbound.catalog)
    describe_providers = Singleton(
        DescribeProviders, Outbound.directory, Outbound.catalog, Outbound.sync_journal, Outbound.circuits
    )
    list_runs = Singleton(ListRuns, Outbound.directory, Outbound.sync_journal)
    list_rejections = Singleton(ListRejections, Outbound.directory, Outbound.sync_journal)
    request_sync = Singleton(RequestSync, Outbound.directory, Outbound.sync_requests, new_run_id)
    follow_catalog = Singleton(FollowCatalog, Outbound.change_log, Outbound.index, log_catalog_trouble)
    watch_catalog = Singleton(
        WatchCatalog, describe_providers, Outbound.sync_journal, Outbound.queue_watch, Outbound.clock
    )

    restore_catalog = Singleton(
        RestoreCatalog,
        catalog=Outbound.catalog,
        source=Outbound.log_source,
        journal=Outbound.plan_journal,
        leases=Outbound.leases,
        clock=Outbound.clock,
        retime=retime_plans,
        new_run_id=new_run_id,
    )
    journal_changes = Singleton(
        JournalChanges,
        source=Outbound.log_source,
        journal=Outbound.plan_journal,
        restore=restore_catalog,
        clock=Outbound.clock,
        new_run_id=new_run_id,
        on_restored=log_restoration,
    )
    list_plan_states = Singleton(ListPlanStates, Outbound.plan_journal)
    search_past = Singleton(SearchPast, Outbound.plan_journal)
    record_activities = Singleton(
        RecordActivities,
        Outbound.activity_queue,
        Outbound.clock,
        Outbound.settings.provided.activity.rules,
        new_id,
        Callable(unless_listed, Outbound.settings, Outbound.activity_types),
    )
    note_types = Singleton(NoteTypes, Outbound.stats, Outbound.activity_types)
    store_activities = Singleton(
        StoreActivities,
        Singleton(traced_inbox, Outbound.tracing, Outbound.activity_inbox),
        Singleton(traced_store, Outbound.tracing, Outbound.activity_store, Outbound.database),
        log_worker_trouble,
        log_dead_letter,
        Callable(partial, count_stored, Outbound.tally),
    )
    page_of_totals = Singleton(PageOfTotals, Outbound.stats)
    total_of_type = Singleton(TotalOfType, Outbound.stats)
    daily_active_users = Singleton(DailyActiveUsers, Outbound.stats, Outbound.clock, Outbound.zone)
    top_types = Singleton(TopTypes, Outbound.stats, Outbound.clock, Outbound.zone)
    retention = Singleton(Retention, Outbound.stats, Outbound.clock, Outbound.zone)
    import_activities = Singleton(
        ImportActivities,
        Outbound.activity_store,
        Outbound.import_marks,
        Callable(unless_listed, Outbound.settings, Outbound.import_types),
    )

    authenticate = Singleton(
        Authenticate,
        Outbound.api_keys,
        Outbound.clock,
        Outbound.tokens,
        grace=Outbound.settings.provided.security.key_grace,
    )
    create_user = Singleton(CreateUser, Outbound.users, Outbound.clock, new_id)
    find_user = Singleton(FindUser, Outbound.users)
    update_user = Singleton(UpdateUser, Outbound.users, Outbound.clock, new_id)
    delete_user = Singleton(DeleteUser, Outbound.users, Outbound.clock, new_id)
    create_key = Singleton(CreateKey, Outbound.api_keys, Outbound.clock, random_text)
    list_keys = Singleton(ListKeys, Outbound.users, Outbound.api_keys)
    revoke_key = Singleton(RevokeKey, Outbound.api_keys, Outbound.clock)
    let_first_admin_in = Singleton(LetFirstAdminIn, Outbound.users, create_user, create_key)

    publish_domain_events = Singleton(
        PublishDomainEvents, Outbound.logs, Outbound.publishers, Outbound.publishing_positions, log_publisher_bug
    )
    deliver_webhooks = Singleton(
        DeliverWebhooks,
        Outbound.webhook_endpoints,
        Outbound.webhook_deliveries,
        Outbound.webhook_sender,
        Outbound.clock,
        random,
        Outbound.settings.provided.webhooks.failing_allowed,
        Outbound.tally,
        on_switched_off=log_switched_off,
        on_turned=log_failing,
        on_bug=log_delivery_bug,
    )
    add_webhook = Singleton(
        AddWebhook, Outbound.webhook_endpoints, Outbound.webhook_sender, Outbound.clock, new_id, token_bytes
    )
    find_webhook = Singleton(FindWebhook, Outbound.webhook_endpoints)
    switch_webhook = Singleton(SwitchWebhook, Outbound.webhook_endpoints, Outbound.webhook_deliveries, Outbound.clock)
    rotate_webhook_secret = Singleton(RotateWebhookSecret, Outbound.webhook_endpoints, Outbound.clock, token_bytes)
    try_webhook = Singleton(
        TryWebhook,
        Outbound.webhook_endpoints,
        Outbound.webhook_sender,
        Outbound.clock,
        new_id,
        Callable(partial, render_trial, source=Outbound.settings.provided.publishing.source),
    )
    replay_webhook = Singleton(ReplayWebhook, Outbound.webhook_endpoints, Outbound.webhook_log, Outbound.clock)

    read_changes = Singleton(ReadChanges, Outbound.plan_log)
    watch_log = Singleton(WatchLog, Outbound.plan_log)
    announce_process = Singleton(AnnounceProcess, Outbound.presence, Outbound.own_process)
    watch_service = Singleton(
        WatchService,
        Outbound.own_process,
        watch_catalog,
        Outbound.presence,
        Outbound.tally,
        Outbound.verifications,
        Outbound.users,
        Outbound.publishing_positions,
        Outbound.webhook_states,
        Outbound.stats_keeper,
        Outbound.clock,
        Outbound.database,
        Outbound.zone_rules,
    )
    verify_stats = Singleton(
        VerifyStats,
        keeper=Outbound.stats_keeper,
        verifications=Outbound.verifications,
        clock=Outbound.clock,
        at=Outbound.settings.provided.stats.verify_at,
        zone=Outbound.zone,
        on_verified=log_verified,
    )
    plans_around = Singleton(PlansAround, Outbound.calendar, Outbound.clock, Outbound.zone)
    watch_dashboard = Singleton(
        WatchDashboard,
        catalog=watch_catalog,
        plans=plans_around,
        stats=Outbound.stats,
        daily_active_users=daily_active_users,
        retention=retention,
        users=Outbound.users,
        clock=Outbound.clock,
    )
