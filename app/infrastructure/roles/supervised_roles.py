"""`marquee run`: every role as a process of its own, under one supervisor."""

import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog

from app.domain.access import Area
from app.infrastructure.embedded_redis.embedded_redis import embedded_redis
from app.infrastructure.embedded_redis.running_redis import running
from app.infrastructure.observability.open_tracing import check_tracing
from app.infrastructure.processes.child_processes import Child
from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
from app.infrastructure.processes.launcher_client import Launcher
from app.infrastructure.processes.listening_socket import address, listen
from app.infrastructure.processes.parent_watch import parent_watch
from app.infrastructure.processes.shared_metrics import shared_metrics
from app.infrastructure.processes.supervisor import Supervisor
from app.infrastructure.settings.network_access import open_areas
from app.infrastructure.settings.settings import Settings
from app.infrastructure.startup.access_warnings import warn_of_open_doors
from app.infrastructure.startup.history_checks import warn_of_lonely_history
from app.infrastructure.time_zones.zone_rules import ZONE_RULES

log = structlog.get_logger()

HALF_OPEN = "marquee runs; what is named here needs no key, the rest does (`marquee keys create`); Ctrl-C ends it all"


async def run_all(settings: Settings, config: Path | None, launcher: Launcher) -> int:
    """Supervise every role as processes of their own; returns the exit code."""
    check_tracing(settings.telemetry)
    warn_of_lonely_history(settings)
    warn_of_open_doors(settings)
    embedded = embedded_redis(settings)
    with await listen(settings) as listening, _api_children(settings, config, listening) as api:
        async with running(embedded):
            if embedded:
                log.info("redis runs", at=embedded.url)
            if code := await _prepare(settings, config, launcher):
                return code
            children = [_child("scheduler", config), *_worker_children(settings, config), *api]
            _tell_what_to_try(settings, listening)
            freeze_loaded_objects()
            watch = embedded.ensure if embedded else None
            drain = settings.service.drain + 2
            return await Supervisor(children, drain_seconds=drain, watch=watch, start=launcher.start).run()


async def run_api_processes(settings: Settings, config: Path | None, launcher: Launcher) -> int:
    """Supervise the API processes alone, when `service.workers` asks for several; returns the exit code."""
    check_tracing(settings.telemetry)
    warn_of_lonely_history(settings)
    warn_of_open_doors(settings)
    if settings.redis.url != "embedded":
        from app.infrastructure.startup.redis_warnings import warn_of_forgetful_redis  # noqa: PLC0415 - loads a client of Redis

        await warn_of_forgetful_redis(settings)
    with await listen(settings) as listening, _api_children(settings, config, listening) as children:
        return await Supervisor(children, drain_seconds=settings.service.drain + 2, start=launcher.start).run()


async def _prepare(settings: Settings, config: Path | None, launcher: Launcher) -> int:
    """See to the history before anybody works, in a process that has the code; return its exit code."""
    if launcher.forks:
        with parent_watch() as watch_file:
            running = await launcher.start(_child("prepare", config), watch_file, lambda: None)
            code = await running.wait()
        if code is not None:
            return code
    from app.infrastructure.roles.preparation import prepare  # noqa: PLC0415 - needs the code of everything

    await prepare(settings)
    return 0


def _worker_children(settings: Settings, config: Path | None) -> list[Child]:
    workers = settings.activity.workers
    return [_child(f"worker-{number}" if workers > 1 else "worker", config) for number in range(1, workers + 1)]


@contextmanager
def _api_children(settings: Settings, config: Path | None, listening: socket.socket) -> Iterator[list[Child]]:
    """Say what is to run; several share a directory while the block runs."""
    workers = settings.service.workers
    number = listening.fileno()
    with ExitStack() as stack:
        environment = stack.enter_context(shared_metrics(settings.service.data_dir)) if workers > 1 else {}
        yield [
            _child(f"api-{worker}" if workers > 1 else "api", config, ("--fd", str(number)), environment, (number,))
            for worker in range(1, workers + 1)
        ]


def _child(
    name: str,
    config: Path | None,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    role = name.partition("-")[0]
    file = ("--config", str(config.resolve())) if config else ()
    arguments = (role, *file, *options)
    command = (sys.executable, "-P", "-m", "app.infrastructure.main", *arguments)
    return Child(name, command, env or {}, pass_fds, arguments)


def _tell_what_to_try(settings: Settings, listening: socket.socket) -> None:
    at, opened = address(listening), open_areas(settings)
    to_try = {
        Area.SEARCH: ("curl", f"curl '{at}/search?starts_at=2021-02-01T00:00:00Z&ends_at=2022-07-03T00:00:00Z'"),
        Area.HEALTH: ("health", f"{at}/health"),
        Area.DASHBOARD: ("dashboard", f"{at}/"),
        Area.DOCS: ("docs", f"{at}/docs"),
    }
    log.info(
        "marquee runs; try it; Ctrl-C ends it all" if opened.issuperset(to_try) else HALF_OPEN,
        at=at,
        **dict(said for area, said in to_try.items() if area in opened),
        data=str(settings.service.data_dir),
        tzdata=ZONE_RULES,
    )
