import asyncio
from dataclasses import replace

import pytest

from app.adapters.outbound.memory.circuit_states import MemoryCircuitStates
from app.application.ports.providers import ConfiguredProvider, FeedUnavailableError, ProviderDirectory
from app.application.ports.system import CircuitState, LiveStateUnavailableError, SyncRequest
from app.application.read_catalog import DescribeHeld, DescribePlan, DescribeProviders, ListRejections, ListRuns
from app.application.request_sync import RequestSync
from app.application.watch_catalog import WatchCatalog
from app.domain.errors import NoSchedulerError, UnknownPlanError, UnknownProviderError
from app.domain.sync_runs import SyncOutcome
from tests.fakes.sync_requests import MemorySyncRequests
from tests.support.builders import a_plan
from tests.support.scripted_provider import ScriptedProvider
from tests.support.sync_world import SyncWorld


class Directory(ProviderDirectory):
    def __init__(self, *providers: ConfiguredProvider) -> None:
        self._providers = providers

    def all(self) -> tuple[ConfiguredProvider, ...]:
        return self._providers

    def get(self, name: str) -> ConfiguredProvider:
        for provider in self._providers:
            if provider.name == name:
                return provider
        raise UnknownProviderError(name, [provider.name for provider in self._providers])


async def test_a_plan_in_the_feed_was_last_seen_when_the_feed_was_last_read() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan())
    await world.sync()

    description = await DescribePlan(world.catalog)(a_plan().key.plan_id)

    assert description.last_seen_at == world.clock.now()
    assert description.found.plan == a_plan()


async def test_a_withdrawn_plan_was_last_seen_before_it_was_withdrawn() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan())
    seen_at = world.clock.now()
    await world.sync_with()
    await world.sync()

    description = await DescribePlan(world.catalog)(a_plan().key.plan_id)

    assert description.last_seen_at == seen_at
    assert description.found.known.withdrawn_at is not None


async def test_a_plan_never_seen_is_unknown() -> None:
    with pytest.raises(UnknownPlanError):
        await DescribePlan(SyncWorld().catalog)(a_plan().key.plan_id)


async def test_a_provider_is_described_with_its_last_run_and_its_circuit() -> None:
    world = SyncWorld()
    report = await world.sync_with(a_plan())
    circuits = MemoryCircuitStates()
    await circuits.save("demo", CircuitState("open", 5))

    [status] = await DescribeProviders(Directory(world.configured), world.catalog, world.journal, circuits)()

    assert status.last_run == report
    assert status.snapshot_at == world.clock.now()
    assert status.circuit.state == "open"
    assert not status.waiting


async def test_the_troubled_come_first_and_the_others_in_the_order_of_the_configuration() -> None:
    worlds = [SyncWorld(name=name) for name in ("a", "b", "c", "d")]
    circuits = MemoryCircuitStates()
    await circuits.save("d", CircuitState("open", 5))
    for world in worlds:
        world.journal = worlds[0].journal
    failing = await SyncWorld(name="b", provider=ScriptedProvider(FeedUnavailableError("away"))).sync()
    await worlds[0].journal.record(failing)
    directory = Directory(*(world.configured for world in worlds))

    statuses = await DescribeProviders(directory, worlds[0].catalog, worlds[0].journal, circuits)()

    assert [status.provider.name for status in statuses] == ["b", "d", "a", "c"]
    assert [status.is_troubled for status in statuses] == [True, True, False, False]


async def test_a_provider_never_synced_is_described_too() -> None:
    world = SyncWorld()
    describe = DescribeProviders(Directory(world.configured), world.catalog, world.journal, MemoryCircuitStates())

    [status] = await describe()

    assert (status.last_run, status.snapshot_at) == (None, None)


async def test_runs_and_rejections_are_those_of_a_configured_provider() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan())
    directory = Directory(world.configured)

    assert [run.outcome for run in await ListRuns(directory, world.journal)("demo", 5)] == [SyncOutcome.APPLIED]
    assert list(await ListRejections(directory, world.rejections)("demo", 5)) == []
    assert list(await ListRejections(directory, world.rejections)("demo", 5, mended=True)) == []
    assert await DescribeHeld(directory, world.held)("demo") is None
    with pytest.raises(UnknownProviderError, match="no provider is called 'nobody'; configured: demo"):
        await ListRuns(directory, world.journal)("nobody", 5)
    with pytest.raises(UnknownProviderError):
        await ListRejections(Directory(), world.rejections)("demo", 5)


async def test_a_sync_is_asked_of_a_scheduler_that_is_there() -> None:
    world = SyncWorld()
    requests = MemorySyncRequests(world.store, block=0.01)
    await requests.take()
    ask = RequestSync(Directory(world.configured), requests, lambda: "run-7")

    assert await ask("demo", approve=True) == "run-7"
    assert await ask("demo", full=True) == "run-7"
    assert list(await requests.take()) == [
        SyncRequest("demo", "run-7", approve=True),
        SyncRequest("demo", "run-7", full=True),
    ]


async def test_a_sync_that_nobody_would_do_is_refused() -> None:
    world = SyncWorld()

    with pytest.raises(NoSchedulerError, match="marquee scheduler"):
        await RequestSync(Directory(world.configured), MemorySyncRequests(world.store), lambda: "1")("demo")


async def test_the_watch_keeps_what_it_saw_while_the_store_is_away() -> None:
    world = SyncWorld()
    await world.sync_with(a_plan())
    describe = DescribeProviders(Directory(world.configured), world.catalog, world.journal, MemoryCircuitStates())
    watch = WatchCatalog(describe, world.journal, world.queue, world.clock)
    await watch.look()
    world.store.unavailable = "away"
    await watch.look()

    assert watch.trouble == "away"
    assert watch.seen_at == world.clock.now()
    assert [status.provider.name for status in watch.providers] == ["demo"]
    assert watch.activities is not None
    assert watch.activities.backlog == 0
    assert watch.totals["demo"]["runs.applied"] == 1


async def test_the_watch_looks_again_and_again() -> None:
    world = SyncWorld()
    directory = Directory(world.configured)
    describe = DescribeProviders(directory, world.catalog, world.journal, MemoryCircuitStates())
    watch = WatchCatalog(describe, world.journal, world.queue, world.clock)
    task = asyncio.create_task(watch())
    async with asyncio.timeout(10):
        for outcome in ("runs.applied", "runs.unchanged"):
            await world.sync_with(a_plan())
            while outcome not in watch.totals.get("demo", ()):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_of_many_providers_some_are_looked_at_each_time_and_all_of_them_in_turn() -> None:
    first = SyncWorld(name="0")
    worlds = [first, *(SyncWorld(name=str(number), store=first.store) for number in range(1, 250))]
    directory = Directory(*(world.configured for world in worlds))
    describe = DescribeProviders(directory, first.catalog, first.journal, MemoryCircuitStates())
    watch = WatchCatalog(describe, first.journal, first.queue, first.clock)
    await watch.look()
    assert [status.provider.name for status in watch.providers] == [world.name for world in worlds]
    for world in worlds:
        await world.sync_with(a_plan(provider=world.name))

    seen = []
    for _ in range(4):
        await watch.look()
        seen.append(sum(status.last_run is not None for status in watch.providers))

    assert seen == [100, 200, 250, 250]
    assert [status.provider.name for status in watch.providers] == [world.name for world in worlds]
    assert all(watch.totals[world.name] == {"runs.applied": 1} for world in worlds)


async def test_a_store_that_answers_and_takes_no_writes_is_away_for_who_writes() -> None:
    world = SyncWorld()
    describe = DescribeProviders(Directory(world.configured), world.catalog, world.journal, MemoryCircuitStates())
    watch = WatchCatalog(describe, world.journal, world.queue, world.clock)
    never = watch.away
    await watch.look()
    well = watch.away
    world.store.refusal = "its memory is full"
    await watch.look()

    assert (never, well) == ("not asked yet", None)
    assert (watch.trouble, watch.refusal, watch.away) == (None, "its memory is full", "its memory is full")
    assert watch.seen_at == world.clock.now()


async def test_the_catalog_that_is_away_says_so() -> None:
    world = SyncWorld()
    world.store.unavailable = "away"

    with pytest.raises(LiveStateUnavailableError, match="away"):
        await DescribePlan(world.catalog)(a_plan().key.plan_id)


async def test_a_provider_that_cannot_be_made_is_in_trouble() -> None:
    world = SyncWorld()
    configured = replace(world.configured, trouble="its module has a mistake")
    describe = DescribeProviders(Directory(configured), world.catalog, world.journal, MemoryCircuitStates())

    [status] = await describe()

    assert status.is_troubled
