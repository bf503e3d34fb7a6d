"""The wiring, second part: ports -> use cases. `container.py` goes on."""

from datetime import timedelta
from functools import partial
from random import random
from secrets import token_bytes

from dependency_injector import providers

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
from app.application.watch_catalog import WatchCatalog
from app.application.watch_dashboard import WatchDashboard
from app.application.watch_service import WatchService
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.identifiers import new_id, new_run_id, random_text
from app.infrastructure.wiring.outbound_adapters import Stores
from app.infrastructure.wiring.trouble_log import (
    tell_bug,
    tell_buried,
    tell_catalog_trouble,
    tell_delivery_bug,
    tell_publisher_bug,
    tell_retimed,
    tell_switched_off,
    tell_turned,
    tell_worker_trouble,
)


def unless_listed(settings: Settings, types: TypeBound) -> TypeBound | None:
    """Bound the types only where none are listed: a list is a bound, and what helps when others took all the room."""
    return types if settings.activity.types is None else None


class Core(Stores):
    """The use cases."""

    retime_plans = providers.Singleton(
        RetimePlans,
        catalog=Stores.catalog,
        leases=Stores.leases,
        clock=Stores.clock,
        new_run_id=providers.Object(new_run_id),
        rules=Stores.zone_rules,
        on_retimed=providers.Object(tell_retimed),
    )
    sync_provider = providers.Singleton(
        SyncProvider,
        catalog=Stores.catalog,
        journal=Stores.sync_journal,
        leases=Stores.leases,
        clock=Stores.clock,
        retime=retime_plans,
        on_bug=providers.Object(tell_bug),
    )
    describe_plan = providers.Singleton(DescribePlan, Stores.catalog)
    describe_providers = providers.Singleton(
        DescribeProviders, Stores.directory, Stores.catalog, Stores.sync_journal, Stores.circuits
    )
    list_runs = providers.Singleton(ListRuns, Stores.directory, Stores.sync_journal)
    list_rejections = providers.Singleton(ListRejections, Stores.directory, Stores.sync_journal)
    request_sync = providers.Singleton(
        RequestSync, Stores.directory, Stores.sync_requests, providers.Object(new_run_id)
    )
    follow_catalog = providers.Singleton(
        FollowCatalog, Stores.change_log, Stores.index, providers.Object(tell_catalog_trouble)
    )
    watch_catalog = providers.Singleton(
        WatchCatalog, describe_providers, Stores.sync_journal, Stores.queue_watch, Stores.clock
    )

    restore_catalog = providers.Singleton(
        RestoreCatalog,
        catalog=Stores.catalog,
        source=Stores.log_source,
        journal=Stores.plan_journal,
        leases=Stores.leases,
        clock=Stores.clock,
        retime=retime_plans,
        new_run_id=providers.Object(new_run_id),
    )
    journal_changes = providers.Singleton(
        JournalChanges,
        source=Stores.log_source,
        journal=Stores.plan_journal,
        restore=restore_catalog,
        clock=Stores.clock,
        new_run_id=providers.Object(new_run_id),
        on_restored=providers.Object(log_restoration),
    )
    list_plan_states = providers.Singleton(ListPlanStates, Stores.plan_journal)
    search_past = providers.Singleton(SearchPast, Stores.plan_journal)
    record_activities = providers.Singleton(
        RecordActivities,
        Stores.activity_queue,
        Stores.clock,
        Stores.settings.provided.activity.rules,
        providers.Object(new_id),
        providers.Callable(unless_listed, Stores.settings, Stores.activity_types),
    )
    note_types = providers.Singleton(NoteTypes, Stores.stats, Stores.activity_types)
    store_activities = providers.Singleton(
        StoreActivities,
        providers.Singleton(lambda tracing, inbox: tracing.inbox(inbox), Stores.tracing, Stores.activity_inbox),
        providers.Singleton(
            lambda tracing, store, database: tracing.store(store, database),
            Stores.tracing,
            Stores.activity_store,
            Stores.database,
        ),
        providers.Object(tell_worker_trouble),
        providers.Object(tell_buried),
        providers.Callable(partial, providers.Object(count_stored), Stores.tally),
    )
    page_of_totals = providers.Singleton(PageOfTotals, Stores.stats)
    total_of_type = providers.Singleton(TotalOfType, Stores.stats)
    daily_active_users = providers.Singleton(DailyActiveUsers, Stores.stats, Stores.clock, Stores.zone)
    top_types = providers.Singleton(TopTypes, Stores.stats, Stores.clock, Stores.zone)
    retention = providers.Singleton(Retention, Stores.stats, Stores.clock, Stores.zone)
    import_activities = providers.Singleton(
        ImportActivities,
        Stores.activity_store,
        Stores.import_marks,
        providers.Callable(unless_listed, Stores.settings, Stores.import_types),
    )

    authenticate = providers.Singleton(
        Authenticate,
        Stores.api_keys,
        Stores.clock,
        Stores.tokens,
        grace=Stores.settings.provided.security.key_grace,
    )
    create_user = providers.Singleton(CreateUser, Stores.users, Stores.clock, providers.Object(new_id))
    find_user = providers.Singleton(FindUser, Stores.users)
    update_user = providers.Singleton(UpdateUser, Stores.users, Stores.clock, providers.Object(new_id))
    delete_user = providers.Singleton(DeleteUser, Stores.users, Stores.clock, providers.Object(new_id))
    create_key = providers.Singleton(CreateKey, Stores.api_keys, Stores.clock, providers.Object(random_text))
    list_keys = providers.Singleton(ListKeys, Stores.users, Stores.api_keys)
    revoke_key = providers.Singleton(RevokeKey, Stores.api_keys, Stores.clock)
    let_first_admin_in = providers.Singleton(LetFirstAdminIn, Stores.users, create_user, create_key)

    publish_domain_events = providers.Singleton(
        PublishDomainEvents,
        Stores.logs,
        Stores.publishers,
        Stores.publishing_positions,
        providers.Object(tell_publisher_bug),
    )
    deliver_webhooks = providers.Singleton(
        DeliverWebhooks,
        Stores.webhook_endpoints,
        Stores.webhook_deliveries,
        Stores.webhook_sender,
        Stores.clock,
        providers.Object(random),
        providers.Callable(lambda settings: timedelta(seconds=settings.webhooks.disable_after), Stores.settings),
        Stores.tally,
        on_switched_off=providers.Object(tell_switched_off),
        on_turned=providers.Object(tell_turned),
        on_bug=providers.Object(tell_delivery_bug),
    )
    add_webhook = providers.Singleton(
        AddWebhook,
        Stores.webhook_endpoints,
        Stores.webhook_sender,
        Stores.clock,
        providers.Object(new_id),
        providers.Object(token_bytes),
    )
    find_webhook = providers.Singleton(FindWebhook, Stores.webhook_endpoints)
    switch_webhook = providers.Singleton(
        SwitchWebhook, Stores.webhook_endpoints, Stores.webhook_deliveries, Stores.clock
    )
    rotate_webhook_secret = providers.Singleton(
        RotateWebhookSecret, Stores.webhook_endpoints, Stores.clock, providers.Object(token_bytes)
    )
    try_webhook = providers.Singleton(
        TryWebhook,
        Stores.webhook_endpoints,
        Stores.webhook_sender,
        Stores.clock,
        providers.Object(new_id),
        providers.Callable(partial, providers.Object(render_trial), source=Stores.settings.provided.publishing.source),
    )
    replay_webhook = providers.Singleton(ReplayWebhook, Stores.webhook_endpoints, Stores.webhook_log, Stores.clock)

    read_changes = providers.Singleton(ReadChanges, Stores.plan_log)
    watch_log = providers.Singleton(WatchLog, Stores.plan_log)
    announce_process = providers.Singleton(AnnounceProcess, Stores.presence, Stores.own_process)
    watch_service = providers.Singleton(
        WatchService,
        Stores.own_process,
        watch_catalog,
        Stores.presence,
        Stores.tally,
        Stores.users,
        Stores.publishing_positions,
        Stores.webhook_states,
        Stores.stats_keeper,
        Stores.clock,
        Stores.database,
        Stores.zone_rules,
    )
    plans_around = providers.Singleton(PlansAround, Stores.calendar, Stores.clock, Stores.zone)
    watch_dashboard = providers.Singleton(
        WatchDashboard,
        catalog=watch_catalog,
        plans=plans_around,
        stats=Stores.stats,
        daily_active_users=daily_active_users,
        retention=retention,
        users=Stores.users,
        clock=Stores.clock,
    )
