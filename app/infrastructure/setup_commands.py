"""The commands that set an installation up: `init` and `check`, with what they need of us."""

import typer

from app.adapters.inbound.cli.check_command import add_check_command
from app.adapters.inbound.cli.init_command import add_init_command
from app.infrastructure.checks.installation import prepare_check
from app.infrastructure.command_settings import chosen_file
from app.infrastructure.reference import reference_configuration


def add_init(cli: typer.Typer) -> None:
    """Add `init` to `cli`."""
    add_init_command(cli, reference_configuration)


def add_check(cli: typer.Typer) -> None:
    """Add `check` to `cli`."""
    add_check_command(cli, lambda: prepare_check(chosen_file()))
