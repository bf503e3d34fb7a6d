"""What PlanJournal and PlanHistory promise."""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.outbound.sql.all_tables import metadata
from app.application.ports.catalog import CatalogPlan, LogPosition, with_offsets
from app.application.ports.history import JournalEntry, JournalMovedError, JournalStep, PastState
from app.application.ports.system import HistoryUnavailableError
from app.domain.plans import Plan, PlanId, SellMode, UtcOffsets, searchable
from app.domain.reconciliation import ChangeKind
from app.domain.time_window import TimeWindow
from tests.fakes.plan_journal import MemoryPlanJournal
from tests.support.builders import NOW, a_change, a_long_run, a_plan, a_zone
from tests.support.history_backends import (
    HistoryBackend,
    Journal,
    MemoryHistory,
    SqlHistory,
    postgres_history,
    sqlite_history,
)

START = LogPosition(7, 0)
EVER = TimeWindow()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with sqlite_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlHistory]:
    with postgres_history(tmp_path_factory.mktemp("history")) as backend:
        yield backend


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> HistoryBackend:
    made: HistoryBackend = MemoryHistory() if request.param == "memory" else request.getfixturevalue(request.param)
    made.clear()
    return made


@pytest.fixture
def journal(backend: HistoryBackend) -> Journal:
    return backend.plan_journal()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def an_entry(
    plan: Plan | None = None,
    *kinds: ChangeKind | str,
    at: datetime = NOW,
    run_id: str = "run-1",
    seen_online: bool | None = None,
) -> JournalEntry:
    change = a_change(plan, *kinds, at=at, seen_online=seen_online)
    provider = (plan or a_plan()).key.provider
    return JournalEntry(provider, change.plan_id, change.kinds, run_id, at, change.known, change.plan)


def a_state(entry: JournalEntry, plan: Plan, at: datetime | None = None) -> PastState:
    return PastState(at or entry.at, entry.kinds, entry.run_id, as_kept(CatalogPlan(plan, entry.known)))


def as_kept(found: CatalogPlan) -> CatalogPlan:
    """Give it the offsets of its instants, as the journal does."""
    return with_offsets(found, *found.instants)


async def write(journal: Journal, *entries: JournalEntry, provider: str = "demo") -> None:
    """Append behind what is there."""
    before = (await journal.positions()).get(provider)
    after = LogPosition(7, (before.sequence if before else 0) + len(entries))
    await journal.append([JournalStep(provider, before, entries, after)])


async def everything(journal: Journal, provider: str = "demo") -> dict[PlanId, CatalogPlan]:
    found = [plan async for batch in journal.latest(provider) for plan in batch]
    by_id = {plan.plan.plan_id: plan for plan in found}
    assert len(by_id) == len(found)
    return by_id


async def test_an_empty_journal_knows_nothing(journal: Journal):
    assert await journal.positions() == {}
    assert await journal.sizes() == {}
    assert await everything(journal) == {}
    assert await journal.states(a_plan().plan_id, 10) == []
    assert await journal.search(EVER, NOW, 10) == []


async def test_an_entry_comes_back_with_all_that_was_known(journal: Journal):
    plan = a_plan(
        "9",
        base="8",
        title='Ñandú "\u2028\x00\U0001f3ad',
        timezone="Europe/Madrid",
        organizer="2",
        zones=(a_zone(price="15.00"), a_zone(price="20.10", capacity=10**30)),
    )
    entry = an_entry(plan, ChangeKind.RETURNED, ChangeKind.CHANGED)

    await write(journal, entry)

    assert await journal.states(plan.plan_id, 10) == [a_state(entry, plan)]
    assert await everything(journal) == {plan.plan_id: as_kept(CatalogPlan(plan, entry.known))}
    [found] = await journal.search(EVER, NOW, 10)
    assert found == searchable(plan).summary
    assert (found.min_price, str(found.max_price)) == (Decimal("15.00"), "20.10")


async def test_a_plan_of_whole_days_comes_back_with_its_details(journal: Journal):
    plan = a_long_run(edition=datetime(2021, 6, 28))  # noqa: DTZ001 - a wall clock
    entry = an_entry(plan)

    await write(journal, entry)

    assert await journal.states(plan.plan_id, 10) == [a_state(entry, plan)]
    assert await journal.search(EVER, NOW, 10) == [searchable(plan).summary]


async def test_instants_are_those_of_the_offsets_and_other_ones_are_a_new_state(journal: Journal):
    plan, at = a_plan(starts="2026-12-05T21:00"), datetime(2026, 12, 6, 5, tzinfo=UTC)
    listed = an_entry(plan)
    listed = replace(listed, known=replace(listed.known, offsets=UtcOffsets(-28800, -28800, "2025b")))
    same = replace(listed, known=replace(listed.known, offsets=UtcOffsets(-28800, -28800, "2026a")))
    moved = replace(
        listed,
        kinds=(ChangeKind.RETIMED,),
        at=NOW + timedelta(hours=1),
        known=replace(listed.known, offsets=UtcOffsets(-25200, -25200, "2026b")),
    )

    await write(journal, listed, same, moved)

    states = await journal.states(plan.plan_id, 10)
    assert [(state.kinds, state.found.instants[0]) for state in states] == [
        ((ChangeKind.RETIMED,), at - timedelta(hours=1)),
        ((ChangeKind.LISTED,), at),
    ]
    then, now = NOW, NOW + timedelta(hours=1)
    assert len(await journal.search(TimeWindow(at, None), then, 10)) == 1
    assert len(await journal.search(TimeWindow(at, None), now, 10)) == 0
    assert len(await journal.search(TimeWindow(at - timedelta(hours=1), at), now, 10)) == 1
    [latest] = (await everything(journal)).values()
    assert latest.known.offsets == UtcOffsets(-25200, -25200, "2026b")


async def test_the_position_moves_with_the_entries_and_each_provider_has_its_own(journal: Journal):
    await journal.append([JournalStep("demo", None, [an_entry()], LogPosition(2**48, 1))])
    await journal.append([JournalStep("other", None, [an_entry(a_plan(provider="other"))], LogPosition(5, 2**52))])
    await journal.append([JournalStep("demo", LogPosition(2**48, 1), [], LogPosition(3, 9))])

    assert await journal.positions() == {"demo": LogPosition(3, 9), "other": LogPosition(5, 2**52)}
    assert await journal.sizes() == {"demo": 1, "other": 1}


async def test_a_position_has_the_name_of_its_entry(journal: Journal):
    named = LogPosition(7, 1, "0123456789abcdef")
    await journal.append([JournalStep("demo", None, [an_entry()], named)])

    with pytest.raises(JournalMovedError):
        await journal.append([JournalStep("demo", LogPosition(7, 1), [], LogPosition(7, 2))])
    with pytest.raises(JournalMovedError):
        await journal.append([JournalStep("demo", LogPosition(7, 1, "another"), [], LogPosition(7, 2))])

    assert await journal.positions() == {"demo": named}
    await journal.append([JournalStep("demo", named, [], LogPosition(7, 1))])
    assert await journal.positions() == {"demo": LogPosition(7, 1)}


async def test_what_the_journal_lacks_is_told_by_run_and_of_a_restored_state_by_what_was_known(journal: Journal):
    first, second = an_entry(run_id="run-1"), an_entry(a_plan(title="new"), ChangeKind.CHANGED, run_id="run-2")
    await write(journal, first, second)
    again = an_entry(run_id="run-3")
    repeated = an_entry(a_plan(), ChangeKind.RESTORED, run_id="restore-1")
    mended = an_entry(a_plan(sell_mode="offline"), ChangeKind.RESTORED, run_id="restore-1", seen_online=True)
    other = [an_entry(a_plan(f"other {number}"), run_id="run-1") for number in range(1300)]

    assert await journal.lacking([]) == []
    assert await journal.lacking([first, second]) == []
    assert await journal.lacking([again, first, repeated, second, mended]) == [again, mended]
    assert await journal.lacking([*other, first]) == other


async def test_a_retimed_state_is_lacking_only_while_what_it_mends_is_the_newest(journal: Journal):
    def of(run_id: str, offsets: UtcOffsets | None, *kinds: ChangeKind, title: str = "old") -> JournalEntry:
        entry = an_entry(a_plan(title=title), *kinds, run_id=run_id)
        return replace(entry, known=replace(entry.known, offsets=offsets))

    winter, summer = UtcOffsets(3600, 3600, "2025b"), UtcOffsets(7200, 7200, "2026a")
    retimed = of("retiming-2", summer, ChangeKind.RETIMED)
    restored = of("restore-1", winter._replace(rules="2024a"), ChangeKind.RESTORED)
    await write(journal, of("run-1", winter))
    assert await journal.lacking([retimed, restored]) == [retimed]

    await journal.append(
        [JournalStep("demo", LogPosition(7, 1), [of("retiming-1", summer, ChangeKind.RETIMED)], LogPosition(7, 2))]
    )
    assert await journal.lacking([retimed, restored]) == []

    unknown = of("retiming-2", summer, ChangeKind.RETIMED, title="unknown")
    later_rules = of("retiming-2", UtcOffsets(0, 0, "2026b"), ChangeKind.RETIMED)
    assert await journal.lacking([unknown, later_rules]) == [unknown, later_rules]
    newer = of("run-2", summer, ChangeKind.CHANGED, title="new")
    await journal.append([JournalStep("demo", LogPosition(7, 2), [newer], LogPosition(7, 3))])
    assert await journal.lacking([later_rules]) == []


@pytest.mark.parametrize("before", [None, LogPosition(7, 2), LogPosition(8, 1), LogPosition(7, 0)])
async def test_from_another_position_nothing_is_written(journal: Journal, before: LogPosition | None):
    await write(journal, an_entry())

    with pytest.raises(JournalMovedError):
        await journal.append([JournalStep("demo", before, [an_entry(a_plan(2))], LogPosition(7, 3))])

    assert await journal.positions() == {"demo": LogPosition(7, 1)}
    assert await journal.sizes() == {"demo": 1}


async def test_a_first_position_is_not_taken_for_granted(journal: Journal):
    with pytest.raises(JournalMovedError):
        await journal.append([JournalStep("demo", START, [an_entry()], LogPosition(7, 1))])

    assert (await journal.positions(), await journal.sizes()) == ({}, {})


async def test_entries_may_be_written_while_the_position_stays(journal: Journal):
    await journal.append([JournalStep("demo", None, [an_entry(a_plan(1))], None)])
    assert await journal.positions() == {}
    await journal.append([JournalStep("demo", None, [an_entry(a_plan(2))], START)])

    await journal.append([JournalStep("demo", START, [an_entry(a_plan(3))], START)])

    assert (await journal.positions(), await journal.sizes()) == ({"demo": START}, {"demo": 3})


async def test_of_many_who_journal_the_same_at_once_one_does(backend: HistoryBackend):
    for number in range(5):
        before = (await backend.plan_journal().positions()).get("demo")
        after = LogPosition(7, number + 1)
        entries = [an_entry(a_plan(item, title=f"{number}"), at=later(number)) for item in range(20)]

        done = await asyncio.gather(
            *(backend.plan_journal().append([JournalStep("demo", before, entries, after)]) for _ in range(6)),
            return_exceptions=True,
        )

        assert sorted(type(result).__name__ for result in done) == ["JournalMovedError"] * 5 + ["NoneType"]
    journal = backend.plan_journal()
    assert await journal.sizes() == {"demo": 20}
    assert len(await journal.states(a_plan(3).plan_id, 100)) == 5


async def test_a_plan_that_is_known_like_this_already_is_not_written_again(journal: Journal):
    first = an_entry()
    again = replace(first, kinds=(ChangeKind.RESTORED,), run_id="run-2", at=later(60))

    await write(journal, first, again)
    await write(journal, again)

    assert await journal.states(first.plan_id, 10) == [a_state(first, a_plan())]
    assert await journal.positions() == {"demo": LogPosition(7, 3)}


async def test_a_withdrawal_carries_the_plan_as_it_was(journal: Journal):
    listed, gone = an_entry(), an_entry(a_plan(), "withdrawn", at=later(60), run_id="run-2")

    await write(journal, listed)
    await write(journal, gone)

    assert await journal.states(listed.plan_id, 10) == [a_state(gone, a_plan()), a_state(listed, a_plan())]
    assert await everything(journal) == {listed.plan_id: as_kept(CatalogPlan(a_plan(), gone.known))}
    assert await journal.search(EVER, later(60), 10) == [searchable(a_plan()).summary]


async def test_listed_changed_and_withdrawn_in_one_batch_are_three_states(journal: Journal):
    changed = a_plan(title="changed")
    entries = (
        an_entry(a_plan()),
        an_entry(changed, "changed", at=later(60)),
        an_entry(changed, "withdrawn", at=later(120)),
    )

    await write(journal, *entries)

    states = await journal.states(a_plan().plan_id, 10)
    assert states == [a_state(entries[2], changed), a_state(entries[1], changed), a_state(entries[0], a_plan())]
    titles = [[plan.title for plan in await journal.search(EVER, later(at), 9)] for at in (-1, 0, 59, 60, 500)]
    assert titles == [[], [a_plan().title], [a_plan().title], ["changed"], ["changed"]]


async def test_a_withdrawal_of_a_plan_never_seen_is_dropped(journal: Journal):
    await write(journal, an_entry(a_plan(), "withdrawn"))

    assert await journal.states(a_plan().plan_id, 10) == []
    assert await journal.positions() == {"demo": LogPosition(7, 1)}


async def test_the_newest_states_come_first_and_as_many_as_asked_for(journal: Journal):
    entries = [an_entry(a_plan(title=f"{number}"), "changed", at=later(number)) for number in range(5)]
    await write(journal, *entries[:3])
    await write(journal, *entries[3:])

    told = [[state.found.plan.title for state in await journal.states(entries[0].plan_id, n)] for n in (0, 2, 9)]

    assert told == [[], ["4", "3"], ["4", "3", "2", "1", "0"]]


async def test_a_clock_that_went_back_makes_no_state_older_than_the_one_before(journal: Journal):
    await write(journal, an_entry(a_plan(title="first"), at=later(60)))
    await write(journal, an_entry(a_plan(title="second"), "changed", at=later(30)))

    assert [state.at for state in await journal.states(a_plan().plan_id, 9)] == [later(60), later(60)]
    told = [[plan.title for plan in await journal.search(EVER, later(at), 9)] for at in (30, 59, 60, 90)]
    assert told == [[], [], ["second"], ["second"]]


async def test_only_what_was_online_by_then_is_found(journal: Journal):
    offline = a_plan(sell_mode="offline")
    await write(journal, an_entry(offline))
    await write(journal, an_entry(a_plan(), "went_online", at=later(60)))
    await write(journal, an_entry(offline, "went_offline", seen_online=True, at=later(120)))

    assert [len(await journal.search(EVER, later(at), 9)) for at in (0, 59, 60, 500)] == [0, 0, 1, 1]


async def test_plans_are_found_by_start_then_by_id_within_both_bounds_over_all_providers(journal: Journal):
    plans = [
        a_plan(number, starts=f"2021-06-{30 - number % 7:02}T21:00", ends="2021-07-05T00:00") for number in range(9)
    ]
    foreign = a_plan(provider="other", starts="2021-06-25T21:00", ends="2021-07-05T00:00")
    await write(journal, *map(an_entry, plans))
    await write(journal, an_entry(foreign), provider="other")
    inside = [plan for plan in (*plans, foreign) if plan.starts >= datetime(2021, 6, 26, 21)]  # noqa: DTZ001 -- a wall clock
    window = TimeWindow(datetime(2021, 6, 26, 21, tzinfo=UTC), datetime(2021, 7, 5, tzinfo=UTC))
    too_short = replace(window, ends_at=datetime(2021, 7, 4, 23, 59, tzinfo=UTC))

    found = await journal.search(window, NOW, 100)

    expected = sorted(inside, key=lambda plan: (plan.starts_at, str(plan.plan_id)))
    assert [plan.plan_id for plan in found] == [plan.plan_id for plan in expected]
    assert await journal.search(window, NOW, 3) == found[:3]
    assert await journal.search(too_short, NOW, 100) == []
    assert len(await journal.search(TimeWindow(None, window.ends_at), NOW, 100)) == 10


async def test_a_thousand_plans_are_all_handed_out_and_written_in_no_time(journal: Journal):
    plans = [a_plan(number, zones=tuple(a_zone(str(zone)) for zone in range(20))) for number in range(1200)]

    async def seconds_for(*some: Plan) -> float:
        began = time.monotonic()
        await write(journal, *map(an_entry, some))
        return time.monotonic() - began

    one = min([await seconds_for(plan) for plan in plans[:3]])

    took = await seconds_for(*plans[3:])

    assert {plan_id: found.plan for plan_id, found in (await everything(journal)).items()} == {
        plan.plan_id: plan for plan in plans
    }
    written_together = took < 1 + len(plans) / 2 * one
    assert written_together or isinstance(journal, MemoryPlanJournal)  # which has nothing to gain by it


PROVIDERS = ("demo", "other")
changes = st.tuples(
    st.sampled_from(PROVIDERS),
    st.integers(0, 3),
    st.sampled_from(("online", "offline", "withdrawn", "again")),
    st.integers(0, 60),
    st.sampled_from(("a", "b")),
)


@dataclass
class Reference:
    """What a journal should know, said at length: a list of states per plan, none ever closed."""

    states: dict[PlanId, list[PastState]]

    def add(self, entry: JournalEntry) -> None:
        known = self.states.setdefault(entry.plan_id, [])
        plan = entry.plan or (known[-1].found.plan if known else None)
        if plan and not (known and known[-1].found == as_kept(CatalogPlan(known[-1].found.plan, entry.known))):
            known.append(a_state(entry, plan, max([entry.at, *(state.at for state in known)])))

    def search(self, window: TimeWindow, as_of: datetime) -> list[PlanId]:
        found = []
        for states in self.states.values():
            until_then = [state for state in states if state.at <= as_of]
            if until_then and until_then[-1].found.known.seen_online:
                plan = until_then[-1].found.plan
                if window.holds(plan.starts_at, plan.ends_at):
                    found.append((plan.starts_at, str(plan.plan_id), plan.plan_id))
        return [plan_id for _, _, plan_id in sorted(found)]


def as_entries(told: Sequence[tuple[str, int, str, int, str]]) -> Iterator[JournalEntry]:
    """Make entries as syncs would: what was seen online stays so."""
    online: set[PlanId] = set()
    told_of: dict[PlanId, JournalEntry] = {}
    for number, (provider, item, what, minute, title) in enumerate(told):
        mode = SellMode.OFFLINE if what == "offline" else SellMode.ONLINE
        plan = a_plan(item, provider=provider, title=title, sell_mode=mode, starts=f"20:{minute % 60:02}", ends="22:00")
        plan_id = plan.plan_id
        if what == "online":
            online.add(plan_id)
        kind = ChangeKind.WITHDRAWN if what == "withdrawn" else ChangeKind.CHANGED
        at = NOW + timedelta(minutes=minute)
        entry = an_entry(plan, kind, at=at, run_id=f"run-{number}", seen_online=plan_id in online)
        if what == "again" and plan_id in told_of:
            entry = replace(told_of[plan_id], at=at, run_id=entry.run_id)
        if entry.plan:
            told_of[plan_id] = entry
        else:
            told_of.pop(plan_id, None)
        yield entry


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(changes, max_size=25),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    asked=st.lists(st.tuples(st.integers(-5, 70), st.integers(0, 59)), max_size=6),
)
async def test_any_history_in_any_batches_is_remembered_as_the_reference_does(
    backend: HistoryBackend,
    told: list[tuple[str, int, str, int, str]],
    sizes: list[int],
    asked: list[tuple[int, int]],
):
    backend.clear()
    journal, reference = backend.plan_journal(), Reference({})
    entries = list(as_entries(told))
    for provider in PROVIDERS:
        rest = [entry for entry in entries if entry.provider == provider]
        for entry in rest:
            reference.add(entry)
        for size in sizes * 25:
            if rest:
                await write(journal, *rest[:size], provider=provider)
                rest = rest[size:]

    for plan_id, states in reference.states.items():
        assert await journal.states(plan_id, 100) == states[::-1]
    for provider in PROVIDERS:
        newest = {i: states[-1].found for i, states in reference.states.items() if states}
        mine = {i: found for i, found in newest.items() if found.plan.key.provider == provider}
        assert await everything(journal, provider) == mine
        assert (await journal.sizes()).get(provider, 0) == len(mine)
    for minute, start in asked:
        window = TimeWindow(datetime(2021, 6, 30, 20, start, tzinfo=UTC), None)
        as_of = NOW + timedelta(minutes=minute)
        found = [plan.plan_id for plan in await journal.search(window, as_of, 1000)]
        assert found == reference.search(window, as_of)


async def test_memory_that_is_away_says_so():
    journal = MemoryPlanJournal()
    journal.unavailable = "away"

    for attempt in _each_method(journal):
        with pytest.raises(HistoryUnavailableError, match="away"):
            await attempt


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[SqlHistory]:
    """A database without tables."""
    with sqlite_history(tmp_path) as backend:
        metadata.drop_all(backend.database.engine)
        yield backend


async def test_a_database_without_our_tables_says_what_to_do(bare: SqlHistory):
    for attempt in _each_method(bare.plan_journal()):
        with pytest.raises(HistoryUnavailableError, match="marquee migrate"):
            await attempt


def _each_method(journal: Journal) -> Iterator[Awaitable[object]]:
    yield journal.positions()
    yield journal.append([JournalStep("demo", None, [an_entry()], START)])
    yield journal.sizes()
    yield everything(journal)
    yield journal.states(a_plan().plan_id, 1)
    yield journal.search(EVER, NOW, 1)
