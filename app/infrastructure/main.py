"""The command `marquee`."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from app.adapters.inbound.cli.catalog_commands import CatalogCore, add_catalog_commands
from app.infrastructure.configuration import ConfigurationError, find_file, load_settings
from app.infrastructure.container import open_container
from app.infrastructure.logging import configure_logging
from app.infrastructure.memory import settle_memory
from app.infrastructure.provider_directory import check_providers
from app.infrastructure.redis_binary import EmbeddedRedisError
from app.infrastructure.roles import listen, run_all, run_api, run_api_processes, run_scheduler
from app.infrastructure.settings import Settings
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
def version() -> None:
    """Say which version this is."""
    typer.echo(VERSION)


@asynccontextmanager
async def _open_core() -> AsyncIterator[CatalogCore]:
    settings = load_settings(chosen["config"])
    check_providers(settings)
    configure_logging(settings.logging.model_copy(update={"level": "warning"}), "cli")
    settle_memory()
    async with open_container(settings) as container:
        yield container.cli_core()


add_catalog_commands(cli, _open_core)


def _settings(role: str) -> Settings:
    settings = load_settings(chosen["config"])
    check_providers(settings)
    configure_logging(settings.logging, role)
    return settings


def _run_on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    uvloop.run(work)


def main() -> None:
    """Run the command line; what the user can mend is said in plain lines, without a traceback."""
    try:
        cli()
    except ConfigurationError as error:
        _fail(error.mistakes, EX_CONFIG)
    except EmbeddedRedisError as error:
        _fail(str(error).splitlines(), 1)


def _fail(lines: list[str], code: int) -> None:
    for line in lines:
        sys.stderr.write(f"marquee: {line}\n")
    logging.shutdown()
    sys.exit(code)


if __name__ == "__main__":
    main()
