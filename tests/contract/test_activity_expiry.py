"""What ActivityExpiry promises, and what holds of days whose activities have left: memory, SQLite, PostgreSQL."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete, func, select, update

from app.adapters.outbound.sql.activity_expiry import SqlActivityExpiry
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.schema import activities as activities_table
from app.adapters.outbound.sql.schema import daily_totals, hourly_totals, visitors
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.activities import FrozenDaysError
from app.application.ports.removal import FiguresIncompleteError
from app.application.ports.system import HistoryUnavailableError
from app.domain.activities import Activity
from app.domain.removal import ToRemove
from app.domain.rollups import Rollup
from app.domain.stats import TypeTotal
from app.infrastructure.settings.settings import Settings
from app.infrastructure.wiring.configured_adapters import rollups
from tests.support.activity_backends import ActivityBackend, SqlActivityBackend, by_definition, figures
from tests.support.builders import an_activity

MADRID, KATHMANDU, LOS_ANGELES = ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/Los_Angeles")
CUT = date(2026, 1, 1)
"""A month begins, so that PostgreSQL too removes all before it."""
LATER = date(2026, 2, 1)


@pytest.fixture
def backend(activity_backend: ActivityBackend) -> ActivityBackend:
    return activity_backend


@pytest.fixture
def sql(activity_sql: SqlActivityBackend) -> SqlActivityBackend:
    return activity_sql


def some_activities(
    count: int, *, seed: int = 1, first: datetime = datetime(2025, 12, 10, tzinfo=UTC)
) -> list[Activity]:
    """Make up activities over the turn of a year, a few of them with ids that are linked."""
    chance = random.Random(seed)
    return [
        an_activity(
            seed * 1_000_000 + number,
            type_=chance.choice(["view", "click", "buy"]),
            at=first + timedelta(seconds=chance.randrange(40 * 86_400)),
            user=f"user-{chance.randrange(20)}" if chance.random() < 0.9 else None,
            value=str(Decimal(chance.randrange(-10_000, 10_000)).scaleb(-chance.randrange(5))),
        )
        for number in range(count)
    ]


async def all_leave(backend: ActivityBackend, before: date, zone: tzinfo = UTC) -> int:
    """Let all leave that are due, step by step."""
    expiry, count = backend.expiry(zone), 0
    while (removed := await expiry.remove_some(before)) is not None:
        count += removed
    while await expiry.give_back():
        pass
    return count


@pytest.mark.parametrize("rollup", rollups(Settings()), ids=lambda rollup: rollup.name)
def test_each_rollup_tells_its_days_or_hours(rollup: Rollup) -> None:
    assert {"day", "hour"} & set(metadata.tables[rollup.name].primary_key.columns.keys())


async def test_what_leaves_stays_counted_and_is_rebuilt_and_verified_around(backend: ActivityBackend) -> None:
    activities = some_activities(800)
    await backend.store().store(activities)
    early = sum(one.occurred_at.date() < CUT for one in activities)

    assert await all_leave(backend, CUT) == early

    assert await backend.keeper().frozen_before() == CUT
    assert await figures(backend) == by_definition(activities)
    assert await backend.keeper().verify() is None
    assert await backend.keeper().rebuild() == len(activities) - early
    assert await figures(backend) == by_definition(activities)
    assert await backend.keeper().verify() is None


async def test_nothing_leaves_twice_and_nothing_that_is_not_due(backend: ActivityBackend) -> None:
    activities = some_activities(200)
    await backend.store().store(activities)

    assert await backend.expiry().remove_some(date(2025, 12, 1)) is None
    assert await backend.keeper().frozen_before() is None
    await all_leave(backend, CUT)

    assert await backend.expiry().remove_some(CUT) is None
    assert await all_leave(backend, LATER) == sum(one.occurred_at.date() >= CUT for one in activities)
    assert await backend.keeper().verify() is None
    assert await backend.keeper().rebuild() == 0
    assert await figures(backend) == by_definition(activities)


async def test_an_id_that_has_left_is_still_known(backend: ActivityBackend) -> None:
    activities = some_activities(100)
    await backend.store().store(activities)
    await all_leave(backend, LATER)

    assert await backend.store().store(activities) == 0

    assert await figures(backend) == by_definition(activities)


async def test_activities_that_come_late_for_frozen_days_count_once(backend: ActivityBackend) -> None:
    activities, late = some_activities(300), some_activities(60, seed=2)
    await backend.store().store(activities)
    await all_leave(backend, CUT)

    assert await backend.store().store(late) == 60
    assert await backend.store().store(late) == 0

    everything = by_definition([*activities, *late])
    assert await figures(backend) == everything
    assert await backend.keeper().verify() is None
    await backend.keeper().rebuild()
    assert await figures(backend) == everything
    assert await all_leave(backend, CUT) == sum(one.occurred_at.date() < CUT for one in late)
    assert await backend.keeper().verify() is None
    assert await figures(backend) == everything


async def test_who_is_one_person_stays_so_when_what_said_so_has_left(backend: ActivityBackend) -> None:
    at = datetime(2025, 12, 20, 12, tzinfo=UTC)
    said = [
        Activity(UUID(int=1), "$identify", at, user_id="ana", anonymous_id="x"),
        Activity(UUID(int=2), "$alias", at, user_id="ana", anonymous_id="ann"),
        Activity(UUID(int=3), "view", at - timedelta(days=1), anonymous_id="x"),
        Activity(UUID(int=4), "view", at, user_id="ann"),
        Activity(UUID(int=5), "view", at + timedelta(days=20), user_id="ana"),
        Activity(UUID(int=6), "$identify", at + timedelta(days=20), user_id="bob", anonymous_id="y"),
        Activity(UUID(int=7), "view", at + timedelta(days=21), anonymous_id="y"),
    ]
    await backend.store().store(said)
    await all_leave(backend, CUT)

    assert await backend.keeper().verify() is None
    await backend.keeper().rebuild()

    assert await figures(backend) == by_definition(said)
    assert await backend.keeper().verify() is None
    taken = [Activity(UUID(int=8), "$identify", at - timedelta(days=3), user_id="eva", anonymous_id="x")]
    await backend.store().store(taken)
    assert await figures(backend) == by_definition([*said, *taken])
    assert await backend.keeper().verify() is None


@pytest.mark.parametrize("zone", [MADRID, KATHMANDU, LOS_ANGELES], ids=str)
async def test_a_day_that_the_cut_goes_through_is_frozen_whole(backend: ActivityBackend, zone: ZoneInfo) -> None:
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * n) for n in range(-400, 400)]
    activities = [an_activity(n + 1, at=at, user=f"user-{n % 7}", value="1") for n, at in enumerate(hours)]
    await backend.store(zone).store(activities)

    for cut in (CUT, CUT + timedelta(days=1), LATER):
        await all_leave(backend, cut, zone)

        assert await backend.keeper(zone).verify() is None
        await backend.keeper(zone).rebuild()
        assert await figures(backend) == by_definition(activities, zone)
        assert await backend.keeper(zone).verify() is None


@pytest.mark.parametrize("night", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC)])
async def test_a_cut_on_a_night_on_which_the_clock_changes(sql: SqlActivityBackend, night: datetime) -> None:
    activities = [
        an_activity(n + 500, at=night + timedelta(minutes=20 * n), user=f"user-{n % 5}", value="2")
        for n in range(-200, 200)
    ]
    await sql.store(MADRID).store(activities)
    before = await counted(sql)

    for days in (-1, 0, 1, 10):
        await all_leave(sql, (night + timedelta(days=days)).date(), MADRID)
        assert await sql.keeper(MADRID).verify() is None
        await sql.keeper(MADRID).rebuild()
        assert await counted(sql) == before


async def counted(sql: SqlActivityBackend) -> list[tuple[int, str, int]]:
    def read(connection: Connection) -> list[tuple[int, str, int]]:
        found = select(daily_totals.c.day, daily_totals.c.type, func.sum(daily_totals.c["count"]))
        keys = (daily_totals.c.day, daily_totals.c.type)
        return [
            (day, type_, int(count)) for day, type_, count in connection.execute(found.group_by(*keys).order_by(*keys))
        ]

    return await sql.database.read(read)


async def test_frozen_days_are_left_in_the_zone_by_which_they_were_counted(sql: SqlActivityBackend) -> None:
    activities = some_activities(400)
    await sql.store(MADRID).store(activities)
    await all_leave(sql, CUT + timedelta(days=1), MADRID)
    frozen = [row for row in await counted(sql) if row[0] < 20_454]

    with pytest.raises(FrozenDaysError, match="2026-01-02"):
        await sql.keeper(KATHMANDU).rebuild()
    with pytest.raises(FrozenDaysError):
        await sql.keeper(KATHMANDU).rebuild(leaving=CUT)
    await sql.keeper(KATHMANDU).rebuild(leaving=date(2026, 1, 2))

    assert [row for row in await counted(sql) if row[0] < 20_454] == frozen
    assert sum(row[2] for row in await counted(sql)) == len(activities)
    assert await sql.keeper(KATHMANDU).verify() is None
    await sql.store(KATHMANDU).store(some_activities(200, seed=3))
    assert await sql.keeper(KATHMANDU).verify() is None
    with pytest.raises(HistoryUnavailableError, match=r"stats\.timezone"):
        await sql.expiry(MADRID).remove_some(LATER)


async def test_a_reset_says_what_it_would_cost(backend: ActivityBackend) -> None:
    activities = some_activities(100)
    await backend.store().store(activities)
    await all_leave(backend, CUT)

    for giving_up in (None, LATER):
        with pytest.raises(FrozenDaysError) as told:
            await backend.keeper().reset(giving_up)
        assert told.value.day == CUT
    assert await figures(backend) == by_definition(activities)
    await backend.keeper().reset(CUT)

    assert await backend.stats().totals() == []
    assert await backend.keeper().frozen_before() is None
    await backend.keeper().rebuild()
    assert await figures(backend) == by_definition([one for one in activities if one.occurred_at.date() >= CUT])


async def test_a_verification_still_finds_what_is_wrong_of_days_that_are_not_frozen(sql: SqlActivityBackend) -> None:
    await sql.store().store(
        [an_activity(n, at=datetime(2025, 12, 20, tzinfo=UTC) + timedelta(days=n)) for n in range(30)]
    )
    await all_leave(sql, CUT)

    def spoil(connection: Connection) -> None:
        connection.execute(update(daily_totals).where(daily_totals.c.day == 20_460).values(count=7))

    await sql.database.write(spoil)

    difference = await sql.keeper().verify()
    assert difference is not None
    assert difference.rollup == "count of view on 2026-01-07"
    await sql.keeper().rebuild()
    assert await sql.keeper().verify() is None
    assert await sql.stats().total("view") == TypeTotal("view", 30, Decimal())


async def test_a_rebuild_forgets_days_that_nothing_says(sql: SqlActivityBackend) -> None:
    activities = some_activities(200)
    await sql.store().store(activities)
    await all_leave(sql, CUT)

    def spoil(connection: Connection) -> None:
        """Let everybody have been there on another day behind the cut."""
        for row in connection.execute(select(visitors)).all():
            longer = row.days + b"\0" * 20 + b"\1"
            connection.execute(update(visitors).where(visitors.c.visitor == row.visitor).values(days=longer))

    await sql.database.write(spoil)
    assert await sql.keeper().verify() is not None
    await sql.keeper().rebuild()

    assert await sql.keeper().verify() is None
    assert await figures(sql) == by_definition(activities)


async def test_what_was_removed_before_and_after_agrees_with_what_is_frozen(backend: ActivityBackend) -> None:
    activities, late = some_activities(300), some_activities(50, seed=2)
    await backend.store().store(activities)
    await all_leave(backend, CUT)
    await backend.store().store(late)
    some = [*activities[::3], *late[::3]]

    assert await backend.removal().have_left(20_453)
    assert not await backend.removal().have_left(20_454)
    gone = ToRemove(ids=frozenset(one.activity_id for one in some))
    place: str | None = ""
    while place is not None:
        place = (await backend.removal().remove(gone, place, frees_ids=False)).place

    kept = [one for one in activities if one not in some or one.occurred_at.date() < CUT]
    totals = by_definition([*kept, *(one for one in late if one not in some)])["totals"]
    assert (await figures(backend))["totals"] == totals
    assert await backend.keeper().verify() is None


async def test_days_of_visitors_can_be_forgotten_that_are_frozen(backend: ActivityBackend) -> None:
    activities = some_activities(300)
    await backend.store().store(activities)
    await all_leave(backend, CUT)

    assert await backend.removal().forget_frozen_days(ToRemove(users=frozenset({"user-3"})))

    nobody = [
        one._replace(user_id=None) if one.user_id == "user-3" and one.occurred_at.date() < CUT else one
        for one in activities
    ]
    assert await figures(backend) == by_definition(nobody)
    assert await backend.keeper().verify() is None
    await backend.keeper().rebuild()
    assert await figures(backend) == by_definition(nobody)


@pytest.mark.parametrize("table", [hourly_totals, daily_totals])
async def test_nothing_leaves_before_all_of_it_is_counted(sql: SqlActivityBackend, table: Table) -> None:
    activities = some_activities(100)
    await sql.store().store(activities)
    await sql.database.write(lambda connection: connection.execute(delete(table)))

    with pytest.raises(FiguresIncompleteError, match=r"marquee stats rebuild"):
        await sql.expiry().remove_some(CUT)

    assert await sql.keeper().frozen_before() is None
    assert await sql.keeper().rebuild() == 100
    assert await all_leave(sql, CUT) > 0
    assert await figures(sql) == by_definition(activities)


async def test_nothing_leaves_before_figures_that_are_new_are_made(sql: SqlActivityBackend) -> None:
    await sql.store().store(some_activities(20))
    retained = ("buy", "view", "click")

    with pytest.raises(FiguresIncompleteError, match=r"configured anew.*marquee stats rebuild"):
        await SqlActivityExpiry(sql.database, UTC, retained=retained).remove_some(CUT)

    await SqlStatsKeeper(sql.database, UTC, retained=retained).rebuild()
    assert await SqlActivityExpiry(sql.database, UTC, retained=retained).remove_some(CUT)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_order_of_coming_leaving_and_rebuilding_gives_the_same_figures(
    backend: ActivityBackend, data: st.DataObject
) -> None:
    activities = data.draw(st.permutations(some_activities(40)))
    cuts = sorted(data.draw(st.lists(st.integers(0, 40), max_size=6)))
    await backend.clear()

    for begin, end in zip([0, *cuts], [*cuts, 40], strict=True):
        await backend.store().store(activities[begin:end])
        await all_leave(backend, data.draw(st.sampled_from([date(2025, 12, 15), CUT, LATER])))
        if data.draw(st.booleans()):
            await backend.keeper().rebuild()

    assert await backend.keeper().verify() is None
    assert await figures(backend) == by_definition(activities)


async def test_workers_store_and_rebuild_while_activities_leave(sql: SqlActivityBackend) -> None:
    activities = some_activities(1_500)
    await sql.store().store(activities[:1_000])

    async def work() -> None:
        for start in range(1_000, 1_500, 100):
            await patiently_store(sql, activities[start : start + 100])

    async def leave() -> None:
        for _ in range(5):
            try:
                await all_leave(sql, CUT)
            except HistoryUnavailableError:  # somebody else had a lock for too long: the next turn goes on
                await asyncio.sleep(0)

    await asyncio.gather(work(), leave(), sql.keeper().rebuild())

    await all_leave(sql, CUT)
    assert await figures(sql) == by_definition(activities)
    assert await sql.keeper().verify() is None
    left = select(func.count()).select_from(activities_table)
    kept = await sql.database.read(lambda connection: connection.execute(left).scalar_one())
    assert kept == sum(one.occurred_at.date() >= CUT for one in activities)


async def patiently_store(sql: SqlActivityBackend, part: list[Activity]) -> None:
    while True:
        try:
            await sql.store().store(part)
        except HistoryUnavailableError:
            await asyncio.sleep(0.01)
        else:
            return
