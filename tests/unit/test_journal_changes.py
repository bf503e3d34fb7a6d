from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.outbound.memory.journal_source import MemoryJournalSource
from app.adapters.outbound.memory.plan_journal import MemoryPlanJournal
from app.application.ports.catalog import CatalogPlan
from app.application.ports.history import JournalEntry, LogPosition
from app.application.ports.system import HistoryUnavailableError
from tests.builders import a_plan
from tests.journal_world import JournalWorld


async def journaled_sequence(world: JournalWorld) -> int:
    return (await world.plan_journal.positions())["demo"].sequence


async def test_every_change_becomes_a_state_with_its_run_and_its_time() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(), a_plan(2))
    listed_at = world.clock.now()
    await world.sync_with(a_plan(title="new"), a_plan(2))
    await world.sync_with(a_plan(2))

    assert await world.journal_changes() == 4

    assert await world.kinds(a_plan()) == ["listed", "changed", "withdrawn"]
    assert await world.kinds(a_plan(2)) == ["listed"]
    states = await world.states(a_plan())
    assert [state.run_id for state in states] == ["run-1", "run-2", "run-3"]
    assert states[0].at == listed_at
    assert [state.found.plan.title for state in states] == [a_plan().title, "new", "new"]
    assert [state.found.known.in_feed for state in states] == [True, True, False]


async def test_what_is_journaled_is_not_read_again() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan())

    assert [await world.journal_changes(), await world.journal_changes()] == [1, 0]
    await world.sync_with(a_plan(title="new"))
    assert await world.journal_changes() == 1

    assert await world.kinds(a_plan()) == ["listed", "changed"]


async def test_all_providers_are_journaled_those_without_a_plan_have_nothing_to_say() -> None:
    world = JournalWorld()
    other = JournalWorld(name="other", store=world.store, plan_journal=world.plan_journal)
    await world.sync_with(a_plan())
    await other.sync_with(a_plan(provider="other"))
    world.store.shelf("empty")

    assert await world.journal_changes() == 2

    assert await world.plan_journal.sizes() == {"demo": 1, "other": 1}


async def test_the_log_forgets_only_what_is_journaled_and_keeps_the_newest() -> None:
    world = JournalWorld(log_kept=2)
    for title in "abcde":
        await world.sync_with(a_plan(title=title))
    log = world.store.shelf("demo").log
    assert len(log) == 5

    await world.journal_changes()

    assert [logged.told.sequence for logged in log] == [4, 5]


async def test_while_the_history_is_away_the_log_keeps_everything() -> None:
    world = JournalWorld(log_kept=0)
    world.plan_journal.unavailable = "away"
    for title in "abc":
        await world.sync_with(a_plan(title=title))
        with pytest.raises(HistoryUnavailableError, match="away"):
            await world.journal_changes()
    world.plan_journal.unavailable = None

    await world.journal_changes()

    assert await world.kinds(a_plan()) == ["listed", "changed", "changed"]
    assert len(world.store.shelf("demo").log) == 0


async def test_a_log_that_was_trimmed_before_there_was_a_journal_is_taken_over_as_it_stands() -> None:
    world = JournalWorld(log_kept=1)
    for feed in ([a_plan(1), a_plan(2)], [a_plan(2, title="new")]):
        await world.sync_with(*feed)
    head = await world.source.head("demo")
    assert head
    await world.source.stored("demo", head)

    await world.journal_changes()

    assert await world.plan_journal.positions() == {"demo": head}
    assert await world.kinds(a_plan(1)) == await world.kinds(a_plan(2)) == ["restored"]
    [gone], [changed] = await world.states(a_plan(1)), await world.states(a_plan(2))
    assert (gone.found.known.in_feed, gone.run_id, gone.at) == (False, "take-over", world.clock.now())
    assert changed.found.plan.title == "new"
    assert world.restored == []


async def test_a_log_that_was_trimmed_past_the_journal_is_taken_over_where_it_differs() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1), a_plan(2))
    await world.journal_changes()
    await world.sync_with(a_plan(1), a_plan(2, title="lost"))
    await world.sync_with(a_plan(1), a_plan(2, title="newest"))
    world.store.shelf("demo").log.popleft()
    world.store.shelf("demo").log.popleft()
    world.store.shelf("demo").log.popleft()

    await world.journal_changes()

    assert await world.kinds(a_plan(1)) == ["listed"]
    assert await world.kinds(a_plan(2)) == ["listed", "restored"]
    assert await journaled_sequence(world) == 4
    assert world.restored == []
    await world.sync_with(a_plan(1), a_plan(2))
    await world.journal_changes()
    assert await world.kinds(a_plan(2)) == ["listed", "restored", "changed"]


class ReadBesideASync(MemoryJournalSource):
    """While everything is handed out, something happens."""

    def __init__(self, world: JournalWorld, plan: object) -> None:
        super().__init__(world.store)
        self._world = world
        self._plan = plan

    async def everything(self, provider: str) -> AsyncIterator[Sequence[CatalogPlan]]:
        async for batch in super().everything(provider):
            yield batch
        await self._world.sync_with(self._plan)  # type: ignore[arg-type] # a plan


async def test_a_change_during_the_taking_over_is_not_missed() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(title="a"))
    await world.sync_with(a_plan(title="b"))
    world.store.shelf("demo").log.popleft()
    journal_changes = world.journaling_from(ReadBesideASync(world, a_plan(title="c")))

    await journal_changes()
    await journal_changes()

    states = await world.states(a_plan())
    assert [state.found.plan.title for state in states] == ["b", "c"]


async def test_a_redis_that_was_emptied_under_a_running_service_loses_no_plan() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1), a_plan(2))
    await world.sync_with(a_plan(1))
    await world.journal_changes()
    before = await world.everything()

    world.store.lose_everything()
    await world.journal_changes()

    assert await world.everything() == before
    [restoration] = world.restored
    assert (restoration.provider, restoration.restored, restoration.present) == ("demo", 2, 0)
    assert await world.kinds(a_plan(1)) == ["listed"]
    assert await world.kinds(a_plan(2)) == ["listed", "withdrawn"]
    assert await world.journal_changes() == 0
    assert len(world.restored) == 1


async def test_a_sync_that_was_faster_than_the_journal_costs_nothing_either() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1), a_plan(2), a_plan(3))
    await world.sync_with(a_plan(1), a_plan(3, sell_mode="offline"))
    await world.journal_changes()
    titles = await world.titles()
    first_seen_at = (await world.catalog.known("demo"))[a_plan(3).key.plan_id].first_seen_at

    world.store.lose_everything()
    await world.sync_with(a_plan(1, title="new"), a_plan(3, sell_mode="offline", title="also new"))
    await world.journal_changes()

    assert sorted(await world.titles()) == sorted([titles[0], "new", "also new"])
    known = await world.catalog.known("demo")
    assert known[a_plan(3).key.plan_id].first_seen_at == first_seen_at
    assert not known[a_plan(2).key.plan_id].in_feed
    assert await world.kinds(a_plan(3)) == ["listed", "changed,went_offline", "listed", "restored"]
    assert await world.kinds(a_plan(2)) == ["listed", "withdrawn"]


async def test_a_provider_that_is_being_synced_is_restored_in_a_later_round() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan())
    await world.journal_changes()
    world.store.lose_everything()

    async with world.leases.hold("demo"):
        assert await world.journal_changes() == 0
        assert world.restored == []

    await world.journal_changes()
    assert len(await world.everything()) == 1


async def test_a_log_that_was_set_back_is_taken_over_and_what_it_lost_restored() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1, title="old"))
    shelf = world.store.shelf("demo")
    plans, known, summaries = dict(shelf.plans), dict(shelf.known), dict(shelf.summaries)
    await world.sync_with(a_plan(1, title="new"), a_plan(2), a_plan(3))
    await world.journal_changes()
    shelf.plans, shelf.known, shelf.summaries, shelf.sequence = plans, known, summaries, 1
    while len(shelf.log) > 1:
        shelf.log.pop()

    await world.journal_changes()

    assert set(await world.everything()) == {a_plan(number).key.plan_id for number in (1, 2, 3)}
    assert [state.found.plan.title for state in await world.states(a_plan(1))] == ["old", "new", "old"]
    assert (await world.kinds(a_plan(1)))[2] == "restored"
    assert await world.kinds(a_plan(2)) == ["listed"]
    assert await world.plan_journal.positions() == {"demo": await world.source.head("demo")}
    assert await world.journal_changes() == 0


async def test_a_lost_log_of_a_provider_without_a_journaled_plan_is_waited_for() -> None:
    world = JournalWorld()
    await world.plan_journal.append("demo", None, (), LogPosition(99, 5))

    assert await world.journal_changes() == 0

    await world.sync_with(a_plan())
    assert await world.journal_changes() == 1


class Vanishing(MemoryJournalSource):
    """A log that is gone between two looks at it."""

    async def head(self, provider: str) -> LogPosition | None:
        found = await super().head(provider)
        self._store.lose_everything()
        return found


async def test_a_log_that_vanishes_meanwhile_is_left_for_the_next_round() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan())

    assert await world.journaling_from(Vanishing(world.store))() == 0

    assert await world.plan_journal.positions() == {}


class Rivalled(MemoryPlanJournal):
    """A journal whose first entry another process writes just before this one does."""

    async def append(
        self, provider: str, before: LogPosition | None, entries: Sequence[JournalEntry], after: LogPosition | None
    ) -> None:
        if before is None and after is not None:
            await super().append(provider, before, entries[:1], LogPosition(after.epoch, 1))
        await super().append(provider, before, entries, after)


async def test_when_another_process_was_faster_each_entry_is_journaled_once_all_the_same() -> None:
    world = JournalWorld(plan_journal=Rivalled())
    await world.sync_with(a_plan())
    await world.sync_with(a_plan(title="new"))

    assert await world.journal_changes() == 0
    assert await world.journal_changes() == 1

    assert await world.kinds(a_plan()) == ["listed", "changed"]


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.one_of(
            st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.sampled_from(("online", "offline")))),
            st.sampled_from(("journal", "lose everything", "lose the log's begin")),
        ),
        max_size=14,
    )
)
async def test_whatever_is_lost_whenever_the_journal_ends_with_what_the_catalog_says(
    steps: list[list[tuple[int, str, str]] | str],
) -> None:
    world = JournalWorld(log_kept=1)
    ever: set[object] = set()
    for step in steps:
        if step == "journal":
            await world.journal_changes()
            ever |= set(await world.everything())
        elif step == "lose everything":
            world.store.lose_everything()
        elif isinstance(step, str):
            if log := world.store.shelf("demo").log:
                log.popleft()
        else:
            await world.sync_with(
                *{item: a_plan(item, title=title, sell_mode=mode) for item, title, mode in step}.values()
            )

    await world.journal_changes()

    newest = {plan.plan.key.plan_id: plan async for batch in world.plan_journal.latest("demo") for plan in batch}
    assert newest == await world.everything()
    assert ever <= set(newest)
    assert await world.journal_changes() == 0


async def test_what_a_clock_that_was_ahead_wrote_is_known_from_now_on() -> None:
    world = JournalWorld()
    world.clock.move(7200)
    await world.sync_with(a_plan())
    world.clock.move(-7200)
    now = world.clock.now()

    await world.journal_changes()
    await world.sync_with(a_plan(title="new"))
    await world.journal_changes()

    assert [state.at for state in await world.states(a_plan())] == [now, world.clock.now()]
