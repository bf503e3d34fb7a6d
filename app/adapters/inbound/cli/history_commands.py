"""`marquee history`: the whole history, from one database to another."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import typer

from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json
from app.adapters.inbound.cli.progress import copy_bar
from app.adapters.inbound.cli.running import resumable, run
from app.adapters.inbound.cli.saying import say
from app.application.ports.copies import CopiedHistory, HistoryCopy

Source = Annotated[
    str | None,
    typer.Option("--from", metavar="URL", envvar="MARQUEE_COPY_FROM", help="As --to; database.url by default."),
]
Target = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="URL",
        envvar="MARQUEE_COPY_TO",
        help="An empty database: postgresql://..., embedded (in service.data_dir), or sqlite:///PATH.",
    ),
]

OpenCopy = Callable[[str | None, str], AbstractAsyncContextManager[HistoryCopy]]
"""From which URL (None: that of the settings) to which."""


def add_history_commands(cli: typer.Typer, open_copy: OpenCopy) -> None:
    """Add the group `history` to `cli`."""
    group = typer.Typer(help="The whole history: activities, figures, journal, users, keys, webhooks.")
    cli.add_typer(group, name="history")

    @group.callback()
    def history() -> None: ...

    @group.command()
    def copy(target: Target, source: Source = None, as_json: Json = False) -> None:
        """Copy everything to an empty database and compare both; safe to repeat, goes on after a kill.

        Stop the service first: what it stores meanwhile is not copied.
        """
        with resumable(), copy_bar() as bar:
            done = run(lambda: open_copy(source, target), lambda copying: copying(bar))
        rows = [f"{table:24}{count:>16,}" for table, count in sorted(done.rows.items())]
        show(as_json, _answer(done), *rows, f"{done.target} holds what {done.source} held, compared row by row")
        if done.moved_on:
            say(
                f"marquee: {done.source} has changed since the copy began, which is not in it: stop the service, and "
                "copy into an empty database again",
                err=True,
            )
        raise typer.Exit(1 if done.moved_on else 0)


def _answer(done: CopiedHistory) -> dict[str, Any]:
    return {
        "from": done.source,
        "to": done.target,
        "rows": dict(done.rows),
        "resumed": done.resumed,
        "moved_on": done.moved_on,
    }
