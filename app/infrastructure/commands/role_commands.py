"""The commands that run the service, wholly or in part, and the migration. Each loads what it runs."""

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from app.infrastructure.commands import command_settings
from app.infrastructure.processes.early_signals import ended_by_signals
from app.infrastructure.settings.start_errors import StartError

ResultT = TypeVar("ResultT")


def add_role_commands(cli: typer.Typer) -> None:
    """Add all that run the service or what it needs first, and `version`, to `cli`."""
    for command in (run, api, scheduler, worker, indexer, migrate, prepare, version):
        cli.command(hidden=command is prepare)(command)


def run() -> None:
    """Run everything: Redis, the scheduler and the API, supervised, until Ctrl-C."""
    from app.infrastructure.processes.launcher_client import Launcher

    with Launcher(str(command_settings.named_file() or "")) as launcher:  # first, for it loads beside us
        settings = command_settings.settings_of_role("supervisor")
        from app.infrastructure.roles.supervised_roles import run_all

        raise typer.Exit(asyncio.run(_until_told(run_all(settings, command_settings.chosen_file(), launcher))))


def api(
    fd: Annotated[int | None, typer.Option(hidden=True, help="A listening socket that is open already.")] = None,
) -> None:
    """Run the API alone, on a machine of its own."""
    settings = command_settings.settings_of_role("api")
    if fd is None and settings.service.workers > 1:
        from app.infrastructure.processes.launcher_client import Launcher
        from app.infrastructure.roles.supervised_roles import run_api_processes

        with Launcher(str(command_settings.named_file() or "")) as launcher:
            raise typer.Exit(
                asyncio.run(_until_told(run_api_processes(settings, command_settings.chosen_file(), launcher)))
            )
    _run_on_uvloop(_run_api(settings, fd))


def scheduler() -> None:
    """Run the scheduler alone, on a machine of its own."""
    settings = command_settings.settings_of_role("scheduler")
    _check_providers(settings)
    from app.infrastructure.roles.scheduler_role import run_scheduler

    _run_on_uvloop(run_scheduler(settings))


def worker() -> None:
    """Run one worker alone: it stores activities and writes the journal. Any number may run, anywhere."""
    settings = command_settings.settings_of_role("worker")
    _check_providers(settings)
    from app.infrastructure.roles.worker_role import run_worker

    _run_on_uvloop(run_worker(settings))


def indexer() -> None:
    """Keep the index file of data_dir, from which the API's next start answers at once.

    `marquee run` and `marquee api` start one by themselves; of several on one data_dir one works and the others wait.
    """
    settings = command_settings.settings_of_role("indexer")
    from app.infrastructure.roles.indexer_role import run_indexer

    _run_on_uvloop(run_indexer(settings))


def prepare() -> None:
    """See to the history before the processes of `marquee run` work."""
    from app.infrastructure.roles import preparation

    asyncio.run(preparation.prepare(command_settings.settings_of_role("supervisor")))


def migrate() -> None:
    """Bring the database to the newest schema; every start does it with the embedded one."""
    from app.application.ports.system import HistoryUnavailableError
    from app.infrastructure.commands.migration import run_migrate

    settings = command_settings.settings_of_role("cli")
    is_new = command_settings.is_new_installation(settings)
    try:
        before, now = asyncio.run(run_migrate(settings))
    except HistoryUnavailableError as error:
        raise StartError(str(error)) from None
    if is_new:
        command_settings.tell_new_installation(settings)
    typer.echo(f"the schema is {now}" + ("" if before == now else f"; before: {before or 'none'}"))
    if before is not None and before < "0008":
        typer.echo("some figures are new, and count only what comes: `marquee stats rebuild` counts what is there")


def version() -> None:
    """Say which version this is."""
    from app.infrastructure.version import VERSION

    typer.echo(VERSION)


async def _run_api(settings: Any, fd: int | None) -> None:
    import socket

    from app.infrastructure.processes.listening_socket import listen

    # mistakes are told before the code is loaded
    listening = socket.socket(fileno=fd) if fd is not None else await listen(settings)
    _check_providers(settings)
    from app.infrastructure.roles.api_role import run_api

    await run_api(settings, command_settings.chosen_file(), listening)


def _check_providers(settings: Any) -> None:
    from app.infrastructure.wiring.provider_directory import check_providers

    check_providers(settings)


def _run_on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    uvloop.run(_until_told(work))


async def _until_told(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a role, which ends well when it is told to end before it has begun."""
    with ended_by_signals(exit_code=0):
        return await work
