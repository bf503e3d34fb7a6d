"""`marquee history`: the whole history, from one database to another."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.adapters.inbound.cli.progress import live
from app.adapters.inbound.cli.running import run
from app.adapters.inbound.cli.saying import print_exact_json, say
from app.application.ports.copies import CopyProgress, HistoryCopy

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
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]

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
        try:
            with copy_bar(Console(stderr=True)) as bar:
                done = run(lambda: open_copy(source, target), lambda copying: copying(bar))
        except KeyboardInterrupt:
            say("marquee: stopped; the same command goes on from there", err=True)
            raise typer.Exit(1) from None
        if as_json:
            print_exact_json(
                {
                    "from": done.source,
                    "to": done.target,
                    "rows": dict(done.rows),
                    "resumed": done.resumed,
                    "moved_on": done.moved_on,
                }
            )
        else:
            for table, rows in sorted(done.rows.items()):
                say(f"{table:24}{rows:>16,}")
            say(f"{done.target} holds what {done.source} held, compared row by row")
        if done.moved_on:
            say(
                f"marquee: {done.source} has changed since the copy began, which is not in it: stop the service, and "
                "copy into an empty database again",
                err=True,
            )
        raise typer.Exit(1 if done.moved_on else 0)


class _CopyBar(CopyProgress):
    """A line for what is worked on."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("", total=None)

    def begins(self, what: str, rows: int) -> None:
        """See CopyProgress."""
        self._display.reset(self._task, description=what, total=rows)

    def advances(self, rows: int) -> None:
        """See CopyProgress."""
        self._display.advance(self._task, rows)


@contextmanager
def copy_bar(console: Console) -> Iterator[CopyProgress | None]:
    """Show a copy on a terminal; nothing elsewhere."""
    with live(
        console, TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    ) as shown:
        yield _CopyBar(shown) if shown else None
