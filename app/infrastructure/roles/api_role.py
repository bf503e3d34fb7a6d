"""The API: HTTP over a catalog in memory, from the start of a process to its drained end."""

import asyncio
import socket
import time
from functools import partial
from pathlib import Path

import structlog
import uvicorn

from app.adapters.formats.iso_8601 import rfc_3339
from app.adapters.inbound.http.access.cors import with_cors
from app.application.figures import count_cut
from app.application.watch_catalog import NOT_ASKED
from app.infrastructure.processes.companion import Companion
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.processes.listening_socket import address
from app.infrastructure.processes.parent_watch import has_supervisor
from app.infrastructure.roles.background_tasks import run_with_background
from app.infrastructure.roles.http_server import api_server
from app.infrastructure.roles.open_role import open_role
from app.infrastructure.roles.role_children import has_index_file, indexer_children
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.access_warnings import warn_of_open_doors
from app.infrastructure.time_zones.zone_rules import ZONE_RULES
from app.infrastructure.wiring.container import Container

log = structlog.get_logger()

STORE_TIMEOUT = 3.0
"""Seconds that an API process without an index waits for its store before it takes connections all the same."""

PATIENCE = 0.2
"""Seconds that one with an index file waits for each of its stores at the start."""

CATCH_UP_TIMEOUT = 0.5
"""Seconds that one with an index from a file waits to have the changes since, while its store answers."""


async def run_api(settings: Settings, config: Path | None, listening: socket.socket) -> None:
    """Serve HTTP until SIGTERM or SIGINT, or until the supervisor is gone; then answer what is in hand, and end.

    Without a supervisor it starts what else belongs to it: an indexer, by the settings in `config`.
    """
    companions = []
    if not has_supervisor():
        warn_of_open_doors(settings)
        companions = [Companion(child, settings.service.drain) for child in indexer_children(settings, config)]
    async with open_role(settings, "api", patience=PATIENCE if has_index_file(settings) else None) as container:

        def stop() -> None:
            server.should_exit = True
            for companion in companions:
                companion.end()

        def end_streams() -> None:
            container.watch_log().stop()
            container.viewers().stop()

        server = api_server(
            settings,
            with_cors(container.http(), settings.security.cors_origins, container.authenticate().expects),
            container.quick_search(),
            partial(count_cut, container.tally()),
            end_streams,
        )
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
            *(_run_companion(companion, server) for companion in companions),
        )
        await run_with_background(_serve(server, container, listening), background, stop, settings)


async def _serve(server: uvicorn.Server, container: Container, listening: socket.socket) -> None:
    """Take connections once there is an index to answer them from; before, they wait or go to another process.

    As long as the store answers, that only is a matter of time. While it does not, health must be told soon.
    """
    begun = time.monotonic()
    while not server.should_exit and _is_worth_waiting(container, time.monotonic() - begun):  # noqa: ASYNC110 - at the start only, as in _log_when_ready
        await asyncio.sleep(0.02)
    await server.serve(sockets=[listening])


def _is_worth_waiting(container: Container, waited: float) -> bool:
    """Tell whether there will soon be an index, or one that knows the latest."""
    trouble = container.watch_catalog().trouble
    if container.index().ready:
        answers = trouble is None or trouble == NOT_ASKED
        return answers and waited < CATCH_UP_TIMEOUT and not container.follow_catalog().caught_up
    return trouble is None or waited < STORE_TIMEOUT


async def _run_companion(companion: Companion, server: uvicorn.Server) -> None:
    """Run it once connections are taken: this process's start goes first."""
    while not server.started:  # noqa: ASYNC110 - at the start only, as in _log_when_ready
        await asyncio.sleep(0.05)
    await companion()


async def _log_when_ready(container: Container, at: str) -> None:
    index = container.index()
    while not index.ready:  # noqa: ASYNC110 - once, at the start; an Event would be one more thing for the index to know
        await asyncio.sleep(0.05)
    freeze_loaded_objects()
    file = container.index_file().in_use
    source = f"the index file of {rfc_3339(file.written_at)}" if file else "the live state"
    log.info("search is ready", plans=index.size, source=source, at=at)
