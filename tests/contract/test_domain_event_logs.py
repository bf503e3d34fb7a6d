"""What DomainEventLog promises, of plans and of users, over memory, SQLite and PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.application.ports.catalog import LogPosition
from app.application.ports.history import JournalEntry, JournalStep
from app.application.ports.publishing import DomainEventLog, LoggedFact
from app.application.ports.system import HistoryUnavailableError
from app.domain.access import Role
from app.domain.domain_events import (
    DomainEvent,
    PlanChanged,
    PlanListed,
    PlanWentOnline,
    PlanWithdrawn,
    UserCreated,
    UserDeleted,
    UserUpdated,
)
from app.domain.plans import Plan, searchable
from app.domain.reconciliation import ChangeKind
from tests.fakes.plan_journal import MemoryPlanJournal, MemoryPlanLog
from tests.support.access_builders import a_user, created, deleted, updated
from tests.support.builders import NOW, a_change, a_plan, a_zone
from tests.support.history_backends import HistoryBackend, Journal, SqlHistory, postgres_history
from tests.support.postgres_locks import until_waiting


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def an_entry(
    plan: Plan, *kinds: ChangeKind | str, at: datetime = NOW, run_id: str = "run-1", seen_online: bool | None = None
) -> JournalEntry:
    change = a_change(plan, *kinds, at=at, seen_online=seen_online)
    return JournalEntry(plan.key.provider, change.plan_id, change.kinds, run_id, at, change.known, change.plan)


async def write(journal: Journal, *entries: JournalEntry, provider: str = "demo") -> None:
    """Append behind what is there."""
    before = (await journal.positions()).get(provider)
    after = LogPosition(7, (before.sequence if before else 0) + len(entries))
    await journal.append([JournalStep(provider, before, entries, after)])


async def told(log: DomainEventLog) -> list[DomainEvent]:
    return [logged.fact for logged in await log.read(0, 1000)]


async def tell_of_users(history: HistoryBackend, count: int) -> None:
    for number in range(1, count + 1):
        await history.users().add(a_user(number), created(a_user(number)))


async def tell_of_plans(history: HistoryBackend, count: int) -> None:
    for number in range(1, count + 1):
        provider = f"provider-{number % 2}"
        await write(history.plan_journal(), an_entry(a_plan(number, provider=provider)), provider=provider)


LOGS: dict[str, tuple[Callable[[HistoryBackend], DomainEventLog], Callable[[HistoryBackend, int], Awaitable[None]]]] = {
    "plans": (lambda history: history.plan_log(), tell_of_plans),
    "users": (lambda history: history.user_log(), tell_of_users),
}


@pytest.mark.parametrize("name", LOGS)
async def test_an_empty_log_ends_at_0(history: HistoryBackend, name: str):
    log = LOGS[name][0](history)

    assert log.name == name
    assert (await log.head(), await log.read(0, 10), await log.read(7, 10)) == (0, [], [])


@pytest.mark.parametrize("name", LOGS)
async def test_a_log_is_read_in_order_some_at_a_time(history: HistoryBackend, name: str):
    make, tell = LOGS[name]
    await tell(history, 5)
    log = make(history)

    everything = await log.read(0, 100)

    positions = [logged.position for logged in everything]
    assert positions == sorted(set(positions))
    assert (len(positions), positions[0] > 0, positions[-1]) == (5, True, await log.head())
    assert await log.read(0, 2) == everything[:2]
    assert await log.read(positions[1], 2) == everything[2:4]
    assert await log.read(positions[3], 100) == everything[4:]
    assert await log.read(positions[4], 100) == await log.read(0, 0) == await log.read(0, -1) == []


@pytest.mark.parametrize("name", LOGS)
async def test_an_id_is_of_one_fact_for_ever(history: HistoryBackend, name: str):
    make, tell = LOGS[name]
    await tell(history, 3)

    ids = [event.event_id for event in await told(make(history))]

    assert len(set(ids)) == 3
    assert ids == [event.event_id for event in await told(make(history))]


async def test_another_fact_at_the_same_place_of_another_journal_has_another_id(history: HistoryBackend):
    """As after a restore from a backup, and in another installation: the numbers of the rows come back."""
    told_here = {
        "one": an_entry(a_plan(1)),
        "another plan": an_entry(a_plan(2)),
        "another instant": an_entry(a_plan(1), at=later(0.000001)),
        "another run": an_entry(a_plan(1), run_id="run-2"),
    }
    ids = set()

    for entry in told_here.values():
        history.clear()
        await write(history.plan_journal(), entry)
        [logged] = await history.plan_log().read(0, 10)
        assert logged.fact.event_id.startswith(f"plan-{logged.position}-")
        ids.add(logged.fact.event_id.removeprefix(f"plan-{logged.position}-"))

    assert len(ids) == len(told_here)


async def test_what_was_told_of_a_user_comes_back_whole(history: HistoryBackend):
    users = history.users()
    ana = a_user(1, email="ñandú@x.com", full_name='"\U0001f3ad"', role=Role.ADMIN, at=NOW.replace(microsecond=123_457))
    changed = ana.changed(later(60), email="ana@x.com", full_name=None, is_active=False)
    gone = changed.deleted(later(120.000001))
    facts = [created(ana), updated(ana, changed), deleted(gone)]

    await users.add(ana, facts[0])
    await users.save(ana, changed, facts[1])
    await users.save(changed, gone, facts[2])

    found = await told(history.user_log())
    assert found == facts
    assert [type(one) for one in found] == [UserCreated, UserUpdated, UserDeleted]
    assert [one.fields for one in found if isinstance(one, UserUpdated)] == [("email", "full_name", "is_active")]
    assert [(one.user.version, one.user.deleted_at) for one in found if isinstance(one, UserDeleted)] == [
        (3, later(120.000001))
    ]


async def test_the_journal_tells_what_became_of_a_plan_and_its_state_from_then_on(history: HistoryBackend):
    journal, log = history.plan_journal(), history.plan_log()
    plan = a_plan(1, timezone="Europe/Madrid", ends="23:30", zones=(a_zone(price="15.00"), a_zone(price="20.10")))
    other = replace(plan, title='"Ñandú"\U0001f3ad', zones=())

    await write(journal, an_entry(plan, seen_online=False, run_id="one"))
    await write(journal, an_entry(other, "changed", "went_online", at=later(60.000001), run_id="two"))
    await write(journal, an_entry(other, "withdrawn", at=later(120), run_id="three"))

    first, second, third = await told(log)
    position = (await log.read(0, 1))[0].position
    assert first == PlanListed(
        event_id=f"plan-{position}-b42cb09c05f5ef62",
        occurred_at=NOW,
        provider="demo",
        plan_id=plan.plan_id,
        kinds=(ChangeKind.LISTED,),
        run_id="one",
        in_feed=True,
        is_searchable=False,
        state=searchable(plan),
    )
    assert str(searchable(plan).summary.max_price) == "20.10"
    assert isinstance(first, PlanListed)
    assert (str(first.state.summary.min_price), str(first.state.summary.max_price)) == ("15.00", "20.10")
    assert isinstance(second, PlanChanged)
    assert (second.kinds, second.names) == (("changed", "went_online"), ("plan.changed", "plan.went_online"))
    assert (second.state, second.in_feed, second.is_searchable) == (searchable(other), True, True)
    assert (second.occurred_at, second.run_id) == (later(60.000001), "two")
    assert isinstance(third, PlanWithdrawn)
    assert (third.state, third.in_feed, third.is_searchable) == (searchable(other), False, True)


async def test_what_the_journal_does_not_write_is_not_told(history: HistoryBackend):
    journal, entry = history.plan_journal(), an_entry(a_plan(1))

    await write(journal, entry, replace(entry, kinds=(ChangeKind.RESTORED,)))
    await write(journal, an_entry(a_plan(2), "withdrawn"))

    assert [type(one) for one in await told(history.plan_log())] == [PlanListed]


async def test_many_entries_of_one_batch_are_told_in_its_order(history: HistoryBackend):
    entries = [an_entry(a_plan(number), "went_online", run_id=f"{number}") for number in range(1200)]

    await write(history.plan_journal(), *entries)

    found: list[LoggedFact] = []
    log = history.plan_log()
    while some := await log.read(found[-1].position if found else 0, 500):
        found += some
    runs = [logged.fact.run_id for logged in found if isinstance(logged.fact, PlanWentOnline)]
    assert runs == [f"{number}" for number in range(1200)]


GATE = 4711
"""The advisory lock for which the slow transactions of a test wait."""
SLOW_USER = a_user(2)


@pytest.fixture
def gated(tmp_path: Path) -> Iterator[SqlHistory]:
    """A PostgreSQL database in which some transactions can be held up when their row has its number."""
    slow = {"plan_journal": "NEW.provider = 'slow'", "outbox": f"NEW.subject = 'users/{SLOW_USER.user_id}'"}
    with postgres_history(tmp_path) as made:
        with made.database.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END $$"
                )
            )
            for table, condition in slow.items():
                connection.execute(
                    text(
                        f"CREATE TRIGGER gate AFTER INSERT ON {table} FOR EACH ROW "
                        f"WHEN ({condition}) EXECUTE FUNCTION wait_at_the_gate()"
                    )
                )
        yield made


@contextmanager
def gate_closed(history: SqlHistory) -> Iterator[None]:
    with history.database.engine.connect() as connection, connection.begin():
        connection.execute(text(f"SELECT pg_advisory_xact_lock({GATE})"))
        yield


async def tell_of_a_plan(history: SqlHistory, *, slow: bool) -> None:
    provider = "slow" if slow else "quick"
    entry = an_entry(a_plan(1, provider=provider), run_id=provider)
    await write(history.plan_journal(), entry, provider=provider)


async def tell_of_a_user(history: SqlHistory, *, slow: bool) -> None:
    if slow:
        await history.users().add(SLOW_USER, created(SLOW_USER))
    else:
        after = a_user(1).changed(NOW, full_name="Ana")
        await history.users().save(a_user(1), after, updated(a_user(1), after))


@pytest.mark.postgres
@pytest.mark.parametrize(("name", "writing"), [("plans", tell_of_a_plan), ("users", tell_of_a_user)])
async def test_who_has_passed_a_position_finds_nothing_before_it_later(
    gated: SqlHistory, name: str, writing: Callable[..., Coroutine[object, object, None]]
):
    """The first transaction has its number and is not committed; the second must not be seen before it."""
    log = LOGS[name][0](gated)
    await gated.users().add(a_user(1), created(a_user(1)))
    await write(gated.plan_journal(), an_entry(a_plan(9)))

    with gate_closed(gated):
        slow = asyncio.create_task(writing(gated, slow=True))
        await until_waiting(gated, 1)
        quick = asyncio.create_task(writing(gated, slow=False))
        await until_waiting(gated, 2, quick)
        seen = await log.read(0, 100)
    await asyncio.gather(slow, quick)

    assert [*seen, *await log.read(seen[-1].position, 100)] == await log.read(0, 100)
    assert len(await log.read(0, 100)) == 3


async def test_memory_that_is_away_says_so():
    journal = MemoryPlanJournal()
    journal.unavailable = "away"
    log = MemoryPlanLog(journal)

    for attempt in (log.read(0, 1), log.head()):
        with pytest.raises(HistoryUnavailableError, match="away"):
            await attempt


@pytest.mark.parametrize("name", LOGS)
async def test_a_database_without_our_tables_says_what_to_do(bare_history: SqlHistory, name: str):
    log = LOGS[name][0](bare_history)

    for attempt in (log.read(0, 1), log.head()):
        with pytest.raises(HistoryUnavailableError, match="marquee migrate"):
            await attempt
