"""The schema's migrations, and starts against another schema."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import SchemaError, _config, check_schema, migrate, newest
from app.adapters.outbound.sql.partitions import PREFIX
from app.adapters.outbound.sql.places import DAY, day_of
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.adapters.outbound.sql.rows import microseconds
from app.adapters.outbound.sql.schema import activities
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.catalog import LogPosition
from app.application.ports.history import JournalStep
from app.domain.activities import Activity
from app.domain.stats import TypeTotal
from tests.support.builders import an_activity
from tests.support.postgres import postgres_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        made = open_database("embedded", tmp_path, timeout=5)
        yield made
        await made.aclose()
        return
    with postgres_database() as url:
        made = open_database(url, tmp_path, timeout=5)
        yield made
        await made.aclose()


async def test_migrations_make_the_tables_that_the_code_expects(database: Database) -> None:
    assert await migrate(database) is None
    await SqlActivityStore(database, UTC).store([an_activity(1)])  # in PostgreSQL it makes a partition

    context = {"compare_type": True, "include_name": _is_no_partition}
    differences = await database.read(
        lambda connection: compare_metadata(MigrationContext.configure(connection, opts=context), metadata)
    )
    assert differences == []
    assert await migrate(database) == newest()
    await check_schema(database)


def _is_no_partition(name: str | None, _type: str, _parents: object) -> bool:
    return not (name or "").startswith(PREFIX)


async def test_users_are_compared_bytewise_and_in_one_order_everywhere(database: Database) -> None:
    await migrate(database)
    insert = text("INSERT INTO visitors (visitor, first_day, days) VALUES (:name, 0, :days)")
    names = ["b", "a", "B", "ä", "A_", "a-"]

    await database.write(lambda c: c.execute(insert, [{"name": name, "days": b"\1"} for name in names]))

    ordered = text("SELECT visitor FROM visitors ORDER BY visitor")
    assert (await database.read(lambda c: c.execute(ordered).scalars().all())) == sorted(names)


async def test_a_database_without_a_schema_is_refused_with_what_to_do(database: Database) -> None:
    with pytest.raises(SchemaError, match="no schema yet: run `marquee migrate`"):
        await check_schema(database)


async def test_a_newer_schema_stops_the_start_and_the_migration(database: Database) -> None:
    await migrate(database)
    await _pretend(database, "9999")

    for attempt in (check_schema, migrate):
        with pytest.raises(SchemaError, match="made by a newer one; run that one"):
            await attempt(database)


async def test_several_processes_may_migrate_at_once(database: Database) -> None:
    await asyncio.gather(*(migrate(database) for _ in range(4)))

    tables = await database.read(lambda connection: inspect(connection).get_table_names())
    assert set(tables) == {*metadata.tables, "alembic_version"}


async def test_positions_of_an_older_schema_are_kept_and_name_no_entry(database: Database) -> None:
    await database.write(partial(_upgrade, to="0002"), unlimited=True)
    older = text("INSERT INTO journal_positions (provider, epoch, sequence) VALUES ('demo', 281474976710655, 42)")
    await database.write(lambda connection: connection.execute(older))

    assert await migrate(database) == "0002"

    journal = SqlPlanJournal(database)
    stored = LogPosition(281474976710655, 42)
    assert await journal.positions() == {"demo": stored}
    await journal.append([JournalStep("demo", stored, [], replace(stored, entry="0123456789abcdef"))])
    assert await journal.positions() == {"demo": replace(stored, entry="0123456789abcdef")}


async def test_activities_of_an_older_schema_are_kept_with_their_figures(database: Database) -> None:
    await database.write(partial(_upgrade, to="0004"), unlimited=True)
    kinds = [(2025, 12, 31), (2026, 1, 1), (2026, 1, 31), (2026, 3, 1), (2026, 1, 1)]
    given = [
        an_activity(number, at=datetime(*day, 23, 59, tzinfo=UTC), value="0.10", user=f"user-{number % 2}")
        for number, day in enumerate(kinds)
    ]
    await database.write(partial(_store_as_of_0004, activities=given))

    assert await migrate(database) == "0004"

    kept = await database.read(lambda c: c.execute(select(activities).order_by(activities.c.place)).all())
    assert sorted(row.id for row in kept) == sorted(activity.activity_id for activity in given)
    assert [day_of(row.place) for row in kept] == [row.occurred_at // DAY for row in kept]
    assert [row.occurred_at for row in kept] == sorted(microseconds(activity.occurred_at) for activity in given)
    stats, keeper = SqlStats(database), SqlStatsKeeper(database, UTC)
    assert await stats.totals() == [TypeTotal("view", 5, Decimal("0.50"))]
    assert await SqlActivityStore(database, UTC).store([*given, an_activity(9, at=given[1].occurred_at)]) == 1
    assert await keeper.rebuild() == 6
    assert await keeper.verify() is None


def _store_as_of_0004(connection: Connection, activities: Sequence[Activity]) -> None:
    insert = text(
        "INSERT INTO activities (id, type, occurred_at, user_id, value) VALUES (:id, 'view', :at, :user, '0.10')"
        if connection.dialect.name == "sqlite"
        else "INSERT INTO activities (id, type, occurred_at, user_id, value) VALUES (:id, 'view', :at, :user, 0.10)"
    )
    for one in activities:
        id_ = one.activity_id.bytes if connection.dialect.name == "sqlite" else one.activity_id
        connection.execute(insert, {"id": id_, "at": microseconds(one.occurred_at), "user": one.user_id})
    sum_ = "'0.50'" if connection.dialect.name == "sqlite" else "0.50"
    connection.execute(text(f"INSERT INTO type_totals (type, count, sum) VALUES ('view', 5, {sum_})"))  # noqa: S608 - ours


def _upgrade(connection: Connection, to: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


async def _pretend(database: Database, version: str) -> None:
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version}))
