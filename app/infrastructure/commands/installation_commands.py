"""Commands that look at an installation as a whole: each gets what it needs of us."""

from typing import TYPE_CHECKING

import typer

from app.infrastructure.commands.command_settings import chosen_file, chosen_settings

if TYPE_CHECKING:
    from app.adapters.inbound.cli.catalog_commands import CatalogParts
    from app.adapters.inbound.cli.running import Opener


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


def add_catalog(cli: typer.Typer, open_parts: "Opener[CatalogParts]") -> None:
    """Add the group `catalog` to `cli`: copies of the index file need neither Redis nor the history."""
    from app.adapters.inbound.cli.catalog_commands import add_catalog_group
    from app.adapters.inbound.cli.index_commands import add_index_commands
    from app.infrastructure.wiring.indexing import open_index_copies

    add_index_commands(add_catalog_group(cli, open_parts), lambda: open_index_copies(chosen_settings()))


def add_providers(cli: typer.Typer, open_parts: "Opener[CatalogParts]") -> None:
    """Add the group `providers` to `cli`: its list needs what `open_parts` opens, its trials need nothing."""
    from app.adapters.inbound.cli.provider_commands import add_provider_commands
    from app.infrastructure.settings.configuration import read_yaml
    from app.infrastructure.wiring.feed_trials import open_feed_trial

    add_provider_commands(cli, open_parts, open_feed_trial, read_yaml)
