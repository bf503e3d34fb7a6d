"""The catalog's commands: sync, providers, runs, rejections, catalog restore."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from app.adapters.inbound.answering.answers import provider_answer, rejection_answer, restoration_answer, run_answer
from app.adapters.inbound.cli.progress import ProgressBar, progress
from app.adapters.inbound.cli.running import run, stopped
from app.adapters.inbound.cli.saying import print_json, say
from app.adapters.inbound.cli.tables import print_report, print_runs, providers_listing, rejections_listing
from app.application.ports.catalog import LeaseLostError
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import LeaseTakenError
from app.application.read_catalog import DescribeProviders, ListRejections, ListRuns, ProviderStatus
from app.application.restore_catalog import Restoration, RestoreCatalog
from app.application.sync_provider import SyncOrder, SyncProvider
from app.domain.sync_runs import SyncReport

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at the most, newest first.")]
Name = Annotated[str, typer.Argument(help="The provider's name in the configuration.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogCore:
    """What the commands need."""

    directory: ProviderDirectory
    sync: SyncProvider
    describe_providers: DescribeProviders
    list_runs: ListRuns
    list_rejections: ListRejections
    restore: RestoreCatalog
    new_run_id: Callable[[], str]


OpenCore = Callable[[], AbstractAsyncContextManager[CatalogCore]]


def add_catalog_commands(cli: typer.Typer, open_core: OpenCore) -> None:
    """Add the commands to `cli`; `open_core` opens what they need, for as long as one runs."""

    @cli.command()
    def sync(
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="All enabled when none.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, write nothing.")] = False,
        approve: Annotated[bool, typer.Option("--approve", help="Apply what the gate would hold.")] = False,
        as_json: Json = False,
    ) -> None:
        """Sync providers now. Exit code 0: all applied, or nothing to do."""
        reports = run(open_core, lambda core: _sync(core, names or (), approve=approve, dry_run=dry_run))
        if as_json:
            print_json([run_answer(report) for report in reports])
        else:
            for report in reports:
                print_report(report)
        raise typer.Exit(0 if all(report.outcome.is_good for report in reports) else 1)

    @cli.command()
    def providers(as_json: Json = False) -> None:
        """List the providers and how they fare."""
        rows = run(open_core, lambda core: core.describe_providers())
        if as_json:
            print_json([provider_answer(row) for row in rows])
        else:
            providers_listing(rows).show()
            _tell_troubles(rows)

    @cli.command()
    def runs(name: Name, limit: Limit = 20, as_json: Json = False) -> None:
        """List a provider's newest syncs."""
        rows = run(open_core, lambda core: core.list_runs(name, limit))
        if as_json:
            print_json([run_answer(row) for row in rows])
        else:
            print_runs(name, rows)

    @cli.command()
    def rejections(name: Name, limit: Limit = 100, as_json: Json = False) -> None:
        """List the records of a provider's feed that could not be used."""
        rows = run(open_core, lambda core: core.list_rejections(name, limit))
        if as_json:
            print_json([rejection_answer(row) for row in rows])
        else:
            rejections_listing(name, rows).show()

    catalog = typer.Typer(name="catalog", help="The catalog as a whole.", no_args_is_help=True)
    _add_restore(catalog, open_core)
    cli.add_typer(catalog)


def _add_restore(catalog: typer.Typer, open_core: OpenCore) -> None:
    @catalog.command()
    def restore(
        names: Annotated[list[str] | None, typer.Argument(metavar="[PROVIDER]...", help="All when none.")] = None,
        as_json: Json = False,
    ) -> None:
        """Write the plans that only the journal knows back into the catalog. What is there stays; safe to repeat."""
        rows = run(open_core, lambda core: _restore(core, names or ()))
        if as_json:
            print_json([restoration_answer(row) for row in rows])
        else:
            for row in rows:
                say(f"{row.provider}: {row.restored:,} plans restored, {row.present:,} were there already")
            if not rows:
                say("the journal knows no plan yet")


async def _sync(core: CatalogCore, names: Sequence[str], *, approve: bool, dry_run: bool) -> list[SyncReport]:
    reports = []
    with progress(Console(stderr=True)) as display:
        for provider in _choose(core.directory, names):
            order = SyncOrder(run_id=core.new_run_id(), approve=approve, dry_run=dry_run)
            watcher = ProgressBar(display, provider.name) if display else None
            reports.append(await core.sync(provider, order, watcher))
    return reports


def _tell_troubles(rows: Sequence[ProviderStatus]) -> None:
    for row in rows:
        if row.provider.trouble:
            say(f"{row.provider.name}: {row.provider.trouble}")


def _choose(directory: ProviderDirectory, names: Sequence[str]) -> list[ConfiguredProvider]:
    if names:
        return [directory.get(name) for name in dict.fromkeys(names)]
    return [provider for provider in directory.all() if provider.enabled]


async def _restore(core: CatalogCore, names: Sequence[str]) -> Sequence[Restoration]:
    try:
        return await core.restore(names)
    except (LeaseTakenError, LeaseLostError) as error:
        raise stopped(error, 1) from None
