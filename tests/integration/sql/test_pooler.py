"""PostgreSQL behind PgBouncer: what a pooler does never ends as the advice to migrate."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import Database, open_database
from app.adapters.outbound.sql.failures import advice
from app.adapters.outbound.sql.migrate import SchemaError, check_schema, migrate, newest
from app.adapters.outbound.sql.stats import SqlStats
from app.adapters.outbound.sql.stats_keeper import SqlStatsKeeper
from app.application.ports.system import HistoryUnavailableError
from tests.support.builders import an_activity
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import postgres_database

pytestmark = pytest.mark.postgres


@pytest.fixture
def url() -> Iterator[str]:
    with postgres_database() as made:
        yield made


@asynccontextmanager
async def opened(url: str, patience: float = 5) -> AsyncIterator[Database]:
    database = open_database(url, Path("/nowhere"), timeout=patience)
    try:
        yield database
    finally:
        await database.aclose()


async def test_everything_works_through_a_pooler_in_transaction_mode(url: str) -> None:
    with pgbouncer(url) as through:
        async with opened(through) as database:
            await migrate(database)
            await check_schema(database)
            store, keeper = SqlActivityStore(database, UTC), SqlStatsKeeper(database, UTC)

            await asyncio.gather(*(store.store([an_activity(n), an_activity(n + 1)]) for n in range(40)))

            assert sum(total.count for total in await SqlStats(database).totals()) == 41
            assert await keeper.verify() is None
            assert await keeper.rebuild() == 41


async def test_a_lock_is_waited_for_no_longer_than_the_timeout_through_a_pooler_too(url: str) -> None:
    with pgbouncer(url) as through:
        async with opened(through, patience=0.5) as database:
            await migrate(database)
            with psycopg.connect(url) as other:
                other.execute("LOCK TABLE type_totals")

                with pytest.raises(HistoryUnavailableError, match="locked by somebody else"):
                    await SqlStatsKeeper(database, UTC).reset()


async def test_a_session_that_somebody_else_turned_away_from_our_tables_is_no_missing_schema(url: str) -> None:
    with pgbouncer(url, connections=1) as through:
        async with opened(through) as database:
            await migrate(database)
            with psycopg.connect(through, autocommit=True) as other:  # of a server's one session, as poolers share it
                other.execute("SET search_path = elsewhere")

            for attempt in (check_schema, migrate):
                with pytest.raises(HistoryUnavailableError, match=r"schema public.*pooler before it may have mixed up"):
                    await attempt(database)
            with pytest.raises(HistoryUnavailableError, match="shows this session none of our tables"):
                await SqlStats(database).totals()
            with psycopg.connect(through, autocommit=True) as other:
                other.execute("RESET search_path")
            await check_schema(database)


async def test_a_new_database_behind_a_pooler_is_still_told_to_be_migrated(url: str) -> None:
    with pgbouncer(url) as through:
        async with opened(through) as database:
            with pytest.raises(SchemaError, match="no schema yet: run `marquee migrate`"):
                await check_schema(database)
            assert await migrate(database) is None
            assert await migrate(database) == newest()


async def test_what_a_pooler_refuses_is_told_as_such(url: str) -> None:
    with pgbouncer(url) as through:
        async with opened(f"{through}?options=-cwork_mem%3D64MB") as database:
            with pytest.raises(HistoryUnavailableError, match=r"take `options` out of database\.url"):
                await check_schema(database)
    with pgbouncer(url, mode="statement") as through:
        async with opened(through) as database:
            with pytest.raises(HistoryUnavailableError, match="pooler") as told:
                await check_schema(database)

    assert "migrate" not in str(told.value)


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidSqlStatementName('prepared statement "_pg3_0" does not exist'),
        errors.DuplicatePreparedStatement('prepared statement "_pg3_0" already exists'),
        errors.ProtocolViolation("bind message supplies 2 parameters, but prepared statement requires 1"),
        errors.InvalidCursorName('cursor "c_1" does not exist'),
    ],
)
def test_a_wrong_answer_of_a_pooler_is_never_the_advice_to_migrate(error: psycopg.Error) -> None:
    said = advice(DBAPIError("SELECT", None, error))

    assert "pooler" in said
    assert "migrate" not in said
