"""The schema's migrations, and starts against another schema."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from app.adapters.outbound.sql.all_tables import metadata
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.migrate import SchemaError, _config, check_schema, migrate, newest
from app.adapters.outbound.sql.plan_journal import SqlPlanJournal
from app.application.ports.catalog import LogPosition
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

    context = {"compare_type": True}
    differences = await database.read(
        lambda connection: compare_metadata(MigrationContext.configure(connection, opts=context), metadata)
    )
    assert differences == []
    assert await migrate(database) == newest()
    await check_schema(database)


async def test_users_are_compared_bytewise_and_in_one_order_everywhere(database: Database) -> None:
    await migrate(database)
    insert = text("INSERT INTO visitors (user_id, first_day, days) VALUES (:name, 0, :days)")
    names = ["b", "a", "B", "ä", "A_", "a-"]

    await database.write(lambda c: c.execute(insert, [{"name": name, "days": b"\1"} for name in names]))

    ordered = text("SELECT user_id FROM visitors ORDER BY user_id")
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
    def upgrade_to_0002(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")

    await database.write(upgrade_to_0002, unlimited=True)
    older = text("INSERT INTO journal_positions (provider, epoch, sequence) VALUES ('demo', 281474976710655, 42)")
    await database.write(lambda connection: connection.execute(older))

    assert await migrate(database) == "0002"

    journal = SqlPlanJournal(database)
    stored = LogPosition(281474976710655, 42)
    assert await journal.positions() == {"demo": stored}
    await journal.append("demo", stored, [], replace(stored, entry="0123456789abcdef"))
    assert await journal.positions() == {"demo": replace(stored, entry="0123456789abcdef")}


async def _pretend(database: Database, version: str) -> None:
    await database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version}))
