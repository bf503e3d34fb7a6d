"""The roles: what each kind of process does from its start to its drained end."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
import uvicorn

from app.adapters.inbound.http.access.cors import with_cors
from app.adapters.inbound.http.connection.connection_limits import ConnectionLimits, room_for_connections
from app.adapters.inbound.http.connection.edge_server import SECURITY_HEADERS, EdgeServer
from app.adapters.inbound.http.connection.joined_writes import JoinedWritesProtocol
from app.adapters.inbound.http.connection.timeout_protocol import timeout_protocol
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import SchemaError, migrate, newest
from app.application.figures import count_cut
from app.application.ports.system import LiveStateUnavailableError
from app.infrastructure.observability.tracing import open_tracing
from app.infrastructure.processes.background_tasks import beside, until_cancelled
from app.infrastructure.processes.garbage_collection import settle_memory
from app.infrastructure.processes.listening_socket import address
from app.infrastructure.processes.parent_watch import PARENT_WATCH_VARIABLE
from app.infrastructure.settings.configuration import ConfigurationError
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.exposure_startup import warn_of_open_doors, warn_of_proxy
from app.infrastructure.startup.history_startup import (
    restore_what_was_lost,
    warn_of_days,
    warn_of_history_beside,
    warn_of_lonely_history,
)
from app.infrastructure.startup.retiming_startup import retime_at_the_start
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from app.infrastructure.wiring.container import Container
from app.infrastructure.wiring.open_container import open_container

log = structlog.get_logger()

STORE_TIMEOUT = 3.0
"""Seconds that an API process without an index waits for its store before it takes connections all the same."""


def http_server(
    app: Any, drain: float, protocol: Any = JoinedWritesProtocol, on_shutdown: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """Make the server of an ASGI application; one that is told to end answers what is in hand for `drain` seconds."""
    config = uvicorn.Config(
        app,
        http=protocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        ws="none",
        headers=SECURITY_HEADERS,
        timeout_graceful_shutdown=max(1, int(drain)),
    )
    return EdgeServer(config, on_shutdown)


def edge_limits(settings: Settings) -> ConnectionLimits:
    """Say how much of a connection a client may take up."""
    service = settings.service
    return ConnectionLimits(
        header_timeout=service.header_timeout,
        body_timeout=service.body_timeout,
        keep_alive_timeout=service.keep_alive_timeout,
        max_header_bytes=service.max_header_bytes,
        max_connections=room_for_connections(),
    )


async def run_api(settings: Settings, listening: socket.socket) -> None:
    """Serve HTTP until SIGTERM or SIGINT, or until the supervisor is gone; then answer what is in hand, and end."""
    warn_of_lonely_history(settings)
    if PARENT_WATCH_VARIABLE not in os.environ:
        warn_of_open_doors(settings)
    async with open_container(settings, "api") as container, open_tracing(settings.telemetry, "api") as tracing:
        container.tracing.override(tracing)

        def stop() -> None:
            server.should_exit = True

        def end_streams() -> None:
            container.watch_log().stop()
            container.viewers().stop()

        app = with_cors(container.http(), settings.security.cors_origins)
        protocol = timeout_protocol(
            edge_limits(settings), partial(count_cut, container.tally()), warn_of_proxy(settings)
        )
        server = http_server(app, settings.service.drain, protocol, end_streams)
        log.info("api loads the catalog", at=address(listening), tzdata=ZONE_RULES)
        announcement = _announce(container, address(listening))  # asked now: uvicorn closes the socket when it ends
        background = (
            container.follow_catalog()(),
            container.watch_catalog()(),
            container.watch_service()(),
            container.watch_dashboard()(),
            container.authenticate().watch(),
            container.announce_process()(),
            container.tally()(),
            announcement,
        )
        await beside(_serve(server, container, listening), background, stop, settings)


async def _serve(server: uvicorn.Server, container: Container, listening: socket.socket) -> None:
    """Take connections once there is an index to answer them from; before, they wait or go to another process.

    As long as the store answers, that only is a matter of time. While it does not, health must be told soon.
    """
    index, watch = container.index(), container.watch_catalog()
    patient_until = time.monotonic() + STORE_TIMEOUT

    def must_wait() -> bool:
        expected = watch.trouble is None or time.monotonic() < patient_until
        return expected and not index.ready and not server.should_exit

    while must_wait():  # noqa: ASYNC110 - at the start only, as in _announce
        await asyncio.sleep(0.02)
    await server.serve(sockets=[listening])


async def run_scheduler(settings: Settings) -> None:
    """Sync providers in their rhythms until told to end; then finish the syncs in hand."""
    warn_of_lonely_history(settings)
    settle_memory()
    async with open_container(settings, "scheduler") as container:
        await restore_what_was_lost(container)
        enabled = [provider.name for provider in container.directory().all() if provider.enabled]
        log.info("scheduler runs", providers=enabled or "none: add one to config.yaml", tzdata=ZONE_RULES)
        for provider in container.directory().all():
            if provider.trouble:
                log.error("a provider cannot be used, the others can", provider=provider.name, reason=provider.trouble)
        schedule = asyncio.create_task(container.schedule()(settings.service.drain))
        background = (container.announce_process()(), retime_at_the_start(container.retime_plans()))
        await beside(until_cancelled(schedule), background, schedule.cancel, settings)


async def run_worker(settings: Settings) -> None:
    """Work off the queue and write the journal until told to end; then finish the batch in hand."""
    warn_of_lonely_history(settings)
    settle_memory()
    async with open_container(settings, "worker") as container, open_tracing(settings.telemetry, "worker") as tracing:
        container.tracing.override(tracing)
        stopping = asyncio.Event()
        log.info("worker runs", database=container.database().name, tzdata=ZONE_RULES)
        if PARENT_WATCH_VARIABLE not in os.environ:
            await warn_of_history_beside(container)
            await warn_of_days(container)
        inbox = container.activity_inbox()
        try:
            loops = (
                container.journal_loop()(),
                container.type_loop()(),
                container.publish_loop()(),
                container.webhook_loop()(),
                container.tally()(),
                container.announce_process()(),
            )
            await beside(container.store_activities()(stopping), loops, stopping.set, settings)
        finally:
            with suppress(LiveStateUnavailableError):
                await inbox.aclose()


async def run_migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to the newest schema; return the one before and the one now.

    Raises:
        ConfigurationError: database.url cannot be used, or the schema is newer than this code.
        HistoryUnavailableError: the database is away.
    """
    try:
        database = open_database(settings.database.url, settings.service.data_dir, timeout=settings.database.timeout)
        try:
            return await migrate(database), newest()
        finally:
            await database.aclose()
    except (SchemaError, ValueError) as error:
        raise ConfigurationError([str(error)]) from None


async def _announce(container: Container, at: str) -> None:
    index = container.index()
    while not index.ready:  # noqa: ASYNC110 - once, at the start; an Event would be one more thing for the index to know
        await asyncio.sleep(0.05)
    settle_memory()
    log.info("search is ready", plans=index.size, at=at)
