"""`marquee catalog restore`, over a catalog in memory."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import typer
from typer.testing import CliRunner, Result

from app.adapters.inbound.cli.catalog_commands import CatalogParts, add_catalog_group
from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.application.ports.providers import ConfiguredProvider, ProviderDirectory
from app.application.ports.system import Lease
from app.application.read_catalog import DescribeHeld, DescribeProviders, ListRejections, ListRuns
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld


class Nobody(ProviderDirectory):
    """No provider is configured any more."""

    def all(self) -> list[ConfiguredProvider]:
        return []

    def get(self, name: str) -> ConfiguredProvider:
        raise AssertionError(name)


def marquee(world: JournalWorld, *arguments: str) -> Result:
    cli = typer.Typer()

    @asynccontextmanager
    async def open_parts() -> AsyncIterator[CatalogParts]:
        directory = Nobody()
        yield CatalogParts(
            directory=directory,
            sync=world.sync_provider,
            describe_providers=DescribeProviders(directory, world.catalog, world.journal, MemoryCircuitStates()),
            list_runs=ListRuns(directory, world.journal),
            list_rejections=ListRejections(directory, world.rejections),
            describe_held=DescribeHeld(directory, world.held),
            restore=world.restore,
            new_run_id=lambda: "run",
        )

    add_catalog_group(cli, open_parts)
    return CliRunner().invoke(cli, arguments)


@pytest.fixture
def lost() -> JournalWorld:
    """Two plans are in the journal, none in the catalog."""
    world = JournalWorld()

    async def happen() -> None:
        await world.sync_with(a_plan(1), a_plan(2))
        await world.journal_changes()
        world.store.lose_everything()

    asyncio.run(happen())
    return world


def test_it_says_per_provider_what_came_back_and_what_was_there(lost: JournalWorld) -> None:
    first, second = marquee(lost, "catalog", "restore"), marquee(lost, "catalog", "restore")

    assert (first.exit_code, first.output) == (0, "demo: 2 plans restored, 0 were there already\n")
    assert (second.exit_code, second.output) == (0, "demo: 0 plans restored, 2 were there already\n")


def test_programs_get_json(lost: JournalWorld) -> None:
    result = marquee(lost, "catalog", "restore", "demo", "--json")

    assert json.loads(result.output) == [{"provider": "demo", "restored": 2, "present": 0}]


def test_an_empty_journal_says_so() -> None:
    assert marquee(JournalWorld(), "catalog", "restore").output == "the journal knows no plan yet\n"


def test_a_provider_that_is_being_synced_is_told_in_one_line(lost: JournalWorld) -> None:
    lost.store.leases[asyncio.run(_taken(lost))] = 1e12

    result = marquee(lost, "catalog", "restore")

    assert result.exit_code == 1
    assert result.stderr.startswith("marquee: another process is syncing 'demo'")
    assert result.stderr.count("\n") == 1


async def _taken(world: JournalWorld) -> Lease:
    async with world.leases.hold("demo") as lease:
        return lease


@pytest.mark.parametrize("away", ["store", "plan_journal"])
def test_what_is_away_is_told_in_one_line(lost: JournalWorld, away: str) -> None:
    getattr(lost, away).unavailable = "it is away"

    result = marquee(lost, "catalog", "restore")

    assert (result.exit_code, result.stderr) == (1, "marquee: it is away\n")
