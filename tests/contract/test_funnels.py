"""What FunnelInstants promises, over memory, SQLite and PostgreSQL: funnels of them are those of the oracle."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.funnel_instants import CLOSED_FROM
from app.adapters.outbound.sql.schema import funnel_instants
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ask_funnel import AskFunnel
from app.application.ports.funnels import ActivitiesGoneError
from app.domain.activities import ALIAS, IDENTIFY, Activity
from app.domain.funnels import DEFAULT_TYPES, Funnel
from app.domain.removal import ToRemove
from tests.support.activity_backends import ActivityBackend, SqlActivityBackend, oracle_of
from tests.support.builders import an_activity
from tests.support.fixed_clock import FixedClock

MADRID = ZoneInfo("Europe/Madrid")
FIRST, LAST = date(2026, 1, 3), date(2026, 1, 6)
QUESTIONS = (
    ["view"],
    ["view", "purchase"],
    ["view", "cart.added", "purchase"],
    ["view", "view", "purchase", "view"],
    ["purchase", "view"],
    ["view", "share"],
    ["share", "purchase"],
    ["share", "search", "share"],
    ["nothing", "view"],
)
WITHIN = (timedelta(hours=5), timedelta(days=2))


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


@pytest.fixture
def sql(activity_sql: SqlActivityBackend) -> SqlActivityBackend:
    return activity_sql


def some_activities(count: int, *, seed: int = 1, users: int = 12) -> list[Activity]:
    """Make up activities of a week, some in one instant; some visitors turn out to be somebody."""
    chance = random.Random(seed)
    types = ["view", "view", "cart.added", "purchase", "share", "search", IDENTIFY, ALIAS]
    weights = [8, 8, 6, 4, 3, 3, 0.2, 0.1]
    made = []
    for number in range(count):
        type_ = chance.choices(types, weights)[0]
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * chance.randrange(48 * 8))
        names = (f"user-{chance.randrange(users)}", f"visitor-{chance.randrange(users)}")
        both = type_[0] == "$"
        user = names[0] if both or chance.random() < 0.5 else None
        anonymous = names[1] if both or chance.random() < 0.5 else None
        one = an_activity(seed * 100_000 + number, type_=type_, at=at, user=user)
        made.append(one._replace(anonymous_id=anonymous))
    return made


async def asked(backend: ActivityBackend, steps: Sequence[str], within: timedelta, zone: tzinfo = UTC) -> list[Any]:
    found = await AskFunnel(backend.funnels(zone), FixedClock(), zone)(Funnel(steps, within), FIRST, LAST)
    return [step._asdict() for step in found]


async def all_agree(backend: ActivityBackend, activities: Sequence[Activity], zone: tzinfo = UTC) -> None:
    oracle = oracle_of(activities, zone)
    for steps in QUESTIONS:
        for within in WITHIN:
            found = await asked(backend, steps, within, zone)
            assert found == oracle.funnel(steps, within, FIRST, LAST), (steps, within)


@pytest.mark.parametrize("zone", [UTC, MADRID], ids=str)
async def test_funnels_are_those_of_the_oracle_of_types_that_are_kept_and_of_others(
    backend: ActivityBackend, zone: tzinfo
) -> None:
    activities = some_activities(400)
    for start in range(0, 400, 70):
        await backend.store(zone).store(activities[start : start + 70])

    await all_agree(backend, activities, zone)
    assert await backend.keeper(zone).verify() is None


async def test_a_rebuild_keeps_the_same(backend: ActivityBackend) -> None:
    activities = some_activities(300)
    await backend.store().store(activities)

    await backend.keeper().rebuild()

    await all_agree(backend, activities)
    assert await backend.keeper().verify() is None


async def test_what_is_removed_is_in_no_funnel(backend: ActivityBackend) -> None:
    activities = some_activities(300)
    await backend.store().store(activities)

    wanted = ToRemove(users=frozenset({"user-1", "user-2"}))
    after: str | None = ""
    while after is not None:
        after = (await backend.removal().remove(wanted, after, frees_ids=False)).place

    await all_agree(backend, [one for one in activities if not wanted.holds(one)])
    assert await backend.keeper().verify() is None


async def test_a_reset_leaves_no_funnel(backend: ActivityBackend) -> None:
    await backend.store().store(some_activities(50))

    await backend.keeper().reset()
    await backend.store().store([an_activity(1, type_="view", at=datetime(2026, 1, 4, tzinfo=UTC))])

    assert [row["users"] for row in await asked(backend, ["view", "purchase"], timedelta(days=2))] == [1, 0]


async def test_parts_that_have_grown_are_closed_and_hold_all_there_is(sql: SqlActivityBackend) -> None:
    count = 3 * CLOSED_FROM
    at = datetime(2026, 1, 4, tzinfo=UTC)
    views = [an_activity(n, type_="view", at=at + timedelta(seconds=n), user=f"user-{n % 700}") for n in range(count)]
    for start in range(0, count, 100):
        await sql.store().store(views[start : start + 100])

    rows = await sql.database.read(lambda connection: connection.execute(select(funnel_instants)).all())
    assert sum(len(row.instants) for row in rows) == 8 * count
    assert sorted(row.part for row in rows) == [0, 1, 2]
    assert [row["users"] for row in await asked(sql, ["view", "view"], timedelta(days=1))] == [700, 700]


async def test_instants_that_are_others_are_a_difference(sql: SqlActivityBackend) -> None:
    await sql.store().store([an_activity(1, type_="view", at=datetime(2026, 1, 4, tzinfo=UTC))])
    other = update(funnel_instants).values(instants=bytes(8))
    await sql.database.write(lambda connection: connection.execute(other))

    found = await sql.keeper().verify()

    assert found is not None
    assert (found.rollup, found.kept, found.folded) == ("instants of view on 2026-01-04", "some", "others")


async def test_instants_that_are_missing_are_a_difference(sql: SqlActivityBackend) -> None:
    await sql.store().store([an_activity(1, type_="view", at=datetime(2026, 1, 4, tzinfo=UTC))])
    await sql.database.write(lambda connection: connection.execute(funnel_instants.delete()))

    found = await sql.keeper().verify()

    assert found is not None
    assert (found.kept, found.folded) == ("0 of them", "1 of them")


async def test_other_types_are_told_until_a_rebuild_and_answered_from_activities(sql: SqlActivityBackend) -> None:
    activities = some_activities(200)
    await sql.store().store(activities[:100])
    keeper = SqlStatsKeeper(sql.database, UTC, funnel_types=("share", "search"))

    trouble = await keeper.trouble()
    await SqlActivityStore(sql.database, UTC, funnel_types=("share", "search")).store(activities[100:])

    assert trouble is not None
    assert trouble.startswith("instants are kept for funnels of cart.added, page_view, purchase, view, stats.funnel_ty")
    assert set(await sql.funnels().kept_types()) == set(DEFAULT_TYPES)
    await all_agree(sql, activities)

    await keeper.rebuild()

    assert await keeper.trouble() is None
    assert set(await sql.funnels().kept_types()) == {"share", "search"}
    await all_agree(sql, activities)
    assert await keeper.verify() is None


async def test_kept_types_outlive_their_activities_and_others_are_refused(sql: SqlActivityBackend) -> None:
    activities = some_activities(200)
    await sql.store().store(activities)
    while await sql.expiry().remove_some(date(2026, 2, 1)) is not None:
        pass

    for steps in (steps for steps in QUESTIONS if set(steps) <= set(DEFAULT_TYPES)):
        expected = oracle_of(activities).funnel(steps, WITHIN[1], FIRST, LAST)
        assert await asked(sql, steps, WITHIN[1]) == expected
    with pytest.raises(ActivitiesGoneError, match="have left, and of share nothing"):
        await asked(sql, ["view", "share"], WITHIN[1])

    assert await sql.keeper().verify() is None
    await SqlStatsKeeper(sql.database, UTC, funnel_types=("view", "share")).rebuild()
    assert await asked(sql, ["view", "view"], WITHIN[1]) == oracle_of(activities).funnel(
        ["view", "view"], WITHIN[1], FIRST, LAST
    )
    with pytest.raises(ActivitiesGoneError, match="of share nothing"):
        await asked(sql, ["view", "share"], WITHIN[1])


async def test_what_somebody_did_before_activities_left_is_forgotten_too(backend: ActivityBackend) -> None:
    done = [("view", "ana", 1), ("purchase", "ana", 2), ("view", "bob", 1), ("purchase", "bob", 2)]
    at = datetime(2026, 1, 4, tzinfo=UTC)
    await backend.store().store(
        [
            an_activity(n, type_=type_, at=at + timedelta(hours=hours), user=user)
            for n, (type_, user, hours) in enumerate(done)
        ]
    )
    while await backend.expiry().remove_some(date(2026, 2, 1)) is not None:
        pass

    await backend.removal().forget_frozen_days(ToRemove(users=frozenset({"ana"})))

    assert [row["users"] for row in await asked(backend, ["view", "purchase"], timedelta(days=1))] == [1, 1]
