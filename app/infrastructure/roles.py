"""The roles: what each kind of process does from its start to its drained end."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from app.adapters.inbound.http.one_write import OneWriteProtocol
from app.adapters.inbound.worker.journal_loop import log_restoration
from app.adapters.outbound.sql.database import open_database
from app.adapters.outbound.sql.migrate import SchemaError, migrate, newest
from app.application.ports.system import HistoryUnavailableError, LiveStateUnavailableError
from app.infrastructure.configuration import ConfigurationError
from app.infrastructure.container import Container, is_loopback, operations_open
from app.infrastructure.lifeline import LIFELINE_VARIABLE, until_supervisor_gone
from app.infrastructure.memory import settle_memory
from app.infrastructure.opening import embedded_redis, open_container
from app.infrastructure.settings import Settings
from app.infrastructure.supervisor import Child, Supervisor

log = structlog.get_logger()

BACKLOG = 2048
"""Connections that wait in the socket's queue, for instance while a process is started again."""

PATIENCE_WITH_STORE = 3.0
"""Seconds that an API process without an index waits for its store before it takes connections all the same."""


def listen(settings: Settings) -> socket.socket:
    """Bind the service's address.

    Raises:
        ConfigurationError: it cannot be had.
    """
    service = settings.service
    family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
    try:
        return socket.create_server((service.host, service.port), family=family, backlog=BACKLOG)
    except OSError as error:
        if (error.errno or 0) < 0:  # of the resolver, not of the socket
            raise ConfigurationError([f"service.host: {service.host!r} is no address of this machine"]) from None
        mistake = (
            f"service.host, service.port: {service.host}:{service.port} cannot be listened on ({error.strerror}); "
            "end what uses it, or choose another port: MARQUEE__SERVICE__PORT=8001"
        )
        raise ConfigurationError([mistake]) from None


def http_server(app: Any, drain: float, protocol: Any = OneWriteProtocol) -> uvicorn.Server:
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
        timeout_graceful_shutdown=max(1, int(drain)),
    )
    return uvicorn.Server(config)


async def run_api(settings: Settings, listening: socket.socket) -> None:
    """Serve HTTP until SIGTERM or SIGINT, or until the supervisor is gone; then answer what is in hand, and end."""
    _warn_of_lonely_history(settings)
    async with open_container(settings) as container:
        server = http_server(container.http(), settings.service.drain)

        def stop() -> None:
            server.should_exit = True

        log.info("api loads the catalog", at=_address(listening))
        announcement = _announce(container, _address(listening))  # asked now: uvicorn closes the socket when it ends
        background = (container.follow_catalog()(), container.watch_catalog()(), announcement)
        await _beside(_serve(server, container, listening), background, stop, settings)


async def _serve(server: uvicorn.Server, container: Container, listening: socket.socket) -> None:
    """Take connections once there is an index to answer them from; before, they wait or go to another process.

    As long as the store answers, that only is a matter of time. While it does not, health must be told soon.
    """
    index, watch = container.index(), container.watch_catalog()
    patient_until = time.monotonic() + PATIENCE_WITH_STORE

    def must_wait() -> bool:
        expected = watch.trouble is None or time.monotonic() < patient_until
        return expected and not index.ready and not server.should_exit

    while must_wait():  # noqa: ASYNC110 - at the start only, as in _announce
        await asyncio.sleep(0.02)
    await server.serve(sockets=[listening])


async def run_scheduler(settings: Settings) -> None:
    """Sync providers in their rhythms until told to end; then finish the syncs in hand."""
    _warn_of_lonely_history(settings)
    settle_memory()
    async with open_container(settings) as container:
        await _restore_what_was_lost(container)
        enabled = [provider.name for provider in container.directory().all() if provider.enabled]
        log.info("scheduler runs", providers=enabled or "none: add one to config.yaml")
        schedule = asyncio.create_task(container.schedule()(settings.service.drain))
        await _beside(_quietly(schedule), (), schedule.cancel, settings)


def _warn_of_lonely_history(settings: Settings) -> None:
    """Say that processes of other machines will not see this history; Redis they share."""
    alone = LIFELINE_VARIABLE not in os.environ
    if alone and settings.database.url == "embedded" and settings.redis.url != "embedded":
        log.warning(
            "redis.url is a server, but the history is a file of this machine: processes elsewhere have one of their "
            "own; set database.url when there are several machines"
        )


async def _restore_what_was_lost(container: Container) -> None:
    """Bring back what a Redis that came back empty lost, before the first sync takes every plan for a new one."""
    try:
        for done in await container.restore_catalog().if_lost():
            log_restoration(done)
    except (LiveStateUnavailableError, HistoryUnavailableError) as error:
        log.warning("whether the catalog lost plans cannot be told now; the journal's writer will", reason=str(error))


async def run_worker(settings: Settings) -> None:
    """Work off the queue and write the journal until told to end; then finish the batch in hand."""
    _warn_of_lonely_history(settings)
    settle_memory()
    async with open_container(settings) as container:
        stopping = asyncio.Event()
        log.info("worker runs", database=container.database().name)
        inbox = container.activity_inbox()
        try:
            await _beside(container.store_activities()(stopping), (container.journal_loop()(),), stopping.set, settings)
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


async def run_all(settings: Settings, config: Path | None) -> int:
    """Supervise every role as processes of their own; returns the exit code."""
    _warn_of_lonely_history(settings)
    embedded = embedded_redis(settings)
    with listen(settings) as listening:
        if embedded:
            await asyncio.to_thread(embedded.start)
        try:
            log.info("redis runs", at=embedded.url if embedded else "the configured server")
            await _open_history(settings)
            children = [
                _child("scheduler", config),
                *_worker_children(settings, config),
                *_api_children(settings, config, listening),
            ]
            _tell_what_to_try(settings, listening)
            watch = embedded.ensure if embedded else None
            return await Supervisor(children, drain_seconds=settings.service.drain + 2, watch=watch).run()
        finally:
            if embedded:
                await asyncio.to_thread(embedded.stop)


async def run_api_processes(settings: Settings, config: Path | None) -> int:
    """Supervise the API processes alone, when `service.workers` asks for several; returns the exit code."""
    with listen(settings) as listening:
        children = _api_children(settings, config, listening)
        return await Supervisor(children, drain_seconds=settings.service.drain + 2).run()


async def _open_history(settings: Settings) -> None:
    """Stop now, in one line, when the history has another schema, and not in every child; then see to what was lost."""
    async with open_container(settings) as container:
        await _restore_what_was_lost(container)


def _worker_children(settings: Settings, config: Path | None) -> list[Child]:
    workers = settings.activity.workers
    return [_child(f"worker-{number}" if workers > 1 else "worker", config) for number in range(1, workers + 1)]


def _api_children(settings: Settings, config: Path | None, listening: socket.socket) -> list[Child]:
    workers = settings.service.workers
    environment = _shared_metrics(settings) if workers > 1 else {}
    number = listening.fileno()
    return [
        _child(f"api-{worker}" if workers > 1 else "api", config, ("--fd", str(number)), environment, (number,))
        for worker in range(1, workers + 1)
    ]


def _shared_metrics(settings: Settings) -> dict[str, str]:
    """Make a fresh directory where the API processes add up their counters (prometheus_client's multiprocess mode)."""
    directory = settings.service.data_dir / "metrics"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return {"PROMETHEUS_MULTIPROC_DIR": str(directory)}


def _child(
    name: str,
    config: Path | None,
    options: Sequence[str] = (),
    env: dict[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    role = name.partition("-")[0]
    file = ("--config", str(config.resolve())) if config else ()
    return Child(name, (sys.executable, "-m", "app.infrastructure.main", *file, role, *options), env or {}, pass_fds)


async def _beside(
    main: Awaitable[None],
    background: Sequence[Coroutine[Any, Any, None]],
    stop: Callable[[], object],
    settings: Settings,
) -> None:
    """Do the main work with background work beside it; an unforeseen end of either ends both."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(work) for work in (*background, _end_with_supervisor(stop), _keep_redis(settings))]
    for task in tasks:
        task.add_done_callback(lambda task: None if task.cancelled() or task.exception() is None else stop())
    try:
        await main
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _quietly(task: asyncio.Task[None]) -> None:
    with suppress(asyncio.CancelledError):
        await task


async def _end_with_supervisor(stop: Callable[[], object]) -> None:
    await until_supervisor_gone()
    log.warning("the supervisor is gone, so this process ends too")
    stop()


async def _keep_redis(settings: Settings) -> None:
    """Watch over the embedded Redis in a role that runs without a supervisor (which would do it)."""
    embedded = None if LIFELINE_VARIABLE in os.environ else embedded_redis(settings)
    if embedded is None:
        return
    await asyncio.to_thread(embedded.start)
    try:
        while True:
            await asyncio.sleep(1)
            await asyncio.to_thread(embedded.ensure)
    finally:
        await asyncio.shield(asyncio.to_thread(embedded.stop))


async def _announce(container: Container, at: str) -> None:
    index = container.index()
    while not index.ready:  # noqa: ASYNC110 - once, at the start; an Event would be one more thing for the index to know
        await asyncio.sleep(0.05)
    settle_memory()
    log.info("search is ready", plans=index.size, at=at)


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _tell_what_to_try(settings: Settings, listening: socket.socket) -> None:
    at = _address(listening)
    log.info(
        "marquee runs; try it, read /docs, see /health; Ctrl-C ends it all",
        curl=f"curl '{at}/search?starts_at=2021-02-01T00:00:00Z&ends_at=2022-07-03T00:00:00Z'",
        docs=f"{at}/docs",
        data=str(settings.service.data_dir),
    )
    if operations_open(settings) and not is_loopback(settings.service.host):
        log.warning("service.open_operations is true beyond loopback: everybody who can reach it may start a sync")
