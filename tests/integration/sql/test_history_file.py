"""The embedded history whose file somebody takes away, and databases that take no writes."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from app.adapters.outbound.sql.activity_store import SqlActivityStore
from app.adapters.outbound.sql.database import FILE, Database, open_database
from app.adapters.outbound.sql.migrate import migrate
from app.adapters.outbound.sql.stats import SqlStats
from app.application.ports.system import HistoryUnavailableError
from app.infrastructure.backup.history_part import is_in_use
from tests.support.builders import an_activity
from tests.support.postgres import POSTGRES_URL, postgres_database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database("embedded", tmp_path, timeout=5)
    await migrate(made)
    yield made
    await made.aclose()


async def test_a_file_that_was_moved_away_is_told_and_missed_by_every_connection(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / FILE).rename(tmp_path / "elsewhere")

    with pytest.raises(HistoryUnavailableError, match="was deleted or moved away under the running service"):
        await SqlActivityStore(database, UTC).store([an_activity(1)])
    with pytest.raises(HistoryUnavailableError, match="was deleted or moved away"):
        await database.check_writes()
    assert not (tmp_path / FILE).exists()


async def test_what_is_stored_goes_on_when_the_file_is_back(database: Database, tmp_path: Path) -> None:
    store = SqlActivityStore(database, UTC)
    await store.store([an_activity(1)])
    (tmp_path / FILE).rename(tmp_path / "elsewhere")
    with pytest.raises(HistoryUnavailableError):
        await store.store([an_activity(2)])
    (tmp_path / "elsewhere").rename(tmp_path / FILE)

    await store.store([an_activity(2)])

    assert sum(total.count for total in await SqlStats(database).totals()) == 2
    await database.check_writes()


async def test_another_file_in_its_place_is_never_opened(database: Database, tmp_path: Path) -> None:
    store = SqlActivityStore(database, UTC)
    await store.store([an_activity(1)])
    shutil.copy(tmp_path / FILE, tmp_path / "copy")
    (tmp_path / "copy").replace(tmp_path / FILE)
    before = (tmp_path / FILE).read_bytes()

    for _ in range(3):
        with pytest.raises(HistoryUnavailableError, match="was replaced under the running service"):
            await store.store([an_activity(2)])
    database.engine.dispose()
    with pytest.raises(HistoryUnavailableError, match="was replaced under the running service"):
        await SqlStats(database).totals()

    assert (tmp_path / FILE).read_bytes() == before


async def test_a_transaction_whose_file_goes_before_its_end_is_not_promised(database: Database, tmp_path: Path) -> None:
    def work(_connection: object) -> None:
        (tmp_path / FILE).unlink()

    with pytest.raises(HistoryUnavailableError, match="was deleted"):
        await database.write(work)


async def test_a_restore_sees_that_somebody_has_the_file_open(database: Database, tmp_path: Path) -> None:
    await SqlStats(database).totals()  # a connection that does nothing now
    used = is_in_use(tmp_path / FILE)
    await database.aclose()

    assert used
    assert not is_in_use(tmp_path / FILE)
    assert not is_in_use(tmp_path / "nothing")


async def test_a_long_write_ahead_log_gives_its_room_back(database: Database) -> None:
    limit = await database.read(lambda connection: connection.exec_driver_sql("PRAGMA journal_size_limit").scalar())

    assert limit == 64 * 1024 * 1024


@pytest.mark.postgres
async def test_connections_to_a_server_that_takes_no_writes_any_more_are_dropped() -> None:
    with postgres_database() as url:
        name = make_url(url).database
        database = open_database(url, Path("/nowhere"), timeout=5)
        with psycopg.connect(POSTGRES_URL, autocommit=True) as admin:
            await migrate(database)
            await database.check_writes()
            database.engine.dispose()
            admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

            with pytest.raises(HistoryUnavailableError, match="takes no writes: it is read-only"):
                await SqlActivityStore(database, UTC).store([an_activity(1)])
            assert await SqlStats(database).totals() == []
            admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            with pytest.raises(HistoryUnavailableError, match="takes no writes"):
                await database.check_writes()  # by the connection that was made meanwhile
            await database.check_writes()
            await SqlActivityStore(database, UTC).store([an_activity(1)])
        await database.aclose()


@pytest.mark.postgres
async def test_of_several_hosts_the_one_that_takes_writes_is_used(tmp_path: Path) -> None:
    with postgres_database() as url:
        server = make_url(url)
        where = f"127.0.0.1:1,{server.host}:{server.port or 5432}"
        database = open_database(f"postgresql://{server.username}@{where}/{server.database}", tmp_path, timeout=5)
        try:
            assert await migrate(database) is None
            assert database.name == f"{where}/{server.database}"
        finally:
            await database.aclose()
