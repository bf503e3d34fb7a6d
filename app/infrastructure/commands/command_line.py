"""The command `marquee`: its options, its commands by name, and what it says when it cannot do its work."""

import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.infrastructure.commands.command_settings import name_file
from app.infrastructure.commands.command_table import COMMANDS
from app.infrastructure.commands.lazy_commands import lazy_group
from app.infrastructure.settings.start_errors import StartError

cli = typer.Typer(
    name="marquee",
    cls=lazy_group(COMMANDS),
    help="The events backend of a marketplace: provider feeds in, search out.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes take two thirds of what a help costs
)


def _tell_version(asked: bool) -> None:
    if asked:
        from app.infrastructure.version import VERSION

        typer.echo(VERSION)
        raise typer.Exit


@cli.callback()
def options(
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings; else MARQUEE_CONFIG, else ./config.yaml.")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback has said all
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Say which version this is.")
    ] = False,
) -> None:
    """Take what holds for every command."""
    name_file(config)


def run_command_line() -> None:
    """Run the command line; what the user can mend is said in plain lines, without a traceback."""
    try:
        cli(prog_name="marquee")
    except StartError as error:
        _end(error.lines, error.exit_code)
    except Exception as error:  # noqa: BLE001 - a bug: Python would print its words as they are
        from app.infrastructure.observability.logging import traceback_lines

        _end(traceback_lines(error), 1)


def _end(lines: list[str], code: int) -> NoReturn:
    from app.adapters.formats.terminal_text import visible

    for line in lines:
        sys.stderr.write(f"marquee: {visible(line)}\n")
    logging.shutdown()
    sys.exit(code)
