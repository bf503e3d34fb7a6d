"""Activities lie by days: in places, in PostgreSQL in a partition for each month; figures lie in slots."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.advisory_locks import SLOTS, take_slot
from app.adapters.outbound.sql.bulk import PostgresBulk
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.places import day_of, first_of, first_place_of, months_of
from app.adapters.outbound.sql.schema import activities, daily_users, type_totals
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from tests.support.builders import NOW, an_activity
from tests.support.postgres import postgres_database

PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'activities'::regclass ORDER BY 1"


@pytest.fixture
async def postgres(tmp_path: Path) -> AsyncIterator[Database]:
    with postgres_database() as url:
        made = open_database(url, tmp_path, timeout=5)
        await migrate(made)
        yield made
        await made.aclose()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database("embedded", tmp_path, timeout=5)
    await migrate(made)
    yield made
    await made.aclose()


def test_a_month_begins_with_the_first_place_of_its_first_day() -> None:
    (month,) = months_of({(datetime(2025, 12, 31, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days})

    assert first_of(month).isoformat() == "2025-12-01"
    assert first_of(month + 1).isoformat() == "2026-01-01"
    assert day_of(first_place_of(month + 1)) - day_of(first_place_of(month)) == 31


async def test_in_sqlite_each_day_numbers_its_activities(sqlite: Database) -> None:
    store = SqlActivityStore(sqlite, UTC)
    days = [0, 1, 1, 0, -40, 1]
    for start in (0, 3):
        await store.store([an_activity(n, at=NOW + timedelta(days=days[n])) for n in range(start, start + 3)])

    rows = await sqlite.read(lambda c: c.execute(select(activities).order_by(activities.c.place)).all())

    day = day_of(rows[1].place)
    assert [(day_of(row.place) - day, row.place & 255, row.id.int) for row in rows] == [
        (-40, 0, 4), (0, 0, 0), (0, 1, 3), (1, 0, 1), (1, 1, 2), (1, 2, 5)
    ]  # fmt: skip


@pytest.mark.postgres
async def test_workers_make_the_partitions_that_they_need_once(postgres: Database) -> None:
    stores = [SqlActivityStore(postgres, UTC) for _ in range(4)]
    months = [datetime(2025 + n // 12, n % 12 + 1, 15, tzinfo=UTC) for n in range(10, 14)]

    await asyncio.gather(
        *(
            store.store([an_activity(10 * n + m, at=at) for m, at in enumerate(months)])
            for n, store in enumerate(stores)
        )
    )

    assert await postgres.read(_partitions) == [
        "activities_2025_11", "activities_2025_12", "activities_2026_01", "activities_2026_02"
    ]  # fmt: skip
    assert await SqlStatsKeeper(postgres, UTC).verify() is None


@pytest.mark.postgres
async def test_a_partition_that_somebody_removed_is_made_again(postgres: Database) -> None:
    store = SqlActivityStore(postgres, UTC)
    await store.store([an_activity(1)])
    await postgres.write(lambda c: c.execute(text("DROP TABLE activities_2026_01")))

    assert await store.store([an_activity(1), an_activity(2)]) == 1

    kept = await postgres.read(lambda c: c.execute(select(activities.c.id)).scalars().all())
    assert [id_.int for id_ in kept] == [2]


@pytest.mark.postgres
async def test_workers_at_the_same_time_have_slots_of_their_own_and_figures_are_their_sum(postgres: Database) -> None:
    def take(connection: Connection) -> list[int]:
        mine = take_slot(connection)
        return [mine, *(postgres.write_now(take_slot) for _ in range(2))]

    assert await postgres.write(take) == [0, 1, 1]
    await SqlActivityStore(postgres, UTC).store([an_activity(1, value="0.1")])
    await postgres.write(_as_of_another_slot)

    assert [total.count for total in await SqlStats(postgres).totals()] == [2]
    assert str((await SqlStats(postgres).ranking(1)).top[0].sum) == "0.3"


@pytest.mark.postgres
async def test_two_workers_add_to_one_day_without_waiting_for_each_other(postgres: Database) -> None:
    day = [(1, 2)]

    def count(connection: Connection) -> int:
        slot = take_slot(connection)
        PostgresBulk().add(connection, daily_users, slot, day)
        return slot

    def count_while_another_counts(connection: Connection) -> tuple[int, int]:
        return count(connection), postgres.write_now(count)  # who waited would get no lock within 5 s

    assert await postgres.write(count_while_another_counts) == (0, 1)
    assert await SqlStats(postgres).daily_users(date(1970, 1, 2), date(1970, 1, 2)) == {1: 4}


@pytest.mark.postgres
async def test_a_worker_for_whom_no_slot_is_free_takes_any(postgres: Database) -> None:
    def take(connection: Connection) -> list[int]:
        return [take_slot(connection), *(postgres.write_now(take) if depth.pop() else [])]

    depth = [False, *(True for _ in range(SLOTS))]
    *own, last = await postgres.write(take)

    assert own == list(range(SLOTS))
    assert 0 <= last < SLOTS


async def test_figures_of_several_slots_are_summed_to_the_last_digit_in_sqlite_too(sqlite: Database) -> None:
    await SqlActivityStore(sqlite, UTC).store([an_activity(1, value="0.1")])
    await sqlite.write(_as_of_another_slot)

    assert str((await SqlStats(sqlite).totals())[0].sum) == "0.3"


def _as_of_another_slot(connection: Connection) -> None:
    connection.execute(type_totals.insert().values(type="view", slot=3, count=1, sum=Decimal("0.2")))


def _partitions(connection: Connection) -> list[str]:
    return list(connection.execute(text(PARTITIONS)).scalars())
