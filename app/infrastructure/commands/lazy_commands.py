"""Commands that are known by name and one line of help, and whose code is loaded when they are run (ADR 0047)."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from app.infrastructure.commands import command_settings


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command or a group of commands."""

    name: str
    help: str
    """What the list of commands says: the first paragraph of the command's own help."""
    source: str
    """`package.module:function`. The function gets a `typer.Typer` and adds the command to it, and perhaps others."""
    opens: str = ""
    """The part of the container that the commands work on; the function then gets what opens it, too."""
    live_state: bool = True
    """Whether that part needs Redis."""
    hidden: bool = False
    """Whether the list leaves it out."""

    def load(self) -> Any:
        """Load the code and make the command of it."""
        module, _, function = self.source.partition(":")
        cli = typer.Typer(add_completion=False, rich_markup_mode=None)
        opened = [self._open_part] if self.opens else []
        getattr(import_module(module), function)(cli, *opened)
        command = get_group(cli).commands[self.name]
        option = _config_option()
        for one in _with_all_below(command):
            one.params.append(option)
            one.short_help = " ".join((one.help or "").partition("\n\n")[0].split())  # whole, and not cut to fit
        return command

    @asynccontextmanager
    async def _open_part(self) -> AsyncIterator[Any]:
        """Open what the commands work on, for as long as one runs."""
        from app.infrastructure.observability.logging import configure_logging
        from app.infrastructure.processes.early_signals import ended_by_signals
        from app.infrastructure.processes.garbage_collection import freeze_loaded_objects
        from app.infrastructure.wiring.open_container import open_container
        from app.infrastructure.wiring.provider_directory import check_providers

        settings = command_settings.chosen_settings()
        check_providers(settings)
        configure_logging(settings.logging.model_copy(update={"level": "warning"}), "cli")
        freeze_loaded_objects()
        is_new = command_settings.is_new_installation(settings)
        with ended_by_signals():
            async with open_container(settings, "cli", live_state=self.live_state) as container:
                if is_new:
                    command_settings.tell_new_installation(settings)
                yield getattr(container, self.opens)()


def lazy_group(table: Sequence[LazyCommand]) -> type[TyperGroup]:
    """Make the class of a group of these commands, listed in this order."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self._table = {entry.name: entry for entry in table}
            for entry in table:
                self.add_command(TyperCommand(entry.name, help=entry.help, short_help=entry.help, hidden=entry.hidden))

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            """Find the command that is to be run, or completed, and load it; who lists them needs no code."""
            name, command, rest = super().resolve_command(ctx, args)
            entry = self._table.get(name or "")
            return name, entry.load() if entry else command, rest

    return LazyGroup


def _config_option() -> Any:
    """Make the option `--config` as it stands behind a command's name: said by the help of `marquee` alone."""
    cli = typer.Typer(add_completion=False)

    @cli.command()
    def _(
        config: Annotated[
            Path | None, typer.Option("--config", hidden=True, expose_value=False, callback=_name_file)
        ] = None,
    ) -> None: ...

    return get_command(cli).params[0]


def _name_file(value: Path | None) -> None:
    command_settings.name_file(value)


def _with_all_below(command: Any) -> Iterator[Any]:
    yield command
    if isinstance(command, TyperGroup):
        for below in command.commands.values():
            yield from _with_all_below(below)
