"""The wiring, last part, after outbound_adapters.py and use_cases.py: use cases -> edges. Nothing happens on import."""

import inspect
from functools import partial
from typing import Any, TypeVar

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import BaseSingleton, Callable, List, Object, Singleton, traverse

from app.adapters.inbound.cli.activities_commands import ActivitiesParts
from app.adapters.inbound.cli.catalog_commands import CatalogParts
from app.adapters.inbound.cli.export_command import ExportParts
from app.adapters.inbound.cli.forget_command import ForgetParts
from app.adapters.inbound.cli.import_command import ImportParts
from app.adapters.inbound.cli.imports_commands import ImportsParts
from app.adapters.inbound.http.access.areas import Areas
from app.adapters.inbound.http.access.gatekeeper import Gatekeeper
from app.adapters.inbound.http.access.guarded_app import GuardedApp
from app.adapters.inbound.http.access.posting_gate import PostingGate
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.catalog.catalog_router import CatalogUseCases, catalog_router
from app.adapters.inbound.http.catalog.plan_list_router import plan_list_router
from app.adapters.inbound.http.changes.change_stream import ChangeStreams
from app.adapters.inbound.http.changes.changes_router import changes_router
from app.adapters.inbound.http.connection.head_app import HeadApp
from app.adapters.inbound.http.dashboard.dashboard_lists import dashboard_lists_router
from app.adapters.inbound.http.dashboard.dashboard_router import dashboard_router
from app.adapters.inbound.http.dashboard.dashboard_stream import Viewers
from app.adapters.inbound.http.describing.content_codings import Packings
from app.adapters.inbound.http.describing.packing_app import PackingApp
from app.adapters.inbound.http.error_table import ERRORS
from app.adapters.inbound.http.exports.export_streams import ExportStreams
from app.adapters.inbound.http.exports.exports_router import exports_router
from app.adapters.inbound.http.ingest.ingest_app import IngestApp
from app.adapters.inbound.http.ingest.ingest_door import Door
from app.adapters.inbound.http.ingest.ingest_router import ingest_router
from app.adapters.inbound.http.ingest.segment_router import segment_router
from app.adapters.inbound.http.operations.docs_router import docs_router
from app.adapters.inbound.http.operations.health_router import SearchState, health_router
from app.adapters.inbound.http.operations.metrics import RequestMetrics, metrics_router
from app.adapters.inbound.http.operations.refusals_router import refusals_router
from app.adapters.inbound.http.operations.request_log import RequestContext
from app.adapters.inbound.http.search.search_app import SearchApp
from app.adapters.inbound.http.search.search_router import search_router
from app.adapters.inbound.http.stats.stats_router import stats_router
from app.adapters.inbound.http.tracker.tracker_router import tracker_router
from app.adapters.inbound.http.users.stream_tokens_router import stream_tokens_router
from app.adapters.inbound.http.users.users_router import users_router
from app.adapters.inbound.http.webhooks.webhooks_router import webhooks_router
from app.adapters.inbound.use_cases.stats_use_cases import StatsUseCases
from app.adapters.inbound.use_cases.users_use_cases import UsersUseCases
from app.adapters.inbound.use_cases.webhooks_use_cases import WebhooksUseCases
from app.adapters.inbound.worker.journal_loop import JournalLoop
from app.adapters.inbound.worker.publish_loop import PublishLoop
from app.adapters.inbound.worker.sync_schedule import SyncSchedule
from app.adapters.inbound.worker.timed_loops import ExpiryLoop, TypeLoop, VerifyLoop
from app.adapters.inbound.worker.webhook_loop import WebhookLoop
from app.infrastructure.settings.network_access import open_areas, rates
from app.infrastructure.version import VERSION
from app.infrastructure.wiring import http_parts, subscription_parts
from app.infrastructure.wiring.activity_wording import wording
from app.infrastructure.wiring.configured_adapters import local_only
from app.infrastructure.wiring.outbound_adapters import Outbound
from app.infrastructure.wiring.use_cases import UseCases

ContainerT = TypeVar("ContainerT", bound=DeclarativeContainer)


def filled_by_name(container: type[ContainerT]) -> type[ContainerT]:
    """Give each part what it takes and is not given already: for a parameter `clock` the part `clock`.

    So no two can be swapped by mistake. A default counts only where no part has the name.

    Raises:
        TypeError: an argument is missing or too many.
    """
    parts: list[Any] = list(traverse(*container.providers.values(), types=[Callable, BaseSingleton]))
    for part in parts:
        if part.provides is partial:  # it takes anything
            continue
        signature = inspect.signature(part.provides)
        given = signature.bind_partial(*part.args, **part.kwargs).arguments
        taken = signature.parameters.keys() & container.providers.keys() - given.keys()
        part.add_kwargs(**{name: container.providers[name] for name in taken})
        signature.bind(*part.args, **part.kwargs)
    return container


@filled_by_name
class Container(UseCases):
    """Everything that a process may need; each part is made when it is first asked for."""

    catalog_commands = Singleton(CatalogParts, sync=UseCases.sync_provider, restore=UseCases.restore_catalog)
    stats_use_cases = Singleton(StatsUseCases)
    import_command = Singleton(
        ImportParts,
        rules=Outbound.settings.provided.activity.rules,
        no_users=Outbound.settings.provided.activity.no_users,
    )
    imports_commands = Singleton(ImportsParts)
    activities_commands = Singleton(ActivitiesParts)
    forget_command = Singleton(ForgetParts)
    export_parts = Singleton(ExportParts)
    journal_loop = Singleton(
        JournalLoop, journal=UseCases.journal_changes, log=Outbound.change_log, leases=Outbound.loop_leases
    )
    type_loop = Singleton(TypeLoop, note=UseCases.note_types, leases=Outbound.loop_leases)
    expiry_loop = Singleton(ExpiryLoop, expire=UseCases.expire_activities, leases=Outbound.loop_leases)
    verify_loop = Singleton(VerifyLoop, verify=UseCases.verify_stats, leases=Outbound.loop_leases)
    subscription_names = Callable(subscription_parts.subscription_names)
    subscription_loops = Singleton(subscription_parts.subscription_loops, note=UseCases.note_refusals)
    concurrent_syncs = Outbound.settings.provided.catalog.concurrent_syncs
    schedule = Singleton(SyncSchedule, sync=UseCases.sync_provider)
    metrics = Singleton(RequestMetrics)
    is_ready = Callable(http_parts.readiness)
    size = Callable(http_parts.plan_count)
    search = Singleton(SearchState)
    catalog_use_cases = Singleton(CatalogUseCases)
    user_use_cases = Singleton(UsersUseCases)
    webhooks_use_cases = Singleton(
        WebhooksUseCases,
        log=Outbound.webhook_log,
        add=UseCases.add_webhook,
        find=UseCases.find_webhook,
        switch=UseCases.switch_webhook,
        change_headers=UseCases.change_webhook_headers,
        remove=UseCases.remove_webhook,
        rotate=UseCases.rotate_webhook_secret,
        try_out=UseCases.try_webhook,
        replay=UseCases.replay_webhook,
    )
    publish_loop = Singleton(PublishLoop, publish=UseCases.publish_domain_events, leases=Outbound.loop_leases)
    webhook_loop = Singleton(
        WebhookLoop,
        tell_activities=UseCases.tell_activities,
        deliver=UseCases.deliver_webhooks,
        log=Outbound.webhook_log,
        leases=Outbound.loop_leases,
        keep=Outbound.settings.provided.webhooks.log_kept,
    )
    event_source = Outbound.settings.provided.publishing.source
    streams = Singleton(ChangeStreams, watch=UseCases.watch_log, source=event_source)
    viewers = Singleton(Viewers, UseCases.watch_dashboard)
    figures = Singleton(http_parts.metric_figures, UseCases.watch_catalog, UseCases.watch_service)
    anonymous = Callable(open_areas)
    trusted_proxies = Outbound.settings.provided.security.trusted_proxies
    gatekeeper = Singleton(
        Gatekeeper,
        local=Callable(local_only),
        limited=Callable(rates),
        on_unauthenticated=metrics.provided.observe_unauthenticated,
        on_limited=metrics.provided.observe_rate_limited,
    )
    gate = Singleton(
        PostingGate,
        expects=UseCases.authenticate.provided.expects,
        cors_origins=Outbound.settings.provided.security.cors_origins,
    )
    tells_all = Callable(http_parts.tells_health)
    limits = Callable(http_parts.ingest_limits)
    door = Singleton(
        Door,
        UseCases.record_activities,
        observe=metrics.provided.observe_activities,
        wording=Callable(wording),
        note=UseCases.note_refusals,
    )
    timezone = Outbound.settings.provided.search.zone
    routers = List(
        Singleton(search_router, Outbound.index),
        Singleton(changes_router, UseCases.read_changes, source=event_source),
        Singleton(plan_list_router),
        Singleton(catalog_router, catalog_use_cases),
        Singleton(ingest_router),
        Singleton(segment_router),
        Singleton(stats_router, stats_use_cases),
        Singleton(
            exports_router,
            UseCases.export_to_clients,
            UseCases.export_plans,
            UseCases.export_stats,
            UseCases.list_activities,
            Singleton(ExportStreams),
        ),
        Singleton(users_router, user_use_cases),
        Singleton(stream_tokens_router),
        Singleton(dashboard_lists_router),
        Singleton(webhooks_router, webhooks_use_cases),
        Singleton(dashboard_router),
        Singleton(docs_router),
        Singleton(tracker_router),
        Singleton(health_router, UseCases.watch_catalog, UseCases.watch_service, subscriptions=subscription_names),
        Singleton(refusals_router, Outbound.refused_samples, service=UseCases.watch_service),
        Singleton(metrics_router, metrics, watch=UseCases.watch_service),
    )
    errors = Object(ERRORS)
    api = Singleton(create_api, version=VERSION)
    lenient_areas = Callable(http_parts.lenient_areas)
    areas = Singleton(Areas)
    packings = Singleton(Packings)
    guarded = Singleton(GuardedApp, Singleton(HeadApp, Singleton(PackingApp, api)))
    untraced = Singleton(
        SearchApp,
        Singleton(
            IngestApp,
            Singleton(RequestContext, guarded, metrics.provided.observe),
            observe=metrics.provided.observe_ingest,
        ),
        Outbound.index,
        observe=metrics.provided.observe_search,
    )
    http = Singleton(http_parts.traced_http, app=untraced)
    quick_search = Singleton(http_parts.quick_search, observe=metrics.provided.observe_search)
