"""The catalog's commands: sync, runs, rejections, held, catalog restore."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from app.adapters.inbound.answering.answers import (
    DryRunAnswer,
    RejectionAnswer,
    RunAnswer,
    held_answer,
    restoration_answer,
)
from app.adapters.inbound.cli.catalog_tables import print_held, print_report, print_runs, rejections_listing
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, add_group, at_most
from app.adapters.inbound.cli.progress import sync_bars
from app.adapters.inbound.cli.running import Opener, run
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.read_catalog import DescribeHeld, DescribeProviders, ListRejections, ListRuns
from app.application.restore_catalog import Restoration, RestoreCatalog
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.sync_runs import SyncReport

FULL = "Fetch the whole feed, whatever its server says of changes."
NEWEST_FIRST = at_most(", newest first")
AT_MOST = at_most()
Mended = Annotated[bool, typer.Option("--mended", help="Those that were mended last, instead.")]
Name = Annotated[str, typer.Argument(help="The provider's name in the configuration.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogParts:
    """What the commands need."""

    directory: ProviderDirectory
    sync: SyncProvider
    describe_providers: DescribeProviders
    list_runs: ListRuns
    list_rejections: ListRejections
    describe_held: DescribeHeld
    restore: RestoreCatalog
    new_run_id: Callable[[], str]


def add_catalog_commands(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    """Add the commands to `cli`."""
    _add_sync(cli, open_parts)
    _add_lists(cli, open_parts)


def add_catalog_group(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> typer.Typer:
    """Add the group `catalog` to `cli`, and return it for those who have more to add."""
    catalog = add_group(cli, "catalog", "The catalog as a whole.")
    _add_restore(catalog, open_parts)
    return catalog


def _add_sync(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    @cli.command()
    def sync(
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All enabled when none.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, write nothing.")] = False,
        approve: Annotated[bool, typer.Option("--approve", help="Apply what the gate would hold.")] = False,
        full: Annotated[bool, typer.Option("--full", help=FULL)] = False,
        as_json: Json = False,
    ) -> None:
        """Sync providers now. Exit code 0: all applied, or nothing to do."""
        reports = run(open_parts, lambda core: _sync(core, names or (), approve=approve, dry_run=dry_run, full=full))
        answer = DryRunAnswer if dry_run else RunAnswer
        show(as_json, [answer.of(report) for report in reports], *(partial(print_report, one) for one in reports))
        raise typer.Exit(0 if all(report.outcome.is_good for report in reports) else 1)


def _add_lists(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    @cli.command()
    def runs(name: Name, limit: Annotated[int, NEWEST_FIRST] = 20, as_json: Json = False) -> None:
        """List a provider's newest syncs."""
        rows = run(open_parts, lambda core: core.list_runs(name, limit))
        show(as_json, [RunAnswer.of(row) for row in rows], partial(print_runs, name, rows))

    @cli.command()
    def rejections(
        name: Name, limit: Annotated[int, AT_MOST] = 100, mended: Mended = False, as_json: Json = False
    ) -> None:
        """List what of a provider's feed cannot be used now."""
        rows = run(open_parts, lambda core: core.list_rejections(name, limit, mended=mended))
        show(as_json, [RejectionAnswer.of(row) for row in rows], rejections_listing(name, rows, mended=mended))

    @cli.command()
    def held(name: Name, as_json: Json = False) -> None:
        """List what the gate holds of a provider, plan by plan."""
        found = run(open_parts, lambda core: core.describe_held(name))
        show(as_json, held_answer(found), partial(print_held, name, found))


def _add_restore(catalog: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    @catalog.command()
    def restore(
        names: Annotated[list[str] | None, typer.Argument(metavar="[PROVIDER]...", help="All when none.")] = None,
        as_json: Json = False,
    ) -> None:
        """Write the plans that only the journal knows back into the catalog. What is there stays; safe to repeat."""
        rows = run(open_parts, lambda core: core.restore(names or ()))
        show(as_json, [restoration_answer(row) for row in rows], *_told(rows))


def _told(rows: Sequence[Restoration]) -> Iterator[str]:
    for row in rows:
        yield f"{row.provider}: {row.restored:,} plans restored, {row.present:,} were there already"
    if not rows:
        yield "the journal knows no plan yet"


async def _sync(
    core: CatalogParts, names: Sequence[str], *, approve: bool, dry_run: bool, full: bool
) -> list[SyncReport]:
    reports = []
    with sync_bars() as bars:
        for provider in _choose(core.directory, names):
            order = SyncOrder(run_id=core.new_run_id(), approve=approve, dry_run=dry_run, full=full)
            reports.append(await core.sync(provider, order, bars(provider.name) if bars else None))
    return reports


def _choose(directory: ProviderDirectory, names: Sequence[str]) -> list[ConfiguredProvider]:
    if names:
        return [directory.get(name) for name in dict.fromkeys(names)]
    return [provider for provider in directory.all() if provider.enabled]
