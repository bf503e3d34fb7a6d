"""The API: HTTP over a catalog in memory, from the start of a process to its drained end."""

import asyncio
import socket
import time
from functools import partial

import structlog
import uvicorn

from app.application.figures import count_cut
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.processes.listening_socket import address
from app.infrastructure.processes.parent_watch import has_supervisor
from app.infrastructure.roles.background_tasks import run_with_background
from app.infrastructure.roles.http_server import api_server
from app.infrastructure.roles.open_role import open_role
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.access_warnings import warn_of_open_doors
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from app.infrastructure.wiring.container import Container

log = structlog.get_logger()

STORE_TIMEOUT = 3.0
"""Seconds that an API process without an index waits for its store before it takes connections all the same."""


async def run_api(settings: Settings, listening: socket.socket) -> None:
    """Serve HTTP until SIGTERM or SIGINT, or until the supervisor is gone; then answer what is in hand, and end."""
    if not has_supervisor():
        warn_of_open_doors(settings)
    async with open_role(settings, "api") as container:

        def stop() -> None:
            server.should_exit = True

        def end_streams() -> None:
            container.watch_log().stop()
            container.viewers().stop()

        server = api_server(settings, container.http(), partial(count_cut, container.tally()), end_streams)
        at = address(listening)  # asked now: uvicorn closes the socket when it ends
        log.info("api loads the catalog", at=at, tzdata=ZONE_RULES)
        background = (
            container.follow_catalog()(),
            container.watch_catalog()(),
            container.watch_service()(),
            container.watch_dashboard()(),
            container.authenticate().watch(),
            container.announce_process()(),
            container.tally()(),
            _log_when_ready(container, at),
        )
        await run_with_background(_serve(server, container, listening), background, stop, settings)


async def _serve(server: uvicorn.Server, container: Container, listening: socket.socket) -> None:
    """Take connections once there is an index to answer them from; before, they wait or go to another process.

    As long as the store answers, that only is a matter of time. While it does not, health must be told soon.
    """
    index, watch = container.index(), container.watch_catalog()
    deadline = time.monotonic() + STORE_TIMEOUT

    def must_wait() -> bool:
        expected = watch.trouble is None or time.monotonic() < deadline
        return expected and not index.ready and not server.should_exit

    while must_wait():  # noqa: ASYNC110 - at the start only, as in _log_when_ready
        await asyncio.sleep(0.02)
    await server.serve(sockets=[listening])


async def _log_when_ready(container: Container, at: str) -> None:
    index = container.index()
    while not index.ready:  # noqa: ASYNC110 - once, at the start; an Event would be one more thing for the index to know
        await asyncio.sleep(0.05)
    freeze_loaded_objects()
    log.info("search is ready", plans=index.size, at=at)
