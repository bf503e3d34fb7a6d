from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.application.journal_shares import ALL_SHARES
from app.application.ports.catalog import CatalogPlan, LogPosition, ProviderState
from app.application.ports.history import JournalEntry, JournalStep
from app.application.ports.system import HistoryUnavailableError
from app.domain.domain_events import PlanFact
from app.domain.plans import Plan, PlanId, UtcOffsets
from app.domain.reconciliation import KnownPlan
from tests.contract.conftest import commit
from tests.fakes.journal_source import MemoryJournalSource
from tests.fakes.plan_journal import MemoryPlanJournal, MemoryPlanLog
from tests.support.builders import NOW, a_change, a_plan
from tests.support.journal_world import JournalWorld
from tests.support.zone_files import VANCOUVER


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
    assert len(world.store.shelf("demo").log) == 1  # the one that the position names


async def test_a_log_that_was_trimmed_before_there_was_a_journal_is_taken_over_as_it_stands() -> None:
    world = JournalWorld(log_kept=1)
    for feed in ([a_plan(1), a_plan(2)], [a_plan(2, title="new")]):
        await world.sync_with(*feed)
    head = await world.source.head("demo")
    assert head
    await world.source.stored({"demo": head})

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
    journaling = world.journaling_from(ReadBesideASync(world, a_plan(title="c")))

    await world.journal_changes(journaling)
    await world.journal_changes(journaling)

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


class Copy:
    """What a store was at one moment; the store can be set back to it, as to a replica that lagged."""

    def __init__(self, world: JournalWorld) -> None:
        self._store = world.store
        self._kept = deepcopy(world.store._shelves)

    def set_back(self) -> None:
        self._store._shelves = deepcopy(self._kept)


async def told(world: JournalWorld) -> list[tuple[str, str]]:
    """What a client of the change feed has heard: titles and kinds, in order."""
    facts = [logged.fact for logged in await MemoryPlanLog(world.plan_journal).read(0, 1000)]
    return [(fact.state.summary.title, ",".join(fact.kinds)) for fact in facts if isinstance(fact, PlanFact)]


async def test_a_redis_that_was_set_back_learns_again_what_the_journal_knows() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1, title="old"), a_plan(2, title="gone"))
    copy = Copy(world)
    await world.sync_with(a_plan(1, title="new"), a_plan(3, title="later"))
    await world.journal_changes()
    before, heard = await world.everything(), await told(world)
    copy.set_back()

    await world.journal_changes()

    assert await world.everything() == before
    [restoration] = world.restored
    assert (restoration.restored, restoration.present) == (3, 0)
    await world.journal_changes()
    assert await told(world) == heard
    assert await world.plan_journal.positions() == {"demo": await world.source.head("demo")}
    assert await world.journal_changes() == 0


async def test_changes_that_took_the_numbers_of_others_are_journaled() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1, title="a"), a_plan(2, title="kept"))
    copy = Copy(world)
    await world.sync_with(a_plan(1, title="lost"), a_plan(2, title="kept"), a_plan(3, title="also lost"))
    await world.journal_changes()
    copy.set_back()
    await world.sync_with(a_plan(1, title="b"), a_plan(2, title="kept"), a_plan(4, title="new"))
    await world.sync_with(a_plan(1, title="c"), a_plan(2, title="kept"), a_plan(4, title="new"))

    await world.journal_changes()

    assert (await told(world))[4:] == [("b", "changed"), ("new", "listed"), ("c", "changed")]
    assert sorted(await world.titles()) == ["also lost", "c", "kept", "new"]
    assert [state.found.plan.title for state in await world.states(a_plan(1))] == ["a", "lost", "b", "c"]


async def test_a_state_that_came_back_after_the_setting_back_is_a_change_like_any_other() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(title="a"))
    copy = Copy(world)
    await world.sync_with(a_plan(title="b"))
    await world.journal_changes()
    copy.set_back()
    await world.sync_with(a_plan(title="c"))
    await world.sync_with(a_plan(title="a"))

    await world.journal_changes()

    assert [title for title, _ in await told(world)] == ["a", "b", "c", "a"]
    assert await world.titles() == ["a"]


async def test_the_feed_is_read_again_when_the_catalog_says_something_else_than_it_did() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(title="a"))
    copy = Copy(world)
    await world.sync_with(a_plan(title="b"))
    await world.journal_changes()
    copy.set_back()
    await world.journal_changes()
    assert await world.titles() == ["b"]

    await world.sync_with(a_plan(title="a"))

    assert await world.titles() == ["a"]


async def test_a_run_that_goes_on_after_the_setting_back_is_journaled_to_its_end() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(0))
    plans = [a_plan(number, title=f"{number}") for number in range(1, 7)]
    changes = [a_change(plan) for plan in plans]
    async with world.leases.hold("demo") as lease:
        await commit(world.catalog, lease, *changes[:2])
        copy = Copy(world)
        await commit(world.catalog, lease, *changes[2:4])
        await world.journal_changes()
        copy.set_back()
        await commit(world.catalog, lease, *changes[4:])

    await world.journal_changes()

    assert set(await world.titles()) >= {"1", "2", "3", "4", "5", "6"}
    assert [title for title, _ in await told(world)][1:] == ["1", "2", "3", "4", "5", "6"]


async def test_a_position_of_an_older_build_names_nothing_and_is_believed_once() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(title="a"))
    await world.journal_changes()
    [stands] = (await world.plan_journal.positions()).values()
    await world.plan_journal.append([JournalStep("demo", stands, (), replace(stands, entry=""))])

    assert await world.journal_changes() == 0

    assert await world.plan_journal.positions() == {"demo": stands}
    assert world.restored == []


async def test_what_only_the_catalog_knows_is_journaled_when_the_journal_was_set_back() -> None:
    world = JournalWorld(log_kept=1)
    await world.sync_with(a_plan(title="a"))
    await world.journal_changes()
    rows, positions = list(world.plan_journal._rows), dict(world.plan_journal._positions)
    for title in "bc":
        await world.sync_with(a_plan(title=title))
        await world.journal_changes()
    world.plan_journal._rows, world.plan_journal._positions = rows, positions

    await world.journal_changes()

    assert await world.titles() == ["c"]
    assert [title for title, _ in await told(world)] == ["a", "c"]
    assert world.restored == []


async def test_a_log_with_a_hole_is_taken_over_as_it_stands() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(1, title="a"))
    await world.journal_changes()
    copy = Copy(world)
    await world.sync_with(a_plan(1, title="b"), a_plan(2), a_plan(3))
    await world.journal_changes()
    copy.set_back()
    await world.sync_with(a_plan(1, title="c"), a_plan(4), a_plan(5))
    log = world.store.shelf("demo").log
    del log[1]

    await world.journal_changes()

    newest = {plan.plan.key.plan_id: plan async for batch in world.plan_journal.latest("demo") for plan in batch}
    assert newest == await world.everything()
    assert len(newest) == 5


async def test_a_lost_log_of_a_provider_without_a_journaled_plan_is_waited_for() -> None:
    world = JournalWorld()
    await world.plan_journal.append([JournalStep("demo", None, (), LogPosition(99, 5))])

    assert await world.journal_changes() == 0

    await world.sync_with(a_plan())
    await world.journal_changes()
    assert await world.kinds(a_plan()) == ["listed"]
    assert await world.journal_changes() == 0


async def test_a_log_that_vanishes_meanwhile_is_left_for_the_next_round() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan())
    heads = dict(world.store.heads)
    world.store.lose_everything()

    assert await world.journaling(heads) == 0

    assert await world.plan_journal.positions() == {}


async def test_what_was_told_of_a_log_before_it_was_journaled_further_does_no_harm() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(title="a"))
    heads = dict(world.store.heads)
    await world.sync_with(a_plan(title="b"))
    await world.journal_changes()

    assert await world.journaling(heads) == 0

    assert await world.kinds(a_plan()) == ["listed", "changed"]


class Rivalled(MemoryPlanJournal):
    """A journal whose first entry of `demo` another process writes just before this one does."""

    async def append(self, steps: Sequence[JournalStep]) -> None:
        for step in steps:
            if step.provider == "demo" and step.before is None and step.after is not None:
                first = LogPosition(step.after.epoch, 1)
                if "demo" not in await self.positions():
                    await super().append([replace(step, entries=step.entries[:1], after=first)])
        await super().append(steps)


async def test_when_another_process_was_faster_each_entry_is_journaled_once_all_the_same() -> None:
    world = JournalWorld(plan_journal=Rivalled())
    await world.sync_with(a_plan())
    await world.sync_with(a_plan(title="new"))

    assert await world.journal_changes() == 0
    assert await world.journal_changes() == 1

    assert await world.kinds(a_plan()) == ["listed", "changed"]


async def test_a_log_that_somebody_else_is_at_keeps_no_other_log_waiting() -> None:
    world = JournalWorld(plan_journal=Rivalled())
    other = JournalWorld(name="other", store=world.store, plan_journal=world.plan_journal)
    await world.sync_with(*map(a_plan, range(1500)))
    await other.sync_with(a_plan(provider="other"))

    assert await world.journal_changes() == 1
    assert await world.plan_journal.sizes() == {"demo": 1, "other": 1}
    assert await world.journal_changes() == 1499

    assert await world.plan_journal.sizes() == {"demo": 1500, "other": 1}


async def test_logs_that_would_be_written_together_with_one_that_somebody_else_is_at_are_written_alone() -> None:
    world = JournalWorld(plan_journal=Rivalled())
    other = JournalWorld(name="other", store=world.store, plan_journal=world.plan_journal)
    await world.sync_with(a_plan(1), a_plan(2))
    await other.sync_with(a_plan(provider="other"))

    assert await world.journal_changes() == 1
    assert await world.plan_journal.sizes() == {"demo": 1, "other": 1}
    assert await world.journal_changes() == 1

    assert await world.plan_journal.sizes() == {"demo": 2, "other": 1}


async def test_logs_of_any_length_are_journaled_to_their_ends_in_few_transactions() -> None:
    journal = Counting()
    world = JournalWorld(plan_journal=journal)
    lengths = {"long": 2500, **{f"short-{number}": 1 + number % 3 for number in range(120)}}
    for name, length in lengths.items():
        provider = JournalWorld(name=name, store=world.store, plan_journal=journal)
        await provider.sync_with(*(a_plan(number, provider=name) for number in range(length)))

    assert await world.journal_changes() == sum(lengths.values())

    assert await journal.sizes() == lengths
    assert journal.transactions <= 8
    assert await journal.positions() == world.store.heads


async def test_only_logs_of_the_shares_that_are_ours_are_journaled() -> None:
    world = JournalWorld()
    names = [f"provider-{number}" for number in range(100)]
    for name in names:
        provider = JournalWorld(name=name, store=world.store, plan_journal=world.plan_journal)
        await provider.sync_with(a_plan(provider=name))

    assert await world.journaling(dict(world.store.heads), ()) == 0
    counts = [await world.journaling(dict(world.store.heads), {share}) for share in ALL_SHARES]

    assert sum(counts) == len(names)
    assert all(counts)
    assert await world.plan_journal.sizes() == dict.fromkeys(names, 1)


class Counting(MemoryPlanJournal):
    """Counts what would be transactions."""

    transactions = 0

    async def append(self, steps: Sequence[JournalStep]) -> None:
        self.transactions += 1
        await super().append(steps)


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.one_of(
            st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.sampled_from(("online", "offline")))),
            st.sampled_from(("journal", "copy", "set back", "lose everything", "lose the log's begin")),
        ),
        max_size=16,
    )
)
async def test_whatever_is_lost_or_set_back_whenever_the_journal_ends_with_what_the_catalog_says(
    steps: list[list[tuple[int, str, str]] | str],
) -> None:
    world = JournalWorld(log_kept=1)
    ever: set[object] = set()
    copy = Copy(world)
    for step in steps:
        if step == "journal":
            await world.journal_changes()
            ever |= set(await world.everything())
        elif step == "copy":
            copy = Copy(world)
        elif step == "set back":
            copy.set_back()
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


@settings(deadline=None, max_examples=60)
@given(
    steps=st.lists(
        st.one_of(
            st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc"))),
            st.sampled_from(("journal", "lag", "promote")),
        ),
        max_size=16,
    )
)
async def test_whatever_a_replica_missed_the_journal_has_every_change_in_order(
    steps: list[list[tuple[int, str]] | str],
) -> None:
    """What was journaled before it was lost, what was copied, and what came since: each is told once."""
    world = JournalWorld()
    copy, copied, journaled = Copy(world), 0, 0
    committed: list[JournalEntry] = []
    for step in steps:
        if step == "journal":
            await world.journal_changes()
            journaled = len(committed)
        elif step == "lag":
            copy, copied = Copy(world), len(committed)
        elif step == "promote":
            copy.set_back()
            del committed[max(copied, journaled) :]
        elif not isinstance(step, str):
            report = await world.sync_with(*{item: a_plan(item, title=title) for item, title in step}.values())
            log = [entry for _, entry in world.store.shelf("demo").log]
            committed += [entry for entry in log if entry.run_id == report.run_id]

    await world.journal_changes()

    newest: dict[PlanId, KnownPlan] = {}
    expected = []
    for entry in committed:
        if newest.get(entry.plan_id) != entry.known:
            expected.append((entry.plan_id, entry.run_id))
        newest[entry.plan_id] = entry.known
    assert [(row.plan_id, row.state.run_id) for row in world.plan_journal.rows] == expected
    assert {plan_id: plan.known for plan_id, plan in (await world.everything()).items()} == newest


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


SHOW = a_plan("show", title="old", starts="2026-12-05T21:00", ends="2026-12-05T23:00", timezone=VANCOUVER)
WINTER_OF_2025 = UtcOffsets(-28_800, -28_800, "2025b")
"""Since 2026 it is seven hours behind in winter, too."""
WINTER_OF_2026 = UtcOffsets(-25_200, -25_200, "2026a")


async def write(world: JournalWorld, plan: Plan, offsets: UtcOffsets | None, kind: str, run_id: str) -> None:
    """Commit a plan as a process with these rules did."""
    change = a_change(plan, kind)
    change = replace(change, known=replace(change.known, offsets=offsets))
    async with world.leases.hold("demo") as lease, aclosing(world.catalog.update(lease, run_id, NOW)) as update:
        await update.stage([change])
        await update.commit(change.kinds)


async def offsets_of(world: JournalWorld, plan: Plan) -> UtcOffsets | None:
    return (await world.catalog.known("demo"))[plan.key.plan_id].offsets


async def test_a_redis_that_was_set_back_before_plans_were_retimed_has_the_new_instants_again() -> None:
    world = JournalWorld()
    await write(world, SHOW, WINTER_OF_2025, "listed", "run-1")
    copy = Copy(world)
    await write(world, SHOW, WINTER_OF_2026, "retimed", "retiming-1")
    await write(world, a_plan(2), None, "listed", "run-2")
    await world.journal_changes()
    copy.set_back()

    await world.journal_changes()

    assert await offsets_of(world, SHOW) == WINTER_OF_2026
    assert await world.kinds(SHOW) == ["listed", "retimed"]


async def test_what_was_retimed_after_the_setting_back_is_journaled_as_such() -> None:
    world = JournalWorld()
    await write(world, SHOW, WINTER_OF_2025, "listed", "run-1")
    copy = Copy(world)
    await write(world, a_plan(2), None, "listed", "run-2")
    await world.journal_changes()
    copy.set_back()
    await write(world, SHOW, WINTER_OF_2026, "retimed", "retiming-1")

    await world.journal_changes()

    assert await world.kinds(SHOW) == ["listed", "retimed"]
    assert await offsets_of(world, SHOW) == WINTER_OF_2026
    assert await world.kinds(a_plan(2)) == ["listed"]
    assert len(await world.everything()) == 2


async def test_an_older_state_that_was_retimed_after_the_setting_back_gives_way_to_the_journals_newest() -> None:
    world = JournalWorld()
    await write(world, SHOW, WINTER_OF_2025, "listed", "run-1")
    copy = Copy(world)
    await write(world, replace(SHOW, title="new"), WINTER_OF_2025, "changed", "run-2")
    await world.journal_changes()
    copy.set_back()
    await write(world, SHOW, WINTER_OF_2026, "retimed", "retiming-1")
    async with world.leases.hold("demo") as lease:
        await world.catalog.remember(lease, ProviderState(newest_rules="2026a", settled_rules="2026a"))

    await world.journal_changes()

    assert await world.kinds(SHOW) == ["listed", "changed"]
    assert await world.titles() == ["new"]
    assert await offsets_of(world, SHOW) == WINTER_OF_2025
    await world.retime()
    await world.journal_changes()
    assert await world.kinds(SHOW) == ["listed", "changed", "retimed"]


async def test_plans_without_noted_offsets_are_not_older_than_what_the_journal_has() -> None:
    world = JournalWorld()
    await write(world, SHOW, None, "listed", "run-1")
    copy = Copy(world)
    await write(world, a_plan(2), None, "listed", "run-2")
    await world.journal_changes()
    copy.set_back()

    await world.journal_changes()

    [restoration] = world.restored
    assert (restoration.restored, restoration.present) == (1, 1)
    assert await world.kinds(SHOW) == ["listed"]


async def test_what_a_clock_that_was_ahead_wrote_after_the_setting_back_is_known_from_now_on() -> None:
    world = JournalWorld()
    await world.sync_with(a_plan(title="a"))
    copy = Copy(world)
    await world.sync_with(a_plan(title="lost"))
    await world.journal_changes()
    copy.set_back()
    world.clock.move(7200)
    await world.sync_with(a_plan(title="b"))
    world.clock.move(-7200)

    await world.journal_changes()

    assert [state.at for state in await world.states(a_plan())][-1] == world.clock.now()
