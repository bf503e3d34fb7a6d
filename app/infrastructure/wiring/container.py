"""The wiring, last part, after outbound_adapters.py and use_cases.py: use cases -> edges. Nothing happens on import."""

from dependency_injector.providers import Callable, List, Singleton

from app.adapters.inbound.cli.catalog_commands import CatalogCore
from app.adapters.inbound.cli.import_command import ImportCore
from app.adapters.inbound.cli.webhook_commands import WebhookCore
from app.adapters.inbound.http.access.areas import Areas
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.guarded_app import GuardedApp
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.catalog.catalog_router import CatalogUseCases, catalog_router
from app.adapters.inbound.http.changes.change_stream import ChangeStreams
from app.adapters.inbound.http.changes.changes_router import changes_router
from app.adapters.inbound.http.connection.head_app import HeadApp
from app.adapters.inbound.http.dashboard.dashboard_router import dashboard_router
from app.adapters.inbound.http.dashboard.dashboard_stream import Viewers
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door
from app.adapters.inbound.http.ingest.ingest_router import ingest_router
from app.adapters.inbound.http.operations.docs_router import docs_router
from app.adapters.inbound.http.operations.health_router import health_router
from app.adapters.inbound.http.operations.metrics import RequestMetrics, metrics_router
from app.adapters.inbound.http.operations.request_log import RequestContext
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.inbound.http.stats.stats_router import stats_router
from app.adapters.inbound.http.users.users_router import users_router
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.adapters.inbound.worker.journal_loop import JournalLoop
from app.adapters.inbound.worker.publish_loop import PublishLoop
from app.adapters.inbound.worker.sync_schedule import SyncSchedule
from app.adapters.inbound.worker.timed_loops import TypeLoop, VerifyLoop
from app.adapters.inbound.worker.webhook_loop import WebhookLoop
from app.infrastructure.settings.network_access import open_areas, rates
from app.infrastructure.version import VERSION
from app.infrastructure.wiring.configured_adapters import local_only
from app.infrastructure.wiring.http_parts import (
    ingest_limits,
    metric_figures,
    plan_count,
    readiness,
    tells_health,
    traced_http,
)
from app.infrastructure.wiring.identifiers import new_run_id
from app.infrastructure.wiring.outbound_adapters import Outbound
from app.infrastructure.wiring.use_cases import UseCases


class Container(UseCases):
    """Everything that a process may need; each part is made when it is first asked for."""

    catalog_commands = Singleton(
        CatalogCore,
        directory=Outbound.directory,
        sync=UseCases.sync_provider,
        describe_providers=UseCases.describe_providers,
        list_runs=UseCases.list_runs,
        list_rejections=UseCases.list_rejections,
        restore=UseCases.restore_catalog,
        new_run_id=new_run_id,
    )
    stats_use_cases = Singleton(
        StatsUseCases,
        keeper=Outbound.stats_keeper,
        page_of_totals=UseCases.page_of_totals,
        total_of_type=UseCases.total_of_type,
        daily_active_users=UseCases.daily_active_users,
        top_types=UseCases.top_types,
        retention=UseCases.retention,
    )
    import_command = Singleton(
        ImportCore,
        import_activities=UseCases.import_activities,
        rules=Outbound.settings.provided.activity.rules,
        clock=Outbound.clock,
    )
    journal_loop = Singleton(
        JournalLoop, journal=UseCases.journal_changes, log=Outbound.change_log, leases=Outbound.loop_leases
    )
    type_loop = Singleton(TypeLoop, note=UseCases.note_types, leases=Outbound.loop_leases)
    verify_loop = Singleton(VerifyLoop, verify=UseCases.verify_stats, leases=Outbound.loop_leases)
    schedule = Singleton(
        SyncSchedule,
        sync=UseCases.sync_provider,
        directory=Outbound.directory,
        catalog=Outbound.catalog,
        requests=Outbound.sync_requests,
        clock=Outbound.clock,
        new_run_id=new_run_id,
        concurrent_syncs=Outbound.settings.provided.catalog.concurrent_syncs,
    )
    metrics = Singleton(RequestMetrics)
    is_ready = Callable(readiness, Outbound.index)
    size = Callable(plan_count, Outbound.index)
    catalog_use_cases = Singleton(
        CatalogUseCases,
        describe_plan=UseCases.describe_plan,
        list_plan_states=UseCases.list_plan_states,
        describe_providers=UseCases.describe_providers,
        list_runs=UseCases.list_runs,
        list_rejections=UseCases.list_rejections,
        request_sync=UseCases.request_sync,
    )
    user_use_cases = Singleton(
        UsersUseCases,
        users=Outbound.users,
        create_user=UseCases.create_user,
        find_user=UseCases.find_user,
        update_user=UseCases.update_user,
        delete_user=UseCases.delete_user,
        create_key=UseCases.create_key,
        list_keys=UseCases.list_keys,
        revoke_key=UseCases.revoke_key,
        clock=Outbound.clock,
    )
    webhook_commands = Singleton(
        WebhookCore,
        endpoints=Outbound.webhook_endpoints,
        log=Outbound.webhook_log,
        clock=Outbound.clock,
        add=UseCases.add_webhook,
        find=UseCases.find_webhook,
        switch=UseCases.switch_webhook,
        rotate=UseCases.rotate_webhook_secret,
        try_out=UseCases.try_webhook,
        replay=UseCases.replay_webhook,
    )
    publish_loop = Singleton(PublishLoop, publish=UseCases.publish_domain_events, leases=Outbound.loop_leases)
    webhook_loop = Singleton(
        WebhookLoop,
        deliver=UseCases.deliver_webhooks,
        log=Outbound.webhook_log,
        leases=Outbound.loop_leases,
        keep=Outbound.settings.provided.webhooks.log_kept,
    )
    streams = Singleton(
        ChangeStreams, UseCases.read_changes, UseCases.watch_log, Outbound.settings.provided.publishing.source
    )
    viewers = Singleton(Viewers, UseCases.watch_dashboard)
    figures = Singleton(metric_figures, UseCases.watch_catalog, UseCases.watch_service, is_ready, size)
    anonymous = Callable(open_areas, Outbound.settings)
    trusted_proxies = Outbound.settings.provided.security.trusted_proxies
    gatekeeper = Singleton(
        Gatekeeper,
        UseCases.authenticate,
        anonymous,
        Outbound.limiter,
        trusted_proxies,
        local=Callable(local_only, Outbound.settings),
        limited=Callable(rates, Outbound.settings),
        on_unauthenticated=metrics.provided.observe_unauthenticated,
        on_limited=metrics.provided.observe_rate_limited,
    )
    tells_health = Callable(tells_health, anonymous)
    door = Singleton(
        Door,
        UseCases.record_activities,
        Callable(ingest_limits, Outbound.settings),
        metrics.provided.observe_activities,
    )
    routers = List(
        Singleton(
            search_router, Outbound.index, Outbound.settings.provided.search.zone, is_ready, UseCases.search_past
        ),
        Singleton(
            changes_router,
            UseCases.read_changes,
            streams,
            Outbound.settings.provided.publishing.source,
            trusted_proxies,
        ),
        Singleton(catalog_router, catalog_use_cases),
        Singleton(ingest_router, door),
        Singleton(stats_router, stats_use_cases),
        Singleton(users_router, user_use_cases),
        Singleton(dashboard_router, viewers, trusted_proxies),
        Singleton(docs_router),
        Singleton(health_router, UseCases.watch_catalog, UseCases.watch_service, is_ready, size, tells_health),
        Singleton(metrics_router, metrics, figures, UseCases.watch_service),
    )
    api = Singleton(create_api, routers, VERSION, anonymous)
    guarded = Singleton(GuardedApp, Singleton(HeadApp, api), Singleton(Areas, api), gatekeeper, ERRORS)
    untraced = Singleton(
        SearchApp,
        Singleton(
            IngestApp,
            Singleton(RequestContext, guarded, metrics.provided.observe),
            door,
            metrics.provided.observe_ingest,
            gatekeeper,
            errors=ERRORS,
        ),
        Outbound.index,
        Outbound.settings.provided.search.zone,
        metrics.provided.observe_search,
        gatekeeper,
        errors=ERRORS,
    )
    http = Singleton(traced_http, Outbound.tracing, untraced)
