"""The wiring, read top to bottom from stores.py over core.py to here: use cases -> edges. Nothing happens on import."""

from datetime import timedelta
from functools import partial

from dependency_injector import providers

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
from app.adapters.inbound.http.ingest.ingest_door import Door, IngestLimits
from app.adapters.inbound.http.ingest.ingest_router import ingest_router
from app.adapters.inbound.http.operations.docs_router import docs_router
from app.adapters.inbound.http.operations.health_router import catalog_figures, health_router
from app.adapters.inbound.http.operations.metric_families import Figures
from app.adapters.inbound.http.operations.metrics import RequestMetrics, metrics_router
from app.adapters.inbound.http.operations.request_log import RequestContext
from app.adapters.inbound.http.operations.service_figures import service_figures
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.inbound.http.stats.stats_router import stats_router
from app.adapters.inbound.http.users.users_router import users_router
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.adapters.inbound.worker.journal_loop import JournalLoop
from app.adapters.inbound.worker.publish_loop import PublishLoop
from app.adapters.inbound.worker.sync_schedule import SyncSchedule
from app.adapters.inbound.worker.type_loop import TypeLoop
from app.adapters.inbound.worker.webhook_loop import WebhookLoop
from app.domain.access import Area
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.exposure_startup import local_only, open_areas, rates
from app.infrastructure.version import VERSION
from app.infrastructure.wiring.identifiers import new_run_id
from app.infrastructure.wiring.outbound_adapters import Stores
from app.infrastructure.wiring.use_cases import Core


def ingest_limits(settings: Settings) -> IngestLimits:
    """Say how much one request may bring."""
    activity = settings.activity
    return IngestLimits(activity.array_limit, activity.batch_limit, activity.max_body_bytes)


class Container(Core):
    """Everything that a process may need; each part is made when it is first asked for."""

    cli_core = providers.Singleton(
        CatalogCore,
        directory=Stores.directory,
        sync=Core.sync_provider,
        describe_providers=Core.describe_providers,
        list_runs=Core.list_runs,
        list_rejections=Core.list_rejections,
        restore=Core.restore_catalog,
        new_run_id=providers.Object(new_run_id),
    )
    stats_use_cases = providers.Singleton(
        StatsUseCases,
        keeper=Stores.stats_keeper,
        page_of_totals=Core.page_of_totals,
        total_of_type=Core.total_of_type,
        daily_active_users=Core.daily_active_users,
        top_types=Core.top_types,
        retention=Core.retention,
    )
    import_core = providers.Singleton(
        ImportCore,
        import_activities=Core.import_activities,
        rules=Stores.settings.provided.activity.rules,
        clock=Stores.clock,
    )
    journal_loop = providers.Singleton(
        JournalLoop, journal=Core.journal_changes, log=Stores.change_log, leases=Stores.loop_leases
    )
    type_loop = providers.Singleton(TypeLoop, note=Core.note_types, leases=Stores.loop_leases)
    schedule = providers.Singleton(
        SyncSchedule,
        sync=Core.sync_provider,
        directory=Stores.directory,
        catalog=Stores.catalog,
        requests=Stores.sync_requests,
        clock=Stores.clock,
        new_run_id=providers.Object(new_run_id),
        concurrent_syncs=Stores.settings.provided.catalog.concurrent_syncs,
    )
    metrics = providers.Singleton(RequestMetrics)
    is_ready = providers.Callable(lambda index: partial(getattr, index, "ready"), Stores.index)
    size = providers.Callable(lambda index: partial(getattr, index, "size"), Stores.index)
    catalog_use_cases = providers.Singleton(
        CatalogUseCases,
        describe_plan=Core.describe_plan,
        list_plan_states=Core.list_plan_states,
        describe_providers=Core.describe_providers,
        list_runs=Core.list_runs,
        list_rejections=Core.list_rejections,
        request_sync=Core.request_sync,
    )
    user_use_cases = providers.Singleton(
        UsersUseCases,
        users=Stores.users,
        create_user=Core.create_user,
        find_user=Core.find_user,
        update_user=Core.update_user,
        delete_user=Core.delete_user,
        create_key=Core.create_key,
        list_keys=Core.list_keys,
        revoke_key=Core.revoke_key,
        clock=Stores.clock,
    )
    webhook_core = providers.Singleton(
        WebhookCore,
        endpoints=Stores.webhook_endpoints,
        log=Stores.webhook_log,
        clock=Stores.clock,
        add=Core.add_webhook,
        find=Core.find_webhook,
        switch=Core.switch_webhook,
        rotate=Core.rotate_webhook_secret,
        try_out=Core.try_webhook,
        replay=Core.replay_webhook,
    )
    publish_loop = providers.Singleton(PublishLoop, publish=Core.publish_domain_events, leases=Stores.loop_leases)
    webhook_loop = providers.Singleton(
        WebhookLoop,
        deliver=Core.deliver_webhooks,
        log=Stores.webhook_log,
        leases=Stores.loop_leases,
        keep=providers.Callable(lambda settings: timedelta(days=settings.webhooks.keep_days), Stores.settings),
    )
    streams = providers.Singleton(
        ChangeStreams, Core.read_changes, Core.watch_log, Stores.settings.provided.publishing.source
    )
    viewers = providers.Singleton(Viewers, Core.watch_dashboard)
    figures = providers.Singleton(
        lambda watch, service, is_ready, size: Figures(
            partial(catalog_figures, watch, is_ready, size), partial(service_figures, service, VERSION)
        ),
        Core.watch_catalog,
        Core.watch_service,
        is_ready,
        size,
    )
    anonymous = providers.Callable(open_areas, Stores.settings)
    trusted_proxies = Stores.settings.provided.security.trusted_proxies
    gatekeeper = providers.Singleton(
        Gatekeeper,
        Core.authenticate,
        anonymous,
        Stores.limiter,
        trusted_proxies,
        local=providers.Callable(local_only, Stores.settings),
        limited=providers.Callable(rates, Stores.settings),
        on_unauthenticated=metrics.provided.observe_unauthenticated,
        on_limited=metrics.provided.observe_rate_limited,
    )
    tells_health = providers.Callable(lambda anonymous: Area.METRICS in anonymous, anonymous)
    door = providers.Singleton(
        Door,
        Core.record_activities,
        providers.Callable(ingest_limits, Stores.settings),
        metrics.provided.observe_activities,
    )
    errors = providers.Object(ERRORS)
    routers = providers.List(
        providers.Singleton(
            search_router, Stores.index, Stores.settings.provided.search.zone, is_ready, Core.search_past
        ),
        providers.Singleton(
            changes_router, Core.read_changes, streams, Stores.settings.provided.publishing.source, trusted_proxies
        ),
        providers.Singleton(catalog_router, catalog_use_cases),
        providers.Singleton(ingest_router, door),
        providers.Singleton(stats_router, stats_use_cases),
        providers.Singleton(users_router, user_use_cases),
        providers.Singleton(dashboard_router, viewers, trusted_proxies),
        providers.Singleton(docs_router),
        providers.Singleton(health_router, Core.watch_catalog, Core.watch_service, is_ready, size, tells_health),
        providers.Singleton(metrics_router, metrics, figures, Core.watch_service),
    )
    api = providers.Singleton(create_api, routers, providers.Object(VERSION), anonymous)
    guarded = providers.Singleton(
        GuardedApp, providers.Singleton(HeadApp, api), providers.Singleton(Areas, api), gatekeeper, errors
    )
    untraced = providers.Singleton(
        SearchApp,
        providers.Singleton(
            IngestApp,
            providers.Singleton(RequestContext, guarded, metrics.provided.observe),
            door,
            metrics.provided.observe_ingest,
            gatekeeper,
            errors=errors,
        ),
        Stores.index,
        Stores.settings.provided.search.zone,
        metrics.provided.observe_search,
        gatekeeper,
        errors=errors,
    )
    http = providers.Singleton(lambda tracing, app: tracing.http(app), Stores.tracing, untraced)
