"""The wiring, read top to bottom: settings -> clients -> adapters -> use cases -> edges. Nothing happens on import."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from uuid import uuid4

import structlog
from dependency_injector import containers, providers

from app.adapters.inbound.cli.catalog_commands import CatalogCore
from app.adapters.inbound.http.api import create_api
from app.adapters.inbound.http.catalog_router import CatalogUseCases, catalog_router
from app.adapters.inbound.http.health_router import catalog_figures, health_router
from app.adapters.inbound.http.metrics import Figures, RequestMetrics, metrics_router
from app.adapters.inbound.http.rendering import parse_plan, plan_prefix, render_plan
from app.adapters.inbound.http.requests import RequestContext
from app.adapters.inbound.http.search_app import SearchApp
from app.adapters.inbound.http.search_router import search_router
from app.adapters.inbound.worker.sync_schedule import SyncSchedule
from app.adapters.outbound.memory.live_index import LiveIndex
from app.adapters.outbound.redis.change_log import RedisChangeLog
from app.adapters.outbound.redis.circuit_states import RedisCircuitStates
from app.adapters.outbound.redis.connection import RedisClient, connect
from app.adapters.outbound.redis.leases import RedisLeases
from app.adapters.outbound.redis.plan_catalog import RedisPlanCatalog
from app.adapters.outbound.redis.sync_journal import RedisSyncJournal
from app.adapters.outbound.redis.sync_requests import RedisSyncRequests
from app.application.follow_catalog import FollowCatalog
from app.application.read_catalog import DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.request_sync import RequestSync
from app.application.sync_provider import SyncProvider
from app.application.watch_catalog import WatchCatalog
from app.infrastructure.clock import SystemClock
from app.infrastructure.configuration import ConfigurationError
from app.infrastructure.embedded_redis import EmbeddedRedis
from app.infrastructure.provider_directory import SettingsDirectory
from app.infrastructure.redis_server import RedisOptions
from app.infrastructure.settings import Settings
from app.infrastructure.version import VERSION

log = structlog.get_logger()

BLOCK = 1.0
"""Seconds that a blocking read of Redis waits at the most."""


def new_run_id() -> str:
    """Make an id for a run."""
    return str(uuid4())


def operations_open(settings: Settings) -> bool:
    """Tell whether operators' routes are open: by default only where nobody else can reach them."""
    return settings.service.open_operations or is_loopback(settings.service.host)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host; a name other than localhost may lead anywhere."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _tell_trouble(trouble: str | None) -> None:
    if trouble:
        log.warning("search goes on with the plans it has, changes will follow later", reason=trouble)
    else:
        log.info("search follows the catalog's changes")


def _tell_bug(error: Exception) -> None:
    log.error("a sync met an error that it does not know", exc_info=error)


class Container(containers.DeclarativeContainer):
    """Everything that a process may need; each part is made when it is first asked for."""

    settings = providers.Dependency(instance_of=Settings)
    redis_url = providers.Dependency(instance_of=str)

    # clients
    redis = providers.Singleton(connect, redis_url, timeout=settings.provided.redis.timeout)
    blocking_redis = providers.Singleton(
        connect, redis_url, timeout=providers.Callable(lambda s: s.redis.timeout + BLOCK, settings)
    )

    # outbound
    clock = providers.Singleton(SystemClock)
    circuits = providers.Singleton(RedisCircuitStates, redis)
    catalog = providers.Singleton(RedisPlanCatalog, redis, log_kept=settings.provided.catalog.change_log_limit)
    journal = providers.Singleton(
        RedisSyncJournal,
        redis,
        runs_kept=settings.provided.catalog.runs_kept,
        rejections_kept=settings.provided.catalog.rejections_kept,
    )
    change_log = providers.Singleton(RedisChangeLog, redis, blocking_redis, block=BLOCK)
    leases = providers.Singleton(RedisLeases, redis, ttl=settings.provided.catalog.lease)
    sync_requests = providers.Singleton(RedisSyncRequests, redis, blocking_redis, block=BLOCK)
    directory = providers.Singleton(SettingsDirectory, settings, circuits)
    index = providers.Singleton(LiveIndex, render_plan, plan_prefix, parse_plan, seed=settings.provided.search.timezone)

    # use cases
    sync_provider = providers.Singleton(
        SyncProvider, catalog=catalog, journal=journal, leases=leases, clock=clock, on_bug=providers.Object(_tell_bug)
    )
    describe_plan = providers.Singleton(DescribePlan, catalog)
    describe_providers = providers.Singleton(DescribeProviders, directory, catalog, journal, circuits)
    list_runs = providers.Singleton(ListRuns, directory, journal)
    list_rejections = providers.Singleton(ListRejections, directory, journal)
    request_sync = providers.Singleton(RequestSync, directory, sync_requests, providers.Object(new_run_id))
    follow_catalog = providers.Singleton(FollowCatalog, catalog, change_log, index, providers.Object(_tell_trouble))
    watch_catalog = providers.Singleton(WatchCatalog, describe_providers, journal, clock)

    # inbound
    cli_core = providers.Singleton(
        CatalogCore,
        directory=directory,
        sync=sync_provider,
        describe_providers=describe_providers,
        list_runs=list_runs,
        list_rejections=list_rejections,
        new_run_id=providers.Object(new_run_id),
    )
    schedule = providers.Singleton(
        SyncSchedule,
        sync=sync_provider,
        directory=directory,
        catalog=catalog,
        requests=sync_requests,
        clock=clock,
        new_run_id=providers.Object(new_run_id),
    )
    metrics = providers.Singleton(RequestMetrics)
    is_ready = providers.Callable(lambda index: partial(getattr, index, "ready"), index)
    size = providers.Callable(lambda index: partial(getattr, index, "size"), index)
    catalog_use_cases = providers.Singleton(
        CatalogUseCases,
        describe_plan=describe_plan,
        describe_providers=describe_providers,
        list_runs=list_runs,
        list_rejections=list_rejections,
        request_sync=request_sync,
    )
    figures = providers.Singleton(
        lambda watch, is_ready, size: Figures(partial(catalog_figures, watch, is_ready, size)),
        watch_catalog,
        is_ready,
        size,
    )
    routers = providers.List(
        providers.Singleton(search_router, index, settings.provided.search.zone, is_ready),
        providers.Singleton(
            catalog_router,
            catalog_use_cases,
            providers.Callable(lambda settings: partial(operations_open, settings), settings),
        ),
        providers.Singleton(health_router, watch_catalog, is_ready, size),
        providers.Singleton(metrics_router, metrics, figures),
    )
    api = providers.Singleton(create_api, routers, providers.Object(VERSION))
    http = providers.Singleton(
        SearchApp,
        providers.Singleton(RequestContext, api, metrics.provided.observe),
        index,
        settings.provided.search.zone,
        metrics.provided.observe_search,
    )


@asynccontextmanager
async def open_container(settings: Settings) -> AsyncIterator[Container]:
    """Open the container, and the embedded Redis when the settings have it; close both after.

    Raises:
        EmbeddedRedisError: it cannot be started; the message says what to do.
        ConfigurationError: redis.url cannot be used.
    """
    embedded = embedded_redis(settings)
    if embedded:
        await asyncio.to_thread(embedded.start)
    try:
        container = Container(settings=settings, redis_url=embedded.url if embedded else settings.redis.url)
        _check_redis_url(container)
        try:
            yield container
        finally:
            await _close(container.redis, container.blocking_redis)
    finally:
        if embedded:
            await asyncio.to_thread(embedded.stop)


def _check_redis_url(container: Container) -> None:
    try:
        container.redis()
    except ValueError as error:
        raise ConfigurationError([str(error)]) from None


def embedded_redis(settings: Settings) -> EmbeddedRedis | None:
    """Make this process's share in the embedded Redis; None when the settings name a server."""
    if settings.redis.url != "embedded":
        return None
    options = RedisOptions(fsync=settings.redis.fsync, loading_seconds=settings.redis.start_timeout)
    return EmbeddedRedis(settings.service.data_dir, options)


async def _close(*clients: Callable[[], RedisClient]) -> None:
    for client in clients:
        await client().aclose()
