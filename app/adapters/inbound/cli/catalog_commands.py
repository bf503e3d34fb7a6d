"""The catalog's commands: sync, providers, runs, rejections, catalog restore."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from app.adapters.inbound.answering.answers import ProviderAnswer, RejectionAnswer, RunAnswer, restoration_answer
from app.adapters.inbound.cli.catalog_tables import print_report, print_runs, providers_listing, rejections_listing
from app.adapters.inbound.cli.listing import show
from app.adapters.inbound.cli.options import Json, add_group, at_most
from app.adapters.inbound.cli.progress import sync_bars
from app.adapters.inbound.cli.running import Opener, run
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.read_catalog import DescribeProviders, ListRejections, ListRuns
from app.application.restore_catalog import Restoration, RestoreCatalog
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.sync_runs import SyncReport

NEWEST_FIRST = at_most(", newest first")
Name = Annotated[str, typer.Argument(help="The provider's name in the configuration.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogParts:
    """What the commands need."""

    directory: ProviderDirectory
    sync: SyncProvider
    describe_providers: DescribeProviders
    list_runs: ListRuns
    list_rejections: ListRejections
    restore: RestoreCatalog
    new_run_id: Callable[[], str]


def add_catalog_commands(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    """Add the commands to `cli`."""
    _add_sync(cli, open_parts)
    _add_lists(cli, open_parts)
    _add_restore(add_group(cli, "catalog", "The catalog as a whole."), open_parts)


def _add_sync(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    @cli.command()
    def sync(
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All enabled when none.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, write nothing.")] = False,
        approve: Annotated[bool, typer.Option("--approve", help="Apply what the gate would hold.")] = False,
        as_json: Json = False,
    ) -> None:
        """Sync providers now. Exit code 0: all applied, or nothing to do."""
        reports = run(open_parts, lambda core: _sync(core, names or (), approve=approve, dry_run=dry_run))
        show(as_json, [RunAnswer.of(report) for report in reports], *(partial(print_report, one) for one in reports))
        raise typer.Exit(0 if all(report.outcome.is_good for report in reports) else 1)


def _add_lists(cli: typer.Typer, open_parts: Opener[CatalogParts]) -> None:
    @cli.command()
    def providers(as_json: Json = False) -> None:
        """List the providers and how they fare."""
        rows = run(open_parts, lambda core: core.describe_providers())
        troubles = [f"{row.provider.name}: {row.provider.trouble}" for row in rows if row.provider.trouble]
        show(as_json, [ProviderAnswer.of(row) for row in rows], providers_listing(rows), *troubles)

    @cli.command()
    def runs(name: Name, limit: Annotated[int, NEWEST_FIRST] = 20, as_json: Json = False) -> None:
        """List a provider's newest syncs."""
        rows = run(open_parts, lambda core: core.list_runs(name, limit))
        show(as_json, [RunAnswer.of(row) for row in rows], partial(print_runs, name, rows))

    @cli.command()
    def rejections(name: Name, limit: Annotated[int, NEWEST_FIRST] = 100, as_json: Json = False) -> None:
        """List the records of a provider's feed that could not be used."""
        rows = run(open_parts, lambda core: core.list_rejections(name, limit))
        show(as_json, [RejectionAnswer.of(row) for row in rows], rejections_listing(name, rows))


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


async def _sync(core: CatalogParts, names: Sequence[str], *, approve: bool, dry_run: bool) -> list[SyncReport]:
    reports = []
    with sync_bars() as bars:
        for provider in _choose(core.directory, names):
            order = SyncOrder(run_id=core.new_run_id(), approve=approve, dry_run=dry_run)
            reports.append(await core.sync(provider, order, bars(provider.name) if bars else None))
    return reports


def _choose(directory: ProviderDirectory, names: Sequence[str]) -> list[ConfiguredProvider]:
    if names:
        return [directory.get(name) for name in dict.fromkeys(names)]
    return [provider for provider in directory.all() if provider.enabled]
