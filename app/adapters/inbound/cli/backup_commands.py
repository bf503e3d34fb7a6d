"""`marquee backup` and `marquee restore`: an installation into a directory, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.adapters.inbound.cli.running import Opener, run
from app.adapters.inbound.cli.saying import say
from app.application.ports.copies import BackupPart, Backups

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Where the backup is, or is to be.")]
KeepWebhooks = Annotated[bool, typer.Option("--keep-webhooks", help="Webhooks that were on go on sending at once.")]
Force = Annotated[bool, typer.Option("--force", help="Move aside what lies in the data directory.")]


def add_backup_commands(cli: typer.Typer, open_backups: Opener[Backups]) -> None:
    """Add the commands `backup` and `restore` to `cli`."""

    @cli.command()
    def backup(folder: Folder) -> None:
        """Copy Redis and the history into an empty directory, while the service runs, and check the copy.

        It holds secrets of webhooks; only its owner can read it.
        """
        _print(run(open_backups, lambda backups: backups.back_up(folder)))
        say(f"the backup in {folder} is whole")

    @cli.command()
    def restore(folder: Folder, keep_webhooks: KeepWebhooks = False, force: Force = False) -> None:
        """Put a backup where the settings say that the installation is; the service must not run.

        Webhooks are switched off, so that nobody is told twice, unless they are kept.
        """
        _print(run(open_backups, lambda backups: backups.restore(folder, keep_webhooks=keep_webhooks, force=force)))
        say("restored: start the service")


def _print(parts: Sequence[BackupPart]) -> None:
    for part in parts:
        say(f"{part.name + ':':10}{part.note}", err=not part.is_there)
