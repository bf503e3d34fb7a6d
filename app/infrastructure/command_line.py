"""The commands of `marquee`, and what they say when they cannot do their work."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
import uvloop

from app.adapters.inbound.cli.backup_commands import add_backup_commands
from app.adapters.inbound.cli.catalog_commands import add_catalog_commands
from app.adapters.inbound.cli.dead_letter_commands import add_dead_letter_commands
from app.adapters.inbound.cli.history_commands import add_history_commands
from app.adapters.inbound.cli.import_command import add_import_command
from app.adapters.inbound.cli.stats_commands import add_stats_commands
from app.adapters.inbound.cli.user_commands import add_user_commands
from app.adapters.inbound.cli.webhook_commands import add_webhook_commands
from app.adapters.outbound.sql.database import FILE
from app.application.ports.system import HistoryUnavailableError
from app.infrastructure.backup.backups import open_backups
from app.infrastructure.configuration import DEFAULT_FILE, ConfigurationError, find_file, load_settings
from app.infrastructure.container import Container
from app.infrastructure.copying import open_history_copy
from app.infrastructure.listening import listen
from app.infrastructure.logging import configure_logging
from app.infrastructure.memory import settle_memory
from app.infrastructure.opening import open_container
from app.infrastructure.provider_directory import check_providers
from app.infrastructure.redis_binary import EmbeddedRedisError
from app.infrastructure.roles import run_api, run_migrate, run_scheduler, run_worker
from app.infrastructure.settings import Settings
from app.infrastructure.supervision import run_all, run_api_processes
from app.infrastructure.supervisor import EX_CONFIG
from app.infrastructure.version import VERSION

cli = typer.Typer(
    name="marquee",
    help="The events backend of a marketplace: provider feeds in, search out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
chosen: dict[str, Path | None] = {"config": None}


@cli.callback()
def options(
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings; else MARQUEE_CONFIG, else ./config.yaml.")
    ] = None,
) -> None:
    """Take what holds for every command."""
    chosen["config"] = find_file(config)


@cli.command()
def run() -> None:
    """Run everything: Redis, the scheduler and the API, supervised, until Ctrl-C."""
    settings = _settings("supervisor")
    raise typer.Exit(asyncio.run(run_all(settings, chosen["config"])))


@cli.command()
def api(
    fd: Annotated[int | None, typer.Option(hidden=True, help="A listening socket that is open already.")] = None,
) -> None:
    """Run the API alone, on a machine of its own."""
    settings = _settings("api")
    if fd is None and settings.service.workers > 1:
        raise typer.Exit(asyncio.run(run_api_processes(settings, chosen["config"])))
    listening = socket.socket(fileno=fd) if fd is not None else listen(settings)
    _run_on_uvloop(run_api(settings, listening))


@cli.command()
def scheduler() -> None:
    """Run the scheduler alone, on a machine of its own."""
    _run_on_uvloop(run_scheduler(_settings("scheduler")))


@cli.command()
def worker() -> None:
    """Run one worker alone: it stores activities and writes the journal. Any number may run, anywhere."""
    _run_on_uvloop(run_worker(_settings("worker")))


@cli.command(name="migrate")
def migrate_database() -> None:
    """Bring the database to the newest schema; every start does it with the embedded one."""
    settings = _settings("cli")
    is_new = _is_new_installation(settings)
    try:
        before, now = asyncio.run(run_migrate(settings))
    except HistoryUnavailableError as error:
        _fail([str(error)], 1)
    else:
        if is_new:
            _tell_new_installation(settings)
        typer.echo(f"the schema is {now}" + ("" if before == now else f"; before: {before or 'none'}"))


@cli.command()
def version() -> None:
    """Say which version this is."""
    typer.echo(VERSION)


CoreT = TypeVar("CoreT")


def _opening(
    choose: Callable[[Container], CoreT], *, live_state: bool = True
) -> Callable[[], AbstractAsyncContextManager[CoreT]]:
    """Make what opens the part of the container that some commands need."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[CoreT]:
        settings = load_settings(chosen["config"])
        check_providers(settings)
        configure_logging(settings.logging.model_copy(update={"level": "warning"}), "cli")
        settle_memory()
        is_new = _is_new_installation(settings)
        async with open_container(settings, "cli", live_state=live_state) as container:
            if is_new:
                _tell_new_installation(settings)
            yield choose(container)

    return opened


add_catalog_commands(cli, _opening(lambda container: container.cli_core()))
add_stats_commands(cli, _opening(lambda container: container.stats_use_cases(), live_state=False))
add_import_command(cli, _opening(lambda container: container.import_core(), live_state=False))
add_user_commands(cli, _opening(lambda container: container.user_use_cases(), live_state=False))
add_webhook_commands(cli, _opening(lambda container: container.webhook_core(), live_state=False))
add_backup_commands(cli, lambda: open_backups(_settings("cli")))
add_history_commands(cli, lambda source, target: open_history_copy(_settings("cli"), source, target))
add_dead_letter_commands(cli, _opening(lambda container: container.dead_letters()))


def _settings(role: str) -> Settings:
    settings = load_settings(chosen["config"])
    check_providers(settings)
    configure_logging(settings.logging, role)
    return settings


def _is_new_installation(settings: Settings) -> bool:
    """Whether a command is about to make an embedded database for which no file asks: the directory may be wrong."""
    embedded = settings.database.url == "embedded"
    return chosen["config"] is None and embedded and not (settings.service.data_dir / FILE).exists()


def _tell_new_installation(settings: Settings) -> None:
    sys.stderr.write(
        f"marquee: a new, empty installation was made in {settings.service.data_dir}, for {Path.cwd()} has no "
        f"{DEFAULT_FILE}; `marquee --config FILE` works with the one that the file describes\n"
    )


def _run_on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    uvloop.run(work)


def run_command_line() -> None:
    """Run the command line; what the user can mend is said in plain lines, without a traceback."""
    try:
        cli()
    except ConfigurationError as error:
        _fail(error.mistakes, EX_CONFIG)
    except EmbeddedRedisError as error:
        _fail(str(error).splitlines(), 1)


def _fail(lines: list[str], code: int) -> NoReturn:
    for line in lines:
        sys.stderr.write(f"marquee: {line}\n")
    logging.shutdown()
    sys.exit(code)
