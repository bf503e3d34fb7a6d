from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from app.application.ports.catalog import CatalogPlan, LeaseLostError
from app.application.ports.system import HistoryUnavailableError, LeaseTakenError
from app.application.restore_catalog import NotJournaledError, Restoration
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.fakes.store import MemoryStore
from tests.support.builders import a_plan
from tests.support.journal_world import JournalWorld


async def a_journaled_world() -> JournalWorld:
    """Three plans: in the feed, withdrawn, never online."""
    world = JournalWorld()
    await world.sync_with(a_plan(1, title="in the feed"), a_plan(2, title="withdrawn"))
    await world.sync_with(a_plan(1, title="in the feed"), a_plan(3, sell_mode="offline"))
    await world.journal_changes()
    return world


async def test_an_empty_catalog_is_as_it_was_past_plans_included() -> None:
    world = await a_journaled_world()
    before, titles = await world.everything(), await world.titles()
    world.store.lose_everything()

    done = await world.restore()

    assert done == [Restoration("demo", restored=3, present=0)]
    assert await world.everything() == before
    assert await world.titles() == titles == ["in the feed", "withdrawn"]


async def test_those_who_follow_the_log_are_told_under_a_run_of_its_own() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()

    await world.restore()

    log = [logged.told for logged in world.store.shelf("demo").log]
    assert {(change.kinds, change.run_id) for change in log} == {(("restored",), "restore-1")}
    assert sorted(change.searchable.summary.title for change in log if change.searchable) == await world.titles()


async def test_what_the_catalog_knows_is_left_alone() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()
    await world.sync_with(a_plan(1, title="newer"))

    done = await world.restore()

    assert done == [Restoration("demo", restored=2, present=1)]
    assert await world.titles() == ["newer", "withdrawn"]


async def test_doing_it_twice_does_nothing_more() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()
    await world.restore()
    before = world.store.shelf("demo").sequence

    assert await world.restore() == [Restoration("demo", restored=0, present=3)]

    assert world.store.shelf("demo").sequence == before


async def test_the_sync_after_it_finds_nothing_new() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()
    await world.restore()

    report = await world.sync()

    assert dict(report.changes) == {}


async def test_the_providers_that_are_named_are_restored_each_once() -> None:
    world = await a_journaled_world()
    other = JournalWorld(name="other", store=world.store, plan_journal=world.plan_journal)
    await other.sync_with(a_plan(provider="other"))
    await world.journal_changes()
    world.store.lose_everything()

    done = await world.restore(["other", "other"])

    assert done == [Restoration("other", 1, 0)]
    assert await world.catalog.providers() == ["other"]


async def test_a_provider_that_the_journal_does_not_know_is_told_and_nothing_is_done() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()

    with pytest.raises(NotJournaledError, match="no plan of 'nobody', but of: demo"):
        await world.restore(["demo", "nobody"])

    assert await world.catalog.providers() == []


async def test_a_start_restores_only_what_was_lost() -> None:
    world = await a_journaled_world()
    assert await world.restore.if_lost() == []

    world.store.lose_everything()

    assert await world.restore.if_lost() == [Restoration("demo", restored=3, present=0)]
    assert await world.restore.if_lost() == []


async def test_a_start_beside_a_sync_leaves_its_provider_alone() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()

    async with world.leases.hold("demo"):
        assert await world.restore.if_lost() == []
        with pytest.raises(LeaseTakenError):
            await world.restore()

    assert len(await world.restore.if_lost()) == 1


class LosingJournal(MemoryPlanJournal):
    """While it is read, the live state is lost."""

    def __init__(self, journal: MemoryPlanJournal, store: MemoryStore) -> None:
        super().__init__()
        self._rows = journal._rows
        self._store = store

    async def latest(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        async for batch in super().latest(provider):
            yield batch
        self._store.lose_everything()


async def test_what_is_lost_once_more_meanwhile_is_not_half_restored() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()
    restore = replace(world.restore, journal=LosingJournal(world.plan_journal, world.store))

    assert await restore.if_lost() == []
    with pytest.raises(LeaseLostError):
        await restore()

    assert await world.everything() == {}


async def test_a_journal_that_is_away_restores_nothing() -> None:
    world = await a_journaled_world()
    world.store.lose_everything()
    world.plan_journal.unavailable = "away"

    with pytest.raises(HistoryUnavailableError):
        await world.restore(["demo"])

    assert await world.everything() == {}


async def test_a_provider_whose_feed_is_gone_from_the_configuration_is_restored_too() -> None:
    world = await a_journaled_world()
    gone = JournalWorld(name="gone", store=world.store, plan_journal=world.plan_journal)
    await gone.sync_with(a_plan(provider="gone"))
    await world.journal_changes()
    world.store.lose_everything()

    done = await world.restore()

    assert [restoration.provider for restoration in done] == ["demo", "gone"]
