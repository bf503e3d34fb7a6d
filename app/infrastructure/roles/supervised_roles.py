"""`marquee run`: every role as a process of its own, under one supervisor."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
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
from app.infrastructure.processes.shared_metrics import metrics_place, shared_metrics
from app.infrastructure.processes.supervisor import Supervisor
from app.infrastructure.roles.role_children import has_index_file, indexer_children, role_child
from app.infrastructure.settings.network_access import open_areas
from app.infrastructure.settings.settings import Settings
from app.infrastructure.settings.start_errors import StartError
from app.infrastructure.settings.subscription_extras import check_extras
from app.infrastructure.startup.access_warnings import warn_of_open_doors
from app.infrastructure.startup.history_checks import warn_of_lonely_history
from app.infrastructure.time_zones.zone_rules import ZONE_RULES

log = structlog.get_logger()

HALF_OPEN = "marquee runs; what is named here needs no key, the rest does (`marquee keys create`); Ctrl-C ends it all"


async def run_all(settings: Settings, config: Path | None, launcher: Launcher) -> int:
    """Supervise every role as processes of their own; returns the exit code.

    With an index file the API begins at once; the others, and without a file it too, once Redis runs and the history
    has been seen to.
    """
    check_tracing(settings.telemetry)
    check_extras(settings)
    warn_of_lonely_history(settings)
    warn_of_open_doors(settings)
    embedded = embedded_redis(settings)
    with await listen(settings) as listening, _api_children(settings, config, listening) as api:
        searching = [*api, *indexer_children(settings, config)]
        at_once = searching if has_index_file(settings) else []
        async with AsyncExitStack() as stack:

            async def others() -> Sequence[Child]:
                await stack.enter_async_context(running(embedded))
                if embedded:
                    log.info("redis runs", at=embedded.url)
                await _prepare(settings, config, launcher)
                _tell_what_to_try(settings, listening)
                freeze_loaded_objects()
                working = [role_child("scheduler", config), *_worker_children(settings, config)]
                return working if at_once else [*working, *searching]

            watch, drain = embedded.ensure if embedded else None, settings.service.drain + 2
            supervisor = Supervisor(at_once, drain_seconds=drain, others=others, watch=watch, start=launcher.start)
            return await supervisor.run()


class PreparationFailedError(StartError):
    """A process has said all that is to be said; this one ends as it did."""

    def __init__(self, exit_code: int) -> None:
        """Say nothing more."""
        super().__init__()
        self.exit_code = exit_code


async def run_api_processes(settings: Settings, config: Path | None, launcher: Launcher) -> int:
    """Supervise the API processes alone, when `service.workers` asks for several; returns the exit code."""
    check_tracing(settings.telemetry)
    warn_of_lonely_history(settings)
    warn_of_open_doors(settings)
    if settings.redis.url != "embedded":
        from app.infrastructure.startup.redis_warnings import warn_of_forgetful_redis  # noqa: PLC0415 - loads a client of Redis

        await warn_of_forgetful_redis(settings)
    with await listen(settings) as listening, _api_children(settings, config, listening) as api:
        children = [*api, *indexer_children(settings, config)]
        return await Supervisor(children, drain_seconds=settings.service.drain + 2, start=launcher.start).run()


async def _prepare(settings: Settings, config: Path | None, launcher: Launcher) -> None:
    """See to the history before anybody works on it, in a process that has the code.

    Raises:
        PreparationFailedError, StartError: it cannot be worked on.
    """
    if launcher.forks:
        with parent_watch() as watch_file:
            running = await launcher.start(role_child("prepare", config), watch_file, lambda: None)
            code = await running.wait()
        if code:
            raise PreparationFailedError(code)
        if code is not None:
            return
    from app.infrastructure.roles.preparation import prepare  # noqa: PLC0415 - needs the code of everything

    await prepare(settings)


def _worker_children(settings: Settings, config: Path | None) -> list[Child]:
    workers = settings.activity.workers
    return [role_child(f"worker-{number}" if workers > 1 else "worker", config) for number in range(1, workers + 1)]


@contextmanager
def _api_children(settings: Settings, config: Path | None, listening: socket.socket) -> Iterator[list[Child]]:
    """Say what is to run; several share a directory while the block runs."""
    workers = settings.service.workers
    number = listening.fileno()
    with ExitStack() as stack:
        place = metrics_place(settings.service.data_dir)
        environment = stack.enter_context(shared_metrics(place)) if workers > 1 else {}
        yield [
            role_child(f"api-{worker}" if workers > 1 else "api", config, ("--fd", str(number)), environment, (number,))
            for worker in range(1, workers + 1)
        ]


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
