from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.application.ports.catalog import ProviderState
from app.application.ports.system import LeaseTakenError, LiveStateUnavailableError
from app.application.retime_plans import Retiming
from app.domain.domain_events import PlanRetimed, plan_fact_of
from app.domain.plans import Plan, UtcOffsets
from app.domain.reconciliation import ChangeKind
from app.domain.sync_runs import SyncOutcome
from tests.support.builders import NOW, a_change, a_plan
from tests.support.journal_world import JournalWorld
from tests.support.sync_world import SyncWorld
from tests.support.zone_files import VANCOUVER

HOUR = 3600
WINTER_OF_2025 = UtcOffsets(-8 * HOUR, -8 * HOUR, "2025b")
"""As Vancouver's winter was reckoned before 2026; now it is seven hours behind in winter, too."""
SHOW = a_plan("show", title="Show", starts="2026-12-05T21:00", ends="2026-12-05T23:00", timezone=VANCOUVER)
SUMMER = a_plan("summer", title="Summer", starts="2026-07-05T21:00", timezone=VANCOUVER)
BEFORE = datetime(2026, 12, 6, 5, tzinfo=UTC)
AFTER = datetime(2026, 12, 6, 4, tzinfo=UTC)


async def write(world: SyncWorld, plan: Plan, offsets: UtcOffsets | None, *kinds: str, provider: str = "demo") -> None:
    """Commit a plan as a process with other rules, or an older version, did."""
    change = a_change(plan, *kinds)
    change = replace(change, known=replace(change.known, offsets=offsets))
    async with world.leases.hold(provider) as lease, aclosing(world.catalog.update(lease, "before", NOW)) as update:
        await update.stage([change])
        await update.commit(change.kinds)


async def starts(world: SyncWorld, provider: str = "demo") -> dict[str, datetime]:
    """Say when search has each plan begin."""
    batches = [batch async for batch in world.log.searchable(provider)]
    return {plan.summary.title: plan.starts_at for batch in batches for plan in batch}


def told(world: SyncWorld, provider: str = "demo") -> list[tuple[tuple[ChangeKind, ...], str]]:
    log = [logged.told for logged in world.store.shelf(provider).log]
    return [(change.kinds, change.run_id) for change in log if change.run_id != "before"]


async def a_world_of_2025() -> SyncWorld:
    world = SyncWorld()
    await write(world, SHOW, WINTER_OF_2025)
    await write(world, SUMMER, UtcOffsets(-7 * HOUR, -7 * HOUR, "2025b"))
    return world


async def test_only_the_plans_whose_instants_changed_are_written_as_changes_of_their_own() -> None:
    world = await a_world_of_2025()

    done = await world.retime()

    assert done == world.retimed == [Retiming("demo", "2026a", 1)]
    assert await starts(world) == {"Show": AFTER, "Summer": datetime(2026, 7, 6, 4, tzinfo=UTC)}
    assert told(world) == [((ChangeKind.RETIMED,), "retiming")]
    found = await world.catalog.find(SHOW.key.plan_id)
    assert found
    assert (found.plan, found.instants[0]) == (SHOW, AFTER)
    assert found.known.offsets == UtcOffsets(-7 * HOUR, -7 * HOUR, "2026a")


async def test_a_second_time_nothing_is_written_nor_looked_at() -> None:
    world = await a_world_of_2025()
    await world.retime()
    await write(world, SHOW, WINTER_OF_2025)  # so that a look would find something

    assert await world.retime() == [Retiming("demo", "2026a", 0)]

    assert len(told(world)) == 1


async def test_newer_rules_that_change_nothing_write_nothing_but_that_they_were_looked_at() -> None:
    world = await a_world_of_2025()
    await world.retime()

    assert await world.retiming_by("2026b")() == [Retiming("demo", "2026b", 0)]

    state = await world.catalog.state("demo")
    assert (state.newest_rules, state.settled_rules) == ("2026b", "2026b")
    assert len(told(world)) == 1


async def test_what_was_written_before_offsets_were_noted_is_mended_by_what_search_says() -> None:
    world = SyncWorld()
    await write(world, SHOW, None)
    shelf, plan_id = world.store.shelf("demo"), SHOW.key.plan_id
    shelf.summaries[plan_id] = replace(shelf.summaries[plan_id], starts_at=BEFORE)
    await write(world, SUMMER, None)

    await world.retime()

    assert (await starts(world))["Show"] == AFTER
    assert len(told(world)) == 1


async def test_a_plan_that_was_never_online_is_mended_and_one_of_which_nobody_knows_is_left() -> None:
    world = SyncWorld()
    draft = replace(SHOW, key=SHOW.key._replace(item_id="draft"), sell_mode=a_plan(sell_mode="offline").sell_mode)
    await write(world, draft, WINTER_OF_2025)
    await write(world, replace(draft, key=draft.key._replace(item_id="old draft")), None)

    assert await world.retime() == [Retiming("demo", "2026a", 1)]

    found = await world.catalog.find(draft.key.plan_id)
    assert found
    assert found.instants[0] == AFTER


async def test_a_zone_or_a_time_that_the_rules_do_not_know_stays_as_it_was() -> None:
    world = SyncWorld()
    gone = a_plan("gone", title="Gone", starts="2026-12-05T21:00", timezone="Atlantis/Capital")
    early = a_plan("early", title="Early", starts="0001-01-01T00:00", timezone="Asia/Kathmandu")
    await write(world, gone, WINTER_OF_2025)
    await write(world, early, UtcOffsets(0, 0, "2025b"))

    assert await world.retime() == [Retiming("demo", "2026a", 0)]

    assert (await starts(world))["Gone"] == BEFORE


async def test_a_withdrawn_plan_stays_withdrawn() -> None:
    world = await a_world_of_2025()
    await write(world, SHOW, WINTER_OF_2025, "withdrawn")

    await world.retime()

    found = await world.catalog.find(SHOW.key.plan_id)
    assert found
    assert (found.known.in_feed, found.instants[0]) == (False, AFTER)


async def test_a_sync_does_it_first_though_its_feed_says_nothing_new() -> None:
    world = await a_world_of_2025()
    world.provider.now_says(SHOW, SUMMER)
    await world.sync()
    before = world.store.shelf("demo").sequence

    report = await world.sync()

    assert report.outcome is SyncOutcome.UNCHANGED
    assert world.store.shelf("demo").sequence == before
    assert ((ChangeKind.RETIMED,), "retiming") in told(world)
    assert (await starts(world))["Show"] == AFTER


async def test_a_dry_run_mends_nothing() -> None:
    world = await a_world_of_2025()
    world.provider.now_says(SHOW)

    await world.sync(dry_run=True)

    assert told(world) == []


async def test_an_older_process_mends_nothing_and_says_by_which_rules_plans_are_timed() -> None:
    world = await a_world_of_2025()
    await world.retiming_by("2026f")()
    await write(world, SHOW, WINTER_OF_2025)

    older = world.retiming_by("2026a")

    assert await older() == [Retiming("demo", "2026a", 0, newer="2026f")]
    async with world.leases.hold("demo") as lease:
        assert (await older.under(lease)).newer == "2026f"
    assert len(told(world)) == 1


async def test_what_an_older_process_wrote_is_mended_by_the_next_newer_one() -> None:
    world = await a_world_of_2025()
    newer = world.retiming_by("2026f")
    await newer()

    await world.sync_with(replace(SHOW, title="Changed"), SUMMER)  # by 2026a, which could have had other rules
    assert (await world.catalog.state("demo")).settled_rules is None
    assert (await world.catalog.state("demo")).newest_rules == "2026f"
    await write(world, SHOW, WINTER_OF_2025)

    assert await newer() == [Retiming("demo", "2026f", 1)]
    assert (await starts(world))["Show"] == AFTER
    assert (await world.catalog.state("demo")).settled_rules == "2026f"


async def test_a_catalog_that_was_restored_from_the_journal_still_tells_an_older_process_to_leave_it_alone() -> None:
    world = JournalWorld()
    await write(world, SHOW, WINTER_OF_2025)
    await world.retiming_by("2026f")()
    await world.journal_changes()
    world.store.lose_everything()
    await world.restore()

    assert (await starts(world))["Show"] == AFTER
    assert await world.retiming_by("2026a")() == [Retiming("demo", "2026a", 0, newer="2026f")]
    assert (await world.catalog.state("demo")).newest_rules == "2026f"
    assert await world.retiming_by("2026f")() == [Retiming("demo", "2026f", 0)]


async def test_what_is_restored_from_the_journal_is_looked_at_again() -> None:
    world = JournalWorld()
    await write(world, SHOW, WINTER_OF_2025)
    await world.journal_changes()
    await world.retime()
    state = await world.catalog.state("demo")
    world.store.lose_everything()
    async with world.leases.hold("demo") as lease:
        await world.catalog.remember(lease, state)

    await world.restore()
    assert (await starts(world))["Show"] == BEFORE
    await world.retime()

    assert (await starts(world))["Show"] == AFTER


async def test_the_journal_has_the_new_state_and_keeps_the_old_one() -> None:
    world = JournalWorld()
    await write(world, SHOW, WINTER_OF_2025)
    await world.journal_changes()
    await world.retime()
    await world.journal_changes()

    states = await world.states(SHOW)

    assert [(state.kinds, state.found.instants[0]) for state in states] == [
        ((ChangeKind.LISTED,), BEFORE),
        ((ChangeKind.RETIMED,), AFTER),
    ]
    assert plan_fact_of(states[-1].kinds) is PlanRetimed


async def test_a_provider_that_is_synced_now_is_left_to_its_sync() -> None:
    world = await a_world_of_2025()
    await write(world, a_plan(provider="other", starts="2026-12-05T21:00", timezone=VANCOUVER), None, provider="other")

    async with world.leases.hold("demo"):
        assert [done.provider for done in await world.retime()] == ["other"]
        with pytest.raises(LeaseTakenError):
            async with world.leases.hold("demo"):
                pass

    assert told(world) == []


async def test_a_store_that_goes_away_is_said_and_what_was_not_written_is_found_again() -> None:
    world = await a_world_of_2025()
    world.store.unavailable = "away"

    with pytest.raises(LiveStateUnavailableError):
        await world.retime()

    world.store.unavailable = None
    assert (await world.catalog.state("demo")) == ProviderState()
    assert await world.retime() == [Retiming("demo", "2026a", 1)]
