"""Commands that look at an installation as a whole: each gets what it needs of us."""

import typer

from app.infrastructure.commands.command_settings import chosen_file, chosen_settings


def add_init(cli: typer.Typer) -> None:
    """Add `init` to `cli`."""
    from app.adapters.inbound.cli.init_command import add_init_command
    from app.infrastructure.settings.reference_configuration import reference_configuration

    add_init_command(cli, reference_configuration)


def add_check(cli: typer.Typer) -> None:
    """Add `check` to `cli`."""
    from app.adapters.inbound.cli.check_command import add_check_command
    from app.infrastructure.checks.installation import prepare_check

    add_check_command(cli, lambda: prepare_check(chosen_file()))


def add_backup(cli: typer.Typer) -> None:
    """Add `backup` and `restore` to `cli`."""
    from app.adapters.inbound.cli.backup_commands import add_backup_commands
    from app.infrastructure.backup.backups import open_backups

    add_backup_commands(cli, lambda: open_backups(chosen_settings()))


def add_history(cli: typer.Typer) -> None:
    """Add the group `history` to `cli`."""
    from app.adapters.inbound.cli.history_commands import add_history_commands
    from app.infrastructure.backup.history_copying import open_history_copy

    add_history_commands(cli, lambda source, target: open_history_copy(chosen_settings(), source, target))
