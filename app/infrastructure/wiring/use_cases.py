"""The wiring, second part: ports -> use cases. `container.py` goes on."""

from functools import partial
from random import random
from secrets import token_bytes

from dependency_injector.providers import Callable, Object, Singleton

from app.adapters.formats.cloud_events import render_activity, render_trial
from app.adapters.inbound.worker.journal_loop import log_restoration
from app.application import manage_webhooks
from app.application.announce_process import AnnounceProcess
from app.application.ask_funnel import AskFunnel
from app.application.authenticate import Authenticate
from app.application.deliver_webhooks import DeliverWebhooks
from app.application.expire_activities import ExpireActivities
from app.application.export_activities import ExportActivities
from app.application.export_plans import ExportPlans
from app.application.export_stats import ExportStats
from app.application.figures import count_stored
from app.application.first_admin import LetFirstAdminIn
from app.application.follow_catalog import FollowCatalog
from app.application.forget import Forget, ForgetAgain
from app.application.import_activities import ImportActivities
from app.application.issue_stream_token import IssueStreamToken
from app.application.journal_changes import JournalChanges
from app.application.list_activities import ListActivities
from app.application.look_at_days import FiguresOfDays, TypesOfDays
from app.application.manage_keys import CreateKey, ListKeys, RevokeKey
from app.application.manage_users import CreateUser, DeleteUser, FindUser, UpdateUser
from app.application.note_refusals import NoteRefusals
from app.application.note_types import NoteTypes
from app.application.plans_around import PlansAround
from app.application.ports.activities import TypeBound
from app.application.publish_domain_events import PublishDomainEvents
from app.application.read_catalog import DescribeHeld, DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.read_changes import ReadChanges, WatchLog
from app.application.read_history import ListPlanStates, SearchPast
from app.application.read_plan_stats import PlanByDay, PlansByFigures, WhatSells
from app.application.read_series import Series, SeriesByDimension, TotalInRange, TotalsOfRange
from app.application.read_stats import DailyActiveUsers, PageOfTotals, Retention, TopTypes, TotalOfType
from app.application.record_activities import RecordActivities
from app.application.request_sync import RequestSync
from app.application.restore_catalog import RestoreCatalog
from app.application.retime_plans import RetimePlans
from app.application.store_activities import StoreActivities
from app.application.sync_provider import SyncProvider
from app.application.tell_activities import TellActivities
from app.application.undo_import import UndoImport
from app.application.verify_stats import VerifyStats
from app.application.watch_catalog import WatchCatalog
from app.application.watch_dashboard import WatchDashboard
from app.application.watch_service import WatchService
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring import configured_adapters, trouble_log
from app.infrastructure.wiring.identifiers import new_id, new_run_id, random_text
from app.infrastructure.wiring.outbound_adapters import Outbound


def unless_listed(settings: Settings, types: TypeBound) -> TypeBound | None:
    """Bound the types only where none are listed: a list is a bound, and what helps when others took all the room."""
    return types if settings.activity.types is None else None


class UseCases(Outbound):
    """The use cases."""

    new_id = Object(new_id)
    new_run_id = Object(new_run_id)
    random_text = Object(random_text)
    random_bytes = Object(token_bytes)

    retime_plans = Singleton(RetimePlans, rules=Outbound.zone_rules, on_retimed=trouble_log.log_retimed)
    sync_provider = Singleton(
        SyncProvider, journal=Outbound.sync_journal, retime=retime_plans, on_bug=trouble_log.log_sync_bug
    )
    describe_plan = Singleton(DescribePlan)
    describe_providers = Singleton(DescribeProviders, journal=Outbound.sync_journal)
    list_runs = Singleton(ListRuns, journal=Outbound.sync_journal)
    list_rejections = Singleton(ListRejections)
    describe_held = Singleton(DescribeHeld)
    request_sync = Singleton(RequestSync)
    follow_catalog = Singleton(
        FollowCatalog,
        Outbound.change_log,
        on_trouble=trouble_log.log_catalog_trouble,
        on_refused_file=trouble_log.log_refused_file,
    )
    watch_catalog = Singleton(
        WatchCatalog, describe=describe_providers, journal=Outbound.sync_journal, queue=Outbound.queue_watch
    )

    restore_catalog = Singleton(
        RestoreCatalog, source=Outbound.log_source, journal=Outbound.plan_journal, retime=retime_plans
    )
    journal_changes = Singleton(
        JournalChanges,
        source=Outbound.log_source,
        journal=Outbound.plan_journal,
        restore=restore_catalog,
        on_restored=log_restoration,
    )
    list_plan_states = Singleton(ListPlanStates, Outbound.plan_journal)
    search_past = Singleton(SearchPast, Outbound.plan_journal)
    record_activities = Singleton(
        RecordActivities,
        Outbound.activity_queue,
        rules=Outbound.settings.provided.activity.rules,
        types=Callable(unless_listed, types=Outbound.activity_types),
    )
    note_refusals = Singleton(NoteRefusals, samples=Outbound.refused_samples)
    note_types = Singleton(NoteTypes, types=Outbound.activity_types)
    store_activities = Singleton(
        StoreActivities,
        Singleton(configured_adapters.traced_inbox, inbox=Outbound.activity_inbox),
        Singleton(configured_adapters.traced_store, store=Outbound.activity_store),
        on_trouble=trouble_log.log_worker_trouble,
        on_buried=trouble_log.log_dead_letter,
        on_stored=Callable(partial, count_stored, Outbound.tally),
    )
    page_of_totals = Singleton(PageOfTotals)
    total_of_type = Singleton(TotalOfType)
    export_plans = Singleton(ExportPlans, Outbound.plan_journal)
    export_stats = Singleton(ExportStats)
    ask_funnel = Singleton(AskFunnel, Outbound.funnel_instants)
    daily_active_users = Singleton(DailyActiveUsers)
    top_types = Singleton(TopTypes)
    retention = Singleton(Retention)
    figures_of_days = Singleton(FiguresOfDays, purchase_types=Outbound.settings.provided.stats.purchase_types)
    types_of_days = Singleton(TypesOfDays)
    series = Singleton(Series)
    series_by_dimension = Singleton(SeriesByDimension, dimensions=Outbound.settings.provided.activity.dimensions)
    totals_of_range = Singleton(TotalsOfRange)
    total_in_range = Singleton(TotalInRange)
    plans_by_figures = plans = Singleton(PlansByFigures, history=Outbound.plan_journal)
    plan_by_day = Singleton(PlanByDay)
    what_sells = Singleton(WhatSells)
    export_activities = Singleton(ExportActivities, Outbound.activity_archive)
    export_to_clients = Singleton(ExportActivities, Outbound.activity_archive, ahead=0)
    list_activities = Singleton(ListActivities, Outbound.activity_archive)
    import_activities = Singleton(
        ImportActivities,
        Outbound.activity_store,
        Outbound.imports,
        types=Callable(unless_listed, types=Outbound.import_types),
    )
    undo_import = Singleton(UndoImport, imports=Outbound.undone_imports)
    forget = Singleton(Forget, names=Outbound.forgotten_names)
    forget_again = Singleton(ForgetAgain, names=Outbound.forgotten_names)

    authenticate = Singleton(Authenticate, grace=Outbound.settings.provided.security.key_grace)
    create_user = Singleton(CreateUser)
    find_user = Singleton(FindUser)
    update_user = Singleton(UpdateUser)
    delete_user = Singleton(DeleteUser)
    create_key = Singleton(CreateKey)
    issue_stream_token = Singleton(IssueStreamToken)
    list_keys = Singleton(ListKeys)
    revoke_key = Singleton(RevokeKey)
    let_first_admin_in = Singleton(LetFirstAdminIn)

    publish_domain_events = Singleton(PublishDomainEvents, on_bug=trouble_log.log_publisher_bug)
    deliver_webhooks = Singleton(
        DeliverWebhooks,
        chance=random,
        disable_after=Outbound.settings.provided.webhooks.failing_allowed,
        on_switched_off=trouble_log.log_switched_off,
        on_turned=trouble_log.log_failing,
        on_bug=trouble_log.log_delivery_bug,
    )
    tell_activities = Singleton(
        TellActivities,
        outbox=Outbound.activity_outbox,
        log=Outbound.webhook_log,
        render=Callable(partial, render_activity, source=Outbound.settings.provided.publishing.source),
        max_pending=Outbound.settings.provided.webhooks.max_pending,
        on_skipping=trouble_log.log_skipping,
    )
    add_webhook = Singleton(manage_webhooks.AddWebhook)
    find_webhook = Singleton(manage_webhooks.FindWebhook)
    switch_webhook = Singleton(manage_webhooks.SwitchWebhook)
    change_webhook_headers = Singleton(manage_webhooks.ChangeWebhookHeaders)
    remove_webhook = Singleton(manage_webhooks.RemoveWebhook)
    rotate_webhook_secret = Singleton(manage_webhooks.RotateWebhookSecret)
    try_webhook = Singleton(
        manage_webhooks.TryWebhook,
        render=Callable(partial, render_trial, source=Outbound.settings.provided.publishing.source),
    )
    replay_webhook = Singleton(manage_webhooks.ReplayWebhook, log=Outbound.webhook_log)

    read_changes = Singleton(ReadChanges, Outbound.plan_log)
    watch_log = Singleton(WatchLog, Outbound.plan_log)
    announce_process = Singleton(AnnounceProcess, process=Outbound.own_process)
    watch_service = Singleton(
        WatchService,
        own=Outbound.own_process,
        catalog=watch_catalog,
        shared=Outbound.tally,
        webhooks=Outbound.endpoints,
        history=Outbound.database,
    )
    expire_activities = Singleton(
        ExpireActivities,
        keep_days=Outbound.settings.provided.activity.keep_days,
        on_expired=trouble_log.log_expired,
    )
    verify_stats = Singleton(
        VerifyStats, at=Outbound.settings.provided.stats.verify_at, on_verified=trouble_log.log_verified
    )
    plans_around = Singleton(PlansAround)
    watch_dashboard = Singleton(WatchDashboard, catalog=watch_catalog, plans=plans_around)
