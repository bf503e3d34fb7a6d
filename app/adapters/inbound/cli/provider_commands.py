"""`marquee providers`: those of the configuration, and a feed that somebody may want to add to them."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.adapters.inbound.activity_files.source import UsageMistakeError
from app.adapters.inbound.answering.answers import ProviderAnswer
from app.adapters.inbound.cli.catalog_commands import CatalogParts
from app.adapters.inbound.cli.catalog_tables import providers_listing
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json
from app.adapters.inbound.cli.running import Opener, plainly, run
from app.adapters.inbound.cli.trial_tables import trial_document, trial_lines
from app.application.ports.feed_trials import FeedUnderTrial
from app.application.try_feed import TryFeed

Feed = Annotated[str, typer.Argument(metavar="FILE-or-URL", help="The feed; private addresses are allowed.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="YAML: what is to stand under `options`; else it is proposed."),
]
TimeZone = Annotated[
    str | None, typer.Option("--timezone", metavar="ZONE", help="Of times without an offset, such as Europe/Helsinki.")
]
Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="'NAME: VALUE'", help="To ask with; ${NAME} in it is read from the environment."),
]
Plans = Annotated[int, typer.Option("--plans", min=0, max=1000, help="How many plans are shown.")]

ReadOptions = Callable[[Path], Mapping[str, Any]]


def add_provider_commands(
    cli: typer.Typer, open_parts: Opener[CatalogParts], open_trial: Callable[[], TryFeed], read_options: ReadOptions
) -> None:
    """Add the group `providers` to `cli`; `read_options` reads a file of YAML as the configuration is read."""
    group = typer.Typer(name="providers", invoke_without_command=True)
    cli.add_typer(group)

    @group.callback()
    def providers(context: typer.Context, as_json: Json = False) -> None:
        """List the providers and how they fare; `providers try` reads a feed that is not configured yet."""
        if context.invoked_subcommand is None:
            rows = run(open_parts, lambda core: core.describe_providers())
            troubles = [f"{row.provider.name}: {row.provider.trouble}" for row in rows if row.provider.trouble]
            show(as_json, [ProviderAnswer.of(row) for row in rows], providers_listing(rows), *troubles)

    @group.command("try")
    def try_(  # noqa: PLR0913, PLR0917 - an option each
        feed: Feed,
        mapping: MappingFile = None,
        timezone: TimeZone = None,
        header: Headers = None,
        plans: Plans = 10,
        as_json: Json = False,
    ) -> None:
        """Say what a feed is, propose how to map it, and show its first plans. Nothing is written.

        Exit code 0: it has plans; 1: it has none, or cannot be had; 78: the mapping is wrong.
        """
        with plainly():
            under_trial = FeedUnderTrial(
                url=_url(feed),
                timezone=timezone,
                options=read_options(mapping) if mapping else None,
                headers=dict(_header(one) for one in header or ()),
            )
            trial = asyncio.run(open_trial()(under_trial, plans))
        show(as_json, trial_document(trial), *trial_lines(trial))
        raise typer.Exit(0 if trial.reading and trial.reading.usable else 1)


def _url(feed: str) -> str:
    """Give the URL of a feed; what has no scheme is a file."""
    return feed if "://" in feed else Path(feed).absolute().as_uri()


def _header(said: str) -> tuple[str, str]:
    name, colon, value = said.partition(":")
    if not colon or not name.strip() or not value.strip():
        raise UsageMistakeError("--header: expected 'NAME: VALUE'")
    return name.strip(), value.strip()
